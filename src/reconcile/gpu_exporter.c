/* Finding the DCGM exporter that an autoscaler asks for. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "children/gpu.h"
#include "engine/gpu.h"
#include "kube/resource.h"
#include "reconcile/gpu.h"
#include "survey.h"

/* The most DaemonSets that a look for the exporter compares with each Service, those of the platform first: whoever may
 * make DaemonSets may make any number, a cluster has a handful of exporters. */
#define DAEMONSETS_MAX 16
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

/* The port of this name, or with `any` another that has one. */
static const char *port_name(const json_t *ports, const char *wanted, bool any)
{
	const char *other = NULL;
	size_t i;
	json_t *port;

	json_array_foreach((json_t *)ports, i, port) {
		const char *name = json_path_string(port, "name", NULL);

		if (name != NULL && strcmp(name, wanted) == 0) {
			return name;
		}
		other = other != NULL || !any ? other : name;
	}
	return other;
}

/* A DaemonSet, and what of it is compared again and again. Borrowed. */
struct daemonset {
	const json_t *object;
	const char *ns;
	const json_t *labels; /* of its pods */
	bool served;          /* a Service is before it */
};

static struct daemonset daemonset_of(const json_t *object)
{
	return (struct daemonset){.object = object,
		.ns = kube_object_namespace(object),
		.labels = json_path(object, "spec.template.metadata.labels")};
}

static bool is_behind(const struct daemonset *daemonset, const char *ns, const json_t *selector)
{
	return strcmp(daemonset->ns, ns) == 0 && json_object_size(selector) > 0 &&
	       json_covers(daemonset->labels, selector);
}

const json_t *survey_daemonset(const struct survey *s, const json_t *service)
{
	const json_t *selector = json_path(service, "spec.selector");
	size_t i;
	json_t *object;

	json_array_foreach(s->daemonsets, i, object) {
		struct daemonset daemonset = daemonset_of(object);

		if (is_behind(&daemonset, kube_object_namespace(service), selector)) {
			return object;
		}
	}
	return NULL;
}

static bool take_service(struct survey *s, const json_t *service, const char *port, bool any,
	struct found_exporter *found)
{
	found->service = service;
	found->port = port_name(json_path(service, "spec.ports"), port, any);
	if (found->port == NULL && any) {
		s->problem =
			xasprintf("the ports of Service '%s/%s' have no name, by which a ServiceMonitor could select "
				  "one: name the metrics port '%s'",
				kube_object_namespace(service), kube_object_name(service), port);
	} else if (found->port == NULL) {
		s->problem = xasprintf("Service '%s/%s' has no port named '%s': correct spec.gpu.exporter.port",
			kube_object_namespace(service), kube_object_name(service), port);
	}
	return found->port != NULL;
}

/* A DaemonSet without a Service gets one of ours. */
static bool make_service(struct survey *s, const json_t *daemonset, struct found_exporter *found)
{
	const json_t *container = json_array_get(json_path(daemonset, "spec.template.spec.containers"), 0);
	const char *port = port_name(json_object_get(container, "ports"), "metrics", true);
	auto_json *service = NULL;

	if (port == NULL) {
		s->problem =
			xasprintf("the container of DaemonSet '%s/%s' names no port: name its metrics port 'metrics'",
				kube_object_namespace(daemonset), kube_object_name(daemonset));
		return false;
	}
	service = gpu_service_make(kube_object_namespace(daemonset), json_path(daemonset, "spec.selector.matchLabels"),
		port);
	survey_want(s, json_incref(service));
	*found = (struct found_exporter){.service = survey_wanted(s, service), .port = METRICS_PORT};
	return true;
}

/* What may be the exporter: a Service, or a DaemonSet that has none. Borrowed. */
struct candidate {
	const json_t *service;
	const json_t *daemonset;
	const struct gpu_exporter *row;
	int rank;
	int64_t made_ms;
};

/* The row whose label the object bears (at the path `labels`), of the types that the spec asks for. */
static const struct gpu_exporter *row_of(const json_t *object, const char *path, const char *type)
{
	const json_t *labels = json_path(object, path);

	for (size_t i = 0; labels != NULL && i < gpu_exporters_count; i++) {
		const struct gpu_exporter *row = &gpu_exporters[i];
		const char *value = json_string_value(json_object_get(labels, row->label));

		if (value != NULL && strcmp(value, row->value) == 0 && survey_in_namespace(object, row->namespace) &&
			(strcmp(type, "Auto") == 0 || strcmp(type, row->type) == 0)) {
			return row;
		}
	}
	return NULL;
}

bool survey_is_platforms(const struct survey *s, const char *ns)
{
	for (size_t i = 0; gpu_exporter_namespaces[i] != NULL; i++) {
		if (strcmp(gpu_exporter_namespaces[i], ns) == 0) {
			return true;
		}
	}
	return survey_prometheus_in(s, ns);
}

