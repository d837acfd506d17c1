/*
 * Addresses of pods that are read.
 *
 * An address is always that which the kubelet reports of a watched pod; nothing of a request is part of it. A pod on the host's
 * network has its node's address, and is read there: engines that span nodes run so, and who may make such a pod sees
 * that node's services without us. What comes back of a page is the figure of a signal, nothing else. An address that can
 * only be our own, or the machine's (its cloud's metadata among them), is no pod's, and is never read.
 */
#ifndef PODS_POD_ADDRESS_H
#define PODS_POD_ADDRESS_H

#include <stdbool.h>

/* Whether the text is an IP address that is not link-local, multicast, unspecified or broadcast; nor, unless `loopback`, a
 * loopback address: where pods are processes on one machine, they have these. */
bool pod_address_is_read(const char *text, bool loopback);

#endif
