/* An informer on an API server that follows a script, and what it told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "informer_rig.h"
#include "json_cache.h"

const struct kube_resource services = {"", "v1", "services", "Service", true};

static void on_closed(void *ctx)
{
	((struct test *)ctx)->closed = true;
}

static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct test *test = ctx;
	const json_t *object = now != NULL ? now : before;

	assert_string_equal(kube_object_namespace(object), "d");
	strbuf_addf(&test->seen, "%c%s ", now == NULL ? '-' : before == NULL ? '+' : '~', kube_object_name(object));
	/* The cache took the change before we are notified. */
	assert_ptr_equal(kube_cache_get(kube_informer_cache(informer), "d", kube_object_name(object)), now);
	if (test->close_on_change) {
		test->close_on_change = false;
		kube_informer_close(informer, on_closed, test);
	}
}

static void on_state(void *ctx, struct kube_informer *informer)
{
	struct test *test = ctx;
	const struct error *err = kube_informer_error(informer);

	if (err != NULL && test->first_error == NULL) {
		test->first_error = xstrdup(err->message);
	}
	strbuf_addf(&test->seen, "!%s ",
		err != NULL                       ? error_kind_name(err->kind)
		: kube_informer_missing(informer) ? "missing"
		: kube_informer_synced(informer)  ? "synced"
						  : "waiting");
}

struct kube_informer_hooks seeing(void *ctx)
{
	return (struct kube_informer_hooks){.changed = on_changed,
		.state = on_state,
		.form = json_cache_form(NULL),
		.ctx = ctx};
}

const struct informer_timing quick = {.backoff_ms = 1,
	.missing_ms = 1,
	.short_ms = 1000,
	.margin_ms = 30000,
	.min_timeout_s = 300,
	.silence_ms = 30000,
	.relist_ms = 3600000};

void open_new(struct test *test, const struct fake_step *steps, size_t count, const struct informer_timing *timing)
{
	struct kube_informer_hooks hooks = seeing(test);

	memset(test, 0, sizeof(*test));
	strbuf_init(&test->seen);
	rig_open(&test->rig, NULL, NULL, NULL);
	fake_script(test->rig.fake, steps, count);
	test->informer = kube_informer_new(test->rig.client, &services, NULL, NULL, &hooks);
	informer_set_timing(test->informer, timing);
	kube_informer_start(test->informer);
}

static bool saw_it(void *ctx)
{
	const struct test *test = ctx;

	return strcmp(test->seen.buf, test->want) == 0;
}

void expect_seen(struct test *test, const char *want)
{
	test->want = want;
	if (!run_until(&test->rig.loop, saw_it, test)) {
		assert_string_equal(test->seen.buf, want);
	}
}

static bool asked_enough(void *ctx)
{
	const struct test *test = ctx;

	return fake_requests(test->rig.fake) - test->before >= (size_t)strtoul(test->want, NULL, 10);
}

void expect_requests(struct test *test, const char *count)
{
	test->want = count;
	if (!run_until(&test->rig.loop, asked_enough, test)) {
		fail_msg("%zu requests instead of %s; last '%s'", fake_requests(test->rig.fake) - test->before, count,
			fake_last_line(test->rig.fake));
	}
}

void open_with_timing(struct test *test, const struct fake_step *steps, size_t count,
	const struct informer_timing *timing)
{
	static const struct fake_step refusal = {STREAM, REFUSED};

	open_new(test, &refusal, 1, timing);
	expect_requests(test, "1");
	test->before = 1;
	fake_script(test->rig.fake, steps, count);
}

static bool is_closed(void *ctx)
{
	return ((struct test *)ctx)->closed;
}

void finish(struct test *test)
{
	if (test->informer != NULL) {
		kube_informer_close(test->informer, on_closed, test);
	}
	assert_true(run_until(&test->rig.loop, is_closed, test));
	strbuf_release(&test->seen);
	free(test->first_error);
	assert_int_equal(rig_close(&test->rig), 0);
}
