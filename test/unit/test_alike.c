/* Two probes of one autoscaler: each member of the evidence, and whether another value of it is checked otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "chain/links.h"
#include "evidence/evidence.h"
#include "evidence/shapes.h"

#define CERTAIN "looks: 99, samples: 99, near: [9, 9], values: [1000, 2000], series: [5000, 6000]"
#define FAINT "looks: 3, samples: 3, near: [1, 1], values: [1000, 2000], series: [5000, 6000]"

/* All that evidence can hold, of a pod that is not ready and has load. */
static const char whole[] =
	"asked: {selector: app=server, prometheus: 'http://p:9090'}\n"
	"target: {at: 1, replicas: 2, current: 2, selector: app=server}\n"
	"pods: {at: 2, total: 2, ready: 0, unready: {p: 7}, foreign: [q], start: {pod: p, seconds: 40},\n"
	"       ports: [{name: http, containerPort: 8000, protocol: SCTP}]}\n"
	"page: {at: 3, url: 'http://10.0.0.1:8000/metrics', pod: p, port: 8000, path: /metrics, engine: VLLM, router: r,\n"
	"       version: 0.11.0, image: i, series: [a, b], latency: {requests: 100, overMs: 1000, uptoMs: 2000},\n"
	"       limits: {Running: 8}, values: {p: {m: 3000}}, doubted: true}\n"
	"prometheus: {at: 4, url: 'http://p:9090', up: 0, down: 1, lastError: timed out}\n"
	"signals:\n"
	"  m:\n"
	"    series: {at: 5, pods: 2, missing: [r], suspects: [s],\n"
	"             samples: {p: {age: 100, time: 8, milli: 1000, source: 2000, shared: true}}}\n"
	"    metric: {at: 1000000, http: 200, pods: 2, missing: [r], suspects: [s], values: {p: 1000}, byHpa: true,\n"
	"             doubtedAt: 9}\n"
	"    apart:\n"
	"      page: {p: {since: 1, sampleTime: 2, sampleAt: 3, " CERTAIN "}, faint: {" FAINT "}}\n"
	"      record: {p: {since: 1, sampleTime: 2, sampleAt: 3, " CERTAIN "}}\n"
	"      metric: {p: {since: 1, sampleTime: 2, sampleAt: 3, " CERTAIN "}}\n"
	"      hpa: {since: 1, sampleTime: 2, sampleAt: 3, " CERTAIN "}\n"
	"    scrapers: {p: [ours, theirs], faint: [ours]}\n"
	"hpaSilentAt: 10\n"
	"awaitedMs: 600\n"
	"againMs: 500\n";

