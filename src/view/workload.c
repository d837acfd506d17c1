/* Decoding a Deployment, a StatefulSet or a DaemonSet. */
#include "view/workload.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "read.h"
#include "type.h"
#include "workload_parts.h"

void read_ports(struct arena *arena, const json_t *list, struct view_port *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const json_t *port = json_array_get(list, i);

		ports[i] = (struct view_port){.name = read_text(arena, port, "name", ""),
			.protocol = read_text(arena, port, "protocol", "TCP"),
			.number = read_int(port, "containerPort", 0)};
	}
}

/* In order. */
static const char *const env_names[] = {
	"LLAMA_ARG_N_PARALLEL",
	"LLAMA_ARG_PORT",
	"MAX_BATCH_SIZE",
	"MAX_CONCURRENT_REQUESTS",
	"NIM_HTTP_API_PORT",
	"NIM_SERVER_PORT",
	"PORT",
};

static int compare_names(const void *name, const void *item)
{
	return strcmp(name, *(const char *const *)item);
}

bool view_env_is_read(const char *name)
{
	return bsearch(name, env_names, ARRAY_LEN(env_names), sizeof(env_names[0]), compare_names) != NULL;
}

/* Whether a word is "$(NAME)". */
static bool is_reference(const char *word, const char *name)
{
	size_t len = strlen(name);

	return word != NULL && strncmp(word, "$(", 2) == 0 && strncmp(word + 2, name, len) == 0 &&
	       strcmp(word + 2 + len, ")") == 0;
}

/* Whether the command line has it as a word of its own, or behind a flag's "=". */
static bool is_referenced(const char *const *words, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *value = words[i] != NULL ? strchr(words[i], '=') : NULL;

		if (is_reference(words[i], name) || (value != NULL && is_reference(value + 1, name))) {
			return true;
		}
	}
	return false;
}

/* The list of an environment as pairs; of a name that stands there twice the last counts. */
static struct view_pairs read_env(struct arena *arena, const json_t *list, const struct view_container *container)
{
	auto_json *map = json_object();
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)list, i, item) {
		const char *name = json_path_string(item, "name", "");
		json_t *value = json_object_get(item, "value");

		if (json_is_string(value) &&
			(view_env_is_read(name) || is_referenced(container->args, container->args_count, name) ||
				is_referenced(container->command, container->command_count, name))) {
			json_object_set(map, name, value);
		}
	}
	return read_pairs(arena, map, NULL);
}

static void read_container(struct arena *arena, const json_t *object, struct view_container *container)
{
	const json_t *list = json_object_get(object, "ports");
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_port *ports = arena_items(arena, count, sizeof(*ports));

	read_ports(arena, list, ports, count);
	container->ports = ports;
	container->ports_count = count;
	container->name = read_text(arena, object, "name", "");
	container->command = read_words(arena, json_object_get(object, "command"), NULL, &container->command_count);
	container->args = read_words(arena, json_object_get(object, "args"), NULL, &container->args_count);
	container->env = read_env(arena, json_object_get(object, "env"), container);
}

bool view_gpu_is_usual(const char *resource)
{
	return strcmp(resource, "nvidia.com/gpu") == 0 ||
	       strncmp(resource, "nvidia.com/mig-", strlen("nvidia.com/mig-")) == 0;
}

static bool is_some(const json_t *amount)
{
	return json_is_string(amount) ? strcmp(json_string_value(amount), "0") != 0 : json_integer_value(amount) > 0;
}

/* Of such a resource there is no request without a limit. */
static void read_gpu_resource(struct arena *arena, const json_t *limits, struct view_workload *w)
{
	const char *name;
	json_t *amount;

	json_object_foreach((json_t *)(uintptr_t)limits, name, amount) {
		bool better = w->gpu_resource == NULL || !view_gpu_is_usual(w->gpu_resource);

		if (better && strncmp(name, "nvidia.com/", strlen("nvidia.com/")) == 0 && is_some(amount)) {
			w->gpu_resource = read_keep(arena, name);
		}
	}
}

/* Flags that prometheus-adapter has, and the other servers of the metrics API have not. */
static bool is_adapter(const struct view_container *container)
{
	return view_container_flag(container, "--prometheus-url") != NULL ||
	       view_container_flag(container, "--metrics-relist-interval") != NULL;
}

static const struct view_config *config_of(struct arena *arena, const json_t *spec, const struct view_workload *w)
{
	for (uint32_t i = 0; i < w->containers_count; i++) {
		if (is_adapter(&w->containers[i])) {
			return read_config(arena, spec, json_array_get(json_object_get(spec, "containers"), i),
				view_container_value(&w->containers[i], "--config"));
		}
	}
	return NULL;
}

