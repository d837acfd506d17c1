/*
 * The forms of names in Kubernetes, and of paths. Each says whether the text, which may be empty, is one.
 */
#ifndef API_NAME_FORM_H
#define API_NAME_FORM_H

#include <stdbool.h>

/* "team-a": of a namespace. */
bool name_is_label(const char *text);
/* "gemma.v2": of most objects. */
bool name_is_subdomain(const char *text);
/* "gemma": of a Service, with room for a suffix of 8. */
bool name_is_service(const char *text);
/* "apps/v1", "v1". */
bool name_is_group_version(const char *text);
/* "Deployment". */
bool name_is_kind(const char *text);
/* "http-metrics": of a container's port. */
bool name_is_port(const char *text);
/* "/v1/metrics", without '.' and '..'. */
bool name_is_path(const char *text);
/* "ray_vllm_num_requests_running", "queue:depth{queue=\"high\",model=\"\"}": of samples that are an engine's. */
bool name_is_series(const char *text);
bool name_is_label_key(const char *text);
bool name_is_label_value(const char *text);
/* A label by which the operator finds what is its own. */
bool name_is_own_label(const char *key);

#endif
