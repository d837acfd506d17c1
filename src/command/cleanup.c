/* `cleanup`: takes away what is shared and no ownerReference does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "command/command.h"
#include "command/session.h"
#include "findings.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"
#include "reconcile/registration.h"

#define PASSES_MAX 5

static bool has_autoscaler(const struct findings *found, const struct object_meta *child)
{
	const char *name = meta_label(child, LABEL_AUTOSCALER);
	const char *elsewhere = meta_label(child, LABEL_AUTOSCALER_NAMESPACE);
	const char *ns = elsewhere != NULL ? elsewhere : child->ns;
	size_t i;
	json_t *object;

	json_array_foreach(found->autoscalers, i, object) {
		if (strcmp(kube_object_namespace(object), ns) == 0 && strcmp(kube_object_name(object), name) == 0) {
			return true;
		}
	}
	return false;
}

/* What is shared goes with its own plan. */
static void plan_orphans(const struct findings *found, const struct world *world, struct plan *plan)
{
	for (size_t k = 0; k < findings_made_count; k++) {
		auto_view_list all = world_views(world, findings_made[k], NULL);

		for (size_t i = 0; i < all.count; i++) {
			const struct object_meta *meta = &all.items[i]->meta;
			const char *managed_by = meta_label(meta, LABEL_MANAGED_BY);

			if (meta_label(meta, LABEL_AUTOSCALER) != NULL && managed_by != NULL &&
				strcmp(managed_by, MANAGED_BY) == 0 && !has_autoscaler(found, meta)) {
				plan_add_delete(plan, findings_made[k], all.items[i]);
			}
		}
	}
}

/* Without the Deployment there is nothing to restart, but the ConfigMap may hold our block still:
 * the shared part is shown a Deployment that needs nothing. */
static void stand_in_for_deployment(const struct findings *found)
{
	json_t *objects = json_object_get(found->document, "objects");
	size_t i;
	json_t *object;

	json_array_foreach(objects, i, object) {
		if (strcmp(json_path_string(object, "kind", ""), "Deployment") == 0 &&
			strcmp(kube_object_namespace(object), found->adapter->ns) == 0 &&
			strcmp(kube_object_name(object), found->adapter->deployment) == 0) {
			return;
		}
	}
	json_array_append_new(objects,
		json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "apps/v1", "kind", "Deployment", "metadata", "name",
			found->adapter->deployment, "namespace", found->adapter->ns));
}

/* First the certificates: without them the operator, which may run still, does not register its metrics API again. */
static void plan_metrics_api(const struct findings *found, const struct options *o, struct plan *plan)
{
	const char *name = o->metrics_certificates;
	const struct view *configmap;
	struct world world;

	world_from_document(&world, found->document, &o->settings);
	configmap = name != NULL ? world_view(&world, KIND_CONFIGMAP, o->settings.metrics_service.ns, name) : NULL;
	if (configmap != NULL) {
		plan_add_delete(plan, KIND_CONFIGMAP, configmap);
	}
	if (o->metrics_api_only && (configmap == NULL || o->dry_run)) {
		registration_plan_removal(&world, plan);
	}
	world_release_document(&world);
}

/* What is left to do. `problem`: why our block, which is in the ConfigMap, cannot be taken out. */
static void make_plan(const struct findings *found, const struct settings *s, struct plan *plan, struct error *problem)
{
	struct shared_state state = SHARED_STATE_INIT;
	const struct view *configmap;
	struct world world;

	stand_in_for_deployment(found);
	world_from_document(&world, found->document, s);
	configmap = world_view(&world, KIND_CONFIGMAP, found->adapter->ns, found->adapter->configmap);
	shared_reconcile(&world, NULL, plan, &state);
	if (configmap != NULL && meta_annotation(&configmap->meta, ANNOTATION_ADAPTER_RULES) != NULL &&
		state.state == ADAPTER_BROKEN && state.message != NULL) {
		error_set(problem, ERROR_INVALID, "%s", state.message);
	}
	shared_state_release(&state);
	plan_orphans(found, &world, plan);
	world_release_document(&world);
}

static void print_plan(const struct plan *plan, const char *tense)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_write *write = &plan->writes[i];
		const char *what = write->verb == PLAN_DELETE       ? "delete"
		                   : write->kind == KIND_APISERVICE ? "give back"
		                   : write->kind == KIND_CONFIGMAP  ? "take our rules out of"
		                   : write->kind == KIND_DEPLOYMENT ? "restart"
		                                                    : "change";

		auto_free char *key = kube_object_key(write->object);

		printf("%s%s %s '%s'\n", tense, what, kinds[write->kind].resource.kind, key);
	}
}

