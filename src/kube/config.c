/* Where the API server is and who we are to it. */
#include "kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "sources.h"

#define TOKEN_AGE_MS (60 * 1000)
#define CERTIFICATE_AGE_MS (5 * 60 * 1000)
#define PEM_MARKER "-----BEGIN "

struct kube_config *kube_config_new(void)
{
	struct kube_config *config = xcalloc(1, sizeof(*config));

	config->ca.marker = config->pair.cert.marker = config->pair.key.marker = PEM_MARKER;
	return config;
}

void kube_config_free(struct kube_config *config)
{
	if (config == NULL) {
		return;
	}
	free(config->server);
	free(config->ns);
	free(config->proxy);
	free(config->server_name);
	free(config->basic);
	kept_file_release(&config->ca);
	key_pair_release(&config->pair);
	kept_file_release(&config->token);
	exec_plugin_free(config->exec);
	free(config);
}

static int load_default(struct kube_config *config, const char *context, struct error *err)
{
	const char *home = getenv("HOME");
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	auto_free char *path = xasprintf("%s/.kube/config", home != NULL ? home : "");

	if (host != NULL && host[0] != '\0') {
		return incluster_load(config, SERVICE_ACCOUNT_DIR, err);
	}
	if (home != NULL && access(path, F_OK) == 0) {
		return kubeconfig_load(config, path, context, err);
	}
	return error_set(err, ERROR_INVALID,
		"no cluster to talk to: KUBECONFIG and KUBERNETES_SERVICE_HOST are not "
		"set and '%s' is not "
		"there: give --kubeconfig or run in a pod",
		path);
}

struct kube_config *kube_config_load(const char *path, const char *context, struct error *err)
{
	struct kube_config *config = kube_config_new();
	const char *env = getenv("KUBECONFIG");
	int rc;

	if (path != NULL) {
		rc = kubeconfig_load(config, path, context, err);
	} else if (env != NULL && env[0] != '\0') {
		rc = kubeconfig_load(config, env, context, err);
	} else {
		rc = load_default(config, context, err);
	}
	if (rc < 0) {
		kube_config_free(config);
		return NULL;
	}
	if (config->ns == NULL) {
		config->ns = xstrdup("default");
	}
	return config;
}

const char *kube_config_server(const struct kube_config *config)
{
	return config->server;
}

const char *kube_config_namespace(const struct kube_config *config)
{
	return config->ns;
}

const char *kube_config_proxy(const struct kube_config *config)
{
	return config->proxy;
}

/* The cluster as an exec plugin may be told of it, without what is only the plugin's. */
static json_t *describe_cluster(const struct kube_config *config)
{
	json_t *cluster = json_pack("{s:s}", "server", config->server);

	if (config->server_name != NULL) {
		json_object_set_new(cluster, "tls-server-name", json_string(config->server_name));
	}
	if (config->insecure) {
		json_object_set_new(cluster, "insecure-skip-tls-verify", json_true());
	}
	if (config->proxy != NULL) {
		json_object_set_new(cluster, "proxy-url", json_string(config->proxy));
	}
	if (config->ca.text != NULL) {
		auto_strbuf data = STRBUF_INIT;

		base64_encode(config->ca.text, strlen(config->ca.text), &data);
		json_object_set_new(cluster, "certificate-authority-data", json_string(data.buf));
	}
	return cluster;
}

bool kube_config_login(struct kube_config *config, uv_loop_t *loop, struct exec_waiter *waiter)
{
	auto_json *cluster = NULL;

	if (config->exec == NULL || exec_plugin_fresh(config->exec)) {
		return false;
	}
	cluster = describe_cluster(config);
	exec_plugin_wait(config->exec, loop, cluster, waiter);
	return true;
}

unsigned kube_config_generation(const struct kube_config *config)
{
	return config->exec != NULL ? config->exec->generation : 0;
}

void kube_config_tls(struct kube_config *config, struct http_tls *tls)
{
	const struct exec_credential *given = config->exec != NULL ? &config->exec->credential : NULL;
	bool other = given != NULL && given->cert != NULL;

	/* Loading read them all once, so these keep a good text whatever happens. */
	kept_file_refresh(&config->ca, CERTIFICATE_AGE_MS, NULL);
	key_pair_refresh(&config->pair, CERTIFICATE_AGE_MS);
	*tls = (struct http_tls){
		.ca_data = config->ca.text,
		.cert_data = other ? given->cert : config->pair.cert.text,
		.key_data = other ? given->key : config->pair.key.text,
		.server_name = config->server_name,
		.insecure = config->insecure,
	};
}

int kube_config_authorization(struct kube_config *config, char **header, struct error *err)
{
	*header = NULL;
	if (kept_file_refresh(&config->token, TOKEN_AGE_MS, err) < 0) {
		return error_wrap(err, "token cannot be read");
	}
	if (config->exec != NULL && config->exec->credential.token != NULL) {
		*header = xasprintf("Authorization: Bearer %s", config->exec->credential.token);
	} else if (config->token.text != NULL) {
		*header = xasprintf("Authorization: Bearer %s", config->token.text);
	} else if (config->basic != NULL) {
		*header = xasprintf("Authorization: Basic %s", config->basic);
	}
	return 0;
}

void kube_config_refused(struct kube_config *config, unsigned generation)
{
	kept_file_forget(&config->token);
	kept_file_expire(&config->pair.cert);
	kept_file_expire(&config->pair.key);
	if (config->exec != NULL) {
		exec_plugin_refused(config->exec, generation);
	}
}

void kube_config_not_reached(struct kube_config *config)
{
	kept_file_expire(&config->ca);
}
