/* The lowest room that includes one above it. */
#include "kube/client.h"
