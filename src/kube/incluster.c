/* Who a pod is to the API server: its mounted service account and two environment variables. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sources.h"

int incluster_load(struct kube_config *config, const char *dir, struct error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct kept_file ns = {0};

	if (host == NULL || host[0] == '\0' || port == NULL || port[0] == '\0') {
		return error_set(err, ERROR_INVALID,
			"environment variable '%s' is not set: in a pod the kubelet sets "
			"it; outside "
			"give --kubeconfig",
			host == NULL || host[0] == '\0' ? "KUBERNETES_SERVICE_HOST" : "KUBERNETES_SERVICE_PORT");
	}
	config->server = xasprintf(strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s", host, port);
	config->token.path = xasprintf("%s/token", dir);
	config->ca.path = xasprintf("%s/ca.crt", dir);
	if (kept_file_refresh(&config->token, 0, err) < 0 || kept_file_refresh(&config->ca, 0, err) < 0) {
		error_wrap(err, "service account cannot be used (set automountServiceAccountToken: true)");
		return -1;
	}
	ns.path = xasprintf("%s/namespace", dir);
	/* Only the default for what names no namespace: without it "default" serves. */
	if (kept_file_refresh(&ns, 0, NULL) == 0) {
		config->ns = xstrdup(ns.text);
	}
	kept_file_release(&ns);
	return 0;
}
