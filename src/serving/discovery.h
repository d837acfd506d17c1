/*
 * What the API says of itself: the list of its metrics, and as much OpenAPI as has to be there.
 *
 * The list is for people. An HPA asks for a metric by its name, listed or not, so that the list need not follow what the
 * cluster's autoscalers have. Private to src/serving.
 */
#ifndef SERVING_DISCOVERY_H
#define SERVING_DISCOVERY_H

/* The metrics of all engines and of the GPUs. Heap, caller owns, as the next two. */
char *discovery_list(const char *version);
char *discovery_openapi_v2(void);
char *discovery_openapi_v3(void);

#endif
