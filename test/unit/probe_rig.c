/* A prober in a fake cluster. */
#include "probe_rig.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kube/resource.h"

#define SCRAPES                                                                                                        \
	PROBE_RESULT("{\"metric\":{\"namespace\":\"team\",\"job\":\"gemma-metrics\",\"up\":\"1\"},"                    \
		     "\"value\":[100,\"2\"]}")
/* The second pod's last sample is a minute old. */
#define SAMPLES                                                                                                        \
	PROBE_RESULT(PROBE_SAMPLE("p-0", "time", "95") "," PROBE_SAMPLE("p-0", "milli", "1") "," PROBE_SAMPLE("p-1",   \
		"time", "40"))

static const struct probe_saying healthy[] = {
	{"GET /metrics", {.status = 200, .body = PROBE_PAGE}, 0},
	{"GET /version", {.status = 200, .body = "{\"version\":\"0.32.0\"}"}, 0},
	{"GET /api/v1/query[?]query=count_values*", {.status = 200, .body = SCRAPES}, 0},
	{"GET /api/v1/query[?]query=label_replace*", {.status = 200, .body = SAMPLES}, 0},
	{PROBE_ASK("*"), {.status = 200, .body = PROBE_VALUES(PROBE_VALUE("p-0", "4"))}, 0},
};

static void die(const char *what, const char *about)
{
	fprintf(stderr, "probe rig: %s '%s'\n", what, about);
	abort();
}

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct probe_rig *rig = ctx;

	for (size_t i = 0; i < rig->count; i++) {
		if (fnmatch(rig->sayings[i].pattern, request->line, 0) == 0) {
			rig->sayings[i].asked++;
			return rig->sayings[i].answer;
		}
	}
	return (struct fake_answer){.status = 404, .body = "404 page not found"};
}

static bool on_seen(void *ctx, const char *key, const struct evidence *before)
{
	(void)key;
	(void)before;
	((struct probe_rig *)ctx)->seen++;
	return ((struct probe_rig *)ctx)->passes_wait;
}

static bool on_shared_seen(void *ctx, const char *key, const struct shared_evidence *before)
{
	struct probe_rig *rig = ctx;

	(void)key;
	rig->seen++;
	json_decref(rig->before);
	rig->before = before != NULL ? shared_evidence_encode(before) : NULL;
	return false;
}

static struct hpa_says hpa_now(void *ctx, const char *ns, const char *name, const char *metric)
{
	(void)ns;
	(void)name;
	(void)metric;
	return ((const struct probe_rig *)ctx)->hpa;
}

