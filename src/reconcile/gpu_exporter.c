/* Finding the DCGM exporter that an autoscaler asks for. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "children/gpu.h"
#include "engine/gpu.h"
#include "reconcile/gpu.h"
#include "survey.h"

/* The most DaemonSets that a look for the exporter compares with each Service, those of the platform first: whoever may
 * make DaemonSets may make any number, a cluster has a handful of exporters. */
#define DAEMONSETS_MAX 16
/* How many ranks there are of those that can be believed, and of others. */
#define RANKS 6
/* So many of the Services that are left out are named, in a sentence of a status. */
#define NAMED_MAX 3

char *gpu_exporter_id(const struct autoscaler *spec)
{
	auto_json *selector = NULL;
	auto_free char *labels = NULL;

	if (strcmp(spec->exporter_type, "Custom") != 0) {
		return xstrdup(spec->exporter_type);
	}
	selector = json_pack("{s:O}", "matchLabels", spec->exporter_labels);
	labels = kube_selector_text(selector);
	return xasprintf("Custom %s %s %s", spec->exporter_namespace, labels, spec->exporter_port);
}

/* Of ports by their names ("" = none) the one of this name, or else with `any` the first that has one. */
static const char *better_port(const char *best, const char *name, const char *wanted, bool any)
{
	if (strcmp(name, wanted) == 0) {
		return name;
	}
	return best == NULL && any && name[0] != '\0' ? name : best;
}

static const char *service_port(const struct view_service *service, const char *wanted, bool any)
{
	const char *best = NULL;

	for (uint32_t i = 0; i < service->ports_count && (best == NULL || strcmp(best, wanted) != 0); i++) {
		best = better_port(best, service->ports[i].name, wanted, any);
	}
	return best;
}

static const char *container_port(const struct view_workload *daemonset, const char *wanted)
{
	const struct view_container *container = daemonset->containers_count > 0 ? &daemonset->containers[0] : NULL;
	const char *best = NULL;

	for (uint32_t i = 0; container != NULL && i < container->ports_count; i++) {
		if (best == NULL || strcmp(best, wanted) != 0) {
			best = better_port(best, container->ports[i].name, wanted, true);
		}
	}
	return best;
}

static bool is_behind(const struct view_workload *daemonset, const struct view_service *service)
{
	return strcmp(daemonset->view.meta.ns, service->view.meta.ns) == 0 && service->selector.count > 0 &&
	       view_pairs_cover(&daemonset->template_labels, &service->selector);
}

const struct view_workload *survey_daemonset(const struct survey *s, const struct view_service *service)
{
	for (size_t i = 0; i < s->daemonsets.count; i++) {
		const struct view_workload *daemonset = view_workload(s->daemonsets.items[i]);

		if (is_behind(daemonset, service)) {
			return daemonset;
		}
	}
	return NULL;
}

static bool take_service(struct survey *s, const struct view_service *service, const char *port, bool any,
	struct found_exporter *found)
{
	const struct object_meta *meta = &service->view.meta;

	found->service = service;
	found->port = service_port(service, port, any);
	if (found->port == NULL && any) {
		s->problem =
			xasprintf("the ports of Service '%s/%s' have no name, by which a ServiceMonitor could select "
				  "one: name the metrics port '%s'",
				meta->ns, meta->name, port);
	} else if (found->port == NULL) {
		s->problem = xasprintf("Service '%s/%s' has no port named '%s': correct spec.gpu.exporter.port",
			meta->ns, meta->name, port);
	}
	return found->port != NULL;
}

/* A DaemonSet without a Service gets one of ours. */
static bool make_service(struct survey *s, const struct view_workload *daemonset, struct found_exporter *found)
{
	const struct object_meta *meta = &daemonset->view.meta;
	const char *port = container_port(daemonset, "metrics");
	auto_json *labels = view_pairs_json(&daemonset->selector.match_labels);

	if (port == NULL) {
		s->problem =
			xasprintf("the container of DaemonSet '%s/%s' names no port: name its metrics port 'metrics'",
				meta->ns, meta->name);
		return false;
	}
	*found = (struct found_exporter){
		.service = survey_want_service(s, gpu_service_make(meta->ns, labels, port)),
		.port = METRICS_PORT,
	};
	return true;
}

