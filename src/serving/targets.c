/* From a request to pods and their autoscalers. */
#include "targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "place.h"
#include "pods/pod_counts.h"

/* So many autoscalers are asked whether pods that are not there would be their target's. */
#define DIAGNOSED_MAX 256

/* An autoscaler that was found, and the selector of its target: asked for once. */
struct owner {
	const struct view_autoscaler *autoscaler;
	struct view_selector *selector;
};

struct search {
	const struct metrics_api_hooks *hooks;
	const struct metrics_request *request;
	struct targets *targets;
	struct owner *owners;
	size_t count, cap;
	bool others_known;
	struct view_list others; /* of the namespace, whose targets make their pods in ways that are not known */
};

static bool makes_known_pods(const char *kind)
{
	return strcmp(kind, "Deployment") == 0 || strcmp(kind, "StatefulSet") == 0;
}

static bool has_metric(const struct search *search, const struct view_autoscaler *autoscaler)
{
	return autoscaler_is_ours(&autoscaler->spec, search->hooks->settings) &&
	       place_has_metric(autoscaler, search->request->metric);
}

/* Of one that the request means: whether its figures are asked of us. That they are not is noted for the diagnosis. */
static bool serves(struct search *search, const struct view_autoscaler *autoscaler)
{
	const char *source = autoscaler->spec.source;
	bool prometheus = source != NULL && strcmp(source, "Prometheus") == 0;

	search->targets->prometheus = search->targets->prometheus || prometheus;
	return !prometheus;
}

static void note_autoscaler(struct targets *targets, const struct view_autoscaler *autoscaler)
{
	if (targets->autoscaler == NULL) {
		targets->autoscaler = view_ref(&autoscaler->view);
	}
}

static struct view_selector *selector_of(const struct metrics_api_hooks *hooks,
	const struct view_autoscaler *autoscaler, struct error *err)
{
	auto_free char *text = hooks->target_selector(hooks->ctx, autoscaler, err);

	return text != NULL ? view_selector_parse(text, err) : NULL;
}

/* The pods that the autoscaler's own target selects; NULL = it is not known, so none. */
static const struct view_selector *own_selector(struct search *search, const struct view_autoscaler *autoscaler)
{
	for (size_t i = 0; i < search->count; i++) {
		if (search->owners[i].autoscaler == autoscaler) {
			return search->owners[i].selector;
		}
	}
	search->owners = xgrow(search->owners, &search->cap, search->count + 1, sizeof(*search->owners));
	search->owners[search->count] =
		(struct owner){.autoscaler = autoscaler, .selector = selector_of(search->hooks, autoscaler, NULL)};
	return search->owners[search->count++].selector;
}

static bool owns(struct search *search, const struct view_autoscaler *autoscaler, const struct view_pod *pod)
{
	const struct view_selector *selector;

	if (!pod_made_by(pod, autoscaler->target_kind, autoscaler->target_name)) {
		return false;
	}
	selector = own_selector(search, autoscaler);
	return selector != NULL && view_selector_matches(selector, &pod->view.meta.labels, false);
}

/* Of two the older one: it has the target (the other one says so in its status). */
static const struct view_autoscaler *older_of(const struct view_autoscaler *one, const struct view_autoscaler *other)
{
	return one == NULL || other->view.meta.created_ms < one->view.meta.created_ms ? other : one;
}

/* The autoscaler whose target has this name and made the pod. */
static const struct view_autoscaler *find_by_target(struct search *search, const struct view_pod *pod,
	const char *target)
{
	auto_view_list found = search->hooks->autoscalers_of_target(search->hooks->ctx, search->request->ns, target);
	const struct view_autoscaler *best = NULL;

	for (size_t i = 0; i < found.count; i++) {
		const struct view_autoscaler *one = view_autoscaler(found.items[i]);

		if (makes_known_pods(one->target_kind) && has_metric(search, one) && owns(search, one, pod) &&
			serves(search, one)) {
			best = older_of(best, one);
		}
	}
	return best;
}

