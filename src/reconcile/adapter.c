/*
 * The reconcile of prometheus-adapter: our rules in its configuration, and its restart.
 *
 * The adapter reads its configuration once, at start. So whenever we change the ConfigMap we write
 * a new revision beside it, an annotation, and the Deployment's pod template must carry the same
 * one: the restart follows even when we were stopped between the two writes, and an autoscaler whose
 * rules are there already restarts nothing.
 */
#include "reconcile/adapter.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "children/adapter_config.h"

/* Heap array, caller owns. */
static struct adapter_rule *make_rules(const json_t *needed)
{
	struct adapter_rule *rules = xcalloc(json_object_size(needed) + 1, sizeof(*rules));
	size_t n = 0;
	const char *metric;
	json_t *value;

	json_object_foreach((json_t *)needed, metric, value) {
		rules[n++] = adapter_rule_of(engine_signal_by_metric(metric));
	}
	return rules;
}

static json_t *revision_or_null(const char *revision)
{
	return revision != NULL ? json_string(revision) : json_null();
}

static json_t *configmap_patch(const struct settings *s, const json_t *configmap, const char *text, const char *revision)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:{s:o}}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
		"metadata", "name", s->adapter_configmap, "namespace", s->adapter_namespace, "resourceVersion",
		kube_object_resource_version(configmap), "annotations", ANNOTATION_ADAPTER_RULES,
		revision_or_null(revision), "data", s->adapter_config_key, text);
}

static json_t *deployment_patch(const struct settings *s, const json_t *deployment, const char *revision)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:{s:{s:{s:o}}}}}", "apiVersion", "apps/v1", "kind",
		"Deployment", "metadata", "name", s->adapter_deployment, "namespace", s->adapter_namespace,
		"resourceVersion", kube_object_resource_version(deployment), "spec", "template", "metadata",
		"annotations", ANNOTATION_ADAPTER_RULES, revision_or_null(revision));
}

static const char *deployment_revision(const json_t *deployment)
{
	return json_string_value(
		json_object_get(json_path(deployment, "spec.template.metadata.annotations"), ANNOTATION_ADAPTER_RULES));
}

static bool rolled_out(const json_t *deployment)
{
	json_int_t wanted = json_path_int(deployment, "spec.replicas", 1);

	return json_path_int(deployment, "status.observedGeneration", 0) >=
		       json_path_int(deployment, "metadata.generation", 0) &&
	       json_path_int(deployment, "status.replicas", 0) == wanted &&
	       json_path_int(deployment, "status.updatedReplicas", 0) == wanted &&
	       json_path_int(deployment, "status.availableReplicas", 0) == wanted;
}

