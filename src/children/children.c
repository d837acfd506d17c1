/* The table of children. */
#include "children/children.h"

#include "base/memory.h"

const struct child *const children[] = {&child_service, &child_servicemonitor, &child_hpa};
const size_t children_count = ARRAY_LEN(children);