void probe_rig_open(struct probe_rig *rig)
{
	*rig = (struct probe_rig){.count = ARRAY_LEN(healthy),
		.hpa = {.there = true, .spoke = true, .average_milli = MILLI_NONE}};
	memcpy(rig->sayings, healthy, sizeof(healthy));
	rig_open(&rig->kube, on_request, rig, NULL);
	rig->port = atoi(strrchr(fake_url(rig->kube.fake), ':') + 1);
	rig->access = access_new(&(struct access_options){.url = NULL}, NULL);
	rig->pods = pods_new();
	rig->pod_objects = json_parse(PROBE_PODS, strlen(PROBE_PODS), NULL);
	rig->namespaces = json_object();
	pods_set_state(rig->pods, true, NULL);
	rig->prober = prober_new(rig->kube.client, rig->kube.http, rig->access, rig->pods,
		&(struct prober_hooks){.seen = on_seen,
			.shared_seen = on_shared_seen,
			.hpa = hpa_now,
			.loopback = true,
			.ctx = rig});
	rig->request = json_pack("{s:s, s:s, s:s, s:[{s:i, s:s}], s:s, s:s, s:s, s:s, s:i, s:[{s:s, s:s, s:b, s:[s]}]}",
		"namespace", "team", "name", "gemma", "selector", "app=x", "pages", "port", rig->port, "path",
		"/metrics", "scheme", "http", "prometheus", fake_url(rig->kube.fake), "service", "gemma-metrics",
		"pool", "serviceMonitor/team/gemma/0", "intervalMs", 15000, "signals", "name", "Running", "metric",
		"vllm_num_requests_running", "page", true, "series", "vllm:num_requests_running");
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

void probe_rig_close(struct probe_rig *rig)
{
	prober_close(rig->prober, on_closed, &rig->closed);
	if (!run_until(&rig->kube.loop, is_true, &rig->closed)) {
		die("does not end:", "prober");
	}
	pods_free(rig->pods);
	json_decref(rig->pod_objects);
	json_decref(rig->namespaces);
	json_decref(rig->request);
	json_decref(rig->before);
	json_decref(rig->evidence);
	access_free(rig->access);
	if (rig_close(&rig->kube) != 0) {
		die("ends with something left over:", "loop");
	}
}

void probe_rig_say(struct probe_rig *rig, const char *pattern, struct fake_answer answer)
{
	if (rig->count == ARRAY_LEN(rig->sayings)) {
		die("too many sayings for", pattern);
	}
	memmove(rig->sayings + 1, rig->sayings, rig->count * sizeof(rig->sayings[0]));
	rig->sayings[0] = (struct probe_saying){pattern, answer, 0};
	rig->count++;
}

static void put_pods(struct probe_rig *rig, const char *ns)
{
	size_t i;
	json_t *object;

	json_array_foreach(rig->pod_objects, i, object) {
		json_t *metadata = json_object_get(object, "metadata");
		auto_view *pod = NULL;

		json_object_set_new(metadata, "namespace", json_string(ns));
		json_object_set_new(metadata, "labels", json_pack("{s:s}", "app", "x"));
		pod = view_decode_as(&view_pod_type, object);
		pods_put(rig->pods, pod);
	}
}

static void remove_pods(struct probe_rig *rig, const char *ns)
{
	size_t i;
	json_t *object;

	json_array_foreach(rig->pod_objects, i, object) {
		pods_remove(rig->pods, ns, kube_object_name(object));
	}
}

void probe_rig_pods(struct probe_rig *rig, const char *objects)
{
	json_t *now = json_parse(objects, strlen(objects), NULL);
	const char *ns;
	json_t *unused;

	json_object_foreach(rig->namespaces, ns, unused) {
		remove_pods(rig, ns);
	}
	json_decref(rig->pod_objects);
	rig->pod_objects = now;
	json_object_foreach(rig->namespaces, ns, unused) {
		put_pods(rig, ns);
	}
}

/* Each namespace that is asked about has them. */
static void have_pods(struct probe_rig *rig)
{
	const char *ns = json_path_string(rig->request, "namespace", NULL);

	if (ns != NULL && json_object_get(rig->namespaces, ns) == NULL) {
		json_object_set_new(rig->namespaces, ns, json_true());
		put_pods(rig, ns);
	}
}

int probe_rig_asked(const struct probe_rig *rig, const char *pattern)
{
	for (size_t i = 0; i < rig->count; i++) {
		if (strcmp(rig->sayings[i].pattern, pattern) == 0) {
			return rig->sayings[i].asked;
		}
	}
	die("nothing is said to", pattern);
	return 0;
}

struct awaited {
	const struct probe_rig *rig;
	int seen;
};

static bool was_seen(void *ctx)
{
	const struct awaited *awaited = ctx;

	return awaited->rig->seen >= awaited->seen;
}

void probe_rig_wait(struct probe_rig *rig, int seen)
{
	struct awaited awaited = {rig, seen};

	if (!run_until(&rig->kube.loop, was_seen, &awaited)) {
		die("no round ends of", PROBE_KEY);
	}
}

/* A request is decoded as that of evidence. */
void probe_rig_want(struct probe_rig *rig, const char *key, enum probe_interval interval)
{
	auto_json *document = json_pack("{s:O}", "asked", rig->request);

	have_pods(rig);

	if (json_object_get(rig->request, "record") != NULL) {
		struct shared_evidence *decoded = shared_evidence_decode(document, 0);

		prober_want_shared(rig->prober, key, decoded->asked, interval);
		shared_evidence_free(decoded);
	} else {
		struct evidence *decoded = evidence_decode(document, 0);

		prober_want(rig->prober, key, decoded->asked, interval);
		evidence_free(decoded);
	}
}

const json_t *probe_rig_evidence(struct probe_rig *rig)
{
	const struct evidence *evidence = prober_evidence(rig->prober, PROBE_KEY);
	const struct shared_evidence *shared = prober_shared_evidence(rig->prober, PROBE_KEY);

	json_decref(rig->evidence);
	rig->evidence = evidence != NULL ? evidence_encode(evidence)
	                : shared != NULL ? shared_evidence_encode(shared)
	                                 : NULL;
	return rig->evidence;
}

const json_t *probe_rig_look(struct probe_rig *rig)
{
	int before = rig->seen;

	probe_rig_want(rig, PROBE_KEY, PROBE_HEALTHY);
	if (before > 0) {
		prober_wake(rig->prober, PROBE_KEY);
	}
	probe_rig_wait(rig, before + 1);
	return probe_rig_evidence(rig);
}

char *probe_text(const json_t *evidence, const char *path)
{
	const json_t *value = json_path(evidence, path);

	return value != NULL ? json_text(value) : xstrdup("absent");
}

bool probe_says(const json_t *evidence, const char *path, const char *words)
{
	const char *text = json_path_string(evidence, path, "");

	if (strstr(text, words) != NULL) {
		return true;
	}
	fprintf(stderr, "%s is '%s', not '…%s…'\n", path, text, words);
	return false;
}
