/*
 * Golden tests of the decisions: each case folder holds a world, and the plan that must follow.
 *
 * world.yaml is the document of world_from_document(), and beside it
 *   about      one sentence: what the case shows
 *   base       another case, on which this one is laid: an object of the same kind and name is
 *              merged (RFC 7396: null removes, a list replaces), any other is added
 *   remove     objects of the base that are not there: [Service/vllm-example/gemma-metrics]
 *   reconcile  "ns/name" of an autoscaler; "stack", the shared part; or "cleanup", the same when all is to go
 *   settings   {monitorNamespaces, exporterNamespaces, minScrapeInterval, monitorLabels, prometheusUrl, operatorClass, watchNamespaces, sharedNamespaces, leaveShared, metricsService, metricsApiListen, metricsTakeOver}: what the operator is told (api/settings.h)
 *   vacantSince  since when the APIServices that another server had are gone, as this process remembers; none = it does not
 *   expect     the gist, written by hand, so that --update cannot bless a wrong plan:
 *              writes, ready ("True Ready") and the reasons of the advice if there is any, of the shared part
 *              its state instead
 *   then       the writes that follow once the plan is carried out, for what comes last, after a restart say
 *
 * plan.json is the whole plan; --update writes it anew. Beyond the comparison every plan must
 * settle: once it is carried out, the same world asks for nothing more, but what `then` says. And the conditions for
 * programs go with Ready.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "golden_rules.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"

static char *read_file(const char *folder, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", folder, name);
	auto_strbuf text = STRBUF_INIT;
	char chunk[8192];
	size_t got;
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		return NULL;
	}
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		strbuf_add(&text, chunk, got);
	}
	fclose(file);
	return strbuf_take(&text);
}

static void die(const char *folder, const char *what)
{
	fprintf(stderr, "golden: '%s': %s\n", folder, what);
	exit(2);
}

/* RFC 7396 in place; takes no reference. */
static void merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)patch, key, value) {
		if (json_is_null(value)) {
			json_object_del(target, key);
		} else if (json_is_object(value) && json_is_object(json_object_get(target, key))) {
			merge(json_object_get(target, key), value);
		} else {
			json_object_set_new(target, key, json_deep_copy(value));
		}
	}
}

/* "Kind/ns/name"; heap, caller owns. */
static char *object_id(const json_t *object)
{
	auto_free char *key = kube_object_key(object);

	return xasprintf("%s/%s", json_path_string(object, "kind", ""), key);
}

/* The index of the object in the list; the list's length when absent. */
static size_t find_object(const json_t *objects, const char *id)
{
	size_t i = 0;

	for (; i < json_array_size(objects); i++) {
		auto_free char *own = object_id(json_array_get(objects, i));

		if (strcmp(own, id) == 0) {
			break;
		}
	}
	return i;
}

static void lay_object(json_t *objects, const json_t *object)
{
	auto_free char *id = object_id(object);
	size_t at = find_object(objects, id);

	if (at < json_array_size(objects)) {
		merge(json_array_get(objects, at), object);
	} else {
		json_array_append_new(objects, json_deep_copy(object));
	}
}

static json_t *load_world(const char *folder)
{
	auto_free char *text = read_file(folder, "world.yaml");
	auto_error err = ERROR_INIT;
	auto_json *own = text != NULL ? yaml_parse(text, strlen(text), &err) : NULL;
	auto_free char *base_folder = NULL;
	const char *base = json_path_string(own, "base", NULL);
	json_t *world;
	json_t *objects;
	json_t *item;
	size_t i;

	if (own == NULL) {
		die(folder, text == NULL ? "there is no world.yaml" : err.message);
	}
	if (base == NULL) {
		return json_incref(own);
	}
	base_folder = xasprintf("%s/../%s", folder, base);
	world = load_world(base_folder);
	objects = json_object_get(world, "objects");
	json_array_foreach(json_object_get(own, "objects"), i, item) {
		lay_object(objects, item);
	}
	json_array_foreach(json_object_get(own, "remove"), i, item) {
		size_t at = find_object(objects, json_string_value(item));

		if (at == json_array_size(objects)) {
			die(folder, "'remove' names an object that the base does not have");
		}
		json_array_remove(objects, at);
	}
	json_object_del(own, "objects");
	json_object_del(own, "remove");
	json_object_del(world, "expect");
	json_object_del(world, "then");
	merge(world, own);
	return world;
}

struct outcome {
	struct plan plan;
	struct shared_state shared;
	bool is_shared;
};

static void outcome_release(struct outcome *outcome)
{
	plan_release(&outcome->plan);
	shared_state_release(&outcome->shared);
}
#define auto_outcome ATTR_CLEANUP(outcome_release) struct outcome

