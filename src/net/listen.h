/* A listening TCP socket for "HOST:PORT". */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/error.h"

/* A socket that listens, not blocking, and the port it got; -1 and `err` saying why and what to do. */
int listen_on(const char *address, int *port, struct error *err);

#endif
