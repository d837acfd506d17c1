/* The table of phrases. */
#include "phrases.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* JSON has no control character as it stands, so that these bytes are free. */
#define FIRST 1
#define LAST 31

/* Each begins with a quote, so that few places have to be compared with them; of two that begin alike the longer comes
 * first. That a child is made otherwise costs bytes only. */
static const char *const phrases[] = {
	/* HPA */
	"\"behavior\":{\"scaleDown\":{\"policies\":[{\"periodSeconds\":15,\"type\":\"Percent\",\"value\":100}],"
	"\"selectPolicy\":\"Max\",\"stabilizationWindowSeconds\":300},\"scaleUp\":{\"policies\":[{\"periodSeconds\":15,"
	"\"type\":\"Pods\",\"value\":4},{\"periodSeconds\":15,\"type\":\"Percent\",\"value\":100}],\"selectPolicy\":\"Max\","
	"\"stabilizationWindowSeconds\":0}},\"maxReplicas\":",
	"\"behavior\":{\"scaleDown\":{",
	"\"periodSeconds\":15,\"type\":\"",
	"\"policies\":[{",
	"\"selectPolicy\":\"Max\",",
	"\"stabilizationWindowSeconds\":",
	"\"metrics\":[{\"pods\":{\"metric\":{\"name\":\"",
	"\"pods\":{\"metric\":{\"name\":\"",
	"\"},\"target\":{\"averageValue\":\"",
	"\",\"type\":\"AverageValue\"}},\"type\":\"Pods\"}],\"minReplicas\":",
	"\",\"type\":\"AverageValue\"}},\"type\":\"Pods\"},{",
	"\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"",
	"\"scaleTargetRef\":{\"apiVersion\":\"",
	/* Service */
	"\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"],\"internalTrafficPolicy\":\"Cluster\",\"ipFamilies\":[\"IPv4\"],"
	"\"ipFamilyPolicy\":\"SingleStack\",\"ports\":[{\"name\":\"ias-metrics\",\"port\":",
	"\"protocol\":\"TCP\",\"targetPort\":",
	"\"selector\":{\"matchLabels\":{\"inference-autoscaler.io/autoscaler\":\"",
	"\"selector\":{\"",
	"\"sessionAffinity\":\"None\",\"type\":\"ClusterIP\"}",
	/* ServiceMonitor */
	"\"bodySizeLimit\":\"2MiB\",\"endpoints\":[{\"interval\":\"",
	"\"endpoints\":[{\"interval\":\"",
	"\",\"metricRelabelings\":[{\"action\":\"keep\",\"regex\":\"(vllm|ray_vllm)[:_]num_requests_running|"
	"(vllm|ray_vllm)[:_]num_requests_waiting|(vllm|ray_vllm)[:_]kv_cache_usage_perc|"
	"(vllm|ray_vllm)[:_]gpu_cache_usage_perc\",\"sourceLabels\":[\"__name__\"]}],\"path\":\"",
	"\",\"metricRelabelings\":[{\"action\":\"keep\",\"regex\":\"",
	"\",\"sourceLabels\":[\"__name__\"]}],\"path\":\"",
	"\",\"port\":\"ias-metrics\",\"relabelings\":[{\"action\":\"drop\",\"regex\":\"Pending;(false;|;false)\","
	"\"sourceLabels\":[\"__meta_kubernetes_pod_phase\",\"__meta_kubernetes_endpoint_ready\","
	"\"__meta_kubernetes_endpointslice_endpoint_conditions_ready\"]},{\"action\":\"replace\",\"regex\":"
	"\"false;|;false\",\"replacement\":\"true\",\"sourceLabels\":[\"__meta_kubernetes_endpoint_ready\","
	"\"__meta_kubernetes_endpointslice_endpoint_conditions_ready\"],\"targetLabel\":\"unready\"}],\"scheme\":\"",
	"\"}],\"labelLimit\":80,\"sampleLimit\":",
};

_Static_assert(FIRST + ARRAY_LEN(phrases) - 1 <= LAST, "there are no more bytes");

/* The phrase that the text begins with; ARRAY_LEN(phrases) = none. */
static size_t phrase_at(const char *text, size_t *len)
{
	size_t i = 0;

	for (; i < ARRAY_LEN(phrases); i++) {
		*len = strlen(phrases[i]);
		if (strncmp(text, phrases[i], *len) == 0) {
			break;
		}
	}
	return i;
}

static bool is_byte(char c)
{
	return c >= FIRST && c <= LAST;
}

char *phrases_shrink(const char *text)
{
	struct strbuf shrunk = STRBUF_INIT;

	for (; text != NULL && *text != '\0'; text++) {
		size_t len;
		size_t i = *text == '"' ? phrase_at(text, &len) : ARRAY_LEN(phrases);

		if (i < ARRAY_LEN(phrases)) {
			strbuf_addch(&shrunk, (char)(FIRST + i));
			text += len - 1;
		} else if (is_byte(*text)) {
			strbuf_release(&shrunk);
			return NULL;
		} else {
			strbuf_addch(&shrunk, *text);
		}
	}
	return text != NULL ? strbuf_take(&shrunk) : NULL;
}

char *phrases_grow(const char *shrunk)
{
	struct strbuf text = STRBUF_INIT;

	for (; *shrunk != '\0'; shrunk++) {
		if (is_byte(*shrunk)) {
			strbuf_addstr(&text, phrases[*shrunk - FIRST]);
		} else {
			strbuf_addch(&text, *shrunk);
		}
	}
	return strbuf_take(&text);
}