/* Of a StatefulSet a pod has the name as its owner's, of a Deployment that and the hash of its template. */
static const struct view_autoscaler *find_by_owner(struct search *search, const struct view_pod *pod)
{
	const struct view_autoscaler *found = NULL;

	for (uint32_t i = 0; found == NULL && i < pod->view.meta.owners_count; i++) {
		const char *owner = pod->view.meta.owners[i].name;
		size_t hash = pod->template_hash != NULL ? strlen(pod->template_hash) + 1 : 0;
		size_t len = strlen(owner);

		if (hash > 1 && len > hash && owner[len - hash] == '-' &&
			strcmp(owner + len - hash + 1, pod->template_hash) == 0) {
			auto_free char *deployment = xstrndup(owner, len - hash);

			found = find_by_target(search, pod, deployment);
		}
		found = found != NULL ? found : find_by_target(search, pod, owner);
	}
	return found;
}

/* Of the namespace those that are left when Deployments and StatefulSets are taken away. */
static const struct view_list *others_of(struct search *search)
{
	size_t kept = 0;

	if (!search->others_known) {
		search->others_known = true;
		search->others = search->hooks->autoscalers(search->hooks->ctx, search->request->ns);
		for (size_t i = 0; i < search->others.count; i++) {
			const struct view_autoscaler *one = view_autoscaler(search->others.items[i]);

			if (!makes_known_pods(one->target_kind) && has_metric(search, one)) {
				search->others.items[kept++] = search->others.items[i];
			}
		}
		search->others.count = kept;
	}
	return &search->others;
}

static const struct view_autoscaler *find_other(struct search *search, const struct view_pod *pod)
{
	const struct view_list *others = others_of(search);
	const struct view_autoscaler *best = NULL;

	for (size_t i = 0; i < others->count; i++) {
		const struct view_autoscaler *one = view_autoscaler(others->items[i]);

		if (owns(search, one, pod) && serves(search, one)) {
			best = older_of(best, one);
		}
	}
	return best;
}

static void add_if_counted(struct targets *targets, const struct view_autoscaler *autoscaler,
	const struct view_pod *pod)
{
	int64_t since_ms;
	enum pod_counts counts = pod_counts(pod, &since_ms);

	note_autoscaler(targets, autoscaler);
	if (counts == POD_COUNTS_NOT) {
		targets->uncounted++;
		return;
	}
	targets->items[targets->count++] =
		(struct target_pod){.pod = pod, .autoscaler = autoscaler, .ready = counts == POD_COUNTS};
}

static void find_of_pods(struct search *search)
{
	struct targets *targets = search->targets;
	const char *name = search->request->name;

	for (size_t i = 0; i < targets->pods.count; i++) {
		const struct view_pod *pod = targets->pods.pods[i];
		const struct view_autoscaler *autoscaler;

		if (name != NULL && strcmp(pod->view.meta.name, name) != 0) {
			continue;
		}
		autoscaler = find_by_owner(search, pod);
		autoscaler = autoscaler != NULL ? autoscaler : find_other(search, pod);
		if (autoscaler != NULL) {
			add_if_counted(targets, autoscaler, pod);
		}
	}
}

static int by_key(const void *one, const void *other)
{
	return strcmp(((const struct view_pair *)one)->key, ((const struct view_pair *)other)->key);
}

/* The labels that a pod has for certain which the selector matches. The array is the caller's; the texts are borrowed. */
static struct view_pairs certain_labels(const struct view_selector *selector)
{
	struct view_pair *items = xcalloc(selector->expressions_count + 1, sizeof(*items));
	struct view_pairs labels = {.items = items};

	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		const struct view_requirement *term = &selector->expressions[i];

		if (term->op == SELECTOR_IN && term->values_count == 1) {
			items[labels.count++] = (struct view_pair){.key = term->key, .value = term->values[0]};
		}
	}
	qsort(items, labels.count, sizeof(*items), by_key);
	return labels;
}

