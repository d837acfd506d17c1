/* Reads kubeconfig files: merges them, chooses the context, and fills a kube_config from it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "base64.h"
#include "sources.h"

#define KUBECONFIG_LIMIT (4 * 1024 * 1024)

/* A cluster, user or context, and the file it came from: relative paths start at that file. */
struct entry {
	const char *list; /* "clusters" */
	const char *name;
	const char *file;
	const json_t *fields;
};

/* kubeconfig's three lists: entries by name, and where in an entry its fields are. */
static const struct list {
	const char *name;
	const char *body;
} lists[] = {{"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};

/* Adds to `merged` what is not in it yet: {"clusters": {NAME: {"file": PATH, "fields": {…}}}, …}.
 */
static int merge_list(json_t *merged, const json_t *document, const struct list *list,
		      const char *path, struct error *err)
{
	json_t *into = json_object_get(merged, list->name), *item,
	       *items = json_object_get(document, list->name);
	size_t i;

	if (items && !json_is_null(items) && !json_is_array(items))
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s': '%s' is not a list: correct the file", path,
				 list->name);
	json_array_foreach(items, i, item) {
		const char *name = json_path_string(item, "name", NULL);
		json_t *fields = json_object_get(item, list->body);

		if (!name)
			return error_set(err, ERROR_INVALID,
					 "kubeconfig '%s': %s[%zu] has no 'name': give it one "
					 "(quoted, if it is a number)",
					 path, list->name, i);
		if (!json_object_get(into, name))
			json_object_set_new(
				into, name,
				json_pack("{s:s, s:O?}", "file", path, "fields", fields));
	}
	return 0;
}

static int merge_file(json_t *merged, const char *path, struct error *err)
{
	auto_strbuf text = STRBUF_INIT;
	auto_json *document = NULL;
	auto_error why = ERROR_INIT;
	const char *current;

	if (file_read(path, KUBECONFIG_LIMIT, &text, &why) < 0)
		return error_set(
			err, why.kind,
			"kubeconfig '%s' cannot be read: %s: give --kubeconfig or KUBECONFIG "
			"another path",
			path, why.message);
	document = yaml_parse(text.buf, text.len, err);
	if (!document)
		return error_wrap(err,
				  "kubeconfig '%s' is not valid YAML (correct it or give another)",
				  path);
	if (!json_is_object(document))
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s' is empty or not a mapping: give a file written "
				 "by kubectl config",
				 path);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (merge_list(merged, document, &lists[i], path, err) < 0)
			return -1;
	current = json_path_string(document, "current-context", "");
	if (current[0] != '\0' && !json_object_get(merged, "current-context"))
		json_object_set_new(merged, "current-context", json_string(current));
	return 0;
}

/* As kubectl does, a file of a list may be missing, but one must be there. */
static int merge_files(json_t *merged, const char *paths, struct error *err)
{
	auto_free char *copy = xstrdup(paths);
	char *rest = NULL;
	size_t read = 0;

	for (char *path = strtok_r(copy, ":", &rest); path; path = strtok_r(NULL, ":", &rest)) {
		auto_error why = ERROR_INIT;

		if (merge_file(merged, path, &why) == 0) {
			read++;
		} else if (why.kind != ERROR_NOT_FOUND || !strchr(paths, ':')) {
			error_move(err, &why);
			return -1;
		}
	}
	if (read == 0)
		return error_set(err, ERROR_INVALID,
				 "none of the kubeconfig files '%s' is there: give a path that is",
				 paths);
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
	return found ? 0 : -1;
}

static char *names_of(const json_t *merged, const char *list)
{
	auto_strbuf names = STRBUF_INIT;
	const char *name;
	json_t *entry;

	json_object_foreach(json_object_get(merged, list), name, entry)
		strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", name);
	return names.len > 0 ? strbuf_take(&names) : xstrdup("(none)");
}

