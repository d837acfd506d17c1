/* Finding the DCGM exporter that an autoscaler asks for. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "engine/gpu.h"
#include "kube/resource.h"
#include "reconcile/gpu.h"
#include "survey.h"

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

/* The first object that bears these labels (at the path `labels`) and is not ours; borrowed. */
static const json_t *find_labelled(const json_t *list, const char *path, const char *ns, const json_t *labels)
{
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)list, i, object) {
		if (survey_in_namespace(object, ns) && !survey_is_shared(object) &&
			json_covers(json_path(object, path), labels)) {
			return object;
		}
	}
	return NULL;
}

static const char *port_name(const json_t *ports, const char *wanted)
{
	const char *other = NULL;
	size_t i;
	json_t *port;

	json_array_foreach((json_t *)ports, i, port) {
		const char *name = json_path_string(port, "name", NULL);

		if (name != NULL && strcmp(name, wanted) == 0) {
			return name;
		}
		other = other != NULL ? other : name;
	}
	return other;
}

const json_t *survey_daemonset(const struct survey *s, const json_t *service)
{
	const json_t *selector = json_path(service, "spec.selector");
	size_t i;
	json_t *daemonset;

	json_array_foreach(s->daemonsets, i, daemonset) {
		if (survey_in_namespace(daemonset, kube_object_namespace(service)) && json_object_size(selector) > 0 &&
			json_covers(json_path(daemonset, "spec.template.metadata.labels"), selector)) {
			return daemonset;
		}
	}
	return NULL;
}

static bool take_service(struct survey *s, const json_t *service, const char *port, struct found_exporter *found)
{
	found->service = service;
	found->port = port_name(json_path(service, "spec.ports"), port);
	if (found->port == NULL) {
		s->problem =
			xasprintf("the ports of Service '%s/%s' have no name, by which a ServiceMonitor could select "
				  "one: name the metrics port '%s'",
				kube_object_namespace(service), kube_object_name(service), port);
	}
	return found->port != NULL;
}

/* A DaemonSet without a Service gets one of ours. */
static bool make_service(struct survey *s, const json_t *daemonset, struct found_exporter *found)
{
	const json_t *container = json_array_get(json_path(daemonset, "spec.template.spec.containers"), 0);
	const char *port = port_name(json_object_get(container, "ports"), "metrics");
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

static bool find_preset(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	bool any = strcmp(spec->exporter_type, "Auto") == 0;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < gpu_exporters_count; i++) {
			const struct gpu_exporter *row = &gpu_exporters[i];
			auto_json *labels = json_pack("{s:s}", row->label, row->value);
			const json_t *service;
			const json_t *daemonset;

			if (!any && strcmp(row->type, spec->exporter_type) != 0) {
				continue;
			}
			service = find_labelled(s->services, "metadata.labels", row->namespace, labels);
			if (pass == 0 && service != NULL) {
				return take_service(s, service, row->port_name, found);
			}
			daemonset =
				find_labelled(s->daemonsets, "spec.template.metadata.labels", row->namespace, labels);
			if (pass == 1 && daemonset != NULL) {
				return make_service(s, daemonset, found);
			}
		}
	}
	s->problem =
		xasprintf("no DCGM exporter was found (spec.gpu.exporter.type %s): install NVIDIA's GPU operator or "
			  "the dcgm-exporter chart, or describe yours with type: Custom",
			spec->exporter_type);
	return false;
}

bool survey_exporter(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	const json_t *service;

	if (strcmp(spec->exporter_type, "Custom") != 0) {
		return find_preset(s, spec, found);
	}
	service = find_labelled(s->services, "metadata.labels", spec->exporter_namespace, spec->exporter_labels);
	if (service == NULL) {
		s->problem = xasprintf("no Service in namespace '%s' bears the labels of spec.gpu.exporter.selector: "
				       "correct namespace and selector",
			spec->exporter_namespace);
		return false;
	}
	return take_service(s, service, spec->exporter_port, found);
}
