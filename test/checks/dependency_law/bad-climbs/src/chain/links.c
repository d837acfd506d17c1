/* An include that goes around the law. */
#include "../kube/client.h"