/* *value is NULL when the field is absent or empty. */
static int text_field(const struct entry *entry, const char *field, const char **value,
		      struct error *err)
{
	const json_t *found = json_object_get(entry->fields, field);

	*value = NULL;
	if (!found || json_is_null(found))
		return 0;
	if (!json_is_string(found))
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s': '%s' of %s '%s' is not a string: quote it",
				 entry->file, field, entry->list, entry->name);
	if (json_string_value(found)[0] != '\0')
		*value = json_string_value(found);
	return 0;
}

/* The base64 of FIELD-data wins over the path in FIELD, as in kubectl. */
static int file_field(const struct entry *entry, const char *field, const char *data_field,
		      struct kept_file *file, struct error *err)
{
	const char *data, *path, *slash = strrchr(entry->file, '/');
	auto_strbuf text = STRBUF_INIT;

	if (text_field(entry, data_field, &data, err) < 0 ||
	    text_field(entry, field, &path, err) < 0)
		return -1;
	if (data) {
		if (base64_decode(data, &text) < 0)
			return error_set(err, ERROR_INVALID,
					 "kubeconfig '%s': '%s' of %s '%s' is not base64: encode "
					 "the PEM file with base64 -w0",
					 entry->file, data_field, entry->list, entry->name);
		if (!strstr(text.buf, file->marker))
			return error_set(err, ERROR_INVALID,
					 "kubeconfig '%s': '%s' of %s '%s' holds no PEM text: "
					 "encode a file that begins with "
					 "'%s'",
					 entry->file, data_field, entry->list, entry->name,
					 file->marker);
		file->text = strbuf_take(&text);
		return 0;
	}
	if (!path)
		return 0;
	if (path[0] == '/' || !slash)
		file->path = xstrdup(path);
	else
		file->path = xasprintf("%.*s/%s", (int)(slash - entry->file), entry->file, path);
	if (kept_file_refresh(file, 0, err) < 0)
		return error_wrap(err, "kubeconfig '%s': '%s' of %s '%s'", entry->file, field,
				  entry->list, entry->name);
	return 0;
}

static int load_cluster(struct kube_config *config, const struct entry *cluster, struct error *err)
{
	const char *server, *name, *proxy;
	size_t len;

	if (text_field(cluster, "server", &server, err) < 0 ||
	    text_field(cluster, "tls-server-name", &name, err) < 0 ||
	    text_field(cluster, "proxy-url", &proxy, err) < 0 ||
	    file_field(cluster, "certificate-authority", "certificate-authority-data", &config->ca,
		       err) < 0)
		return -1;
	if (!server)
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s': cluster '%s' has no 'server': give its URL",
				 cluster->file, cluster->name);
	if (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0)
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s': server '%s' of cluster '%s' is not a URL: begin "
				 "it with https://",
				 cluster->file, server, cluster->name);
	config->insecure = json_path_bool(cluster->fields, "insecure-skip-tls-verify", false);
	if (config->insecure && config->ca.text)
		return error_set(
			err, ERROR_INVALID,
			"kubeconfig '%s': cluster '%s' has both a certificate authority and "
			"'insecure-skip-tls-verify': remove one",
			cluster->file, cluster->name);
	for (len = strlen(server); server[len - 1] == '/'; len--)
		;
	config->server = xstrndup(server, len);
	config->server_name = xstrdup(name);
	config->proxy = xstrdup(proxy);
	return 0;
}

/* Ways to log in that are in the file but not in this program: to ignore one would be another
 * identity. */
static const struct refusal {
	const char *field;
	const char *what;
	const char *remedy;
} refusals[] = {
	{"exec", "uses an exec plugin, which this version does not run",
	 "use a token or client certificate"},
	{"auth-provider", "uses an auth provider, which this version does not know",
	 "use a token or client certificate"},
	{"as", "impersonates another ('as'), which this version does not do",
	 "use that identity's own credentials"},
};

