/*
 * The inside of a kube_config, the two places it is filled from (kubeconfig files and a pod's
 * service account), and what a request takes from it. Private to src/kube and its tests.
 */
#ifndef KUBE_SOURCES_H
#define KUBE_SOURCES_H

#include <stdbool.h>

#include "base/error.h"
#include "exec_plugin.h"
#include "kube/config.h"
#include "kube/key_pair.h"
#include "net/http_client.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_config {
	char *server;
	char *ns;
	char *proxy;       /* NULL = the environment's */
	char *server_name; /* NULL = the URL's host */
	bool insecure;
	struct kept_file ca;
	struct key_pair pair; /* the client certificate */
	struct kept_file token;
	char *basic;              /* base64 of "user:password" */
	struct exec_plugin *exec; /* NULL = none */
};

struct kube_config *kube_config_new(void);
/* Fills an empty config from a colon-separated list of files, merged as kubectl does. */
int kubeconfig_load(struct kube_config *config, const char *paths, const char *context, struct error *err);
/* Fills an empty config from the environment and the service account mounted at `dir`. */
int incluster_load(struct kube_config *config, const char *dir, struct error *err);

/* A request's way: */

/* True when credentials have to be fetched first, by an exec plugin: waiter->ready is called later,
 * from the loop, unless exec_waiter_leave() comes before. */
bool kube_config_login(struct kube_config *config, uv_loop_t *loop, struct exec_waiter *waiter);
/* Of the exec plugin's credential that is used now; for kube_config_refused(). */
unsigned kube_config_generation(const struct kube_config *config);
/* Fills `tls` with borrowed pointers valid until the next call on this config. */
void kube_config_tls(struct kube_config *config, struct http_tls *tls);
/* Credentials as a header "Authorization: Bearer …"; heap, caller owns; NULL when the certificate is
 * the credential. -1 and `err` when they cannot be had. */
int kube_config_authorization(struct kube_config *config, char **header, struct error *err);
/* NULL = the environment's. */
const char *kube_config_proxy(const struct kube_config *config);
/* The API server answered 401: the next request takes fresh credentials. `generation` is that of the
 * refused request's start. */
void kube_config_refused(struct kube_config *config, unsigned generation);
/* No answer came: perhaps the server's certificate is of a new CA, so read the file again. */
void kube_config_not_reached(struct kube_config *config);

#endif
