/* Decoding a Pod. */
#include "view/pod.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "read.h"
#include "type.h"
#include "workload_parts.h"

#define TEMPLATE_HASH "pod-template-hash"

static int64_t started_ms(const json_t *containers)
{
	int64_t last = -1;
	size_t i;
	json_t *container;

	json_array_foreach((json_t *)containers, i, container) {
		const json_t *running = json_object_get(json_object_get(container, "state"), "running");
		int64_t at = read_time(running, "startedAt", -1);

		if (at < 0) {
			return -1;
		}
		last = at > last ? at : last;
	}
	return last;
}

static bool was_restarted(const json_t *containers)
{
	size_t i;
	json_t *container;

	json_array_foreach((json_t *)containers, i, container) {
		if (read_int(container, "restartCount", 0) > 0) {
			return true;
		}
	}
	return false;
}

static void add_words(struct strbuf *words, const json_t *items, const char *member)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)items, i, item) {
		const char *word = json_string_value(json_object_get(item, member));

		strbuf_addf(words, "%s%s", words->len > 0 ? " " : "", word != NULL ? word : "");
	}
}

static struct digest image_of(const json_t *object, const json_t *containers)
{
	static const char *const templates[] = {TEMPLATE_HASH, "controller-revision-hash"};
	const json_t *labels = json_object_get(json_object_get(object, "metadata"), "labels");
	auto_strbuf words = STRBUF_INIT;

	add_words(&words, containers, "imageID");
	if (words.len == 0) {
		add_words(&words, json_object_get(json_object_get(object, "spec"), "containers"), "image");
	}
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		const char *hash = json_string_value(json_object_get(labels, templates[i]));

		if (hash != NULL) {
			strbuf_addf(&words, " %s", hash);
		}
	}
	return digest_bytes(words.buf, words.len);
}

/* The ports of all containers, as long as there is room. */
static void read_all_ports(struct arena *arena, const json_t *containers, struct view_pod *pod)
{
	struct view_port *ports;
	uint32_t total = 0;
	size_t i;
	json_t *container;

	json_array_foreach((json_t *)containers, i, container) {
		total += read_count(json_object_get(container, "ports"), READ_LIST_MAX - total);
	}
	ports = arena_items(arena, total, sizeof(*ports));
	json_array_foreach((json_t *)containers, i, container) {
		const json_t *list = json_object_get(container, "ports");
		uint32_t count = read_count(list, READ_LIST_MAX - pod->ports_count);

		read_ports(arena, list, ports + pod->ports_count, count);
		pod->ports_count += count;
	}
	pod->ports = ports;
}

static enum view_readiness readiness_of(const json_t *ready)
{
	const char *status = json_string_value(json_object_get(ready, "status"));

	if (status == NULL) {
		return POD_READINESS_UNKNOWN;
	}
	return strcmp(status, "True") == 0    ? POD_READY
	       : strcmp(status, "False") == 0 ? POD_NOT_READY
	                                      : POD_READINESS_UNKNOWN;
}

static bool has_ended(const json_t *status)
{
	const char *phase = json_string_value(json_object_get(status, "phase"));

	return phase != NULL && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
}

static void decode(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_pod *pod = (struct view_pod *)view;
	const json_t *status = json_object_get(object, "status");
	const json_t *containers = json_object_get(status, "containerStatuses");
	const json_t *ready = json_find(json_object_get(status, "conditions"), "type", "Ready");

	pod->ip = read_text(arena, status, "podIP", NULL);
	pod->template_hash = meta_label(&view->meta, TEMPLATE_HASH);
	pod->node = read_text(arena, json_object_get(object, "spec"), "nodeName", NULL);
	pod->image = image_of(object, containers);
	pod->readiness = readiness_of(ready);
	pod->readiness_ms = read_time(ready, "lastTransitionTime", -1);
	pod->started_ms = started_ms(containers);
	pod->restarted = was_restarted(containers);
	pod->ended = has_ended(status);
	read_all_ports(arena, json_object_get(json_object_get(object, "spec"), "containers"), pod);
}

static bool same_owners(const struct object_meta *a, const struct object_meta *b)
{
	if (a->owners_count != b->owners_count) {
		return false;
	}
	for (uint32_t i = 0; i < a->owners_count; i++) {
		if (strcmp(a->owners[i].name, b->owners[i].name) != 0) {
			return false;
		}
	}
	return true;
}

bool view_pod_alike(const struct view_pod *a, const struct view_pod *b)
{
	return a->readiness == b->readiness && a->readiness_ms == b->readiness_ms && a->started_ms == b->started_ms &&
	       a->ended == b->ended && a->restarted == b->restarted && a->view.meta.deleting == b->view.meta.deleting &&
	       text_equal(a->ip, b->ip) && same_owners(&a->view.meta, &b->view.meta) &&
	       digest_equal(&a->image, &b->image) && view_pairs_equal(&a->view.meta.labels, &b->view.meta.labels);
}

/* The most of what a pod is made of, in what a cluster's pods are in the mean. */
static const char *const unread[] = {"affinity", "env", "envFrom", "ephemeralContainers", "initContainers",
	"initContainerStatuses", "lifecycle", "livenessProbe", "managedFields", "podIPs", "readinessProbe", "resources",
	"securityContext", "startupProbe", "tolerations", "topologySpreadConstraints", "volumeMounts", "volumes", NULL};

const struct view_type view_pod_type = {.bytes = sizeof(struct view_pod),
	.no_uids = true,
	.unread = unread,
	.decode = decode};
