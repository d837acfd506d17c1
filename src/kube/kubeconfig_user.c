/* The user of a kubeconfig's context: token, certificate, password or exec plugin. */
#include <ctype.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/memory.h"
#include "kubeconfig_entry.h"

/* ---- exec ---- */

static int exec_invalid(const struct entry *user, const char *field, const char *remedy, struct error *err)
{
	return error_set(err, ERROR_INVALID, "kubeconfig '%s': '%s' of users '%s' %s", user->file, field, user->name,
		remedy);
}

static int load_interactive(struct exec_plugin *plugin, const struct entry *user, const char *value, struct error *err)
{
	static const char *const modes[] = {
		[EXEC_NEVER] = "Never",
		[EXEC_IF_AVAILABLE] = "IfAvailable",
		[EXEC_ALWAYS] = "Always",
	};

	/* Only v1beta1 has a default. */
	if (value == NULL && strcmp(plugin->api_version, "client.authentication.k8s.io/v1beta1") == 0) {
		value = "IfAvailable";
	}
	for (size_t i = 0; value != NULL && i < ARRAY_LEN(modes); i++) {
		if (strcmp(modes[i], value) == 0) {
			plugin->interactive = (enum exec_interactive)i;
			return 0;
		}
	}
	return exec_invalid(user, "exec.interactiveMode", "must be Never, IfAvailable or Always: add it", err);
}

/* A command with a slash is beside the kubeconfig, one without is looked for in PATH. */
static int load_argv(struct exec_plugin *plugin, const struct entry *user, const char *command, const json_t *args,
	struct error *err)
{
	size_t i;
	json_t *arg;

	if (command == NULL) {
		return exec_invalid(user, "exec.command", "is missing: name the program", err);
	}
	plugin->command = strchr(command, '/') != NULL ? entry_path(user, command) : xstrdup(command);
	plugin->argv = xcalloc(json_array_size(args) + 2, sizeof(*plugin->argv));
	plugin->argv[0] = xstrdup(plugin->command);
	json_array_foreach(args, i, arg) {
		if (!json_is_string(arg)) {
			return exec_invalid(user, "exec.args", "holds what is no string: quote it", err);
		}
		plugin->argv[i + 1] = xstrdup(json_string_value(arg));
	}
	return 0;
}

static int load_env(struct exec_plugin *plugin, const struct entry *user, const json_t *env, struct error *err)
{
	size_t i;
	json_t *item;

	plugin->env = json_object();
	json_array_foreach(env, i, item) {
		const char *name = json_path_string(item, "name", "");
		json_t *value = json_object_get(item, "value");

		if (name[0] == '\0' || strchr(name, '=') != NULL || !json_is_string(value)) {
			return exec_invalid(user, "exec.env",
				"holds an entry without name and value: give both, as "
				"strings",
				err);
		}
		json_object_set(plugin->env, name, value);
	}
	return 0;
}

/* What the cluster's entry holds for plugins alone. */
static json_t *cluster_config(const struct entry *cluster)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(cluster->fields, "extensions"), i, item) {
		if (strcmp(json_path_string(item, "name", ""), "client.authentication.k8s.io/exec") == 0) {
			return json_incref(json_object_get(item, "extension"));
		}
	}
	return NULL;
}

static int load_exec(struct kube_config *config, const struct entry *user, const struct entry *cluster,
	struct error *err)
{
	static const char *const versions[] = {"client.authentication.k8s.io/v1",
		"client.authentication.k8s.io/v1beta1"};
	const struct entry exec = {user->list, user->name, user->file, json_object_get(user->fields, "exec")};
	struct exec_plugin *plugin;
	const char *version, *command, *hint, *mode;