static int load_user(struct kube_config *config, const struct entry *user, struct error *err)
{
	const char *token, *username, *password;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const json_t *field = json_object_get(user->fields, refusals[i].field);

		if (field && !json_is_null(field))
			return error_set(err, ERROR_INVALID, "kubeconfig '%s': user '%s' %s: %s",
					 user->file, user->name, refusals[i].what,
					 refusals[i].remedy);
	}
	if (file_field(user, "client-certificate", "client-certificate-data", &config->cert, err) <
		    0 ||
	    file_field(user, "client-key", "client-key-data", &config->key, err) < 0 ||
	    file_field(user, "tokenFile", "", &config->token, err) < 0 ||
	    text_field(user, "token", &token, err) < 0 ||
	    text_field(user, "username", &username, err) < 0 ||
	    text_field(user, "password", &password, err) < 0)
		return -1;
	if (!config->cert.text != !config->key.text)
		return error_set(
			err, ERROR_INVALID,
			"kubeconfig '%s': user '%s' has a client %s without its %s: give both",
			user->file, user->name, config->cert.text ? "certificate" : "key",
			config->cert.text ? "key" : "certificate");
	for (const char *p = token; p && *p; p++)
		if (!isgraph((unsigned char)*p))
			return error_set(err, ERROR_INVALID,
					 "kubeconfig '%s': 'token' of users '%s' is not one line "
					 "of printable characters: correct it",
					 user->file, user->name);
	if (token && !config->token.text)
		config->token.text = xstrdup(token);
	if (username) {
		auto_free char *pair = xasprintf("%s:%s", username, password ? password : "");
		auto_strbuf text = STRBUF_INIT;

		base64_encode(pair, strlen(pair), &text);
		config->basic = strbuf_take(&text);
	}
	return 0;
}

/* Finds the entry a context names; a context without a user is an anonymous one. */
static int follow(const json_t *merged, const struct entry *context, const char *field,
		  const char *list, struct entry *entry, struct error *err)
{
	const char *name;

	if (text_field(context, field, &name, err) < 0)
		return -1;
	if (!name) {
		*entry = (struct entry){.list = list};
		return 0;
	}
	if (find_entry(merged, list, name, entry) == 0)
		return 0;
	return error_set(err, ERROR_INVALID,
			 "kubeconfig '%s': context '%s' names the %s '%s', which is not there: add "
			 "it or correct the name",
			 context->file, context->name, field, name);
}

static int load_context(struct kube_config *config, const json_t *merged, const char *paths,
			const char *name, struct error *err)
{
	auto_free char *known = names_of(merged, "contexts");
	struct entry context, cluster, user;
	const char *ns;

	if (!name)
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s' has no 'current-context': give --context or set "
				 "one with kubectl config "
				 "use-context; there are: %s",
				 paths, known);
	if (find_entry(merged, "contexts", name, &context) < 0)
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s' has no context '%s': choose one of: %s", paths,
				 name, known);
	if (follow(merged, &context, "cluster", "clusters", &cluster, err) < 0 ||
	    follow(merged, &context, "user", "users", &user, err) < 0 ||
	    text_field(&context, "namespace", &ns, err) < 0)
		return -1;
	if (!cluster.name)
		return error_set(err, ERROR_INVALID,
				 "kubeconfig '%s': context '%s' has no 'cluster': name one",
				 context.file, name);
	config->ns = xstrdup(ns);
	if (load_cluster(config, &cluster, err) < 0)
		return -1;
	return user.name ? load_user(config, &user, err) : 0;
}

int kubeconfig_load(struct kube_config *config, const char *paths, const char *context,
		    struct error *err)
{
	auto_json *merged =
		json_pack("{s:{}, s:{}, s:{}}", lists[0].name, lists[1].name, lists[2].name);

	if (merge_files(merged, paths, err) < 0)
		return -1;
	if (!context)
		context = json_path_string(merged, "current-context", NULL);
	return load_context(config, merged, paths, context, err);
}
