/* Finding the exporters' pods. */
#include "gpu_source.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "place.h"
#include "view/service.h"
#include "view/workload.h"

#define PORT_NAME "metrics"

static void add_pods(struct gpu_source *source, const struct pods *pods, const char *ns,
	const struct view_selector *selector, const struct view_service_port *port)
{
	struct pod_list *list;

	if (source->lists_count == ARRAY_LEN(source->lists)) {
		return;
	}
	list = &source->lists[source->lists_count++];
	*list = pods_find(pods, ns, selector);
	for (size_t i = 0; i < list->count; i++) {
		const struct view_pod *pod = list->pods[i];
		int64_t number = port != NULL && port->target_port > 0 ? port->target_port
		                 : port != NULL                        ? place_port_by_name(pod, port->name)
		                                                       : 0;

		number = number > 0 ? number : place_port_by_name(pod, PORT_NAME);
		if (pod->readiness == POD_READY && pod->ip != NULL && pod->node != NULL && number > 0) {
			source->items = xgrow(source->items, &source->cap, source->count + 1, sizeof(*source->items));
			source->items[source->count++] = (struct gpu_exporter_pod){.pod = pod, .port = number};
		}
	}
}

static bool is_row_of(const struct gpu_exporter *row, const char *ns, const char *type)
{
	return (row->namespace == NULL || strcmp(row->namespace, ns) == 0) &&
	       (strcmp(type, "Auto") == 0 || strcmp(type, row->type) == 0);
}

static const struct gpu_exporter *row_of(const struct view_workload *daemonset, const char *type)
{
	for (size_t i = 0; i < gpu_exporters_count; i++) {
		const char *value = view_pairs_get(&daemonset->template_labels, gpu_exporters[i].label);

		if (value != NULL && strcmp(value, gpu_exporters[i].value) == 0 &&
			is_row_of(&gpu_exporters[i], daemonset->view.meta.ns, type)) {
			return &gpu_exporters[i];
		}
	}
	return NULL;
}

/* A decoy of a tenant's is younger than the platform's, and in no namespace of its. */
static int rank_of(const struct view_workload *daemonset, const struct settings *settings)
{
	const char *ns = daemonset->view.meta.ns;
	const char *listed = settings->exporter_namespaces;

	if (gpu_is_exporters_namespace(ns)) {
		return 3;
	}
	if (listed != NULL) {
		return !settings_list_has(listed, ns) ? 0 : strcmp(listed, "*") != 0 ? 2 : 1;
	}
	return 1;
}

static bool is_better(const struct view_workload *one, const struct view_workload *other,
	const struct settings *settings)
{
	int one_rank = rank_of(one, settings);
	int other_rank = rank_of(other, settings);

	return one_rank != other_rank ? one_rank > other_rank : one->view.meta.created_ms < other->view.meta.created_ms;
}

/* The first choice of this type; borrowed, NULL when there is none. */
static const struct view_workload *best_of(const struct view_list *daemonsets, const struct settings *settings,
	const char *type)
{
	const struct view_workload *best = NULL;

	for (size_t i = 0; i < daemonsets->count; i++) {
		const struct view_workload *daemonset = view_workload(daemonsets->items[i]);

		if (row_of(daemonset, type) != NULL && rank_of(daemonset, settings) > 0 &&
			(best == NULL || is_better(daemonset, best, settings))) {
			best = daemonset;
		}
	}
	return best;
}

/* The one that is believed about all pods: as over Prometheus (reconcile/gpu_trust.c), in a namespace of the platform's, or
 * the one that Auto means. */
static void add_trusted(struct gpu_source *source, const struct metrics_api_hooks *hooks, const struct pods *pods,
	const char *type)
{
	auto_view_list all = hooks->daemonsets(hooks->ctx);
	const struct view_workload *best = best_of(&all, hooks->settings, type);
	bool listed = hooks->settings->exporter_namespaces != NULL; /* then it is among them, or usual */

	if (best != NULL && best->selector.given &&
		(listed || rank_of(best, hooks->settings) > 1 || best == best_of(&all, hooks->settings, "Auto"))) {
		add_pods(source, pods, best->view.meta.ns, &best->selector, NULL);
	}
}