/* What may be the exporter: a Service, or a DaemonSet that has none. Borrowed. */
struct candidate {
	const struct view_service *service;
	const struct view_workload *daemonset;
	const struct gpu_exporter *row;
	int rank;
};

static const struct view *object_of(const struct candidate *c)
{
	return c->service != NULL ? &c->service->view : &c->daemonset->view;
}

/* The row whose label is among those of the object, of the types that the spec asks for. */
static const struct gpu_exporter *row_of(const struct view *object, const struct view_pairs *labels, const char *type)
{
	for (size_t i = 0; labels->count > 0 && i < gpu_exporters_count; i++) {
		const struct gpu_exporter *row = &gpu_exporters[i];
		const char *value = view_pairs_get(labels, row->label);

		if (value != NULL && strcmp(value, row->value) == 0 && survey_in_namespace(object, row->namespace) &&
			(strcmp(type, "Auto") == 0 || strcmp(type, row->type) == 0)) {
			return row;
		}
	}
	return NULL;
}

static const struct gpu_exporter *row_of_service(const struct view_service *service, const char *type)
{
	return row_of(&service->view, &service->view.meta.labels, type);
}

static const struct gpu_exporter *row_of_daemonset(const struct view_workload *daemonset, const char *type)
{
	return row_of(&daemonset->view, &daemonset->template_labels, type);
}

/* A namespace of the platform's, or one that it lists for exporters; that all are listed tells nothing of any. */
static bool is_exporters(const struct survey *s, const char *ns)
{
	const char *listed = s->world->settings->exporter_namespaces;

	return survey_is_platforms(s, ns) ||
	       (listed != NULL && strcmp(listed, "*") != 0 && settings_list_has(listed, ns));
}

/*
 * A label is anybody's to write, so a Service that merely bears one must not take the real exporter's place. The
 * exporter that was taken before stays the exporter; before that counts what a tenant can hardly make. One that was
 * taken and has no DaemonSet yields only to the platform's own: it may be a decoy of a time when that was away.
 * Before all of that counts whether it can be believed: what was taken before the platform listed others cannot.
 */
static int rank_of(const struct survey *s, const struct candidate *c)
{
	const struct object_meta *meta = &object_of(c)->meta;
	bool taken = survey_was_taken(s, meta->ns, c->service != NULL ? meta->name : GPU_OBJECT_NAME);
	bool platforms = is_exporters(s, meta->ns);
	bool daemonset = c->daemonset != NULL;
	int rank = taken && daemonset ? 5 : platforms && daemonset ? 4 : taken ? 3 : daemonset ? 2 : platforms ? 1 : 0;

	return survey_is_trusted(s, meta->ns, true) ? RANKS + rank : rank;
}

/* Names one that is left out. */
static void note_other(struct survey *s, const struct candidate *c)
{
	const struct object_meta *meta = &object_of(c)->meta;

	if (s->others_count++ < NAMED_MAX) {
		strbuf_addf(&s->others, "%s%s '%s/%s'", s->others.len > 0 ? ", " : "",
			kinds[c->service != NULL ? KIND_SERVICE : KIND_DAEMONSET].resource.kind, meta->ns, meta->name);
	}
}

/* Of two of one rank the older one: a decoy is younger. */
static bool is_better(const struct candidate *c, const struct candidate *best)
{
	int64_t made_ms = object_of(c)->meta.created_ms;
	int64_t best_made_ms;

	if (best->row == NULL || c->rank != best->rank) {
		return best->row == NULL || c->rank > best->rank;
	}
	best_made_ms = object_of(best)->meta.created_ms;
	return made_ms < best_made_ms || (made_ms == best_made_ms && c->row < best->row);
}

static void consider(struct survey *s, struct candidate c, struct candidate *best)
{
	c.rank = rank_of(s, &c);
	if (!is_better(&c, best)) {
		note_other(s, &c);
		return;
	}
	if (best->row != NULL) {
		note_other(s, best);
	}
	*best = c;
}

