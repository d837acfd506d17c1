/*
 * A prober in a fake cluster: one server is the API server, the pods, Prometheus and the metrics API.
 *
 * It begins healthy, with an autoscaler 'team/gemma' of two pods; a test says otherwise where it
 * wants to. What is said last counts first.
 */
#ifndef TEST_PROBE_RIG_H
#define TEST_PROBE_RIG_H

#include <jansson.h>

#include "base/memory.h"
#include "kube_rig.h"
#include "probe/probe.h"

#define PROBE_KEY "team/gemma"
#define PROBE_PAGE "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 1\nvllm:num_requests_waiting 0\n"
#define PROBE_POD(name)                                                                                                \
	"{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"containers\":[{\"image\":\"vllm:1\"}]},"                    \
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"127.0.0.1\",\"conditions\":[{\"type\":\"Ready\","               \
	"\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}"
/* The pods of the healthy chain. */
#define PROBE_PODS "[" PROBE_POD("p-0") "," PROBE_POD("p-1") "]"
/* An answer of Prometheus to a query. */
#define PROBE_RESULT(rows) "{\"status\":\"success\",\"data\":{\"result\":[" rows "]}}"
/* A row of the answer about samples; it is asked for at 100. */
#define PROBE_SAMPLE(pod, part, value)                                                                                 \
	"{\"metric\":{\"namespace\":\"team\",\"pod\":\"" pod "\",\"part\":\"" part "\"},\"value\":[100,\"" value "\"]}"
/* A pod's value in a MetricValueList, and such a list. */
#define PROBE_VALUE(pod, value) "{\"describedObject\":{\"name\":\"" pod "\"},\"value\":\"" value "\"}"
#define PROBE_VALUES(items) "{\"items\":[" items "]}"
/* The request for a metric's value. */
#define PROBE_ASK(metric)                                                                                              \
	"GET /apis/custom.metrics.k8s.io/v1beta1/namespaces/team/pods/[*]/" metric "[?]labelSelector=app%3Dx"

struct probe_saying {
	const char *pattern; /* fnmatch, of the request line */
	struct fake_answer answer;
	int asked;
};

struct probe_rig {
	struct kube_rig kube;
	struct access *access;
	struct pods *pods;
	json_t *pod_objects; /* of each namespace */
	json_t *namespaces;  /* an object, by their names */
	struct prober *prober;
	json_t *request;     /* of PROBE_KEY, as JSON; a test may change it. With "record": of what is shared */
	struct hpa_says hpa; /* every one, for every metric; it begins as one that could not read it */
	int port;            /* of the server, at 127.0.0.1 */
	int seen;            /* probes reported */
	bool passes_wait;    /* a pass is to come of each report */
	json_t *before;      /* of what is shared: what the last report named as the evidence before it */
	json_t *evidence;    /* what was handed out last */
	struct probe_saying sayings[16];
	size_t count;
	bool closed;
};

void probe_rig_open(struct probe_rig *rig);
/* Ends the prober; nothing may be left in the loop. */
void probe_rig_close(struct probe_rig *rig);
void probe_rig_say(struct probe_rig *rig, const char *pattern, struct fake_answer answer);
/* The pods of every namespace from now on: an array of Pods, which get the label app=x. */
void probe_rig_pods(struct probe_rig *rig, const char *objects);
/* How often the last saying of this very pattern was asked for. */
int probe_rig_asked(const struct probe_rig *rig, const char *pattern);
/* Until so many probes were reported in all. */
void probe_rig_wait(struct probe_rig *rig, int seen);
/* Wants the rig's request to be probed for a key. */
void probe_rig_want(struct probe_rig *rig, const char *key, enum probe_interval interval);
/* PROBE_KEY's, encoded; borrowed until the next is handed out, NULL when there is none. */
const json_t *probe_rig_evidence(struct probe_rig *rig);
/* One probe; its evidence. */
const json_t *probe_rig_look(struct probe_rig *rig);

/* What is at the path as text, "absent" when nothing is; heap, caller owns. */
char *probe_text(const json_t *evidence, const char *path);
/* Whether the string at the path has these words; says on stderr what it is otherwise. */
bool probe_says(const json_t *evidence, const char *path, const char *words);

/* For users of cmocka. */
#define assert_found(evidence, path, wanted)                                                                           \
	do {                                                                                                           \
		auto_free char *found_text = probe_text(evidence, path);                                               \
		assert_string_equal(found_text, wanted);                                                               \
	} while (0)
#define assert_says(evidence, path, words) assert_true(probe_says(evidence, path, words))

#endif
