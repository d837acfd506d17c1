/* The API server's own client certificate, as whom a TLS server trusts. */
#include "front_proxy.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cached_views.h"
#include "kube/informer.h"
#include "view/core.h"

#define NAMESPACE "kube-system"
#define NAME "extension-apiserver-authentication"
#define KEY_AUTHORITIES "requestheader-client-ca-file"
#define KEY_NAMES "requestheader-allowed-names"
/* A cluster names one or two. */
#define NAMES_MAX 16
#define REMEDY                                                                                                         \
	"bind the Role extension-apiserver-authentication-reader in kube-system to the operator's ServiceAccount, as " \
	"the chart does"

struct front_proxy {
	struct kube_informer *informer;
	front_proxy_fn *changed;
	void *ctx;
	/* What the trust was made of; NULL = it was not there. */
	char *authorities;
	char *names;
	bool read; /* it was made once */
	bool known;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* The names of a JSON list; false when the text is none: then the certificates of nobody are taken. */
static bool read_names(const json_t *list, const char *names[NAMES_MAX], size_t *count)
{
	*count = json_array_size(list);
	if (!json_is_array(list) || *count > NAMES_MAX) {
		return false;
	}
	for (size_t i = 0; i < *count; i++) {
		names[i] = json_string_value(json_array_get(list, i));
		if (names[i] == NULL) {
			return false;
		}
	}
	return true;
}

/* NULL and `err` when nobody can be trusted by it. */
static struct peer_trust *make_trust(const char *authorities, const char *names_text, struct error *err)
{
	const char *names[NAMES_MAX];
	size_t count;
	auto_json *list = names_text != NULL ? json_parse(names_text, strlen(names_text), NULL) : json_array();

	if (authorities == NULL || authorities[0] == '\0') {
		error_set(err, ERROR_NOT_FOUND,
			"there is no " KEY_AUTHORITIES
			": the API server runs without --requestheader-client-ca-file, and so "
			"without an aggregation layer");
		return NULL;
	}
	if (!read_names(list, names, &count)) {
		error_set(err, ERROR_INVALID, KEY_NAMES " is no JSON list of at most %d names", NAMES_MAX);
		return NULL;
	}
	return peer_trust_new(authorities, names, count, err);
}

static const struct view_pairs *read_data(const struct front_proxy *proxy)
{
	static const struct view_pairs none = {.count = 0};
	const struct view *view = kube_cache_get(kube_informer_cache(proxy->informer), NAMESPACE, NAME);

	return view != NULL ? &view_configmap(view)->data : &none;
}

/* What cannot be used is trusted by nobody: it is not for us to believe what the cluster no longer says. */
static void read_trust(struct front_proxy *proxy)
{
	const struct view_pairs *data = read_data(proxy);
	const char *authorities = view_pairs_get(data, KEY_AUTHORITIES);
	const char *names = view_pairs_get(data, KEY_NAMES);
	auto_error err = ERROR_INIT;
	struct peer_trust *trust;

	if (!kube_informer_synced(proxy->informer) ||
		(text_equal(authorities, proxy->authorities) && text_equal(names, proxy->names) && proxy->read)) {
		return;
	}
	free_indirect(&proxy->authorities);
	free_indirect(&proxy->names);
	proxy->authorities = xstrdup(authorities);
	proxy->names = xstrdup(names);
	trust = make_trust(authorities, names, &err);
	if (trust == NULL) {
		log_event(LOG_WARN, "the metrics API trusts nobody by what it reads of the API server's certificate",
			"namespace", NAMESPACE, "configmap", NAME, "error", err.message, NULL);
	}
	proxy->read = true;
	proxy->known = trust != NULL;
	proxy->changed(proxy->ctx, trust);
	peer_trust_free(trust);
}

static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	(void)informer;
	(void)before;
	(void)now;
	read_trust(ctx);
}

static void on_state(void *ctx, struct kube_informer *informer)
{
	struct front_proxy *proxy = ctx;
	const struct error *err = kube_informer_error(informer);

	if (err != NULL) {
		log_event(LOG_WARN, "cannot watch whom the metrics API is to trust", "namespace", NAMESPACE,
			"configmap", NAME, "error", err->message, "remedy",
			kube_informer_refused(informer) ? REMEDY : "", NULL);
	}
	read_trust(proxy);
}

struct front_proxy *front_proxy_new(struct kube_client *client, front_proxy_fn *changed, void *ctx)
{
	struct front_proxy *proxy = xcalloc(1, sizeof(*proxy));
	const struct kube_informer_hooks hooks = {.changed = on_changed,
		.state = on_state,
		.form = cached_form(KIND_CONFIGMAP),
		.ctx = proxy};

	proxy->changed = changed;
	proxy->ctx = ctx;
	proxy->informer =
		kube_informer_new(client, &kinds[KIND_CONFIGMAP].resource, NAMESPACE, "metadata.name=" NAME, &hooks);
	return proxy;
}

void front_proxy_start(struct front_proxy *proxy)
{
	kube_informer_start(proxy->informer);
}

bool front_proxy_known(const struct front_proxy *proxy)
{
	return proxy->known;
}

static void on_closed(void *ctx)
{
	struct front_proxy *proxy = ctx;
	void (*closed)(void *ctx) = proxy->closed;
	void *closed_ctx = proxy->closed_ctx;

	free_indirect(&proxy->authorities);
	free_indirect(&proxy->names);
	free_indirect(&proxy);
	closed(closed_ctx);
}

void front_proxy_close(struct front_proxy *proxy, void (*closed)(void *ctx), void *ctx)
{
	proxy->closed = closed;
	proxy->closed_ctx = ctx;
	kube_informer_close(proxy->informer, on_closed, proxy);
}
