/* A pure room that keeps the law. */
#include <string.h>

#include "api/autoscaler.h"
#include "kube/resource.h"

int lifetime(int x)
{
	return x; /* clock_wall_ms() */
}
