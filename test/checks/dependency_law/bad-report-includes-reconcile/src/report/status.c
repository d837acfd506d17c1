/* A status that reaches up to the reconcile. */
#include "reconcile/reconcile.h"
