/* Announcing one's own certificates, and reading those of all replicas. */
#include "announcements.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/texts.h"
#include "cached_views.h"
#include "certificate_bundle.h"
#include "kube/informer.h"
#include "view/core.h"

/* What is announced may have run out meanwhile, and a replica may be gone. */
#define TICK_MS 30000
/* Between two tries to announce, so that whoever takes the entry away again costs no more than a write in so long. */
#define RETRY_MS 1000
#define RETRY_MAX_MS 30000
#define MANAGER_NAME_MAX 100

struct announcements {
	struct announcements_options options; /* its strings are owned */
	struct announcements_hooks hooks;
	char *manager; /* of the own entry */
	struct kube_informer *informer;
	char *own;    /* what is announced; NULL = nothing yet */
	char *pem;    /* of it, as the next */
	char *note;   /* NULL = none */
	char *bundle; /* NULL = none */
	struct kube_call *announcing;
	struct kube_call *sweeping;
	int64_t retry_ms;
	uv_timer_t retry; /* runs from one try to announce until the next is allowed */
	uv_timer_t tick;
	struct texts refused; /* "entry: reason", as they were logged */
	struct map gone;      /* identities that were gone at the last tick, with the entry's hash */
	unsigned closing;     /* parts still to close */
	bool stopped;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static const struct view_pairs no_pairs = {.count = 0};

const struct view_pairs *announcements_entries(const struct announcements *a)
{
	const struct view *view = kube_cache_get(kube_informer_cache(a->informer), a->options.ns, a->options.name);

	return view != NULL ? &view_configmap(view)->data : &no_pairs;
}

/* The own entry. */

static void announce(struct announcements *a);
static void on_part_closed(void *ctx);

static void on_retry(uv_timer_t *timer)
{
	announce(timer->data);
}

static void explain_failure(const struct announcements *a, const struct error *err)
{
	if (err->kind == ERROR_FORBIDDEN || err->kind == ERROR_NOT_FOUND) {
		log_event(LOG_WARN,
			"cannot announce the certificate of the metrics API: the chart makes this ConfigMap and gives "
			"the right to patch it",
			"namespace", a->options.ns, "configmap", a->options.name, "error", err->message, NULL);
	} else {
		log_event(LOG_WARN, "cannot announce the certificate of the metrics API", "namespace", a->options.ns,
			"configmap", a->options.name, "error", err->message, NULL);
	}
}

static void on_announced(void *ctx, json_t *result, const struct error *err)
{
	struct announcements *a = ctx;

	(void)result;
	a->announcing = NULL;
	if (a->stopped) {
		on_part_closed(a);
		return;
	}
	if (err != NULL) {
		explain_failure(a, err);
	}
	uv_timer_start(&a->retry, on_retry, (uint64_t)a->retry_ms, 0);
	a->retry_ms = a->retry_ms * 2 < RETRY_MAX_MS ? a->retry_ms * 2 : RETRY_MAX_MS;
}

/* Unless it is announced already, or was tried a moment ago. */
static void announce(struct announcements *a)
{
	auto_json *object = NULL;

	if (a->own == NULL || a->announcing != NULL || a->stopped || !kube_informer_synced(a->informer)) {
		return;
	}
	if (text_equal(view_pairs_get(announcements_entries(a), a->options.identity), a->own)) {
		a->retry_ms = RETRY_MS;
		return;
	}
	if (uv_is_active((uv_handle_t *)&a->retry)) {
		return;
	}
	object = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
		"namespace", a->options.ns, "name", a->options.name, "data", a->options.identity, a->own);
	a->announcing =
		kube_apply(a->options.writer, &kinds[KIND_CONFIGMAP].resource, object, a->manager, on_announced, a);
}

/* `part` is one of the two that the entry is made of. */
static void set(struct announcements *a, char **part, const char *text)
{
	if (text_equal(*part, text)) {
		return;
	}
	free_indirect(part);
	*part = xstrdup(text);
	if (a->pem != NULL) {
		free_indirect(&a->own);
		a->own = xasprintf("%s%s", a->note != NULL ? a->note : "", a->pem);
		a->retry_ms = RETRY_MS;
		uv_timer_stop(&a->retry);
		announce(a);
	}
}

void announcements_set(struct announcements *a, const char *pem)
{
	set(a, &a->pem, pem);
}

void announcements_set_note(struct announcements *a, const char *line)
{
	set(a, &a->note, line);
}

/* What all announce. */

/* Collects what is wrong with entries, and logs what is new of it. */
struct complaint {
	struct announcements *announcements;
	struct texts found;
};

static void on_refused(void *ctx, const char *key, const char *reason)
{
	struct complaint *complaint = ctx;
	auto_free char *text = xasprintf("%s: %s", key, reason);

	texts_add(&complaint->found, text);
	if (!texts_hold(&complaint->announcements->refused, text)) {
		log_event(LOG_WARN, "an announced certificate is left out", "configmap",
			complaint->announcements->options.name, "entry", key, "reason", reason, NULL);
	}
}

static void read_bundle(struct announcements *a)
{
	struct complaint complaint = {.announcements = a};
	char *bundle;

	if (!kube_informer_synced(a->informer)) {
		return;
	}
	bundle = certificate_bundle(announcements_entries(a), a->options.dns_name, clock_wall_ms(), on_refused,
		&complaint);
	texts_release(&a->refused);
	a->refused = complaint.found;
	if (text_equal(bundle, a->bundle)) {
		free_indirect(&bundle);
		return;
	}
	free_indirect(&a->bundle);
	a->bundle = bundle;
	a->hooks.changed(a->hooks.ctx);
}

const char *announcements_bundle(const struct announcements *a)
{
	return a->bundle;
}

