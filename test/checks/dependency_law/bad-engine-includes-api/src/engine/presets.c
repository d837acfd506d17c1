/* api and engine stand side by side. */
#include "api/autoscaler.h"
