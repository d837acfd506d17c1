/* A rule that knows the resource. */
#include "api/autoscaler.h"
