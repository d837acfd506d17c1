/*
 * The reconcile of prometheus-adapter: our rules in its configuration, and its restart.
 *
 * The adapter reads its configuration once, at start, and while it restarts every HPA of the cluster is blind. So all
 * rules of ours are written when the first autoscaler needs one, and stay: no autoscaler that comes or goes restarts it
 * again. Whenever we change the ConfigMap we write a new revision beside it, an annotation, and the Deployment's pod
 * template must carry the same one: the restart follows even when we were stopped between the two writes.
 */
#include "reconcile/adapter.h"

#include <string.h>

#include "adapter/adapter_config.h"
#include "adapter/adapter_rules.h"
#include "adapter_fight.h"
#include "adapter_left.h"
#include "adapter_patch.h"
#include "adapter_rollout.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "reconcile/adapter_find.h"
#include "report/write_refusal.h"

/* The names of the rules but for those left out, "a,b" in their order; heap, NULL when there is none. */
static char *rules_text(const struct adapter_rule *rules, size_t n, const json_t *left_out)
{
	auto_strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (json_object_get(left_out, rules[i].name) == NULL) {
			strbuf_addf(&text, "%s%s", text.len > 0 ? "," : "", rules[i].name);
		}
	}
	return text.len > 0 ? strbuf_take(&text) : NULL;
}

/* Those that somebody needs of what was left out. New reference. */
static json_t *find_conflicts(const json_t *needed, const json_t *left_out)
{
	json_t *conflicts = json_object();
	const char *metric;
	json_t *why;

	json_object_foreach((json_t *)left_out, metric, why) {
		if (json_object_get(needed, metric) != NULL) {
			json_object_set(conflicts, metric, why);
		}
	}
	return conflicts;
}

static json_t *deployment_patch(const struct view_workload *deployment, const char *revision)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:{s:{s:{s:s?}}}}}", "apiVersion", "apps/v1", "kind",
		"Deployment", "metadata", "name", deployment->view.meta.name, "namespace", deployment->view.meta.ns,
		"resourceVersion", deployment->view.meta.resource_version, "spec", "template", "metadata",
		"annotations", ANNOTATION_ADAPTER_RULES, revision);
}

/* Somebody takes our rules out each time: says who, and what helps. */
static void say_reverted(const struct adapter_names *names, const struct view_configmap *configmap, struct plan *plan,
	int64_t now_ms, struct shared_state *state)
{
	const char *by = adapter_fight_by(configmap);
	auto_free char *until = clock_rfc3339(state->fight.until_ms);

	plan_again(plan, state->fight.until_ms - now_ms);
	shared_state_set(state, ADAPTER_BROKEN, "RevertedBy",
		xasprintf(
			"%s%s%s takes our rules out of ConfigMap '%s/%s', key '%s', each time they are written, which "
			"restarts the adapter: they are written once more at %s; let it ignore data of this ConfigMap "
			"(Argo CD: ignoreDifferences, with jsonPointers [/data/%s] and RespectIgnoreDifferences=true), or "
			"add our rules to its source: 'inference-autoscaler rules' prints them",
			by != NULL ? "field manager '" : "somebody", by != NULL ? by : "", by != NULL ? "'" : "",
			names->ns, names->configmap, names->key, until, names->key));
}

/* Plans the ConfigMap's write when it is owed. 1 when the text changes, 0 when it does not,
 * -1 when it cannot be planned (state says why). `needed` NULL: our rules are to go. `revision` becomes what the
 * Deployment must carry, NULL for none. */
static int plan_configmap(const struct world *world, const struct adapter_found *found,
	const struct view_configmap *configmap, const json_t *needed, struct plan *plan, char **revision,
	struct shared_state *state)
{
	const struct adapter_names *names = &found->names;
	size_t all;
	auto_free struct adapter_rule *rules = adapter_rules_all(&all);
	size_t n = needed != NULL ? all : 0;
	auto_json *left_out = json_object();
	auto_free char *metrics = NULL;
	const char *old = view_pairs_get(&configmap->data, names->key);
	const char *old_revision = meta_annotation(&configmap->view.meta, ANNOTATION_ADAPTER_RULES);
	auto_error err = ERROR_INIT;
	auto_free char *text = NULL;
	enum adapter_fight_move move;
	bool there;
	bool differs;