/* As the operator does: the shared part is checked first, autoscalers see what it found. */
static void reconcile(const char *folder, const json_t *document, struct outcome *outcome)
{
	const char *what = json_path_string(document, "reconcile", "");
	const char *slash = strchr(what, '/');
	bool cleans_up = strcmp(what, "cleanup") == 0;
	auto_free char *ns = slash != NULL ? xstrndup(what, (size_t)(slash - what)) : NULL;
	auto_plan shared_plan = PLAN_INIT;
	const char *service = json_path_string(document, "settings.metricsService", NULL);
	const char *vacant = json_path_string(document, "vacantSince", NULL);
	struct settings settings = SETTINGS_DEFAULT;
	struct world world;

	settings.monitor_namespaces = json_path_string(document, "settings.monitorNamespaces", NULL);
	settings.exporter_namespaces = json_path_string(document, "settings.exporterNamespaces", NULL);
	settings.min_scrape_interval =
		json_path_string(document, "settings.minScrapeInterval", settings.min_scrape_interval);
	settings.monitor_labels = json_path_string(document, "settings.monitorLabels", NULL);
	settings.prometheus_url = json_path_string(document, "settings.prometheusUrl", NULL);
	settings.operator_class = json_path_string(document, "settings.operatorClass", NULL);
	settings.watch_namespaces = json_path_string(document, "settings.watchNamespaces", NULL);
	settings.shared_namespaces = json_path_string(document, "settings.sharedNamespaces", NULL);
	settings.leave_shared = json_is_true(json_path(document, "settings.leaveShared"));
	settings.metrics_take_over = json_is_true(json_path(document, "settings.metricsTakeOver"));
	if (service != NULL && metrics_service_read(service, &settings.metrics_service, NULL) < 0) {
		die(folder, "settings.metricsService is not NAMESPACE/NAME:PORT");
	}
	metrics_service_listen(&settings.metrics_service, json_path_string(document, "settings.metricsApiListen", ""));
	settings.adapter = (struct adapter_names){
		.ns = json_path_string(document, "settings.adapter.namespace", NULL),
		.deployment = json_path_string(document, "settings.adapter.deployment", NULL),
		.configmap = json_path_string(document, "settings.adapter.configMap", NULL),
		.key = json_path_string(document, "settings.adapter.configKey", NULL),
	};
	*outcome = (struct outcome){.plan = PLAN_INIT, .shared = SHARED_STATE_INIT};
	if (vacant != NULL) {
		outcome->shared.vacancy = (struct vacancy_memory){true, true, clock_parse_rfc3339(vacant)};
	}
	outcome->is_shared = slash == NULL;
	if (slash == NULL && !cleans_up && strcmp(what, "stack") != 0) {
		die(folder, "'reconcile' is neither ns/name nor stack nor cleanup");
	}
	world_from_document(&world, document, &settings);
	world.shared = &outcome->shared;
	auto_needs needs = needs_of_world(&world);
	shared_reconcile(&world, cleans_up ? NULL : &needs, outcome->is_shared ? &outcome->plan : &shared_plan,
		&outcome->shared);
	if (!outcome->is_shared) {
		autoscaler_reconcile(&world, ns, slash + 1, &outcome->plan);
	}
	world_release_document(&world);
}

static char *state_text(const struct shared_state *state)
{
	static const char *const names[] = {[ADAPTER_UNKNOWN] = "Unknown",
		[ADAPTER_LOADED] = "Loaded",
		[ADAPTER_ROLLING] = "Rolling",
		[ADAPTER_BROKEN] = "Broken"};

	return xasprintf("%s%s%s", names[state->state], state->reason != NULL ? " " : "",
		state->reason != NULL ? state->reason : "");
}

/* New reference. */
static json_t *outcome_document(const struct outcome *outcome)
{
	json_t *document = plan_document(&outcome->plan);
	auto_free char *state = state_text(&outcome->shared);

	if (outcome->is_shared) {
		json_object_set_new(document, "state", json_string(state));
		if (json_object_size(outcome->shared.conflicts) > 0) {
			json_object_set(document, "conflicts", outcome->shared.conflicts);
		}
		if (outcome->shared.message != NULL) {
			json_object_set_new(document, "message", json_string(outcome->shared.message));
		}
	}
	return document;
}

