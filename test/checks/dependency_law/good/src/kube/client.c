/* Rooms that keep the law, in look-alikes of each breach. */
#include <time.h>
#include <uv.h>

#include "base/clock.h"
#include "kube/resource.h"
#include "net/http_client.h"

/*
#include "runtime/controller.h"
*/
long now(void)
{
	return clock_wall_ms();
}