/* Another value of this member, NULL = it is away; alike: nothing is checked otherwise for it. */
static const struct row {
	const char *path;
	const char *value;
	bool alike;
} rows[] = {
	{"asked", "{selector: app=other, prometheus: 'http://p:9090'}", false},
	{"asked", NULL, false},

	{"target", NULL, false},
	{"target.at", "100", true},
	{"target.replicas", "3", false},
	{"target.current", "3", false},
	{"target.selector", "app=other", false},
	{"target.error", "gone", false},

	{"pods", NULL, false},
	{"pods.at", "100", true},
	{"pods.total", "3", true},
	{"pods.total", "0", false},
	{"pods.ready", "1", false},
	{"pods.unready", "{q: 7}", false},
	{"pods.unready", "{p: 7, q: 7}", false},
	{"pods.unready.p", "8", false},
	{"pods.foreign", "[other]", false},
	{"pods.ports", "[{name: http, containerPort: 8001, protocol: SCTP}]", false},
	{"pods.ports", "[{name: http, containerPort: 8000}]", false},
	{"pods.ports", "[]", false},
	{"pods.start.pod", "other", true},
	{"pods.start.seconds", "41", false},
	{"pods.error", "forbidden", false},

	{"page", NULL, false},
	{"page.at", "100", true},
	{"page.url", "http://10.0.0.2:8000/metrics", true},
	{"page.pod", "other", true},
	{"page.port", "8001", false},
	{"page.path", "/m", false},
	{"page.engine", "SGLang", false},
	{"page.router", "other", false},
	{"page.version", "0.12.0", false},
	{"page.image", "other", true},
	{"page.series", "[a]", false},
	{"page.latency.requests", "101", true},
	{"page.latency.requests", "99", false},
	{"page.latency.overMs", "1001", false},
	{"page.latency.uptoMs", "2001", false},
	{"page.limits", "{}", false},
	{"page.limits.Running", "9", false},
	{"page.values.p.m", "4000", true},
	{"page.values.p.m", "0", false},
	{"page.doubted", "false", true},
	{"page.error", "too large", false},

	{"prometheus", NULL, false},
	{"prometheus.at", "100", true},
	{"prometheus.url", "http://q:9090", true},
	{"prometheus.up", "1", false},
	{"prometheus.down", "2", true},
	{"prometheus.down", "0", false},
	{"prometheus.lastError", "refused", false},
	{"prometheus.error", "refused", false},

	{"signals", "{}", false},
	{"signals.m.series", NULL, false},
	{"signals.m.series.at", "100", true},
	{"signals.m.series.pods", "3", true},
	{"signals.m.series.pods", "0", false},
	{"signals.m.series.missing", "[r, s]", false},
	{"signals.m.series.suspects", "[]", true},
	{"signals.m.series.samples", "{}", false},
	{"signals.m.series.samples.p.age", "200", true},
	{"signals.m.series.samples.p.time", "200", true},
	{"signals.m.series.samples.p.milli", "0", true},
	{"signals.m.series.samples.p.source", "0", true},
	{"signals.m.series.samples.p.shared", "false", false},
	{"signals.m.series.error", "refused", false},

	{"signals.m.metric", NULL, false},
	{"signals.m.metric.at", "1000100", true},
	{"signals.m.metric.http", "503", true},
	{"signals.m.metric.pods", "1", true},
	{"signals.m.metric.pods", "0", false},
	{"signals.m.metric.missing", "[]", false},
	{"signals.m.metric.suspects", "[]", true},
	{"signals.m.metric.values.p", "0", true},
	{"signals.m.metric.byHpa", "false", true},
	{"signals.m.metric.doubtedAt", "10", true},
	{"signals.m.metric.error", "not found", false},
	{"signals.m.metric.cause", "NotListed", false},

	{"signals.m.apart.page", "{}", false},
	{"signals.m.apart.page.p.since", "2", true},
	{"signals.m.apart.page.p.sampleTime", "3", true},
	{"signals.m.apart.page.p.sampleAt", "4", true},
	{"signals.m.apart.page.p.looks", "100", true},
	{"signals.m.apart.page.p.looks", "31", false},
	{"signals.m.apart.page.p.samples", "100", true},
	{"signals.m.apart.page.p.samples", "15", false},
	{"signals.m.apart.page.p.near", "[10, 10]", true},
	{"signals.m.apart.page.p.near", "[9, 3]", false},
	{"signals.m.apart.page.p.values", "[1000, 3000]", false},
	{"signals.m.apart.page.p.series", "[5000, 7000]", false},
	{"signals.m.apart.page.faint", "{" CERTAIN "}", false},
	{"signals.m.apart.page.faint.looks", "4", true},
	{"signals.m.apart.page.faint.samples", "4", true},
	{"signals.m.apart.page.faint.near", "[2, 2]", true},
	{"signals.m.apart.page.faint.values", "[0, 9000]", true},
	{"signals.m.apart.page.faint.series", "[0, 9000]", true},
	{"signals.m.apart.record.p.since", "2", true},
	{"signals.m.apart.record.p.sampleTime", "3", true},
	{"signals.m.apart.record.p.sampleAt", "4", true},
	{"signals.m.apart.record.p.looks", "31", false},
	{"signals.m.apart.record.p.samples", "15", false},
	{"signals.m.apart.record.p.near", "[3, 9]", false},
	{"signals.m.apart.record.p.values", "[1000, 3000]", false},
	{"signals.m.apart.record.p.series", "[5000, 7000]", false},
	{"signals.m.apart.metric.p.since", "2", true},
	{"signals.m.apart.metric.p.sampleTime", "3", true},
	{"signals.m.apart.metric.p.sampleAt", "4", true},
	{"signals.m.apart.metric.p.looks", "31", false},
	{"signals.m.apart.metric.p.samples", "15", false},
	{"signals.m.apart.metric.p.near", "[0, 0]", true},
	{"signals.m.apart.metric.p.values", "[1000, 3000]", false},
	{"signals.m.apart.metric.p.series", "[5000, 7000]", false},
	{"signals.m.apart.hpa", NULL, false},
	/* While it is stale, people are told since when. */
	{"signals.m.apart.hpa.since", "2", false},
	{"signals.m.apart.hpa.since", "900000", false},
	{"signals.m.apart.hpa.sampleTime", "3", true},
	{"signals.m.apart.hpa.sampleAt", "4", true},
	{"signals.m.apart.hpa.looks", "31", false},
	{"signals.m.apart.hpa.samples", "15", false},
	{"signals.m.apart.hpa.near", "[0, 0]", true},
	{"signals.m.apart.hpa.values", "[1000, 3000]", false},
	{"signals.m.apart.hpa.series", "[5000, 7000]", false},
	{"signals.m.scrapers.p", "[ours, others]", false},
	/* Nobody is told of it yet. */
	{"signals.m.scrapers.faint", "[theirs]", true},

	{"hpaSilentAt", "0", true},
	{"awaitedMs", "0", true},
	{"againMs", "0", true},
};

static json_t *parsed(const char *text)
{
	json_t *value = yaml_parse(text, strlen(text), NULL);

	assert_non_null(value);
	return value;
}

/* Sets the member at a path whose parent is there; NULL removes it. */
static void set(json_t *document, const char *path, const char *value)
{
	const char *dot = strrchr(path, '.');
	auto_free char *parent = xstrndup(path, dot != NULL ? (size_t)(dot - path) : 0);
	json_t *at = dot != NULL ? json_path(document, parent) : document;
	const char *name = dot != NULL ? dot + 1 : path;

	assert_non_null(at);
	if (value != NULL) {
		json_object_set_new(at, name, parsed(value));
	} else {
		assert_int_equal(json_object_del(at, name), 0);
	}
}

