/* The environment that an exec plugin is given: a copy, so that ours stays as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "exec_plugin.h"

#define EXEC_INFO "KUBERNETES_EXEC_INFO"

extern char **environ;

static char *exec_info(const struct exec_plugin *plugin, json_t *cluster, bool interactive)
{
	auto_json *info = json_pack("{s:s, s:s, s:{s:b}}", "apiVersion", plugin->api_version, "kind", "ExecCredential",
		"spec", "interactive", interactive);

	if (plugin->provide_cluster) {
		json_t *copy = json_copy(cluster);

		if (plugin->cluster_config != NULL) {
			json_object_set(copy, "config", plugin->cluster_config);
		}
		json_object_set_new(json_object_get(info, "spec"), "cluster", copy);
	}
	return json_text(info);
}

static bool is_overridden(const json_t *env, const char *entry)
{
	size_t len = strcspn(entry, "=");
	auto_free char *name = xstrndup(entry, len);

	return strcmp(name, EXEC_INFO) == 0 || json_object_get(env, name) != NULL;
}

char **exec_environment(const struct exec_plugin *plugin, json_t *cluster, bool interactive)
{
	auto_free char *info = exec_info(plugin, cluster, interactive);
	size_t count = json_object_size(plugin->env) + 2, used = 0;
	const char *name;
	json_t *value;
	char **list;

	for (char **entry = environ; *entry != NULL; entry++) {
		count++;
	}
	list = xcalloc(count, sizeof(*list));
	for (char **entry = environ; *entry != NULL; entry++) {
		if (!is_overridden(plugin->env, *entry)) {
			list[used++] = xstrdup(*entry);
		}
	}
	json_object_foreach(plugin->env, name, value) {
		list[used++] = xasprintf("%s=%s", name, json_string_value(value));
	}
	list[used++] = xasprintf("%s=%s", EXEC_INFO, info);
	return list;
}

void exec_environment_free(char **env)
{
	for (char **entry = env; *entry != NULL; entry++) {
		free(*entry);
	}
	free(env);
}