/* What `expect` holds. The status counts as a write: a fixed point has none at all. */
static json_t *gist(const json_t *document, const struct outcome *outcome)
{
	const struct plan *plan = &outcome->plan;
	auto_free char *id = xasprintf("InferenceAutoscaler/%s", json_path_string(document, "reconcile", ""));
	json_t *objects = json_object_get(document, "objects");
	const json_t *status = json_object_get(json_array_get(objects, find_object(objects, id)), "status");
	json_t *writes = json_array();
	auto_json *advice = json_array();
	auto_free char *text = NULL;
	json_t *condition;
	json_t *one;
	size_t i;

	for (i = 0; i < plan->count; i++) {
		auto_free char *write = xasprintf("%s %s", plan_verb_name(plan->writes[i].verb),
			kinds[plan->writes[i].kind].resource.kind);

		json_array_append_new(writes, json_string(write));
	}
	if (outcome->is_shared) {
		text = state_text(&outcome->shared);
		return json_pack("{s:o, s:s}", "writes", writes, "state", text);
	}
	if (plan->status != NULL) {
		json_array_append_new(writes, json_string("status"));
		status = plan->status;
	}
	json_array_foreach(json_object_get(status, "conditions"), i, condition) {
		if (strcmp(json_path_string(condition, "type", ""), "Ready") == 0) {
			text = xasprintf("%s %s", json_path_string(condition, "status", ""),
				json_path_string(condition, "reason", ""));
		}
	}
	json_array_foreach(json_object_get(status, "advice"), i, one) {
		json_array_append(advice, json_object_get(one, "reason"));
	}
	return json_pack("{s:o, s:s*, s:O*}", "writes", writes, "ready", text, "advice",
		json_array_size(advice) > 0 ? advice : NULL);
}

/* kstatus reads Reconciling and Stalled before Ready: beside a Ready that is True there is none of them, else one,
 * with Ready's own words, and Stalled only where Ready is False. The number of complaints. */
static int contradicts_ready(const json_t *status)
{
	const json_t *conditions = json_object_get(status, "conditions");
	const json_t *ready = json_find(conditions, "type", "Ready");
	const json_t *reconciling = json_find(conditions, "type", "Reconciling");
	const json_t *stalled = json_find(conditions, "type", "Stalled");
	const json_t *beside = reconciling != NULL ? reconciling : stalled;
	const char *is = json_path_string(ready, "status", "");
	bool right;

	if (status == NULL) {
		return 0;
	}
	if (strcmp(is, "True") == 0) {
		right = beside == NULL;
	} else {
		right = (reconciling == NULL) != (stalled == NULL) && (stalled == NULL || strcmp(is, "False") == 0) &&
		        strcmp(json_path_string(beside, "status", ""), "True") == 0 &&
		        json_equal(json_object_get(beside, "reason"), json_object_get(ready, "reason")) &&
		        json_equal(json_object_get(beside, "message"), json_object_get(ready, "message"));
	}
	if (!right) {
		fprintf(stderr, "  Ready is %s, and Reconciling or Stalled does not go with it\n", is);
	}
	return right ? 0 : 1;
}

/* Prints one line for each difference; their number. */
static int differ(const char *path, const json_t *want, const json_t *got)
{
	bool objects = json_is_object(want) && json_is_object(got);
	bool arrays = json_is_array(want) && json_is_array(got);
	int count = 0;

	if (objects) {
		auto_json *all = json_copy((json_t *)want);
		const char *key;
		json_t *value;

		json_object_update_missing(all, (json_t *)got);
		json_object_foreach(all, key, value) {
			auto_free char *inner = xasprintf("%s%s%s", path, *path != '\0' ? "." : "", key);

			count += differ(inner, json_object_get(want, key), json_object_get(got, key));
		}
	} else if (arrays) {
		for (size_t i = 0; i < json_array_size(want) || i < json_array_size(got); i++) {
			auto_free char *inner = xasprintf("%s[%zu]", path, i);

			count += differ(inner, json_array_get(want, i), json_array_get(got, i));
		}
	} else if (want == NULL || got == NULL || !json_equal(want, got)) {
		auto_free char *want_text = want != NULL ? json_text(want) : xstrdup("nothing");
		auto_free char *got_text = got != NULL ? json_text(got) : xstrdup("nothing");

		fprintf(stderr, "  %s\n    wanted %s\n    got    %s\n", path, want_text, got_text);
		count = 1;
	}
	return count;
}

