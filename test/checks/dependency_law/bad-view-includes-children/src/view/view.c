/* Views know nothing of what is made of them. */
#include "children/child.h"
