/* Who scrapes an exporter: somebody's ServiceMonitor, or ours. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "children/gpu.h"
#include "reconcile/gpu.h"
#include "reconcile/prometheus.h"
#include "survey.h"
#include "view/monitoring.h"

/* Whether this Prometheus keeps the ServiceMonitor to its own namespace, in which the exporter is not. */
static bool is_out_of_reach(const struct survey *s, const char *prometheus, const char *monitor_ns,
	const struct found_exporter *exporter)
{
	const struct view_prometheus *by = prometheus_by_key(s->world, prometheus);

	return by != NULL && by->ignores_namespaces && strcmp(monitor_ns, exporter->service->view.meta.ns) != 0;
}

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

/* Notes what the Prometheus does by spec.enforcedNamespaceLabel: where that is "namespace", an exporter of another namespace
 * seems to be in the ServiceMonitor's, and where labels of the page are kept, so do the pods that it names. */
static void note_enforced(struct survey *s, const struct object_meta *monitor, bool honors_labels,
	const struct found_exporter *exporter, struct exporter_survey *row)
{
	const struct view_prometheus *prometheus = prometheus_by_key(s->world, row->selected_by);
	const char *label = view_prometheus_enforces(prometheus, KIND_SERVICEMONITOR, monitor->ns, monitor->name);
	bool foreign = strcmp(monitor->ns, exporter->service->view.meta.ns) != 0;

	if (label == NULL || strcmp(monitor->ns, prometheus->view.meta.ns) != 0) {
		s->scraped_elsewhere = true;
	}
	if (text_equal(label, "namespace") && (foreign || (honors_labels && !prometheus->overrides_honored_labels))) {
		row->enforced = kube_key(monitor->ns, monitor->name);
	}
}

/* Where no Prometheus resource tells who selects a ServiceMonitor, somebody is believed to; of a tenant's it may be nobody. */
static bool is_believed(const struct survey *s, const char *ns, const struct found_exporter *exporter)
{
	return survey_without_resource(s) &&
	       (survey_is_platforms(s, ns) || strcmp(ns, exporter->service->view.meta.ns) == 0);
}

/* Somebody else's ServiceMonitor that is selected and that scrapes the exporter. */
static bool scraped_by_others(struct survey *s, const struct found_exporter *exporter, struct exporter_survey *row)
{
	for (size_t i = 0; i < s->monitors.count; i++) {
		const struct object_meta *meta = &s->monitors.items[i]->meta;
		auto_free char *selected_by = NULL;

		if (survey_is_shared(s->monitors.items[i]) ||
			!monitor_scrapes(view_servicemonitor(s->monitors.items[i]), exporter)) {
			continue;
		}
		selected_by = monitoring_selects(&s->monitoring,
			&(struct monitoring_object){.kind = &monitoring_servicemonitor,
				.ns = meta->ns,
				.current = &meta->labels});
		if ((selected_by != NULL || is_believed(s, meta->ns, exporter)) &&
			!is_out_of_reach(s, selected_by, meta->ns, exporter)) {
			row->monitor = xasprintf("ServiceMonitor '%s/%s'", meta->ns, meta->name);
			row->selected_by = xstrdup(selected_by);
			row->since_ms = survey_since(s, KIND_SERVICEMONITOR, meta->ns, meta->name);
			note_enforced(s, meta, view_servicemonitor(s->monitors.items[i])->honors_labels, exporter, row);
			return true;
		}
	}
	return false;
}

/* Whether a job in Prometheus has the exporter's series that is not of its Service. */
static bool has_other_job(const struct exporter_seen *seen, const char *job)
{
	for (size_t i = 0; i < seen->jobs.count; i++) {
		if (strcmp(seen->jobs.items[i], job) != 0) {
			return true;
		}
	}
	return false;
}

/* Whether Prometheus was asked who scrapes, and answered. */
static bool is_known(const struct exporter_seen *seen)
{
	return seen->seen_ms != 0 && (seen->failure.text == NULL || seen->jobs.count > 0);
}

/* Whether a scrape has the exporter that no ServiceMonitor shows. While Prometheus does not answer it is as it was. */
static bool scraped_unseen(struct survey *s, const struct exporter_seen *seen, const struct object_meta *service)
{
	auto_free char *key = meta_key(service);
	bool unseen = is_known(seen) ? has_other_job(seen, service->name) : texts_hold(&s->memory->scraped, key);

	if (unseen) {
		texts_add(&s->scraped, key);
	}
	return unseen;
}

/* Asks for our own ServiceMonitor. */
static void want_own(struct survey *s, const struct found_exporter *exporter, const struct survey_place *place,
	struct exporter_survey *row)
{
	const struct object_meta *service = &exporter->service->view.meta;
	auto_json *monitor = gpu_monitor_make(place->ns, service, exporter->port, place->monitoring.labels,
		GPU_INTERVAL, row->local != NULL);
	const char *name = kube_object_name(monitor);

	survey_want(s, json_incref(monitor));
	row->monitor = xasprintf("ServiceMonitor '%s/%s'", place->ns, name);
	/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
	row->pool = xasprintf("serviceMonitor/%s/%s/0", place->ns, name);
	row->since_ms = survey_since(s, KIND_SERVICEMONITOR, place->ns, name);
	row->out_of_reach = is_out_of_reach(s, row->selected_by, place->ns, exporter);
	note_enforced(s, &(struct object_meta){.ns = place->ns, .name = name}, false, exporter, row);
}

/* Our own scrape of an exporter that nobody scrapes. Until it is known that nobody does, none is made, and one that is
 * there stays. */
static void scrape(struct survey *s, const struct found_exporter *exporter, struct exporter_survey *row)
{
	static const struct exporter_seen nothing;
	const struct shared_evidence *evidence = s->world->shared_evidence(s->world->ctx);
	const struct exporter_seen *seen = evidence != NULL ? &evidence->exporter : &nothing;
	const struct object_meta *service = &exporter->service->view.meta;
	auto_survey_place place = {.ns = NULL};
	/* For its name: where it is to be is not known yet. */
	auto_json *nowhere = gpu_monitor_make("", service, exporter->port, NULL, GPU_INTERVAL, false);
	const struct view *now = survey_our_object(s, KIND_SERVICEMONITOR, kube_object_name(nowhere));
	const struct survey_placed placed = {.kind = &monitoring_servicemonitor,
		.now = now,
		.exporter_ns = service->ns};

	if (!survey_place(s, &placed, &place)) {
		row->select_problem = xstrdup(place.monitoring.problem);
		if (place.ns != NULL) {
			want_own(s, exporter, &place, row);
		}
		return;
	}
	row->selected_by = xstrdup(place.monitoring.selected_by);
	/* Of those that are believed about one namespace the jobs are not told apart. */
	if (row->local == NULL && scraped_unseen(s, seen, service)) {
		row->monitor = xstrdup("a scrape configuration");
		s->scraped_elsewhere = true;
	} else if (row->local != NULL || is_known(seen) || now != NULL) {
		want_own(s, exporter, &place, row);
	}
}

void survey_scrape(struct survey *s, const struct found_exporter *exporter, struct exporter_survey *row)
{
	if (!scraped_by_others(s, exporter, row)) {
		scrape(s, exporter, row);
	}
}