/* Those beside the autoscaler's own pods, DaemonSet or not. */
static void add_local(struct gpu_source *source, const struct pods *pods, const char *ns, const char *type)
{
	for (size_t i = 0; i < gpu_exporters_count; i++) {
		const struct view_pair label = {.key = gpu_exporters[i].label, .value = gpu_exporters[i].value};
		const struct view_selector selector = {.match_labels = {.items = &label, .count = 1},
			.given = true,
			.valid = true};

		if (is_row_of(&gpu_exporters[i], ns, type)) {
			add_pods(source, pods, ns, &selector, NULL);
		}
	}
}

static const struct view_service_port *port_of(const struct view_service *service, const char *name)
{
	for (uint32_t i = 0; i < service->ports_count; i++) {
		if (strcmp(service->ports[i].name, name) == 0) {
			return &service->ports[i];
		}
	}
	return NULL;
}

/* The pods behind the Service that the spec describes, where it may describe one. */
static void add_custom(struct gpu_source *source, const struct metrics_api_hooks *hooks, const struct pods *pods,
	const struct autoscaler *spec)
{
	auto_view_list services = {.items = NULL};

	if (spec->exporter_namespace == NULL || (strcmp(spec->exporter_namespace, spec->ns) != 0 &&
							!autoscaler_exporter_trusted(spec, hooks->settings))) {
		return;
	}
	services = hooks->services(hooks->ctx, spec->exporter_namespace);
	for (size_t i = 0; i < services.count; i++) {
		const struct view_service *service = view_service(services.items[i]);
		const struct view_service_port *port = port_of(service, spec->exporter_port);

		if (port != NULL && service->selector.count > 0 && json_object_size(spec->exporter_labels) > 0 &&
			meta_has_labels(&service->view.meta, spec->exporter_labels)) {
			const struct view_selector selector = {.match_labels = service->selector,
				.given = true,
				.valid = true};

			add_pods(source, pods, spec->exporter_namespace, &selector, port);
			return;
		}
	}
}

void gpu_source_find(const struct metrics_api_hooks *hooks, const struct pods *pods,
	const struct view_autoscaler *autoscaler, struct gpu_source *source)
{
	auto_view_autoscaler_spec spec = view_autoscaler_spec(autoscaler);

	*source = (struct gpu_source){.count = 0};
	if (spec.exporter_type == NULL) {
		return;
	}
	if (strcmp(spec.exporter_type, "Custom") == 0) {
		add_custom(source, hooks, pods, &spec);
		return;
	}
	add_trusted(source, hooks, pods, spec.exporter_type);
	add_local(source, pods, autoscaler->view.meta.ns, spec.exporter_type);
}

static bool has(const struct gpu_exporter_pod **found, size_t count, const struct view_pod *pod)
{
	for (size_t i = 0; i < count; i++) {
		if (found[i]->pod == pod) {
			return true;
		}
	}
	return false;
}

size_t gpu_source_on(const struct gpu_source *source, const char *node, const struct gpu_exporter_pod **found)
{
	size_t count = 0;

	for (size_t i = 0; node != NULL && i < source->count && count < GPU_SOURCE_PER_NODE; i++) {
		if (strcmp(source->items[i].pod->node, node) == 0 && !has(found, count, source->items[i].pod)) {
			found[count++] = &source->items[i];
		}
	}
	return count;
}

void gpu_source_release(struct gpu_source *source)
{
	for (size_t i = 0; i < source->lists_count; i++) {
		pod_list_release(&source->lists[i]);
	}
	free_indirect(&source->items);
	*source = (struct gpu_source){.count = 0};
}
