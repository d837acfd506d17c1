/* Reading a request's target. */
#include "request.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define SEGMENTS_MAX 8
#define SEGMENT_MAX 253 /* a name of the API */
#define NAMESPACE_MAX 63

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Of `len` bytes; -1 when they are not well encoded, or stand for other than printable ASCII. */
static int decode(const char *text, size_t len, bool plus_is_space, struct strbuf *decoded)
{
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = i + 2 < len ? hex(text[i + 2]) : -1;

			c = high >= 0 && low >= 0 ? high * 16 + low : -1;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c < ' ' || c > '~') {
			return -1;
		}
		strbuf_addch(decoded, (char)c);
	}
	return 0;
}

struct path {
	char *segments[SEGMENTS_MAX];
	size_t count;
};

static void path_release(struct path *path)
{
	for (size_t i = 0; i < path->count; i++) {
		free_indirect(&path->segments[i]);
	}
}
#define auto_path ATTR_CLEANUP(path_release) struct path

static int bad_path(struct error *err, const char *why)
{
	return error_set(err, ERROR_INVALID, "the path is none of this API: %s", why);
}

/* A segment may not be such that somebody else could take it for none, or for two. */
static int add_segment(struct path *path, const char *text, size_t len, struct error *err)
{
	auto_strbuf decoded = STRBUF_INIT;

	if (path->count == SEGMENTS_MAX) {
		return bad_path(err, "it has too many parts");
	}
	if (decode(text, len, false, &decoded) < 0) {
		return bad_path(err, "a part of it is not well encoded");
	}
	if (decoded.len == 0 || decoded.len > SEGMENT_MAX) {
		return bad_path(err, decoded.len == 0 ? "a part of it is empty" : "a part of it is too long");
	}
	if (strchr(decoded.buf, '/') != NULL || strcmp(decoded.buf, ".") == 0 || strcmp(decoded.buf, "..") == 0) {
		return bad_path(err, "a part of it is '.', '..' or has a '/'");
	}
	path->segments[path->count++] = strbuf_take(&decoded);
	return 0;
}

static int split(const char *text, size_t len, struct path *path, struct error *err)
{
	const char *end = text + len;

	if (len == 0 || *text != '/') {
		return bad_path(err, "it does not begin with '/'");
	}
	while (text < end) {
		const char *segment = text + 1;
		const char *slash = memchr(segment, '/', (size_t)(end - segment));

		text = slash != NULL ? slash : end;
		if (add_segment(path, segment, (size_t)(text - segment), err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* One parameter of the query; those that are none of ours are passed over, as the API server does. */
static int read_parameter(const char *text, size_t len, struct metrics_request *request, struct error *err)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	auto_strbuf name = STRBUF_INIT;
	auto_strbuf value = STRBUF_INIT;
	char **wanted;

	if (decode(text, name_len, true, &name) < 0 ||
		(equals != NULL && decode(equals + 1, len - name_len - 1, true, &value) < 0)) {
		return error_set(err, ERROR_INVALID, "a parameter of the query is not well encoded");
	}
	wanted = strcmp(name.buf, "labelSelector") == 0         ? &request->selector
	         : strcmp(name.buf, "metricLabelSelector") == 0 ? &request->metric_selector
	                                                        : NULL;
	if (wanted == NULL) {
		return 0;
	}
	if (*wanted != NULL) {
		return error_set(err, ERROR_INVALID, "the query has the parameter %s twice", name.buf);
	}
	*wanted = strbuf_take(&value);
	return 0;
}

static int read_query(const char *query, struct metrics_request *request, struct error *err)
{
	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len > 0 && read_parameter(query, len, request, err) < 0) {
			return -1;
		}
		query += len + (query[len] == '&' ? 1 : 0);
	}
	return 0;
}

static int not_served(struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND,
		"nothing is served here: the operator serves the metrics of pods, "
		"/apis/" SERVING_GROUP "/VERSION/namespaces/NAMESPACE/pods/*/METRIC, and of "
		"inferenceautoscalers.inference-autoscaler.io");
}

static bool is_name(const char *text, size_t most, const char *letters)
{
	return strlen(text) <= most && text[strspn(text, letters)] == '\0';
}

static char *take_segment(struct path *path, size_t i)
{
	char *segment = path->segments[i];

	path->segments[i] = NULL;
	return segment;
}

/* namespaces NAMESPACE RESOURCE NAME METRIC, from the fourth part on. */
static int read_metric(struct path *path, struct metrics_request *request, struct error *err)
{
	const char *resource = path->segments[5];
	const char *name = path->segments[6];
	bool all = strcmp(name, "*") == 0;
	bool pods = strcmp(resource, "pods") == 0;

	if (strcmp(path->segments[3], "namespaces") != 0 ||
		(!pods && strcmp(resource, "inferenceautoscalers.inference-autoscaler.io") != 0)) {
		return not_served(err);
	}
	if (!is_name(path->segments[4], NAMESPACE_MAX, LOWER DIGITS "-") ||
		(!all && !is_name(name, SEGMENT_MAX, LOWER DIGITS "-."))) {
		return error_set(err, ERROR_INVALID, "'%s' or '%s' is no name of an object", path->segments[4], name);
	}
	if (!pods && all) {
		return error_set(err, ERROR_INVALID, "the metric of an InferenceAutoscaler is asked for by its name");
	}
	request->kind = pods ? REQUEST_PODS_METRIC : REQUEST_OBJECT_METRIC;
	request->ns = take_segment(path, 4);
	request->name = all ? NULL : take_segment(path, 6);
	request->metric = take_segment(path, 7);
	return 0;
}

static int read_path(struct path *path, struct metrics_request *request, struct error *err)
{
	static const char *const versions[] = {"v1beta1", "v1beta2"};
	char *const *parts = path->segments;

	if (path->count == 2 && strcmp(parts[0], "openapi") == 0 &&
		(strcmp(parts[1], "v2") == 0 || strcmp(parts[1], "v3") == 0)) {
		request->kind = parts[1][1] == '2' ? REQUEST_OPENAPI_V2 : REQUEST_OPENAPI_V3;
		return 0;
	}
	if (path->count < 3 || strcmp(parts[0], "apis") != 0 || strcmp(parts[1], SERVING_GROUP) != 0) {
		return not_served(err);
	}
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		request->version = strcmp(parts[2], versions[i]) == 0 ? versions[i] : request->version;
	}
	if (request->version == NULL || (path->count != 3 && path->count != 8)) {
		return not_served(err);
	}
	request->kind = REQUEST_DISCOVERY;
	return path->count == 3 ? 0 : read_metric(path, request, err);
}

int metrics_request_parse(const char *target, struct metrics_request *request, struct error *err)
{
	size_t path_len = strcspn(target, "?");
	auto_path path = {.count = 0};

	*request = (struct metrics_request){.kind = REQUEST_DISCOVERY};
	if (strnlen(target, REQUEST_TARGET_MAX + 1) > REQUEST_TARGET_MAX) {
		return error_set(err, ERROR_INVALID, "the path and the query have more than %d bytes",
			REQUEST_TARGET_MAX);
	}
	if (split(target, path_len, &path, err) < 0 || read_path(&path, request, err) < 0) {
		return -1;
	}
	return target[path_len] == '?' ? read_query(target + path_len + 1, request, err) : 0;
}

void metrics_request_release(struct metrics_request *request)
{
	free_indirect(&request->ns);
	free_indirect(&request->name);
	free_indirect(&request->metric);
	free_indirect(&request->selector);
	free_indirect(&request->metric_selector);
}
