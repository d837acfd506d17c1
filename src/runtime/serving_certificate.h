/*
 * The certificate that this replica serves the custom metrics API with, through its turnover (turnover.h). It is made
 * here, or given in files, which are read again every ten seconds: what is new in them is announced and follows likewise.
 *
 * Private to src/runtime.
 */
#ifndef RUNTIME_SERVING_CERTIFICATE_H
#define RUNTIME_SERVING_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/certificate.h"

struct serving_certificate;

struct serving_certificate_hooks {
	/* Borrowed. */
	void (*present)(void *ctx, const struct certificate *certificate);
	void (*announce)(void *ctx, const char *pem);
	/* Whether an APIService leads to our Service, and whether all that do have this certificate in their caBundle. */
	bool (*asked)(void *ctx);
	bool (*known)(void *ctx, const char *pem);
	void *ctx;
};

/* All is copied. */
struct serving_certificate_options {
	const char *dns_name;
	int64_t valid_ms;      /* of one that is made; another follows after two thirds of that */
	const char *cert_file; /* PEM, given with its key; NULL = it is made */
	const char *key_file;
};

struct serving_certificate *serving_certificate_new(uv_loop_t *loop, const struct serving_certificate_options *options,
	const struct serving_certificate_hooks *hooks);
/* closed(ctx) from the loop; freed after it. */
void serving_certificate_close(struct serving_certificate *certificate, void (*closed)(void *ctx), void *ctx);

/* Something is there, or is known, that was not: begins with the first call. */
void serving_certificate_step(struct serving_certificate *certificate);
/* Whether what is served is known to whoever asks. */
bool serving_certificate_ready(const struct serving_certificate *certificate);

#endif