	/* Credentials in the file itself win, as with client-go. */
	if (exec.fields == NULL || json_is_null(exec.fields) || config->token.text != NULL || config->basic != NULL) {
		return 0;
	}
	if (entry_text(&exec, "apiVersion", &version, err) < 0 || entry_text(&exec, "command", &command, err) < 0 ||
		entry_text(&exec, "installHint", &hint, err) < 0 ||
		entry_text(&exec, "interactiveMode", &mode, err) < 0) {
		return -1;
	}
	if (version == NULL || (strcmp(version, versions[0]) != 0 && strcmp(version, versions[1]) != 0)) {
		return exec_invalid(user, "exec.apiVersion",
			"must be client.authentication.k8s.io/v1 or v1beta1: update "
			"the plugin and its entry",
			err);
	}
	plugin = config->exec = exec_plugin_new();
	plugin->api_version = xstrdup(version);
	plugin->install_hint = xstrdup(hint);
	plugin->provide_cluster = json_path_bool(exec.fields, "provideClusterInfo", false);
	plugin->cluster_config = cluster_config(cluster);
	if (load_argv(plugin, user, command, json_object_get(exec.fields, "args"), err) < 0 ||
		load_env(plugin, user, json_object_get(exec.fields, "env"), err) < 0 ||
		load_interactive(plugin, user, mode, err) < 0) {
		return -1;
	}
	return 0;
}

/* ---- the user ---- */

/* Ways to log in that are in the file but not in this program: to ignore one would be another
 * identity. */
static const struct refusal {
	const char *field;
	const char *what;
	const char *remedy;
} refusals[] = {
	{"auth-provider", "uses an auth provider, which this version does not know",
		"use a token, client certificate or exec plugin"},
	{"as", "impersonates another ('as'), which this version does not do", "use that identity's own credentials"},
};

int kubeconfig_load_user(struct kube_config *config, const struct entry *user, const struct entry *cluster,
	struct error *err)
{
	const char *token, *username, *password;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const json_t *field = json_object_get(user->fields, refusals[i].field);

		if (field != NULL && !json_is_null(field)) {
			return error_set(err, ERROR_INVALID, "kubeconfig '%s': user '%s' %s: %s", user->file,
				user->name, refusals[i].what, refusals[i].remedy);
		}
	}
	if (entry_file(user, "client-certificate", "client-certificate-data", &config->pair.cert, err) < 0 ||
		entry_file(user, "client-key", "client-key-data", &config->pair.key, err) < 0 ||
		entry_file(user, "tokenFile", NULL, &config->token, err) < 0 ||
		entry_text(user, "token", &token, err) < 0 || entry_text(user, "username", &username, err) < 0 ||
		entry_text(user, "password", &password, err) < 0) {
		return -1;
	}
	if ((config->pair.cert.text == NULL) != (config->pair.key.text == NULL)) {
		return error_set(err, ERROR_INVALID,
			"kubeconfig '%s': user '%s' has a client %s without its %s: give both", user->file, user->name,
			config->pair.cert.text != NULL ? "certificate" : "key",
			config->pair.cert.text != NULL ? "key" : "certificate");
	}
	if (config->pair.cert.text != NULL && key_pair_check(config->pair.cert.text, config->pair.key.text, err) < 0) {
		return error_wrap(err, "kubeconfig '%s': user '%s' cannot log in", user->file, user->name);
	}
	for (const char *p = token; p != NULL && *p; p++) {
		if (!isgraph((unsigned char)*p)) {
			return error_set(err, ERROR_INVALID,
				"kubeconfig '%s': 'token' of users '%s' is not one line "
				"of printable characters: correct it",
				user->file, user->name);
		}
	}
	if (token != NULL && config->token.text == NULL) {
		config->token.text = xstrdup(token);
	}
	if (username != NULL) {
		auto_free char *pair = xasprintf("%s:%s", username, password != NULL ? password : "");
		auto_strbuf text = STRBUF_INIT;

		base64_encode(pair, strlen(pair), &text);
		config->basic = strbuf_take(&text);
	}
	return load_exec(config, user, cluster, err);
}
