/* What a handler is told of a request. */
#include "tls_exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

struct tls_exchange *tls_exchange_new(struct tls_connection *connection, const struct request_head *head)
{
	struct tls_exchange *x = xcalloc(1, sizeof(*x));
	struct request_text user = request_head_find(head, "X-Remote-User");

	*x = (struct tls_exchange){.magic = EXCHANGE_MAGIC,
		.connection = connection,
		.target = xstrndup(head->target.text, head->target.len),
		.user = user.text != NULL ? xstrndup(user.text, user.len) : NULL,
		.only_head = head->only_head};
	return x;
}

void tls_exchange_free(struct tls_exchange *x)
{
	x->magic = 0;
	free(x->target);
	free(x->user);
	free(x);
}

const char *tls_exchange_target(const struct tls_exchange *x)
{
	return x->target;
}

const char *tls_exchange_user(const struct tls_exchange *x)
{
	return x->user;
}

void tls_exchange_watch(struct tls_exchange *x, void (*gone)(void *ctx), void *ctx)
{
	assert(x->magic == EXCHANGE_MAGIC);
	x->gone = gone;
	x->gone_ctx = ctx;
}