/* One whose target has no pods still has something to say of why: that which such pods would belong to. */
static void find_diagnosis(struct search *search, const struct view_selector *selector)
{
	struct view_pairs labels = certain_labels(selector);
	auto_view_list all = search->hooks->autoscalers(search->hooks->ctx, search->request->ns);
	size_t tried = 0;

	for (size_t i = 0; i < all.count && tried < DIAGNOSED_MAX && search->targets->autoscaler == NULL; i++) {
		const struct view_autoscaler *one = view_autoscaler(all.items[i]);
		const struct view_selector *own;

		if (!has_metric(search, one)) {
			continue;
		}
		tried++;
		own = labels.count > 0 ? own_selector(search, one) : NULL;
		if (own != NULL && view_selector_matches(own, &labels, false) && serves(search, one)) {
			note_autoscaler(search->targets, one);
		}
	}
	free_indirect(&labels.items);
}

static void search_release(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		free_indirect(&search->owners[i].selector);
	}
	free_indirect(&search->owners);
	view_list_release(&search->others);
}

static int find_by_selector(const struct metrics_api_hooks *hooks, const struct pods *pods,
	const struct metrics_request *request, struct targets *targets, struct error *err)
{
	const char *text = request->selector != NULL ? request->selector : "";
	auto_free struct view_selector *selector = view_selector_parse(text, err);
	struct search search = {.hooks = hooks, .request = request, .targets = targets};

	if (selector == NULL) {
		return -1;
	}
	targets->pods = pods_find(pods, request->ns, selector);
	targets->items = xcalloc(targets->pods.count + 1, sizeof(*targets->items));
	find_of_pods(&search);
	if (targets->autoscaler == NULL) {
		find_diagnosis(&search, selector);
	}
	search_release(&search);
	return 0;
}

static int find_by_name(const struct metrics_api_hooks *hooks, const struct pods *pods,
	const struct metrics_request *request, struct targets *targets, struct error *err)
{
	const struct view_autoscaler *autoscaler =
		view_autoscaler(hooks->autoscaler(hooks->ctx, request->ns, request->name));
	struct search search = {.hooks = hooks, .request = request, .targets = targets};
	auto_free struct view_selector *selector = NULL;

	if (autoscaler == NULL || !has_metric(&search, autoscaler) || !serves(&search, autoscaler)) {
		return 0;
	}
	note_autoscaler(targets, autoscaler);
	selector = selector_of(hooks, autoscaler, err);
	if (selector == NULL) {
		error_wrap(err, "the pods of InferenceAutoscaler '%s/%s'", request->ns, request->name);
		if (err != NULL) {
			err->kind = ERROR_UNAVAILABLE;
		}
		return -1;
	}
	targets->pods = pods_find(pods, request->ns, selector);
	targets->items = xcalloc(targets->pods.count + 1, sizeof(*targets->items));
	for (size_t i = 0; i < targets->pods.count; i++) {
		if (pod_made_by(targets->pods.pods[i], autoscaler->target_kind, autoscaler->target_name)) {
			add_if_counted(targets, autoscaler, targets->pods.pods[i]);
		}
	}
	return 0;
}

int targets_find(const struct metrics_api_hooks *hooks, const struct pods *pods, const struct metrics_request *request,
	struct targets *targets, struct error *err)
{
	*targets = (struct targets){.count = 0};
	if (pods_awaited(pods)) {
		return error_set(err, ERROR_UNAVAILABLE,
			"the pods of the cluster are not known yet: the operator has just started");
	}
	return request->kind == REQUEST_OBJECT_METRIC ? find_by_name(hooks, pods, request, targets, err)
	                                              : find_by_selector(hooks, pods, request, targets, err);
}

void targets_release(struct targets *targets)
{
	pod_list_release(&targets->pods);
	free_indirect(&targets->items);
	view_unref(targets->autoscaler);
	*targets = (struct targets){.count = 0};
}
