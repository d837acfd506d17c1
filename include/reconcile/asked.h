/*
 * Which Prometheus is asked by those who scale: its answers count.
 */
#ifndef RECONCILE_ASKED_H
#define RECONCILE_ASKED_H

#include "reconcile/world.h"

/* "ns/name" of the one that the adapter asks, else that the settings' URL leads to. Heap; NULL when neither can be
 * told, and when it does not run. */
char *prometheus_asked(const struct world *world);

#endif