static bool alike_after(const char *base, const struct row *row)
{
	auto_json *document = parsed(base);
	struct evidence *before = evidence_decode(document, 1);
	struct evidence *now;
	bool alike;

	set(document, row->path, row->value);
	now = evidence_decode(document, 1);
	alike = links_evidence_alike(before, now);
	assert_int_equal(links_evidence_alike(now, before), alike);
	assert_true(links_evidence_alike(before, before));
	evidence_free(before);
	evidence_free(now);
	return alike;
}

static void each_member_counts_or_does_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (alike_after(whole, &rows[i]) != rows[i].alike) {
			fail_msg("%s: %s is%s to be alike", rows[i].path,
				rows[i].value != NULL ? rows[i].value : "nothing", rows[i].alike ? "" : " not");
		}
	}
}

static bool has_row(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].path, path) == 0) {
			return true;
		}
	}
	return false;
}

static void check_rows(const json_t *value, const char *path)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value) || strcmp(path, "asked") == 0) {
		if (!has_row(path)) {
			fail_msg("%s has no row", path);
		}
		return;
	}
	json_object_foreach((json_t *)value, name, member) {
		auto_free char *inner = xasprintf("%s%s%s", path, *path != '\0' ? "." : "", name);

		check_rows(member, inner);
	}
}

static void every_member_has_a_row(void **state)
{
	auto_json *document = parsed(whole);

	(void)state;
	check_rows(document, "");
}

static bool is_failure(const char *name)
{
	return strcmp(name, "error") == 0 || strcmp(name, "cause") == 0;
}

static void check_fields(const struct field *fields, size_t count, const json_t *document);

/* The struct of a field, as it stands in the document. */
static void check_field(const struct field *field, const json_t *value)
{
	if (field->type == FIELD_PART) {
		check_fields(field->of->fields, field->of->count, value);
	} else if (field->type == FIELD_LIST) {
		check_fields(field->of->fields, field->of->count, json_array_get(value, 0));
	} else if (field->type == FIELD_MAP && field->of->fields[1].name != NULL) {
		check_fields(field->of->fields + 1, field->of->count - 1,
			json_object_iter_value(json_object_iter((json_t *)value)));
	}
}

static void check_fields(const struct field *fields, size_t count, const json_t *document)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(document, fields[i].name);

		if (!is_failure(fields[i].name)) {
			if (value == NULL) {
				fail_msg("'%s' is not in the evidence that the rows change", fields[i].name);
			}
			check_field(&fields[i], value);
		}
	}
}

/* So that a field that is added has to have its row. */
static void the_evidence_has_every_field(void **state)
{
	auto_json *document = parsed(whole);

	(void)state;
	check_fields(shape_evidence.fields, shape_evidence.count, document);
}

/* What is read only in some state of the rest. */
static void what_is_beside_the_point_is_not_read(void **state)
{
	static const struct {
		const char *base;
		struct row row;
	} cases[] = {
		{"pods: {total: 2, ready: 2}\npage: {values: {p: {m: 3000}}}\nsignals: {m: {series: {pods: 2}}}\n",
			{"page.values.p.m", "0", true}},
		{"pods: {total: 2, ready: 2}\n", {"pods.ready", "1", true}},
		{"pods: {total: 2, ready: 2}\n", {"pods.ready", NULL, true}},
		{"page: {latency: {requests: 9, overMs: 1, uptoMs: 2}}\n", {"page.latency.uptoMs", "3", true}},
		{"prometheus: {up: 1, down: 1, lastError: timed out}\n", {"prometheus.lastError", "refused", true}},
		{"prometheus: {up: 1, down: 1}\n", {"prometheus.down", "0", true}},
		{"signals: {m: {metric: {at: 299999}, apart: {hpa: {since: 1, " CERTAIN "}}}}\n",
			{"signals.m.apart.hpa.values", "[0, 0]", true}},
		/* Time alone makes it stale. */
		{"signals: {m: {metric: {at: 299999}, apart: {hpa: {since: 1, " CERTAIN "}}}}\n",
			{"signals.m.metric.at", "300001", false}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (alike_after(cases[i].base, &cases[i].row) != cases[i].row.alike) {
			fail_msg("%zu: %s", i, cases[i].row.path);
		}
	}
}

static void the_first_probe_is_like_none(void **state)
{
	struct evidence *first = evidence_new(NULL);

	(void)state;
	assert_false(links_evidence_alike(NULL, first));
	assert_false(links_evidence_alike(first, NULL));
	assert_true(links_evidence_alike(NULL, NULL));
	evidence_free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_counts_or_does_not),
		cmocka_unit_test(every_member_has_a_row),
		cmocka_unit_test(the_evidence_has_every_field),
		cmocka_unit_test(what_is_beside_the_point_is_not_read),
		cmocka_unit_test(the_first_probe_is_like_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
