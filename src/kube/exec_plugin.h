/*
 * An exec plugin: a program of the user's that prints credentials, run by client-go's rules
 * (plugin/pkg/client/auth/exec).
 *
 * It is started without a shell, on the loop, so that nothing else waits for it; its environment is
 * its own. Whoever needs credentials while it runs waits for the same run. What it printed is kept
 * until it expires or the API server refuses it. A run that nobody waits for any longer is killed.
 */
#ifndef KUBE_EXEC_PLUGIN_H
#define KUBE_EXEC_PLUGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "exec_credential.h"

enum exec_interactive { EXEC_NEVER, EXEC_IF_AVAILABLE, EXEC_ALWAYS };

/* Filled by kubeconfig_user.c; strings are heap and the plugin's. */
struct exec_plugin {
	char *api_version;
	char *command; /* as given, or beside the kubeconfig */
	char **argv;   /* begins with the command, ends with NULL */
	json_t *env;   /* {NAME: VALUE}: over the environment that we have */
	char *install_hint;
	enum exec_interactive interactive;
	bool provide_cluster;
	json_t *cluster_config; /* for the plugin, from the cluster's extensions; NULL = none */
	int64_t timeout_ms;     /* 60 000 */

	struct exec_credential credential;
	bool usable;          /* the credential was not refused */
	unsigned generation;  /* of the credential */
	struct exec_run *run; /* under way; NULL = none */
};

/* Somebody who waits for credentials. */
struct exec_waiter {
	/* From the loop, once; `err` NULL = there are credentials now. */
	void (*ready)(void *ctx, const struct error *err);
	void *ctx;
	struct exec_run *run; /* NULL = not waiting */
	struct exec_waiter *next;
};

struct exec_plugin *exec_plugin_new(void);
/* Nobody may be waiting. */
void exec_plugin_free(struct exec_plugin *plugin);
/* The credential may be used for a request that starts now. */
bool exec_plugin_fresh(const struct exec_plugin *plugin);
/* Waits for a run, which is started if there is none. `cluster` is what the plugin may be told of
 * the cluster: an object of the form of ExecCredential.spec.cluster. */
void exec_plugin_wait(struct exec_plugin *plugin, uv_loop_t *loop, json_t *cluster, struct exec_waiter *waiter);
/* ready() is not called any more. False when the waiter was not waiting. */
bool exec_waiter_leave(struct exec_waiter *waiter);
/* The API server refused the credential of this generation: the next request runs the plugin. */
void exec_plugin_refused(struct exec_plugin *plugin, unsigned generation);

/* exec_environment.c: ours, with the plugin's own over it, and KUBERNETES_EXEC_INFO. */
char **exec_environment(const struct exec_plugin *plugin, json_t *cluster, bool interactive);
void exec_environment_free(char **env);

#endif
