/* Which exporters are believed about all pods, and which about those of their own namespace. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "survey.h"

/* The most namespaces of exporters that PromQL names: a question to Prometheus names them six times, and with 12 of 20
 * letters it stays below the 8 KiB that proxies take as an address. */
#define NAMESPACES_MAX 12

bool survey_is_trusted(const struct survey *s, const char *ns, bool chosen)
{
	const char *listed = s->world->settings->exporter_namespaces;

	return settings_list_has(listed, ns) || survey_is_platforms(s, ns) || (listed == NULL && chosen);
}

bool survey_note_place(struct survey *s, const struct autoscaler *spec, const struct view_service *service)
{
	const char *ns = service->view.meta.ns;
	auto_free char *key = meta_key(&service->view.meta);
	bool custom = strcmp(spec->exporter_type, "Custom") == 0;
	bool trusted = custom ? autoscaler_exporter_trusted(spec, s->world->settings)
	                      : survey_is_trusted(s, ns, strcmp(s->chosen, key) == 0);

	if (json_object_size(s->asked) < NAMESPACES_MAX) {
		json_object_set_new(s->asked, ns, json_true());
	}
	/* There are few presets; of too many others one is believed about its own namespace still. */
	if (trusted && (!custom || json_object_size(s->trusted) < NAMESPACES_MAX)) {
		json_object_set_new(s->trusted, key, json_string(ns));
	}
	return trusted;
}

/* It may only be away, and the rule stays as it is. */
void survey_trust_remembered(struct survey *s)
{
	size_t i;
	json_t *key;

	json_array_foreach(s->taken, i, key) {
		auto_free char *ns = survey_namespace_of(json_string_value(key));

		if (json_object_size(s->trusted) < NAMESPACES_MAX && survey_is_trusted(s, ns, true)) {
			json_object_set_new(s->trusted, json_string_value(key), json_string(ns));
		}
	}
}