	if (old == NULL) {
		shared_state_set(state, ADAPTER_BROKEN, "ConfigKeyMissing",
			xasprintf("ConfigMap '%s/%s' has no key '%s': set the operator's --adapter-config-key",
				names->ns, names->configmap, names->key));
		return -1;
	}
	text = adapter_config_splice(old, rules, n, left_out, &err);
	if (text == NULL) {
		shared_state_set(state, ADAPTER_BROKEN, "ConfigInvalid",
			xasprintf("ConfigMap '%s/%s', key '%s', was left as it is: %s", names->ns, names->configmap,
				names->key, err.message));
		return -1;
	}
	state->conflicts = find_conflicts(needed, left_out);
	metrics = rules_text(rules, n, left_out);
	there = strcmp(text, old) == 0 || (n > 0 && adapter_config_reads_alike(text, old));
	if (world->settings->leave_shared) {
		state->awaited = !there;
		*revision = old_revision != NULL ? xstrdup(old_revision) : NULL;
		return 0;
	}
	if (!there && configmap->immutable) {
		shared_state_set(state, ADAPTER_BROKEN, "ConfigImmutable",
			xasprintf("ConfigMap '%s/%s' is immutable, so that our rules cannot be written to it: leave "
				  "'immutable' out where it is made, or add our rules to its source: "
				  "'inference-autoscaler rules' prints them",
				names->ns, names->configmap));
		return -1;
	}
	move = adapter_fight_check(&state->fight,
		&(struct adapter_fight_look){world->now_ms, configmap, found->deployment, metrics, there});
	if (move == FIGHT_REST) {
		say_reverted(names, configmap, plan, world->now_ms, state);
		return -1;
	}
	differs = !there || (old_revision != NULL && metrics == NULL) || move == FIGHT_OVER;
	if (!differs) {
		/* Whoever put our rules there without a revision rolls them out, too. */
		const char *kept = old_revision != NULL || n == 0 ? old_revision : rollout_revision(found->deployment);

		*revision = kept != NULL ? xstrdup(kept) : NULL;
	} else if (metrics != NULL) {
		auto_free char *hash = text_hash(text);

		*revision = xasprintf("%s-%s", hash, configmap->view.meta.resource_version);
	}
	if (differs) {
		auto_json *data = json_pack("{s:s}", names->key, text);

		plan_add_take(plan, PLAN_PATCH, KIND_CONFIGMAP, adapter_configmap_patch(configmap, *revision, data));
		adapter_fight_wrote(&state->fight, configmap, *revision, metrics);
	}
	return differs ? 1 : 0;
}

/* An adapter that somebody stopped or holds: it will not come up by itself. Says so. */
static bool rests_by_hand(const struct adapter_names *names, const struct view_workload *deployment,
	enum rollout rollout, struct shared_state *state)
{
	if (deployment->replicas == 0) {
		shared_state_set(state, ADAPTER_BROKEN, "AdapterScaledToZero",
			xasprintf("Deployment '%s/%s' has spec.replicas 0: set it to 1 or more", names->ns,
				names->deployment));
		return true;
	}
	if (deployment->paused && rollout != ROLLOUT_DONE) {
		shared_state_set(state, ADAPTER_BROKEN, "AdapterPaused",
			xasprintf(
				"Deployment '%s/%s' has spec.paused true, so that its pods keep an old configuration: set "
				"spec.paused to false",
				names->ns, names->deployment));
		return true;
	}
	return false;
}

static void say_write_failed(const struct world *world, const struct adapter_names *names, struct shared_state *state)
{
	const char *failure = world->failure(world->ctx, SHARED_KEY);
	auto_free char *grant =
		write_refusal_of(failure) == WRITE_LACKS_RIGHT && !adapter_is_usual(names)
			? xasprintf("; set the chart's adapter.namespace to '%s' and adapter.deployment to '%s'",
				  names->ns, names->deployment)
			: NULL;

	shared_state_set(state, ADAPTER_BROKEN, "WriteFailed",
		xasprintf("the adapter cannot be given our rules: %s%s", failure, grant != NULL ? grant : ""));
}

/* What else there is to say of an adapter that is there; `owed`: something is to be written that restarts it. */
static void check_rollout(const struct world *world, const struct adapter_names *names, enum rollout rollout, bool owed,
	bool needed, struct shared_state *state)
{
	/* What is still owed was tried, and refused. */
	if (owed && world->failure(world->ctx, SHARED_KEY) != NULL) {
		say_write_failed(world, names, state);
	} else if (!owed && rollout == ROLLOUT_STUCK) {
		shared_state_set(state, ADAPTER_BROKEN, "RolloutStuck",
			xasprintf(
				"Deployment '%s/%s' does not come up with its configuration: see the log of its newest pod",
				names->ns, names->deployment));
	} else if (owed || rollout != ROLLOUT_DONE) {
		shared_state_set(state, ADAPTER_ROLLING, NULL, NULL);
	} else {
		shared_state_set(state, needed ? ADAPTER_LOADED : ADAPTER_UNKNOWN, NULL, NULL);
	}
}

