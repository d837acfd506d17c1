/* Who scrapes an exporter: somebody's ServiceMonitor, or ours. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "reconcile/gpu.h"
#include "survey.h"
#include "view/monitoring.h"

static bool monitor_covers(const struct view_servicemonitor *monitor, const char *ns)
{
	if (monitor->any_namespace) {
		return true;
	}
	for (uint32_t i = 0; i < monitor->namespaces_count; i++) {
		if (strcmp(monitor->namespaces[i], ns) == 0) {
			return true;
		}
	}
	return monitor->namespaces_count == 0 && strcmp(monitor->view.meta.ns, ns) == 0;
}

static bool monitor_scrapes(const struct view_servicemonitor *monitor, const struct found_exporter *exporter)
{
	const struct object_meta *service = &exporter->service->view.meta;

	if (!monitor_covers(monitor, service->ns) ||
		!view_selector_matches(&monitor->selector, &service->labels, false)) {
		return false;
	}
	for (uint32_t i = 0; i < monitor->ports_count; i++) {
		if (strcmp(monitor->ports[i], exporter->port) == 0) {
			return true;
		}
	}
	return false;
}

/* Somebody else's ServiceMonitor that a Prometheus selects and that scrapes the exporter. */
static bool scraped_by_others(const struct survey *s, const struct found_exporter *exporter, json_t *row)
{
	const struct monitoring_context context = {&s->prometheuses, &s->namespaces, s->prometheus_asked};

	for (size_t i = 0; i < s->monitors.count; i++) {
		const struct object_meta *meta = &s->monitors.items[i]->meta;
		auto_free char *selected_by = NULL;
		auto_free char *name = NULL;

		if (survey_is_shared(s->monitors.items[i]) ||
			!monitor_scrapes(view_servicemonitor(s->monitors.items[i]), exporter)) {
			continue;
		}
		selected_by =
			monitoring_selects(&context, &(struct monitoring_object){.kind = &monitoring_servicemonitor,
							     .ns = meta->ns,
							     .current = &meta->labels});
		if (selected_by != NULL) {
			name = xasprintf("ServiceMonitor '%s/%s'", meta->ns, meta->name);
			json_object_set_new(row, "monitor", json_string(name));
			json_object_set_new(row, "selectedBy", json_string(selected_by));
			survey_set_since(s, row, KIND_SERVICEMONITOR, meta->ns, meta->name);
			return true;
		}
	}
	return false;
}

/* Whether Prometheus has the exporter's series from another job: a scrape that no ServiceMonitor shows. */
static bool scraped_unseen(const struct exporter_seen *seen, const char *job)
{
	for (size_t i = 0; i < seen->jobs.count; i++) {
		if (strcmp(seen->jobs.items[i], job) != 0) {
			return true;
		}
	}
	return false;
}

/* Our own scrape of an exporter that nobody scrapes. Until it is known that nobody does, none is made. */
static void scrape(struct survey *s, const struct found_exporter *exporter, json_t *row)
{
	const struct shared_evidence *seen = s->world->shared_evidence(s->world->ctx);
	const struct object_meta *service = &exporter->service->view.meta;
	struct monitoring place = {NULL, NULL, NULL};
	auto_free char *ns = NULL;
	auto_free char *name = NULL;
	auto_free char *pool = NULL;
	/* For its name: where it is to be is not known yet. */
	auto_json *nowhere = gpu_monitor_make("", service, exporter->port, NULL, GPU_INTERVAL);
	const struct view *now = survey_our_object(s, KIND_SERVICEMONITOR, kube_object_name(nowhere));
	auto_json *monitor = NULL;

	if (!survey_place(s, &monitoring_servicemonitor, now, NULL, &place)) {
		json_object_set_new(row, "selectProblem", json_string(place.problem));
		monitoring_release(&place);
		return;
	}
	json_object_set_new(row, "selectedBy", json_string(place.selected_by));
	if (seen != NULL && scraped_unseen(&seen->exporter, service->name)) {
		json_object_set_new(row, "monitor", json_string("a scrape configuration"));
	} else if (seen != NULL && seen->exporter.seen_ms != 0) {
		ns = survey_namespace_of(place.selected_by);
		monitor = gpu_monitor_make(ns, service, exporter->port, place.labels, GPU_INTERVAL);
		name = xasprintf("ServiceMonitor '%s/%s'", ns, kube_object_name(monitor));
		/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
		pool = xasprintf("serviceMonitor/%s/%s/0", ns, kube_object_name(monitor));
		survey_want(s, json_incref(monitor));
		json_object_set_new(row, "monitor", json_string(name));
		json_object_set_new(row, "pool", json_string(pool));
		survey_set_since(s, row, KIND_SERVICEMONITOR, ns, kube_object_name(monitor));
	}
	monitoring_release(&place);
}

void survey_scrape(struct survey *s, const struct found_exporter *exporter, json_t *row)
{
	if (!scraped_by_others(s, exporter, row)) {
		scrape(s, exporter, row);
	}
}