/* Does to the world what the cluster would do when told the plan. */
static int carry_out(json_t *document, const struct plan *plan)
{
	json_t *objects = json_object_get(document, "objects");
	auto_free char *self = xasprintf("InferenceAutoscaler/%s", json_path_string(document, "reconcile", ""));

	auto_json *made = json_pack("{s:O}", "creationTimestamp", json_object_get(document, "now"));

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_write *write = &plan->writes[i];
		auto_free char *id = object_id(write->object);
		size_t at = find_object(objects, id);
		const char *version = kube_object_resource_version(write->object);

		if (*version != '\0' &&
			strcmp(version, kube_object_resource_version(json_array_get(objects, at))) != 0) {
			fprintf(stderr, "  the %s of %s has a precondition that does not hold\n",
				plan_verb_name(write->verb), id);
			return 1;
		}
		if (write->verb == PLAN_DELETE) {
			json_array_remove(objects, at);
			continue;
		}
		lay_object(objects, write->object);
		json_object_update_missing(json_object_get(json_array_get(objects, at), "metadata"), made);
	}
	if (plan->status != NULL) {
		json_object_set(json_array_get(objects, find_object(objects, self)), "status", plan->status);
	}
	return 0;
}

/* `then`: the writes that are to follow; NULL = none. */
static int unsettled(const char *folder, json_t *document, const struct outcome *first, const json_t *then)
{
	auto_outcome second = {.plan = PLAN_INIT};
	auto_json *again = NULL;

	if (carry_out(document, &first->plan) != 0) {
		return 1;
	}
	reconcile(folder, document, &second);
	if (then == NULL && second.plan.count == 0 && second.plan.status == NULL) {
		return 0;
	}
	again = gist(document, &second);
	if (then != NULL && json_equal(then, json_object_get(again, "writes"))) {
		return unsettled(folder, document, &second, NULL);
	}
	auto_free char *text = json_text(again);
	fprintf(stderr, "  the plan does not settle: carried out, it is followed by %s\n", text);
	return 1;
}

/* The plan for a world that nobody has written an `expect` for. */
static int print_plan(const char *folder)
{
	auto_json *document = load_world(folder);
	auto_outcome outcome = {.plan = PLAN_INIT};
	auto_json *got = NULL;
	auto_free char *text = NULL;

	golden_rules_unfold(document);
	reconcile(folder, document, &outcome);
	got = outcome_document(&outcome);
	text = json_text(got);
	puts(text);
	return unsettled(folder, document, &outcome, json_object_get(document, "then"));
}

static int save(const char *folder, const json_t *document)
{
	auto_free char *path = xasprintf("%s/plan.json", folder);
	FILE *file = fopen(path, "w");

	if (file == NULL) {
		die(folder, "cannot write plan.json");
	}
	json_dumpf(document, file, JSON_INDENT(2) | JSON_SORT_KEYS);
	fputc('\n', file);
	return fclose(file);
}

/* The number of complaints. */
static int run_case(const char *folder, bool update)
{
	auto_json *document = load_world(folder);
	auto_free char *text = read_file(folder, "plan.json");
	auto_error err = ERROR_INIT;
	auto_json *want = text != NULL ? json_parse(text, strlen(text), &err) : NULL;
	auto_outcome outcome = {.plan = PLAN_INIT};
	auto_json *plan = NULL;
	auto_json *got = NULL;
	auto_json *short_got = NULL;
	int complaints;

	if (!json_is_string(json_object_get(document, "about"))) {
		die(folder, "world.yaml does not say what it is 'about'");
	}
	golden_rules_unfold(document);
	reconcile(folder, document, &outcome);
	plan = outcome_document(&outcome);
	got = golden_rules_folded(plan);
	short_got = gist(document, &outcome);
	complaints = differ("expect", json_object_get(document, "expect"), short_got);
	if (update && complaints == 0) {
		save(folder, got);
	} else if (!update && want == NULL) {
		fprintf(stderr, "  plan.json: %s\n", text == NULL ? "is not there" : err.message);
		complaints++;
	} else if (!update) {
		complaints += differ("", want, got);
	}
	complaints += contradicts_ready(outcome.plan.status);
	complaints += unsettled(folder, document, &outcome, json_object_get(document, "then"));
	if (complaints > 0) {
		fprintf(stderr, "golden: '%s' is not as it was: %s\n", folder, json_path_string(document, "about", ""));
	}
	return complaints;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	bool print = argc > 1 && strcmp(argv[1], "--print") == 0;
	int first = update || print ? 2 : 1;
	int failed = 0;

	if (first >= argc || argv[first][0] == '-') {
		fputs("usage: golden [--update | --print] FOLDER...\n\n"
		      "Compares the plan for each FOLDER's world.yaml with its plan.json.\n"
		      "  --update  writes plan.json instead; only when 'expect' holds\n"
		      "  --print   prints the plan; fails only when it does not settle\n",
			stderr);
		return 2;
	}
	for (int i = first; i < argc; i++) {
		failed += (print ? print_plan(argv[i]) : run_case(argv[i], update)) > 0;
	}
	return failed > 0;
}
