/*
 * Where the API server is and who we are to it: a kubeconfig file, or the service account of the
 * pod we run in.
 *
 * The token file is read again when older than a minute and the CA/certificate files when older
 * than five, keeping the last good text on a read error: they rotate under a running pod.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/error.h"
#include "net/http_client.h"

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
/* Fills `tls` with borrowed pointers valid until the next call on this config. */
void kube_config_tls(struct kube_config *config, struct http_tls *tls);
/* Fresh credentials as a header "Authorization: Bearer …"; heap, caller owns; NULL when the
 * certificate is the credential. -1 and `err` when they cannot be had. */
int kube_config_authorization(struct kube_config *config, char **header, struct error *err);
/* The API server answered 401: forget cached credentials so that the next request reads them again. */
void kube_config_refused(struct kube_config *config);
/* NULL = the environment's. */
const char *kube_config_proxy(const struct kube_config *config);

#endif