/* Those who are gone. */

static bool is_over(const struct announcements *a, const struct view_pair *entry)
{
	return !text_equal(entry->key, a->options.identity) &&
	       (a->hooks.gone(a->hooks.ctx, entry->key) ||
		       !certificate_entry_counts(entry->value, a->options.dns_name, clock_wall_ms()));
}

static void on_swept(void *ctx, json_t *result, const struct error *err)
{
	struct announcements *a = ctx;

	(void)result;
	a->sweeping = NULL;
	if (a->stopped) {
		on_part_closed(a);
	} else if (err != NULL && err->kind != ERROR_CANCELLED) {
		log_event(LOG_WARN, "cannot take away the announcements of replicas that are gone", "configmap",
			a->options.name, "error", err->message, NULL);
	}
}

/* Who was gone at the tick before is gone: one that has just come may be in this ConfigMap before its pod is in the
 * cache. */
static void sweep(struct announcements *a)
{
	const struct view_pairs *all = announcements_entries(a);
	auto_json *data = json_object();
	auto_json *patch = json_pack("{s:O}", "data", data);
	struct map gone;

	map_init(&gone, free);
	for (uint32_t i = 0; i < all->count && a->hooks.leads(a->hooks.ctx); i++) {
		const struct view_pair *entry = &all->items[i];
		char *hash = is_over(a, entry) ? text_hash(entry->value != NULL ? entry->value : "") : NULL;

		if (hash != NULL && text_equal(map_get(&a->gone, entry->key), hash)) {
			json_object_set_new(data, entry->key, json_null());
		}
		if (hash != NULL) {
			map_put(&gone, entry->key, hash);
		}
	}
	map_release(&a->gone);
	a->gone = gone;
	if (json_object_size(data) > 0 && a->sweeping == NULL) {
		a->sweeping = kube_merge_patch(a->options.client, &kinds[KIND_CONFIGMAP].resource, a->options.ns,
			a->options.name, patch, a->manager, on_swept, a);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct announcements *a = timer->data;

	read_bundle(a);
	announce(a);
	sweep(a);
}

/* The ConfigMap. */

static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct announcements *a = ctx;

	(void)informer;
	(void)before;
	(void)now;
	read_bundle(a);
	announce(a);
}

static void on_state(void *ctx, struct kube_informer *informer)
{
	struct announcements *a = ctx;
	const struct error *err = kube_informer_error(informer);

	if (err != NULL) {
		log_event(LOG_WARN, "cannot watch the certificates of the metrics API", "namespace", a->options.ns,
			"configmap", a->options.name, "error", err->message, NULL);
	}
	read_bundle(a);
	announce(a);
}

/* Life. */

struct announcements *announcements_new(const struct announcements_options *options,
	const struct announcements_hooks *hooks)
{
	struct announcements *a = xcalloc(1, sizeof(*a));
	uv_loop_t *loop = kube_client_loop(options->client);
	auto_free char *selector = xasprintf("metadata.name=%s", options->name);
	size_t len = strlen(options->identity);
	const struct kube_informer_hooks seen = {.changed = on_changed,
		.state = on_state,
		.form = cached_form(KIND_CONFIGMAP),
		.ctx = a};

	*a = (struct announcements){.options = *options, .hooks = *hooks, .retry_ms = RETRY_MS};
	a->options.ns = xstrdup(options->ns);
	a->options.name = xstrdup(options->name);
	a->options.identity = xstrdup(options->identity);
	a->options.dns_name = xstrdup(options->dns_name);
	/* The end of a pod's name is what tells it from others. */
	a->manager = xasprintf("%s-%s", MANAGED_BY,
		options->identity + (len > MANAGER_NAME_MAX ? len - MANAGER_NAME_MAX : 0));
	map_init(&a->gone, free);
	uv_timer_init(loop, &a->retry);
	a->retry.data = a;
	uv_timer_init(loop, &a->tick);
	a->tick.data = a;
	a->informer = kube_informer_new(options->client, &kinds[KIND_CONFIGMAP].resource, options->ns, selector, &seen);
	return a;
}

void announcements_start(struct announcements *a)
{
	uv_timer_start(&a->tick, on_tick, TICK_MS, TICK_MS);
	kube_informer_start(a->informer);
}

static void finish_close(struct announcements *a)
{
	void (*closed)(void *ctx) = a->closed;
	void *ctx = a->closed_ctx;

	map_release(&a->gone);
	texts_release(&a->refused);
	free_indirect(&a->options.ns);
	free_indirect(&a->options.name);
	free_indirect(&a->options.identity);
	free_indirect(&a->options.dns_name);
	free_indirect(&a->manager);
	free_indirect(&a->own);
	free_indirect(&a->pem);
	free_indirect(&a->note);
	free_indirect(&a->bundle);
	free_indirect(&a);
	closed(ctx);
}

static void on_part_closed(void *ctx)
{
	struct announcements *a = ctx;

	a->closing--;
	if (a->closing == 0) {
		finish_close(a);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

/* Its end comes later, from the loop. */
static void cancel(struct announcements *a, struct kube_call *call)
{
	if (call != NULL) {
		a->closing++;
		kube_call_cancel(call);
	}
}

void announcements_close(struct announcements *a, void (*closed)(void *ctx), void *ctx)
{
	a->stopped = true;
	a->closed = closed;
	a->closed_ctx = ctx;
	a->closing = 3;
	cancel(a, a->announcing);
	cancel(a, a->sweeping);
	kube_informer_close(a->informer, on_part_closed, a);
	uv_close((uv_handle_t *)&a->retry, on_timer_closed);
	uv_close((uv_handle_t *)&a->tick, on_timer_closed);
}
