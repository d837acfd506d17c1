/* Where the API server is and who we are to it. */
#include "kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "sources.h"

#define TOKEN_AGE_MS (60 * 1000)
#define CERTIFICATE_AGE_MS (5 * 60 * 1000)
#define PEM_MARKER "-----BEGIN "

struct kube_config *kube_config_new(void)
{
	struct kube_config *config = xcalloc(1, sizeof(*config));

	config->ca.marker = config->cert.marker = config->key.marker = PEM_MARKER;
	return config;
}

void kube_config_free(struct kube_config *config)
{
	if (!config)
		return;
	free(config->server);
	free(config->ns);
	free(config->proxy);
	free(config->server_name);
	free(config->basic);
	kept_file_release(&config->ca);
	kept_file_release(&config->cert);
	kept_file_release(&config->key);
	kept_file_release(&config->token);
	free(config);
}

static int load_default(struct kube_config *config, const char *context, struct error *err)
{
	const char *home = getenv("HOME");
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	auto_free char *path = xasprintf("%s/.kube/config", home ? home : "");

	if (host && host[0] != '\0')
		return incluster_load(config, SERVICE_ACCOUNT_DIR, err);
	if (home && access(path, F_OK) == 0)
		return kubeconfig_load(config, path, context, err);
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

	if (path)
		rc = kubeconfig_load(config, path, context, err);
	else if (env && env[0] != '\0')
		rc = kubeconfig_load(config, env, context, err);
	else
		rc = load_default(config, context, err);
	if (rc < 0) {
		kube_config_free(config);
		return NULL;
	}
	if (!config->ns)
		config->ns = xstrdup("default");
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

void kube_config_tls(struct kube_config *config, struct http_tls *tls)
{
	/* Loading read them all once, so these keep a good text whatever happens. */
	kept_file_refresh(&config->ca, CERTIFICATE_AGE_MS, NULL);
	kept_file_refresh(&config->cert, CERTIFICATE_AGE_MS, NULL);
	kept_file_refresh(&config->key, CERTIFICATE_AGE_MS, NULL);
	*tls = (struct http_tls){
		.ca_data = config->ca.text,
		.cert_data = config->cert.text,
		.key_data = config->key.text,
		.server_name = config->server_name,
		.insecure = config->insecure,
	};
}

int kube_config_authorization(struct kube_config *config, char **header, struct error *err)
{
	*header = NULL;
	if (kept_file_refresh(&config->token, TOKEN_AGE_MS, err) < 0)
		return error_wrap(err, "token cannot be read");
	if (config->token.text)
		*header = xasprintf("Authorization: Bearer %s", config->token.text);
	else if (config->basic)
		*header = xasprintf("Authorization: Basic %s", config->basic);
	return 0;
}

void kube_config_refused(struct kube_config *config)
{
	kept_file_forget(&config->token);
}