/* A DaemonSet, and whether a Service is before it. */
struct daemonset {
	const struct view_workload *workload;
	bool served;
};

/* The DaemonSets that bear an exporter's label, those of the platform first; returns how many. */
static size_t find_daemonsets(const struct survey *s, struct daemonset found[DAEMONSETS_MAX])
{
	size_t count = 0;

	for (int platforms = 1; platforms >= 0; platforms--) {
		for (size_t i = 0; i < s->daemonsets.count && count < DAEMONSETS_MAX; i++) {
			const struct view_workload *daemonset = view_workload(s->daemonsets.items[i]);

			if (row_of_daemonset(daemonset, "Auto") != NULL &&
				is_exporters(s, daemonset->view.meta.ns) == (platforms == 1)) {
				found[count++] = (struct daemonset){.workload = daemonset};
			}
		}
	}
	return count;
}

static void choose(struct survey *s, const char *type, struct candidate *best)
{
	struct daemonset daemonsets[DAEMONSETS_MAX];
	size_t count = find_daemonsets(s, daemonsets);

	for (size_t i = 0; i < s->services.count; i++) {
		const struct view_service *service = view_service(s->services.items[i]);
		struct candidate c = {.service = service, .row = row_of_service(service, type)};

		if (c.row == NULL || survey_is_shared(&service->view)) {
			continue;
		}
		for (size_t d = 0; d < count; d++) {
			if (is_behind(daemonsets[d].workload, service)) {
				c.daemonset = daemonsets[d].workload;
				daemonsets[d].served = true;
			}
		}
		consider(s, c, best);
	}
	for (size_t d = 0; d < count; d++) {
		const struct view_workload *daemonset = daemonsets[d].workload;
		struct candidate c = {.daemonset = daemonset, .row = row_of_daemonset(daemonset, type)};

		if (c.row != NULL && !daemonsets[d].served) {
			consider(s, c, best);
		}
	}
}

char *survey_chosen(struct survey *s)
{
	struct candidate best = {.row = NULL};

	choose(s, "Auto", &best);
	if (best.row == NULL) {
		return xstrdup("");
	}
	return best.service != NULL ? meta_key(&best.service->view.meta)
	                            : kube_key(best.daemonset->view.meta.ns, GPU_OBJECT_NAME);
}

static bool find_preset(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	struct candidate best = {.row = NULL};

	choose(s, spec->exporter_type, &best);
	if (best.service != NULL) {
		return take_service(s, best.service, best.row->port_name, true, found);
	}
	if (best.daemonset != NULL) {
		return make_service(s, best.daemonset, found);
	}
	s->problem =
		xasprintf("no DCGM exporter was found (spec.gpu.exporter.type %s): install NVIDIA's GPU operator or "
			  "the dcgm-exporter chart, or describe yours with type: Custom",
			spec->exporter_type);
	return false;
}

static bool find_custom(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	/* Each tenant may ask for one of its own: not all Services are compared with each. */
	auto_view_list services = world_views(s->world, KIND_SERVICE, spec->exporter_namespace);

	for (size_t i = 0; i < services.count; i++) {
		const struct view_service *service = view_service(services.items[i]);

		if (!survey_is_shared(&service->view) && meta_has_labels(&service->view.meta, spec->exporter_labels)) {
			return take_service(s, service, spec->exporter_port, false, found);
		}
	}
	s->problem = xasprintf("no Service in namespace '%s' bears the labels of spec.gpu.exporter.selector: "
			       "correct namespace and selector",
		spec->exporter_namespace);
	return false;
}

bool survey_exporter(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	free_indirect(&s->problem);
	s->others_count = 0;
	strbuf_reset(&s->others);
	return strcmp(spec->exporter_type, "Custom") == 0 ? find_custom(s, spec, found) : find_preset(s, spec, found);
}

char *survey_others(const struct survey *s)
{
	if (s->others_count <= NAMED_MAX) {
		return s->others_count > 0 ? xstrdup(s->others.buf) : NULL;
	}
	return xasprintf("%s and %zu more", s->others.buf, s->others_count - NAMED_MAX);
}
