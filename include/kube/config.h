/*
 * Where the API server is and who we are to it: a kubeconfig file, or the service account of the
 * pod we run in.
 *
 * Credentials rotate under a running pod, and nothing has to be restarted for it:
 *   token file          read again when a minute old, and after a 401 (client-go: transport/token_source.go)
 *   client certificate  its two files are read again when five minutes old, and after a 401; taken
 *                       only when the key is the certificate's (transport/cert_rotation.go)
 *   CA file             read again when five minutes old, and when the server could not be reached
 *                       (transport/ca_rotation.go)
 *   exec plugin         run again when what it printed expires, and after a 401; without a shell and
 *                       beside the loop (plugin/pkg/client/auth/exec; KEP-541)
 * A read error, and a file that holds nonsense, keep the last good text. A new certificate or CA
 * means new connections; what is under way on the old ones ends there.
 *
 * The way there: the cluster's proxy-url, else HTTPS_PROXY (http_proxy for http://) unless NO_PROXY
 * names the host, as a name, a domain or a block of addresses ("10.96.0.0/12").
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/error.h"

struct kube_config;

/*
 * Loads in client-go's order: `path` if not NULL, else $KUBECONFIG (a colon-separated list is
 * merged, first wins), else the in-cluster service account when KUBERNETES_SERVICE_HOST is set,
 * else ~/.kube/config. `context` NULL = current-context. NULL and `err` on failure: the message
 * names the file, the field and the remedy.
 */
struct kube_config *kube_config_load(const char *path, const char *context, struct error *err);
void kube_config_free(struct kube_config *config);

/* "https://host:port" without a trailing slash; IPv6 hosts in brackets. */
const char *kube_config_server(const struct kube_config *config);
/* The namespace of the context or the service account; "default" when none. */
const char *kube_config_namespace(const struct kube_config *config);

#endif
