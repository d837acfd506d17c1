/* The certificate of this replica, from one to the next. */
#include "serving_certificate.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/kept_file.h"
#include "turnover.h"

/* OpenSSL could not: it is tried again. */
#define RETRY_MS 1000
#define LOOK_MS 10000 /* at the files */
#define FILE_MAX (256u * 1024)

struct serving_certificate {
	char *dns_name;
	int64_t valid_ms;
	char *cert_file; /* NULL = it is made */
	char *key_file;
	bool failing; /* the files cannot be used, and that was logged */
	struct serving_certificate_hooks hooks;
	struct certificate *old; /* announced still, and served no more; NULL = none, as with the next two */
	struct certificate *serving;
	struct certificate *next;
	int64_t due_ms;    /* wall: when another is to follow the one that is served */
	int64_t known_ms;  /* monotonic: since when the next one is known; 0 = it is not */
	int64_t served_ms; /* monotonic: since when the one that follows `old` is served */
	uv_timer_t timer;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void announce(const struct serving_certificate *c)
{
	const struct certificate *const all[] = {c->old, c->serving, c->next};
	auto_strbuf pem = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i] != NULL) {
			strbuf_addstr(&pem, certificate_pem(all[i]));
		}
	}
	c->hooks.announce(c->hooks.ctx, pem.buf);
}

/* What the files hold; NULL while it cannot be served. */
static struct certificate *read_files(struct serving_certificate *c)
{
	auto_strbuf cert = STRBUF_INIT;
	auto_strbuf key = STRBUF_INIT;
	auto_error err = ERROR_INIT;
	struct certificate *read = NULL;

	if (file_read(c->cert_file, FILE_MAX, &cert, &err) == 0 && file_read(c->key_file, FILE_MAX, &key, &err) == 0) {
		read = certificate_read(cert.buf, key.buf, c->dns_name, clock_wall_ms(), &err);
	}
	if (read == NULL && !c->failing) {
		log_event(LOG_ERROR, "the certificate for the metrics API cannot be used", "file", c->cert_file, "name",
			c->dns_name, "error", err.message, NULL);
	}
	c->failing = read == NULL;
	return read;
}

static struct certificate *make(const struct serving_certificate *c)
{
	auto_error err = ERROR_INIT;
	struct certificate *made = certificate_make(c->dns_name, clock_wall_ms(), c->valid_ms, &err);

	if (made == NULL) {
		log_event(LOG_ERROR, "cannot make a certificate for the metrics API", "error", err.message, NULL);
	}
	return made;
}

static bool is_served(const struct serving_certificate *c, const struct certificate *certificate)
{
	return c->serving != NULL && strcmp(certificate_pem(certificate), certificate_pem(c->serving)) == 0;
}

/* False when there is none. */
static bool renew(struct serving_certificate *c)
{
	c->next = c->cert_file != NULL ? read_files(c) : make(c);
	if (c->next != NULL && is_served(c, c->next)) {
		certificate_free(c->next);
		c->next = NULL;
		c->due_ms = clock_wall_ms() + LOOK_MS;
		return true;
	}
	if (c->next == NULL) {
		return false;
	}
	c->known_ms = 0;
	announce(c);
	return true;
}

static void serve(struct serving_certificate *c)
{
	int64_t until_ms = certificate_until_ms(c->next);

	c->hooks.present(c->hooks.ctx, c->next);
	log_event(LOG_INFO,
		c->serving == NULL ? "serving the metrics API" : "the certificate of the metrics API turned over",
		"name", c->dns_name, NULL);
	c->old = c->serving;
	c->served_ms = clock_monotonic_ms();
	c->serving = c->next;
	c->next = NULL;
	c->due_ms = c->cert_file != NULL ? clock_wall_ms() + LOOK_MS : until_ms - c->valid_ms / 3;
}

static void drop(struct serving_certificate *c)
{
	certificate_free(c->old);
	c->old = NULL;
	announce(c);
}

/* Since when the next one is known, without a break. */
static void note_known(struct serving_certificate *c)
{
	bool known = c->next != NULL && c->hooks.known(c->hooks.ctx, certificate_pem(c->next));

	if (!known) {
		c->known_ms = 0;
	} else if (c->known_ms == 0) {
		c->known_ms = clock_monotonic_ms();
	}
}

static struct turnover stand(const struct serving_certificate *c)
{
	int64_t now = clock_monotonic_ms();

	return (struct turnover){.serving = c->serving != NULL,
		.asked = c->hooks.asked(c->hooks.ctx),
		.left_ms = c->due_ms - clock_wall_ms(),
		.has_next = c->next != NULL,
		.known_for_ms = c->known_ms > 0 ? now - c->known_ms : TURNOVER_NEVER,
		.served_for_ms = c->old != NULL ? now - c->served_ms : TURNOVER_NEVER};
}

static void on_timer(uv_timer_t *timer)
{
	serving_certificate_step(timer->data);
}

void serving_certificate_step(struct serving_certificate *c)
{
	for (;;) {
		int64_t again_ms;
		struct turnover turnover;

		note_known(c);
		turnover = stand(c);
		switch (turnover_next(&turnover, &again_ms)) {
		case TURNOVER_MAKE:
			if (renew(c)) {
				continue;
			}
			again_ms = RETRY_MS;
			break;
		case TURNOVER_SERVE:
			serve(c);
			continue;
		case TURNOVER_DROP:
			drop(c);
			continue;
		case TURNOVER_WAIT:
			break;
		}
		uv_timer_stop(&c->timer);
		if (again_ms != TURNOVER_NEVER) {
			uv_timer_start(&c->timer, on_timer, (uint64_t)again_ms, 0);
		}
		return;
	}
}

bool serving_certificate_ready(const struct serving_certificate *c)
{
	return c->serving != NULL &&
	       (!c->hooks.asked(c->hooks.ctx) || c->hooks.known(c->hooks.ctx, certificate_pem(c->serving)));
}

struct serving_certificate *serving_certificate_new(uv_loop_t *loop, const struct serving_certificate_options *options,
	const struct serving_certificate_hooks *hooks)
{
	struct serving_certificate *c = xcalloc(1, sizeof(*c));

	c->dns_name = xstrdup(options->dns_name);
	c->valid_ms = options->valid_ms;
	if (options->cert_file != NULL) {
		c->cert_file = xstrdup(options->cert_file);
		c->key_file = xstrdup(options->key_file);
	}
	c->hooks = *hooks;
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	return c;
}

static void on_closed(uv_handle_t *handle)
{
	struct serving_certificate *c = handle->data;
	void (*closed)(void *ctx) = c->closed;
	void *ctx = c->closed_ctx;

	certificate_free(c->old);
	certificate_free(c->serving);
	certificate_free(c->next);
	free_indirect(&c->dns_name);
	free_indirect(&c->cert_file);
	free_indirect(&c->key_file);
	free_indirect(&c);
	closed(ctx);
}

void serving_certificate_close(struct serving_certificate *c, void (*closed)(void *ctx), void *ctx)
{
	c->closed = closed;
	c->closed_ctx = ctx;
	uv_close((uv_handle_t *)&c->timer, on_closed);
}
