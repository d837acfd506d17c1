/*
 * The addresses that a server's name stands for, and how many of our requests each has.
 *
 * A headless Service's name resolves to every ready pod. Taking the address with the fewest requests
 * keeps the pods at equal load at every moment, as a good gateway does; spread by chance, twelve
 * requests on three pods are rarely four on each, and a sum of samples taken at different times lies.
 */
#ifndef STANDIN_ADDRESSES_H
#define STANDIN_ADDRESSES_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"

struct address {
	char *base;   /* http://ADDRESS:PORT */
	int requests; /* taken and not given back */
	bool listed;  /* the name stands for it now, and it answered when it was last asked */
};

struct addresses;

/* Resolves the host of `url` at once and every second from then on; NULL when the URL has none. */
struct addresses *addresses_new(uv_loop_t *loop, const char *url, struct error *err);
/* No resolving from now on; the loop must run before addresses_free(). */
void addresses_close(struct addresses *addresses);
void addresses_free(struct addresses *addresses);

/* "Host: NAME", for a request to an address. */
const char *addresses_host_header(const struct addresses *addresses);
/* That with the fewest requests, which now has one more; NULL while there is none. Valid until addresses_free(). */
struct address *addresses_take(struct addresses *addresses);
/* `answered`: false leaves it out until the name is resolved again. */
void addresses_give_back(struct address *address, bool answered);

#endif