/* What must be there. False when it is not; says so. */
static bool is_there(const struct world *world, const struct adapter_found *found,
	const struct view_configmap *configmap, struct shared_state *state)
{
	const struct adapter_names *names = &found->names;

	if (configmap == NULL && world->refused(world->ctx, KIND_CONFIGMAP)) {
		shared_state_set(state, ADAPTER_BROKEN, "ConfigMapForbidden",
			xasprintf(
				"the operator may not read ConfigMap '%s/%s', which has the rules of Deployment '%s/%s': set "
				"the chart's adapter.namespace to '%s', where its Role lets it list, watch and patch "
				"ConfigMaps, and adapter.configMap, if that is set, to '%s'",
				names->ns, names->configmap, names->ns, names->deployment, names->ns,
				names->configmap));
		return false;
	}
	if (configmap == NULL) {
		shared_state_set(state, ADAPTER_BROKEN, "ConfigMapNotFound",
			xasprintf("ConfigMap '%s/%s' does not exist: install prometheus-adapter, or set the operator's "
				  "--adapter-namespace and --adapter-configmap",
				names->ns, names->configmap));
		return false;
	}
	if (found->deployment == NULL) {
		shared_state_set(state, ADAPTER_BROKEN, "AdapterNotFound",
			xasprintf(
				"Deployment '%s/%s' does not exist: install prometheus-adapter, or set the operator's "
				"--adapter-namespace and --adapter-deployment",
				names->ns, names->deployment));
		return false;
	}
	return true;
}

/* The rules would be written where nobody reads them. True when so; says so. */
static bool reads_other(const struct adapter_found *found, struct shared_state *state)
{
	const struct adapter_names *names = &found->names;
	auto_free char *other = adapter_reads_other(found);
	const struct view_config *config;

	if (other == NULL) {
		return false;
	}
	config = found->deployment->config;
	if (config->secret != NULL) {
		shared_state_set(state, ADAPTER_BROKEN, "OtherConfigMounted",
			xasprintf(
				"Deployment '%s/%s' reads its rules from %s, which the operator may not read: mount a "
				"ConfigMap where its --config leads",
				names->ns, names->deployment, other));
		return true;
	}
	shared_state_set(state, ADAPTER_BROKEN, "OtherConfigMounted",
		xasprintf("Deployment '%s/%s' reads its rules from %s, but the operator is told to write them to "
			  "ConfigMap '%s/%s', key '%s': set the chart's adapter.configMap to '%s' and "
			  "adapter.configKey to '%s', or leave both empty, so that they are found",
			names->ns, names->deployment, other, names->ns, names->configmap, names->key, config->configmap,
			config->key != NULL ? config->key : names->key));
	return true;
}

void adapter_reconcile(const struct world *world, const json_t *needed, struct plan *plan, struct shared_state *state)
{
	const struct adapter_found found = adapter_find(world);
	const struct adapter_names *names = &found.names;
	const struct view_configmap *configmap =
		view_configmap(world_view(world, KIND_CONFIGMAP, names->ns, names->configmap));
	auto_free char *revision = NULL;
	enum rollout rollout;
	int text_changes;
	bool restarts;

	json_decref(state->conflicts);
	state->conflicts = NULL;
	state->awaited = false;
	if (needed != NULL && json_object_size(needed) == 0) {
		return; /* what is written stays */
	}
	/* What is to go is taken out of where it was written, also if that was wrong. */
	if ((needed != NULL && reads_other(&found, state)) || !is_there(world, &found, configmap, state)) {
		return;
	}
	rollout = rollout_of(found.deployment, world->now_ms);
	text_changes = plan_configmap(world, &found, configmap, needed, plan, &revision, state);
	if (text_changes < 0) {
		return;
	}
	restarts = !text_equal(rollout_revision(found.deployment), revision);
	if (restarts) {
		plan_then(plan); /* it starts with the rules that are written then */
		plan_add_take(plan, PLAN_PATCH, KIND_DEPLOYMENT, deployment_patch(found.deployment, revision));
	}
	if (!rests_by_hand(names, found.deployment, rollout, state)) {
		check_rollout(world, names, rollout, text_changes > 0 || restarts, needed != NULL, state);
	}
	if (text_changes == 0 && !restarts && rollout == ROLLOUT_DONE) {
		adapter_left_clear(world, names, plan);
	}
}
