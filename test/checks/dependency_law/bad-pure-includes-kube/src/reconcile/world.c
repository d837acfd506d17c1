/* A pure room may know the names in Kubernetes, but not its client. */
#include "kube/resource.h"
#include "kube/client.h"
