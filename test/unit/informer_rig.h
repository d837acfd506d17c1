/*
 * An informer on an API server that follows a script, and what it told: what the tests of the
 * informer start from.
 *
 * Where the streaming list is not the subject, the server is an old one that refuses it.
 */
#ifndef TEST_INFORMER_RIG_H
#define TEST_INFORMER_RIG_H

#include "base/strbuf.h"
#include "kube/informer.h"
#include "kube/timing.h"
#include "kube_rig.h"

/* From the server's cache, as a list that is whole; then from etcd, in pages. */
#define FIRST "GET /api/v1/services[?]resourceVersion=0"
#define LIST "GET /api/v1/services[?]limit=100"
#define WATCH(rv)                                                                                                      \
	"GET "                                                                                                         \
	"/api/v1/"                                                                                                     \
	"services[?]watch=true&allowWatchBookmarks=true&timeoutSeconds=*&resourceVersion=" rv

#define STREAM                                                                                                         \
	"GET "                                                                                                         \
	"/api/v1/"                                                                                                     \
	"services[?]watch=true&allowWatchBookmarks=true&timeoutSeconds=*"                                              \
	"&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"

#define META(name, rv)                                                                                                 \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}"                     \
	"}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" META(name, rv) "}\n"
#define BOOKMARK(rv) "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv "\"}}}\n"
#define END_OF_LIST(rv)                                                                                                \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv                                   \
	"\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define ERROR_EVENT(code, reason)                                                                                      \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason                   \
	"\",\"message\":\"said so\"}}\n"
#define STATUS(reason, message) "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"" message "\"}"
#define ITEMS(rv, items) "{\"metadata\":{\"resourceVersion\":\"" rv "\"},\"items\":" items "}"
#define EMPTY(rv) ITEMS(rv, "[]")

#define REFUSED                                                                                                        \
	{                                                                                                              \
		.status = 422,                                                                                         \
		.body = STATUS("Invalid", "sendInitialEvents is forbidden for watch unless the "                       \
					  "WatchList feature gate is enabled"),                                        \
	}

extern const struct kube_resource services;
/* Without waits; the silences are the real ones. */
extern const struct informer_timing quick;

struct test {
	struct kube_rig rig;
	struct kube_informer *informer;
	struct strbuf seen; /* "+a ~a -a !state" in the order they came */
	char *first_error;
	const char *want;
	int64_t progress_ms;
	size_t before; /* requests that are not counted */
	bool close_on_change;
	bool closed;
};

/* An informer on a server that has just what the steps say. */
void open_new(struct test *test, const struct fake_step *steps, size_t count, const struct informer_timing *timing);
#define OPEN_NEW(test, steps) open_new(test, steps, ARRAY_LEN(steps), &quick)
/* The same on an old server, whose refusal is over and not counted. */
void open_with_timing(struct test *test, const struct fake_step *steps, size_t count,
	const struct informer_timing *timing);
#define OPEN(test, steps) open_with_timing(test, steps, ARRAY_LEN(steps), &quick)

/* Wait, and fail when it does not come. */
void expect_seen(struct test *test, const char *want);
void expect_requests(struct test *test, const char *count);
/* Closes all; fails when anything was asked that the script does not hold. */
void finish(struct test *test);
/* To make an informer by hand. */
struct kube_informer_hooks seeing(void *test);

#endif