/*
 * A label is anybody's to write, so a Service that merely bears one must not take the real exporter's place. The
 * exporter that was taken before stays the exporter; before that counts what a tenant can hardly make. One that was
 * taken and has no DaemonSet yields only to the platform's own: it may be a decoy of a time when that was away.
 */
static int rank_of(const struct survey *s, const struct candidate *c)
{
	const json_t *object = c->service != NULL ? c->service : c->daemonset;
	const char *ns = kube_object_namespace(object);
	bool taken = survey_was_taken(s, ns, c->service != NULL ? kube_object_name(object) : GPU_OBJECT_NAME);
	bool platforms = survey_is_platforms(s, ns);
	bool daemonset = c->daemonset != NULL;

	return taken && daemonset ? 5 : platforms && daemonset ? 4 : taken ? 3 : daemonset ? 2 : platforms ? 1 : 0;
}

/* Names one that is left out. */
static void note_other(struct survey *s, const struct candidate *c)
{
	const json_t *object = c->service != NULL ? c->service : c->daemonset;

	if (s->others_count++ < NAMED_MAX) {
		strbuf_addf(&s->others, "%s%s '%s/%s'", s->others.len > 0 ? ", " : "",
			kinds[c->service != NULL ? KIND_SERVICE : KIND_DAEMONSET].resource.kind,
			kube_object_namespace(object), kube_object_name(object));
	}
}

/* Of two of one rank the older one: a decoy is younger. */
static void consider(struct survey *s, struct candidate c, struct candidate *best)
{
	const json_t *object = c.service != NULL ? c.service : c.daemonset;

	c.made_ms = clock_parse_rfc3339(json_path_string(object, "metadata.creationTimestamp", ""));
	c.rank = rank_of(s, &c);
	if (best->row == NULL || c.rank > best->rank ||
		(c.rank == best->rank &&
			(c.made_ms < best->made_ms || (c.made_ms == best->made_ms && c.row < best->row)))) {
		if (best->row != NULL) {
			note_other(s, best);
		}
		*best = c;
	} else {
		note_other(s, &c);
	}
}

/* The DaemonSets that bear an exporter's label, those of the platform first; returns how many. */
static size_t find_daemonsets(const struct survey *s, struct daemonset found[DAEMONSETS_MAX])
{
	size_t count = 0;
	size_t i;
	json_t *object;

	for (int platforms = 1; platforms >= 0; platforms--) {
		json_array_foreach(s->daemonsets, i, object) {
			if (count < DAEMONSETS_MAX && row_of(object, "spec.template.metadata.labels", "Auto") != NULL &&
				survey_is_platforms(s, kube_object_namespace(object)) == (platforms == 1)) {
				found[count++] = daemonset_of(object);
			}
		}
	}
	return count;
}

static void choose(struct survey *s, const char *type, struct candidate *best)
{
	struct daemonset daemonsets[DAEMONSETS_MAX];
	size_t count = find_daemonsets(s, daemonsets);
	size_t i;
	json_t *service;

	json_array_foreach(s->services, i, service) {
		struct candidate c = {.service = service, .row = row_of(service, "metadata.labels", type)};
		const json_t *selector;
		const char *ns;

		if (c.row == NULL || survey_is_shared(service)) {
			continue;
		}
		selector = json_path(service, "spec.selector");
		ns = kube_object_namespace(service);
		for (size_t d = 0; d < count; d++) {
			if (is_behind(&daemonsets[d], ns, selector)) {
				c.daemonset = daemonsets[d].object;
				daemonsets[d].served = true;
			}
		}
		consider(s, c, best);
	}
	for (size_t d = 0; d < count; d++) {
		struct candidate c = {.daemonset = daemonsets[d].object,
			.row = row_of(daemonsets[d].object, "spec.template.metadata.labels", type)};

		if (c.row != NULL && !daemonsets[d].served) {
			consider(s, c, best);
		}
	}
}

char *survey_chosen(struct survey *s)
{
	struct candidate best = {NULL, NULL, NULL, 0, 0};

	choose(s, "Auto", &best);
	if (best.row == NULL) {
		return xstrdup("");
	}
	return best.service != NULL ? kube_object_key(best.service)
	                            : kube_key(kube_object_namespace(best.daemonset), GPU_OBJECT_NAME);
}

static bool find_preset(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	struct candidate best = {NULL, NULL, NULL, 0, 0};

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
	size_t i;
	json_t *service;

	json_array_foreach(s->services, i, service) {
		if (survey_in_namespace(service, spec->exporter_namespace) && !survey_is_shared(service) &&
			json_covers(json_path(service, "metadata.labels"), spec->exporter_labels)) {
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
