/* Following the path of a container's file to the ConfigMap, and the key in it, that the file is of. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "read.h"
#include "workload_parts.h"

/* What of `path` lies behind the folder `above`, without slashes between; "" = the folder itself, NULL = it is elsewhere. */
static const char *below(const char *path, const char *above)
{
	size_t len = strlen(above);

	while (len > 0 && above[len - 1] == '/') {
		len--;
	}
	if (strncmp(path, above, len) != 0 || (path[len] != '/' && path[len] != '\0')) {
		return NULL;
	}
	return path + len + strspn(path + len, "/");
}

/* The mount that the path is in: of those around it the innermost. Borrowed; NULL = none. */
static const json_t *mount_of(const json_t *mounts, const char *path)
{
	const json_t *innermost = NULL;
	const char *rest = NULL;
	size_t i;
	json_t *mount;

	json_array_foreach((json_t *)(uintptr_t)mounts, i, mount) {
		const char *at = below(path, json_path_string(mount, "mountPath", "/"));

		if (at != NULL && (rest == NULL || strlen(at) < strlen(rest))) {
			innermost = mount;
			rest = at;
		}
	}
	return innermost;
}

/* Where in its volume the path lies; heap. */
static char *path_in_volume(const json_t *mount, const char *path)
{
	const char *rest = below(path, json_path_string(mount, "mountPath", "/"));
	const char *sub = json_path_string(mount, "subPath", "");
	const char *between = *sub != '\0' && *rest != '\0' ? "/" : "";

	return xasprintf("%s%s%s", sub, between, rest);
}

/* The key whose file this is, of a source that has the keys that its items name, or all. Borrowed; NULL = none. */
static const char *key_of(const json_t *source, const char *file)
{
	const json_t *items = json_object_get(source, "items");

	if (json_array_size(items) > 0) {
		return json_path_string(json_find(items, "path", file), "key", NULL);
	}
	return *file != '\0' && strchr(file, '/') == NULL ? file : NULL;
}

static void found(struct view_config *config, struct arena *arena, const json_t *configmap, const char *key)
{
	config->configmap = read_text(arena, configmap, "name", NULL);
	config->key = read_keep(arena, key);
}

/* One of several sources has the file: the one whose items name it, else the only one that has all its keys. */
static void find_projected(struct view_config *config, struct arena *arena, const json_t *sources, const char *file)
{
	const json_t *whole = NULL;
	size_t wholes = 0;
	size_t i;
	json_t *source;

	json_array_foreach((json_t *)(uintptr_t)sources, i, source) {
		const json_t *configmap = json_object_get(source, "configMap");

		if (configmap != NULL && json_array_size(json_object_get(configmap, "items")) == 0) {
			whole = configmap;
			wholes++;
		} else if (configmap != NULL && key_of(configmap, file) != NULL) {
			found(config, arena, configmap, key_of(configmap, file));
			return;
		}
	}
	if (wholes == 1 && key_of(whole, file) != NULL) {
		found(config, arena, whole, key_of(whole, file));
	}
}

static void find_in_volume(struct view_config *config, struct arena *arena, const json_t *volume, const char *file)
{
	const json_t *configmap = json_object_get(volume, "configMap");
	const json_t *secret = json_object_get(volume, "secret");

	if (configmap != NULL) {
		found(config, arena, configmap, key_of(configmap, file));
	} else if (secret != NULL) {
		config->secret = read_text(arena, secret, "secretName", NULL);
		config->key = read_keep(arena, key_of(secret, file));
	} else {
		find_projected(config, arena, json_path(volume, "projected.sources"), file);
	}
}

/* Without a path: the only ConfigMap among the volumes. */
static void find_only(struct view_config *config, struct arena *arena, const json_t *volumes)
{
	const json_t *only = NULL;
	size_t i;
	json_t *volume;

	json_array_foreach((json_t *)(uintptr_t)volumes, i, volume) {
		const json_t *configmap = json_object_get(volume, "configMap");

		if (configmap != NULL && only != NULL) {
			return;
		}
		only = configmap != NULL ? configmap : only;
	}
	if (only != NULL) {
		const json_t *items = json_object_get(only, "items");

		found(config, arena, only,
			json_array_size(items) == 1 ? json_path_string(json_array_get(items, 0), "key", NULL) : NULL);
	}
}

const struct view_config *read_config(struct arena *arena, const json_t *spec, const json_t *container,
	const char *path)
{
	struct view_config *config = arena_items(arena, 1, sizeof(*config));
	const json_t *volumes = json_object_get(spec, "volumes");
	const json_t *mount = path != NULL ? mount_of(json_object_get(container, "volumeMounts"), path) : NULL;

	if (path == NULL) {
		find_only(config, arena, volumes);
	} else if (mount != NULL && json_object_get(mount, "subPathExpr") == NULL) {
		auto_free char *file = path_in_volume(mount, path);

		find_in_volume(config, arena, json_find(volumes, "name", json_path_string(mount, "name", "")), file);
		config->certain = config->configmap != NULL || config->secret != NULL;
	}
	return config;
}
