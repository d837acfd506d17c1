/* From the world to the facts about one autoscaler. */
#include "reconcile/observe.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "reconcile/reconcile.h"

const struct engine *observe_engine(const struct autoscaler *spec, const json_t *object, const json_t *evidence)
{
	if (strcmp(spec->engine_type, "Auto") != 0) {
		return engine_by_type(spec->engine_type);
	}
	return engine_by_type(
		json_path_string(evidence, "page.engine", json_path_string(object, "status.engine.type", "")));
}

/* The container port that `wanted` accepts; 0 when none. */
static int64_t find_port(const json_t *target, const char *name, int64_t number)
{
	size_t c;
	size_t p;
	json_t *container;
	json_t *port;

	json_array_foreach(json_path(target, "spec.template.spec.containers"), c, container) {
		json_array_foreach(json_object_get(container, "ports"), p, port) {
			int64_t found = json_path_int(port, "containerPort", 0);

			if ((name == NULL && number == 0) || (number != 0 && found == number) ||
				(name != NULL && strcmp(json_path_string(port, "name", ""), name) == 0)) {
				return found;
			}
		}
	}
	return 0;
}

/* Where the pods serve /metrics: as told; else the engine's usual port where a container lists it,
 * else the port named http, else the first one listed, else the engine's usual port. */
static int64_t metrics_port(const struct autoscaler *spec, const json_t *target, const struct engine *engine)
{
	int64_t port = spec->port;

	if (port == 0 && spec->port_name != NULL) {
		return find_port(target, spec->port_name, 0);
	}
	if (port == 0) {
		port = find_port(target, NULL, engine->places[0].port);
	}
	if (port == 0) {
		port = find_port(target, "http", 0);
	}
	if (port == 0) {
		port = find_port(target, NULL, 0);
	}
	return port != 0 ? port : engine->places[0].port;
}

static void observe_target(struct observation *o, const struct world *world)
{
	enum kind kind = kind_by_name(o->spec.target_api_version, o->spec.target_kind);

	o->facts.target_supported = kind == KIND_DEPLOYMENT || kind == KIND_STATEFULSET;
	if (o->facts.target_supported) {
		o->target = world->get(world->ctx, kind, o->spec.ns, o->spec.target_name);
	}
	o->facts.target = o->target;
}

static void observe_workload(struct observation *o)
{
	struct workload *w = &o->facts.workload;
	const struct engine *engine = observe_engine(&o->spec, o->object, o->facts.evidence);
	const struct engine *likely = engine != NULL ? engine : &engines[0];
	const json_t *selector = json_path(o->target, "spec.selector");
	if (strcmp(o->spec.engine_type, "Auto") != 0 && engine == NULL) {
		error_set(&o->invalid, ERROR_INVALID,
			"spec.engine.type '%s' is not available in this version: use Auto or VLLM", o->spec.engine_type);
	}
	w->engine = engine;
	w->signal = engine_signal_by_name(likely, o->spec.signal);
	if (w->signal == NULL) {
		error_set(&o->invalid, ERROR_INVALID,
			"spec.requests.signal '%s' is not one of the engine's: use Running, Waiting, InFlight or KVCache",
			o->spec.signal);
	}
	w->match_labels = json_array_size(json_object_get(selector, "matchExpressions")) == 0
				  ? json_object_get(selector, "matchLabels")
				  : NULL;
	w->port = metrics_port(&o->spec, o->target, likely);
	o->facts.port_known = w->port != 0;
	w->path = o->spec.path != NULL ? o->spec.path : likely->places[0].path;
	w->scheme = o->spec.scheme != NULL ? o->spec.scheme : "http";
	w->replicas = json_path_int(o->target, "spec.replicas", -1);
}

static void observe_children(struct observation *o, const struct world *world)
{
	for (size_t i = 0; i < children_count; i++) {
		auto_free char *name = child_name(children[i], &o->spec);
		const char *owner = NULL;
		size_t r;
		json_t *reference;

		o->observed[i] = world->get(world->ctx, children[i]->kind, o->spec.ns, name);
		json_array_foreach(json_path(o->observed[i], "metadata.ownerReferences"), r, reference) {
			if (json_path_bool(reference, "controller", false)) {
				owner = json_path_string(reference, "uid", "");
			}
		}
		o->owned[i] = owner != NULL && strcmp(owner, o->spec.uid) == 0;
		if (o->observed[i] != NULL && !o->owned[i] && o->foreign_child == NULL) {
			o->foreign_child =
				xasprintf("%s '%s/%s'", kinds[children[i]->kind].resource.kind, o->spec.ns, name);
		}
	}
	o->facts.foreign_child = o->foreign_child;
}

static void observe_monitoring(struct observation *o, const struct world *world)
{
	auto_json *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_AUTOSCALER, o->spec.name);

	o->facts.prometheus_missing =
		world->missing(world->ctx, KIND_SERVICEMONITOR) || world->missing(world->ctx, KIND_PROMETHEUS);
	o->prometheuses = world->list(world->ctx, KIND_PROMETHEUS, NULL);
	o->namespaces = world->list(world->ctx, KIND_NAMESPACE, NULL);
	monitoring_find(o->prometheuses, o->namespaces, o->spec.ns, o->spec.monitor_labels, own, &o->monitoring);
	o->facts.workload.monitor_labels = o->monitoring.labels;
	o->facts.selected_by = o->monitoring.selected_by;
	o->facts.select_problem = o->monitoring.problem;
}

void observation_init(struct observation *o, const struct world *world, json_t *object_take)
{
	auto_free char *key = kube_object_key(object_take);

	*o = (struct observation){.object = object_take, .invalid = ERROR_INIT};
	o->facts.object = object_take;
	o->facts.settings = world->settings;
	o->facts.workload.spec = &o->spec;
	o->facts.workload.replicas = -1;
	o->facts.evidence = world->evidence(world->ctx, key);
	o->facts.write_problem = world->failure(world->ctx, key);
	if (autoscaler_decode(o->object, &o->spec, &o->invalid) < 0) {
		o->facts.invalid = &o->invalid;
		return;
	}
	observe_target(o, world);
	o->hpas = world->list(world->ctx, KIND_HPA, o->spec.ns);
	o->facts.hpas = o->hpas;
	o->autoscalers = world->list(world->ctx, KIND_AUTOSCALER, o->spec.ns);
	o->facts.autoscalers = o->autoscalers;
	o->facts.adapter = world->stack->state;
	o->facts.adapter_reason = world->stack->reason;
	o->facts.adapter_message = world->stack->message;
	observe_workload(o);
	observe_children(o, world);
	observe_monitoring(o, world);
	if (o->invalid.kind != ERROR_NONE) {
		o->facts.invalid = &o->invalid;
	}
}

void observation_release(struct observation *o)
{
	for (size_t i = 0; i < children_count; i++) {
		json_decref(o->observed[i]);
	}
	json_decref(o->object);
	json_decref(o->target);
	json_decref(o->hpas);
	json_decref(o->autoscalers);
	json_decref(o->prometheuses);
	json_decref(o->namespaces);
	monitoring_release(&o->monitoring);
	autoscaler_release(&o->spec);
	error_release(&o->invalid);
	free_indirect(&o->foreign_child);
}
