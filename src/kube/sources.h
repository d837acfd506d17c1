/*
 * The inside of a kube_config and the two places it is filled from: kubeconfig files and a pod's
 * service account. Private to src/kube and its tests.
 */
#ifndef KUBE_SOURCES_H
#define KUBE_SOURCES_H

#include <stdbool.h>

#include "base/error.h"
#include "kept_file.h"
#include "kube/config.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_config {
	char *server;
	char *ns;
	char *proxy;	   /* NULL = the environment's */
	char *server_name; /* NULL = the URL's host */
	bool insecure;
	struct kept_file ca;
	struct kept_file cert;
	struct kept_file key;
	struct kept_file token;
	char *basic; /* base64 of "user:password" */
};

struct kube_config *kube_config_new(void);
/* Fills an empty config from a colon-separated list of files, merged as kubectl does. */
int kubeconfig_load(struct kube_config *config, const char *paths, const char *context,
		    struct error *err);
/* Fills an empty config from the environment and the service account mounted at `dir`. */
int incluster_load(struct kube_config *config, const char *dir, struct error *err);

#endif