static int refuse(const struct findings *found, struct error *err)
{
	const json_t *first = json_array_get(found->autoscalers, 0);

	error_set(err, ERROR_CONFLICT,
		"%zu InferenceAutoscaler(s) exist, the first is '%s/%s': delete them (kubectl delete inferenceautoscalers -A "
		"--all), or take away what they need all the same with --force",
		json_array_size(found->autoscalers), kube_object_namespace(first), kube_object_name(first));
	return EXIT_FAILURE;
}

/* What an uninstall says that keeps the autoscalers. */
static int leave(const struct findings *found)
{
	size_t i;
	json_t *object;

	json_array_foreach(found->autoscalers, i, object) {
		printf("InferenceAutoscaler '%s/%s' is left, and goes on scaling\n", kube_object_namespace(object),
			kube_object_name(object));
	}
	printf("nothing was taken away from them; delete them, then run 'inference-autoscaler cleanup --yes'\n");
	return EXIT_SUCCESS;
}

/* One look and what follows from it. *again: there may be more. */
static int pass_of(struct session *session, const struct options *o, bool *again, struct error *err)
{
	auto_findings found = {NULL, NULL, NULL};
	auto_plan plan = PLAN_INIT;
	auto_error problem = ERROR_INIT;

	*again = false;
	if (findings_read_metrics_api(&found, session, o, err) < 0 ||
		(!o->metrics_api_only && findings_read_rest(&found, session, &o->settings, err) < 0)) {
		return EXIT_FAILURE;
	}
	if (json_array_size(found.autoscalers) > 0 && !o->force) {
		return o->if_unused ? leave(&found) : refuse(&found, err);
	}
	plan_metrics_api(&found, o, &plan);
	if (!o->metrics_api_only && (plan.count == 0 || o->dry_run)) {
		make_plan(&found, &o->settings, &plan, &problem);
	}
	print_plan(&plan, o->dry_run ? "would " : "");
	if (plan.count > 0 && !o->dry_run) {
		*again = session_run(session, &plan, err) == 0 || err->kind == ERROR_CONFLICT;
		if (*again) {
			error_release(err); /* a conflict: somebody was faster, look again */
		}
		return *again ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (problem.kind != ERROR_NONE) {
		error_move(err, &problem);
		return EXIT_FAILURE;
	}
	if (plan.count == 0) {
		printf("nothing is left to clean up\n");
	}
	return EXIT_SUCCESS;
}

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	struct session *session;
	bool again = true;
	int code = EXIT_SUCCESS;

	(void)verbs;
	if (options->yes == options->dry_run) {
		error_set(err, ERROR_INVALID, "say --yes to clean up, or --dry-run to see what that would do");
		return EXIT_USAGE;
	}
	session = session_open(options, err);
	if (session == NULL) {
		return EXIT_USAGE;
	}
	for (int i = 0; again && i < PASSES_MAX; i++) {
		code = pass_of(session, options, &again, err);
	}
	if (again) {
		error_set(err, ERROR_CONFLICT, "what is taken away comes back: stop the operator first");
		code = EXIT_FAILURE;
	}
	session_close(session);
	return code;
}

static const struct option_row rows[] = {
	OPTION("yes", 0, NULL, OPTION_BOOL, yes, "do it"),
	OPTION("dry-run", 0, NULL, OPTION_BOOL, dry_run, "only say what would be done"),
	OPTION("force", 0, NULL, OPTION_BOOL, force, "also while InferenceAutoscalers exist"),
	OPTION("if-unused", 0, NULL, OPTION_BOOL, if_unused,
		"while InferenceAutoscalers exist, leave all as it is and succeed"),
	OPTION("metrics-api-only", 0, NULL, OPTION_BOOL, metrics_api_only,
		"only end the registration of our metrics API, whatever InferenceAutoscalers exist: before the operator goes"),
	OPTION_METRICS_SERVICE,
	OPTION_METRICS_CERTIFICATES,
	OPTIONS_NAMESPACES,
	OPTIONS_ADAPTER,
	OPTIONS_CONNECTION,
	OPTION("timeout", 0, "DURATION", OPTION_STRING, timeout, "how long all of it may take"),
};

const struct command command_cleanup = {
	.name = "cleanup",
	.summary = "take away what is shared, after the operator",
	.about =
		"Takes away what autoscalers share and what does not go with them by itself: first the registration of our own "
		"metrics API, for what is registered and not served keeps namespaces from being deleted; then our rules in prometheus-adapter's "
		"ConfigMap, which gets its bytes back (the adapter restarts), the objects for GPU metrics, and objects of ours "
		"whose autoscaler is gone.\n\n"
		"It is for the time after the last InferenceAutoscaler; while there are any, it refuses. Exit code 0: nothing "
		"is left to do.",
	.examples = {{"what would go?", "cleanup --dry-run"}, {"after the last autoscaler", "cleanup --yes"}},
	.rows = rows,
	.rows_count = ARRAY_LEN(rows),
	.run = run,
};
