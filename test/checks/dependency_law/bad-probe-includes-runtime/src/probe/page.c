/* probe and runtime stand side by side. */
#include "runtime/controller.h"