static void read_template(struct arena *arena, const json_t *template, struct view_workload *w)
{
	const json_t *metadata = json_object_get(template, "metadata");
	const json_t *spec = json_object_get(template, "spec");
	const json_t *list = json_object_get(spec, "containers");
	struct view_container *containers;

	w->template_labels = read_pairs(arena, json_object_get(metadata, "labels"), NULL);
	w->template_annotations = read_pairs(arena, json_object_get(metadata, "annotations"), read_is_ours);
	w->grace_period_s = read_int(spec, "terminationGracePeriodSeconds", -1);
	w->containers_count = read_count(list, READ_LIST_MAX);
	containers = arena_items(arena, w->containers_count, sizeof(*containers));
	for (uint32_t i = 0; i < w->containers_count; i++) {
		const json_t *container = json_array_get(list, i);

		read_container(arena, container, &containers[i]);
		read_gpu_resource(arena, json_object_get(json_object_get(container, "resources"), "limits"), w);
	}
	w->containers = containers;
	w->claims = json_array_size(json_object_get(spec, "resourceClaims")) > 0;
	w->config = config_of(arena, spec, w);
}

static void read_status(struct arena *arena, const json_t *status, struct view_workload *w)
{
	const json_t *progressing = json_find(json_object_get(status, "conditions"), "type", "Progressing");

	w->observed_generation = read_int(status, "observedGeneration", 0);
	w->current_replicas = read_int(status, "replicas", 0);
	w->updated_replicas = read_int(status, "updatedReplicas", 0);
	w->available_replicas = read_int(status, "availableReplicas", 0);
	w->ready_pods = read_int(status, "numberReady", 0);
	w->progressing = read_text(arena, progressing, "status", NULL);
	w->progressing_reason = read_text(arena, progressing, "reason", NULL);
	w->progressed_ms = read_time(progressing, "lastUpdateTime", 0);
}

/* One that changed nothing when it was made has none: it came after the one whose value it shares. */
static int64_t entry_time(const json_t *entry)
{
	return read_time(entry, "time", INT64_MAX);
}

/* The newest entry of managedFields that has spec.replicas: a change by one takes the field away from all others, and
 * those that set it to the same value share it. NULL when there is none. */
static const json_t *replicas_entry(const json_t *metadata)
{
	const json_t *newest = NULL;
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(metadata, "managedFields"), i, entry) {
		const json_t *fields = json_object_get(json_object_get(entry, "fieldsV1"), "f:spec");

		if (json_object_get(fields, "f:replicas") != NULL &&
			(newest == NULL || entry_time(entry) >= entry_time(newest))) {
			newest = entry;
		}
	}
	return newest;
}

/* Whether who applied the object on the client's side, as kubectl does and Argo CD, gave it replicas. That such an entry of
 * managedFields has them tells nothing: those of the API server's default are its own too. */
static bool client_applied_replicas(const json_t *metadata)
{
	const char *text = json_string_value(json_object_get(json_object_get(metadata, "annotations"),
		"kubectl.kubernetes.io/last-applied-configuration"));
	auto_json *applied =
		text != NULL && strstr(text, "\"replicas\"") != NULL ? json_parse(text, strlen(text), NULL) : NULL;

	return json_is_integer(json_path(applied, "spec.replicas"));
}

static void decode(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_workload *w = (struct view_workload *)view;
	const json_t *spec = json_object_get(object, "spec");
	const json_t *entry = replicas_entry(json_object_get(object, "metadata"));

	w->replicas = read_int(spec, "replicas", -1);
	w->paused = read_bool(spec, "paused");
	w->selector = read_selector(arena, json_object_get(spec, "selector"));
	w->replicas_manager = read_text(arena, entry, "manager", NULL);
	w->replicas_subresource = read_text(arena, entry, "subresource", "");
	/* The first of two decodings only measures. */
	w->replicas_applied =
		arena->block != NULL && (text_equal(json_string_value(json_object_get(entry, "operation")), "Apply") ||
						client_applied_replicas(json_object_get(object, "metadata")));
	read_template(arena, json_object_get(spec, "template"), w);
	read_status(arena, json_object_get(object, "status"), w);
}

/* Of its managed fields the replicas are looked for, which are in its spec. */
static const char *const unread[] = {"f:metadata", "f:template", "f:status", NULL};

const struct view_type view_workload_type = {.bytes = sizeof(struct view_workload),
	.no_labels = true,
	.unread = unread,
	.decode = decode};

/* What follows the flag's name in the word; NULL when the word is another. */
static const char *after_name(const char *word, const char *flag)
{
	for (; *flag != '\0'; word++, flag++) {
		if (*word != *flag && !(*word == '_' && *flag == '-')) {
			return NULL;
		}
	}
	return word;
}

static const char *words_flag(const char *const *words, uint32_t count, const char *flag)
{
	const char *value = NULL;

	for (uint32_t i = 0; i < count; i++) {
		const char *rest = words[i] != NULL ? after_name(words[i], flag) : NULL;

		if (rest != NULL && *rest == '=') {
			value = rest + 1;
		} else if (rest != NULL && *rest == '\0') {
			value = i + 1 < count ? words[i + 1] : NULL;
		}
	}
	return value;
}

const char *view_container_flag(const struct view_container *container, const char *flag)
{
	const char *value = words_flag(container->args, container->args_count, flag);

	return value != NULL ? value : words_flag(container->command, container->command_count, flag);
}

const char *view_container_value(const struct view_container *container, const char *flag)
{
	const char *value = view_container_flag(container, flag);

	for (uint32_t i = 0; value != NULL && i < container->env.count; i++) {
		if (is_reference(value, container->env.items[i].key)) {
			return container->env.items[i].value;
		}
	}
	return value;
}
