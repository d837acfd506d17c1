/* What the parts of a survey of the GPU chain share. */
#include "survey.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "reconcile/reconcile.h"

bool survey_is_shared(const struct view *object)
{
	return meta_label(&object->meta, LABEL_SHARED) != NULL;
}

bool survey_in_namespace(const struct view *object, const char *ns)
{
	return ns == NULL || strcmp(object->meta.ns, ns) == 0;
}

bool survey_without_resource(const struct survey *s)
{
	return s->prometheuses.count == 0 && s->world->settings->prometheus_url != NULL;
}

bool survey_is_platforms(const struct survey *s, const char *ns)
{
	return monitoring_is_platforms(&s->monitoring, ns);
}

bool survey_may_place(const struct survey *s, const char *ns)
{
	bool beside = false;

	for (size_t i = 0; i < s->prometheuses.count && !beside; i++) {
		beside = survey_in_namespace(s->prometheuses.items[i], ns);
	}
	return survey_is_platforms(s, ns) || (beside && monitoring_may_be_platforms(&s->monitoring, ns));
}

bool survey_was_taken(const struct survey *s, const char *ns, const char *service)
{
	auto_free char *key = kube_key(ns, service);
	auto_json *text = json_string(key);

	return json_holds(s->taken, text);
}

bool survey_wants(const struct survey *s, enum kind kind, const char *ns, const char *name)
{
	size_t i;
	json_t *wanted;

	json_array_foreach(s->wanted, i, wanted) {
		if (strcmp(json_path_string(wanted, "kind", ""), kinds[kind].resource.kind) == 0 &&
			strcmp(kube_object_name(wanted), name) == 0 && strcmp(kube_object_namespace(wanted), ns) == 0) {
			return true;
		}
	}
	return false;
}

void survey_want(struct survey *s, json_t *object_take)
{
	auto_json *object = object_take;
	enum kind kind = kind_by_name(json_path_string(object, "apiVersion", ""), json_path_string(object, "kind", ""));

	if (!survey_wants(s, kind, kube_object_namespace(object), kube_object_name(object))) {
		json_array_append(s->wanted, object);
	}
}

const struct view_service *survey_want_service(struct survey *s, json_t *service_take)
{
	const struct view *made = view_decode(KIND_SERVICE, service_take);

	s->made.items = xrealloc(s->made.items, (s->made.count + 1) * sizeof(*s->made.items));
	s->made.items[s->made.count++] = made;
	survey_want(s, service_take);
	return view_service(made);
}

const struct view *survey_our_object(const struct survey *s, enum kind kind, const char *name)
{
	auto_view_list ours = world_views_by(s->world, kind, SHARED_GPU);

	for (size_t i = 0; i < ours.count; i++) {
		const struct object_meta *meta = &ours.items[i]->meta;

		if (strcmp(meta->name, name) == 0 && survey_may_place(s, meta->ns)) {
			return ours.items[i];
		}
	}
	return NULL;
}

int64_t survey_since(const struct survey *s, enum kind kind, const char *ns, const char *name)
{
	int64_t made = world_made_ms(s->world, kind, ns, name);

	/* What cannot be made is not young. */
	return made == 0 && s->world->failure(s->world->ctx, SHARED_KEY) != NULL ? -1 : made;
}

char *survey_namespace_of(const char *key)
{
	return xstrndup(key, strcspn(key, "/"));
}
