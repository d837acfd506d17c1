/* A loop, a fake API server and a client to it. */
#include "kube_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

static void die(const char *what)
{
	perror(what);
	abort();
}

char *rig_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/kube-test-XXXXXX", tmp != NULL ? tmp : "/tmp");

	if (mkdtemp(dir) == NULL) {
		die(dir);
	}
	return dir;
}

char *rig_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *stream = fopen(path, "w");

	if (stream == NULL || fputs(text, stream) < 0 || fclose(stream) != 0) {
		die(path);
	}
	return path;
}

void rig_remove_dir(const char *dir)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;

	if (stream == NULL) {
		die(dir);
	}
	while ((entry = readdir(stream)) != NULL) {
		auto_free char *path = xasprintf("%s/%s", dir, entry->d_name);

		unlink(path); /* fails on "." and "..", as it should */
	}
	closedir(stream);
	if (rmdir(dir) < 0) {
		die(dir);
	}
}

void rig_open(struct kube_rig *rig, fake_handler_fn *handler, void *ctx, const char *user)
{
	auto_free char *text = NULL;
	auto_free char *path = NULL;
	auto_error err = ERROR_INIT;

	if (uv_loop_init(&rig->loop) < 0) {
		abort();
	}
	rig->dir = rig_dir();
	rig->fake = fake_new(&rig->loop, handler, ctx);
	text = xasprintf("current-context: t\n"
			 "contexts: [{name: t, context: {cluster: c, user: u}}]\n"
			 "clusters: [{name: c, cluster: {server: '%s/'}}]\n"
			 "users: [{name: u, user: {%s}}]\n",
		fake_url(rig->fake), user != NULL ? user : "");
	path = rig_file(rig->dir, "kubeconfig", text);
	rig->config = kube_config_load(path, NULL, &err);
	if (rig->config == NULL) {
		fprintf(stderr, "%s\n", err.message);
		abort();
	}
	rig->http = http_client_new(&rig->loop);
	rig->client = kube_client_new(&rig->loop, rig->http, rig->config);
}

static void on_http_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

size_t rig_close(struct kube_rig *rig)
{
	bool closed = false;
	size_t wrong;

	kube_client_free(rig->client);
	http_client_close(rig->http, on_http_closed, &closed);
	if (!run_until(&rig->loop, is_true, &closed)) {
		abort();
	}
	wrong = fake_close(rig->fake);
	kube_config_free(rig->config);
	rig_remove_dir(rig->dir);
	free(rig->dir);
	if (uv_loop_close(&rig->loop) < 0) {
		fprintf(stderr, "the loop still holds handles\n");
		wrong++;
	}
	return wrong;
}
