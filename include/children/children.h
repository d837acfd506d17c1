/*
 * The children of an autoscaler: which there are, in the order they are written.
 */
#ifndef CHILDREN_CHILDREN_H
#define CHILDREN_CHILDREN_H

#include "children/child.h"

extern const struct child child_service;
extern const struct child child_servicemonitor;
extern const struct child child_hpa;

extern const struct child *const children[];
extern const size_t children_count;

#endif