/* The Deployment's own verdict that its new pods do not come up. */
static bool rollout_stuck(const json_t *deployment)
{
	return strcmp(json_path_string(kube_object_condition(deployment, "Progressing"), "status", ""), "False") == 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Plans the ConfigMap's write when it is owed. -1 when it cannot be planned (state says why);
 * `revision` becomes what the Deployment must carry, NULL for none. */
static int plan_configmap(const struct world *world, const json_t *configmap, const json_t *needed, struct plan *plan,
	char **revision, struct stack_state *state)
{
	const struct settings *s = world->settings;
	auto_free struct adapter_rule *rules = make_rules(needed);
	size_t n = json_object_size(needed);
	const char *old = json_string_value(json_object_get(json_object_get(configmap, "data"), s->adapter_config_key));
	const char *old_revision = kube_object_annotation(configmap, ANNOTATION_ADAPTER_RULES);
	auto_error err = ERROR_INIT;
	auto_free char *text = NULL;

	if (old == NULL) {
		stack_state_set(state, ADAPTER_BROKEN, "ConfigKeyMissing",
			xasprintf("ConfigMap '%s/%s' has no key '%s': set the operator's --adapter-config-key",
				s->adapter_namespace, s->adapter_configmap, s->adapter_config_key));
		return -1;
	}
	text = adapter_config_splice(old, rules, n, &err);
	if (text == NULL) {
		stack_state_set(state, ADAPTER_BROKEN, err.kind == ERROR_CONFLICT ? "RuleConflict" : "ConfigInvalid",
			xasprintf("ConfigMap '%s/%s', key '%s', was left as it is: %s", s->adapter_namespace,
				s->adapter_configmap, s->adapter_config_key, err.message));
		return -1;
	}
	if (strcmp(text, old) == 0 && (old_revision != NULL) == (n > 0)) {
		*revision = xstrdup(old_revision);
		return 0;
	}
	if (n > 0) {
		auto_free char *hash = adapter_config_hash(text);

		*revision = xasprintf("%s-%s", hash, kube_object_resource_version(configmap));
	}
	plan_add_take(plan, PLAN_PATCH, KIND_CONFIGMAP, configmap_patch(s, configmap, text, *revision));
	return 0;
}

/* An adapter that somebody stopped or holds: it will not come up by itself. Says so. */
static bool rests_by_hand(const struct settings *s, const json_t *deployment, struct stack_state *state)
{
	if (json_path_int(deployment, "spec.replicas", 1) == 0) {
		stack_state_set(state, ADAPTER_BROKEN, "AdapterScaledToZero",
			xasprintf("Deployment '%s/%s' has spec.replicas 0: set it to 1 or more", s->adapter_namespace,
				s->adapter_deployment));
		return true;
	}
	if (json_path_bool(deployment, "spec.paused", false) && !rolled_out(deployment)) {
		stack_state_set(state, ADAPTER_BROKEN, "AdapterPaused",
			xasprintf("Deployment '%s/%s' has spec.paused true, so that its pods keep an old configuration: set "
				  "spec.paused to false",
				s->adapter_namespace, s->adapter_deployment));
		return true;
	}
	return false;
}

void adapter_reconcile(const struct world *world, const json_t *needed, struct plan *plan, struct stack_state *state)
{
	const struct settings *s = world->settings;
	auto_json *configmap = world->get(world->ctx, KIND_CONFIGMAP, s->adapter_namespace, s->adapter_configmap);
	auto_json *deployment =
		world->get(world->ctx, KIND_ADAPTER_DEPLOYMENT, s->adapter_namespace, s->adapter_deployment);
	auto_free char *revision = NULL;

	if (configmap == NULL) {
		stack_state_set(state, ADAPTER_BROKEN, "ConfigMapNotFound",
			xasprintf("ConfigMap '%s/%s' does not exist: install prometheus-adapter, or set the operator's "
				  "--adapter-namespace and --adapter-configmap",
				s->adapter_namespace, s->adapter_configmap));
		return;
	}
	if (deployment == NULL) {
		stack_state_set(state, ADAPTER_BROKEN, "AdapterNotFound",
			xasprintf("Deployment '%s/%s' does not exist: install prometheus-adapter, or set the operator's "
				  "--adapter-namespace and --adapter-deployment",
				s->adapter_namespace, s->adapter_deployment));
		return;
	}
	if (plan_configmap(world, configmap, needed, plan, &revision, state) < 0) {
		return;
	}
	if (!same_text(deployment_revision(deployment), revision)) {
		plan_add_take(plan, PLAN_PATCH, KIND_ADAPTER_DEPLOYMENT, deployment_patch(s, deployment, revision));
	}
	if (rests_by_hand(s, deployment, state)) {
		return;
	}
	/* What is still owed was tried, and refused. */
	if (plan->count > 0 && world->failure(world->ctx, STACK_KEY) != NULL) {
		stack_state_set(state, ADAPTER_BROKEN, "WriteFailed",
			xasprintf("the adapter cannot be given our rules: %s", world->failure(world->ctx, STACK_KEY)));
		return;
	}
	if (plan->count == 0 && !rolled_out(deployment) && rollout_stuck(deployment)) {
		stack_state_set(state, ADAPTER_BROKEN, "RolloutStuck",
			xasprintf("Deployment '%s/%s' does not come up with its configuration: see the log of its newest pod",
				s->adapter_namespace, s->adapter_deployment));
	} else if (plan->count > 0 || !rolled_out(deployment)) {
		stack_state_set(state, ADAPTER_ROLLING, NULL, NULL);
	} else {
		stack_state_set(state, json_object_size(needed) > 0 ? ADAPTER_LOADED : ADAPTER_UNKNOWN, NULL, NULL);
	}
}
