/* The one file of kube that the pure side shares has to be pure itself. */
#include "kube/resource.h"
#include "net/http_client.h"
