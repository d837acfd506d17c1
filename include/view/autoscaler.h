/*
 * What is read of an InferenceAutoscaler: its spec and the status that was written last.
 */
#ifndef VIEW_AUTOSCALER_H
#define VIEW_AUTOSCALER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/autoscaler.h"
#include "base/digest.h"
#include "view/condition.h"
#include "view/view.h"

struct view_engine {
	const char *type; /* NULL = not given, as the next */
	const char *version;
	const char *path;
	int64_t port; /* 0 = not given */
	bool given;
};

struct view_advice {
	const char *reason; /* "" = not given, as the next */
	const char *message;
};

struct view_signal {
	const char *name; /* "" = not given, as the next two */
	const char *metric;
	const char *target;
	bool served;
};

struct view_child {
	const char *kind; /* "" = not given, as the next two */
	const char *ns;
	const char *name;
};

/* The status as it stands; everything absent when there is none. */
struct view_status {
	int64_t observed_generation; /* -1 = not given */
	struct view_engine engine;
	struct view_conditions conditions;
	const struct view_advice *advice;
	const struct view_signal *signals;
	const struct view_child *children;
	const char *source;       /* "Direct" or "Prometheus"; NULL = not given */
	const char *selector;     /* of the target's pods, where its kind is not watched; NULL = not given */
	int64_t current_replicas; /* -1 = not given, as the next */
	int64_t desired_replicas;
	uint32_t advice_count;
	uint32_t signals_count;
	uint32_t children_count;
	bool replicas_given;
	struct digest digest; /* digest_json() of the whole status: whether another is the same */
};

struct view_autoscaler {
	struct view view;
	/* As autoscaler_decode() filled it. Its texts lie in the view, so it is not to be released; in place of its JSON
	 * there are texts below: view_autoscaler_spec() parses them. */
	struct autoscaler spec;
	const char *behavior; /* NULL = none, as the next two */
	const char *exporter_labels;
	const char *monitor_labels;
	struct error invalid; /* why the spec cannot be decoded: then the spec above has what comes before that only */
	/* As written, even when the spec cannot be decoded: "" or the default of the API when not given. */
	const char *mode;
	const char *target_kind;
	const char *target_name;
	int64_t min_replicas;
	int64_t max_replicas;
	struct view_status status;
};

extern const struct view_type view_autoscaler_type;

static inline const struct view_autoscaler *view_autoscaler(const struct view *view)
{
	assert(view == NULL || view->type == &view_autoscaler_type);
	return (const struct view_autoscaler *)view;
}

/* As in the status; new reference, NULL when it is not given. */
json_t *view_engine_json(const struct view_engine *engine);
/* The spec with its JSON parsed: the texts are the view's, which has to stay, the JSON is the caller's. To be given to
 * view_autoscaler_spec_release(), never to autoscaler_release(). */
struct autoscaler view_autoscaler_spec(const struct view_autoscaler *autoscaler);
void view_autoscaler_spec_release(struct autoscaler *spec);
#define auto_view_autoscaler_spec ATTR_CLEANUP(view_autoscaler_spec_release) struct autoscaler

#endif
