/* A loop, a fake API server and a client to it: what the tests of src/kube start from. */
#ifndef TEST_KUBE_RIG_H
#define TEST_KUBE_RIG_H

#include "fake_apiserver.h"
#include "kube/client.h"

struct kube_rig {
	uv_loop_t loop;
	struct fake_apiserver *fake;
	struct http_client *http;
	struct kube_config *config;
	struct kube_client *client;
	char *dir; /* a folder for files of this test, removed at the end */
};

/* `user` is YAML for the kubeconfig's user ("token: t"), or NULL. */
void rig_open(struct kube_rig *rig, fake_handler_fn *handler, void *ctx, const char *user);
/* Closes all, and the loop must be empty then. What fake_close() counts. */
size_t rig_close(struct kube_rig *rig);
/* Writes DIR/NAME and gives its path; heap, caller owns. */
char *rig_file(const char *dir, const char *name, const char *text);
/* A new empty folder; heap, caller owns. */
char *rig_dir(void);
void rig_remove_dir(const char *dir);

#endif
