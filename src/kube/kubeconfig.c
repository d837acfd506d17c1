/* Reads kubeconfig files: merges them, chooses the context, and fills a kube_config from it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "kubeconfig_entry.h"
#include "sources.h"

#define KUBECONFIG_LIMIT (4 * 1024 * 1024)

/* kubeconfig's three lists: entries by name, and where in an entry its fields are. */
static const struct list {
	const char *name;
	const char *body;
} lists[] = {{"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};

/* Adds to `merged` what is not in it yet: {"clusters": {NAME: {"file": PATH, "fields": {…}}}, …}.
 */
static int merge_list(json_t *merged, const json_t *document, const struct list *list, const char *path,
	struct error *err)
{
	json_t *into = json_object_get(merged, list->name), *item, *items = json_object_get(document, list->name);
	size_t i;

	if (items != NULL && !json_is_null(items) && !json_is_array(items)) {
		return error_set(err, ERROR_INVALID, "kubeconfig '%s': '%s' is not a list: correct the file", path,
			list->name);
	}
	json_array_foreach(items, i, item) {
		const char *name = json_path_string(item, "name", NULL);
		json_t *fields = json_object_get(item, list->body);

		if (name == NULL) {
			return error_set(err, ERROR_INVALID,
				"kubeconfig '%s': %s[%zu] has no 'name': give it one "
				"(quoted, if it is a number)",
				path, list->name, i);
		}
		if (json_object_get(into, name) == NULL) {
			json_object_set_new(into, name, json_pack("{s:s, s:O?}", "file", path, "fields", fields));
		}
	}
	return 0;
}

static int merge_file(json_t *merged, const char *path, struct error *err)
{
	auto_strbuf text = STRBUF_INIT;
	auto_json *document = NULL;
	auto_error why = ERROR_INIT;
	const char *current;

	if (file_read(path, KUBECONFIG_LIMIT, &text, &why) < 0) {
		return error_set(err, why.kind,
			"kubeconfig '%s' cannot be read: %s: give --kubeconfig or KUBECONFIG "
			"another path",
			path, why.message);
	}
	document = yaml_parse(text.buf, text.len, err);
	if (document == NULL) {
		return error_wrap(err, "kubeconfig '%s' is not valid YAML (correct it or give another)", path);
	}
	if (!json_is_object(document)) {
		return error_set(err, ERROR_INVALID,
			"kubeconfig '%s' is empty or not a mapping: give a file written "
			"by kubectl config",
			path);
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (merge_list(merged, document, &lists[i], path, err) < 0) {
			return -1;
		}
	}
	current = json_path_string(document, "current-context", "");
	if (current[0] != '\0' && json_object_get(merged, "current-context") == NULL) {
		json_object_set_new(merged, "current-context", json_string(current));
	}
	return 0;
}

/* As kubectl does, a file of a list may be missing, but one must be there. */
static int merge_files(json_t *merged, const char *paths, struct error *err)
{
	auto_free char *copy = xstrdup(paths);
	char *rest = NULL;
	size_t read = 0;

	for (char *path = strtok_r(copy, ":", &rest); path != NULL; path = strtok_r(NULL, ":", &rest)) {
		auto_error why = ERROR_INIT;

		if (merge_file(merged, path, &why) == 0) {
			read++;
		} else if (why.kind != ERROR_NOT_FOUND || strchr(paths, ':') == NULL) {
			error_move(err, &why);
			return -1;
		}
	}
	if (read == 0) {
		return error_set(err, ERROR_INVALID, "none of the kubeconfig files '%s' is there: give a path that is",
			paths);
	}
	return 0;
}

static int find_entry(const json_t *merged, const char *list, const char *name, struct entry *entry)
{
	const json_t *found = json_object_get(json_object_get(merged, list), name);

	*entry = (struct entry){
		.list = list,
		.name = name,
		.file = json_path_string(found, "file", ""),
		.fields = json_object_get(found, "fields"),
	};
	return found != NULL ? 0 : -1;
}

static char *names_of(const json_t *merged, const char *list)
{
	auto_strbuf names = STRBUF_INIT;
	const char *name;
	json_t *entry;

	json_object_foreach(json_object_get(merged, list), name, entry) {
		strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", name);
	}
	return names.len > 0 ? strbuf_take(&names) : xstrdup("(none)");
}

/* The schemes of client-go (tools/clientcmd/api/types.go, proxy-url). */
static int check_proxy(const struct entry *cluster, const char *proxy, struct error *err)
{
	static const char *const schemes[] = {"http://", "https://", "socks5://"};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (strncmp(proxy, schemes[i], strlen(schemes[i])) == 0) {
			return 0;
		}
	}
	return error_set(err, ERROR_INVALID,
		"kubeconfig '%s': 'proxy-url' of cluster '%s' cannot be used: begin it "
		"with http://, https:// or socks5://",
		cluster->file, cluster->name);
}

static int load_cluster(struct kube_config *config, const struct entry *cluster, struct error *err)
{
	const char *server, *name, *proxy;
	size_t len;

	if (entry_text(cluster, "server", &server, err) < 0 || entry_text(cluster, "tls-server-name", &name, err) < 0 ||
		entry_text(cluster, "proxy-url", &proxy, err) < 0 ||
		entry_file(cluster, "certificate-authority", "certificate-authority-data", &config->ca, err) < 0) {
		return -1;
	}
	if (server == NULL) {
		return error_set(err, ERROR_INVALID, "kubeconfig '%s': cluster '%s' has no 'server': give its URL",
			cluster->file, cluster->name);
	}
	if (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0) {
		return error_set(err, ERROR_INVALID,
			"kubeconfig '%s': server '%s' of cluster '%s' is not a URL: begin "
			"it with https://",
			cluster->file, server, cluster->name);
	}
	if (proxy != NULL && check_proxy(cluster, proxy, err) < 0) {
		return -1;
	}
	config->insecure = json_path_bool(cluster->fields, "insecure-skip-tls-verify", false);
	if (config->insecure && config->ca.text != NULL) {
		return error_set(err, ERROR_INVALID,
			"kubeconfig '%s': cluster '%s' has both a certificate authority and "
			"'insecure-skip-tls-verify': remove one",
			cluster->file, cluster->name);
	}
	for (len = strlen(server); server[len - 1] == '/'; len--) {
	}
	config->server = xstrndup(server, len);
	config->server_name = xstrdup(name);
	config->proxy = xstrdup(proxy);
	return 0;
}

/* Finds the entry a context names; a context without a user is an anonymous one. */
static int follow(const json_t *merged, const struct entry *context, const char *field, const char *list,
	struct entry *entry, struct error *err)
{
	const char *name;

	if (entry_text(context, field, &name, err) < 0) {
		return -1;
	}
	if (name == NULL) {
		*entry = (struct entry){.list = list};
		return 0;
	}
	if (find_entry(merged, list, name, entry) == 0) {
		return 0;
	}
	return error_set(err, ERROR_INVALID,
		"kubeconfig '%s': context '%s' names the %s '%s', which is not there: add "
		"it or correct the name",
		context->file, context->name, field, name);
}

static int load_context(struct kube_config *config, const json_t *merged, const char *paths, const char *name,
	struct error *err)
{
	auto_free char *known = names_of(merged, "contexts");
	struct entry context, cluster, user;
	const char *ns;

	if (name == NULL) {
		return error_set(err, ERROR_INVALID,
			"kubeconfig '%s' has no 'current-context': give --context or set "
			"one with kubectl config "
			"use-context; there are: %s",
			paths, known);
	}
	if (find_entry(merged, "contexts", name, &context) < 0) {
		return error_set(err, ERROR_INVALID, "kubeconfig '%s' has no context '%s': choose one of: %s", paths,
			name, known);
	}
	if (follow(merged, &context, "cluster", "clusters", &cluster, err) < 0 ||
		follow(merged, &context, "user", "users", &user, err) < 0 ||
		entry_text(&context, "namespace", &ns, err) < 0) {
		return -1;
	}
	if (cluster.name == NULL) {
		return error_set(err, ERROR_INVALID, "kubeconfig '%s': context '%s' has no 'cluster': name one",
			context.file, name);
	}
	config->ns = xstrdup(ns);
	if (load_cluster(config, &cluster, err) < 0) {
		return -1;
	}
	return user.name != NULL ? kubeconfig_load_user(config, &user, &cluster, err) : 0;
}

int kubeconfig_load(struct kube_config *config, const char *paths, const char *context, struct error *err)
{
	auto_json *merged = json_pack("{s:{}, s:{}, s:{}}", lists[0].name, lists[1].name, lists[2].name);

	if (merge_files(merged, paths, err) < 0) {
		return -1;
	}
	if (context == NULL) {
		context = json_path_string(merged, "current-context", NULL);
	}
	return load_context(config, merged, paths, context, err);
}
