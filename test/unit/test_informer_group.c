/* Informers of several namespaces behind one. */
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

#define OBJECT(ns, name, rv)                                                                                           \
	"{\"metadata\":{\"namespace\":\"" ns "\",\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}}"
#define ADDED(ns, name, rv) "{\"type\":\"ADDED\",\"object\":" OBJECT(ns, name, rv) "}\n"
#define DELETED(ns, name, rv) "{\"type\":\"DELETED\",\"object\":" OBJECT(ns, name, rv) "}\n"

static char *names[] = {"a", "b", "c"};
static const struct texts all = {.items = names, .count = 3};

struct group {
	struct kube_rig rig;
	struct kube_informer *informer;
	struct strbuf seen;
	const char *want;
	const char *refused; /* the namespace that is; "*" = each */
	bool closed;
};

/* As the server with streaming lists answers, each namespace by itself. */
static struct fake_answer answer(void *ctx, const struct fake_request *request)
{
	const struct group *group = ctx;
	const bool of_a = strstr(request->line, "/namespaces/a/") != NULL;
	const bool of_b = strstr(request->line, "/namespaces/b/") != NULL;
	const bool of_c = strstr(request->line, "/namespaces/c/") != NULL;

	assert_true(of_a || of_b || of_c);
	if (strcmp(group->refused, "*") == 0 || (of_c && strcmp(group->refused, "c") == 0)) {
		return (struct fake_answer){.status = 403, .body = STATUS("Forbidden", "you may not")};
	}
	return (struct fake_answer){.status = 200,
		.body = of_a   ? ADDED("a", "one", "5") END_OF_LIST("10")
	                : of_b ? ADDED("b", "one", "6") ADDED("b", "two", "7") END_OF_LIST("20")
	                       : END_OF_LIST("30"),
		.end = FAKE_HOLD};
}

static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct group *group = ctx;
	const json_t *object = now != NULL ? now : before;

	strbuf_addf(&group->seen, "%c%s/%s ",
		now == NULL      ? '-'
		: before == NULL ? '+'
				 : '~',
		kube_object_namespace(object), kube_object_name(object));
	assert_ptr_equal(informer, group->informer);
	assert_ptr_equal(kube_cache_get(kube_informer_cache(informer), kube_object_namespace(object),
				 kube_object_name(object)),
		now);
}

static void on_closed(void *ctx)
{
	((struct group *)ctx)->closed = true;
}

static bool is_synced(void *ctx)
{
	return kube_informer_synced(((struct group *)ctx)->informer);
}

static bool is_refused(void *ctx)
{
	return kube_informer_refused(((struct group *)ctx)->informer);
}

static bool is_closed(void *ctx)
{
	return ((struct group *)ctx)->closed;
}

static bool saw_it(void *ctx)
{
	const struct group *group = ctx;

	return strstr(group->seen.buf, group->want) != NULL;
}

static void open_group(struct group *group, const char *refused)
{
	const struct kube_informer_hooks hooks = {.changed = on_changed, .form = json_cache_form(NULL), .ctx = group};

	*group = (struct group){.refused = refused};
	strbuf_init(&group->seen);
	rig_open(&group->rig, answer, group, NULL);
	group->informer = kube_informer_new_in(group->rig.client, &services, &all, NULL, &hooks);
	kube_informer_start(group->informer);
}

static void finish_group(struct group *group)
{
	kube_informer_close(group->informer, on_closed, group);
	assert_true(run_until(&group->rig.loop, is_closed, group));
	strbuf_release(&group->seen);
	assert_int_equal(rig_close(&group->rig), 0);
}

static void expect(struct group *group, const char *want)
{
	group->want = want;
	assert_true(run_until(&group->rig.loop, saw_it, group));
}

static void all_are_in_one_cache(void **state)
{
	struct group group;
	const struct kube_cache *cache;
	size_t count;

	(void)state;
	open_group(&group, "");
	assert_true(run_until(&group.rig.loop, is_synced, &group));
	cache = kube_informer_cache(group.informer);
	assert_int_equal(kube_cache_count(cache), 3);
	free(kube_cache_list(cache, "b", &count));
	assert_int_equal(count, 2);
	assert_non_null(kube_cache_get(cache, "a", "one"));
	assert_true(kube_informer_progress_ms(group.informer) > 0);
	finish_group(&group);
}

/* What is shown of one namespace says nothing of another. */
static void each_namespace_is_as_far_as_its_own_watch(void **state)
{
	struct group group;

	(void)state;
	open_group(&group, "");
	assert_true(run_until(&group.rig.loop, is_synced, &group));
	assert_string_equal(kube_informer_resource_version(group.informer, kube_namespace_mark("a")), "10");
	assert_string_equal(kube_informer_resource_version(group.informer, kube_namespace_mark("b")), "20");
	assert_string_equal(kube_informer_resource_version(group.informer, kube_namespace_mark("elsewhere")), "");
	finish_group(&group);
}

/* Its namespace may be gone, and the Role in it. */
static void one_that_is_refused_holds_up_no_other(void **state)
{
	struct group group;

	(void)state;
	open_group(&group, "c");
	assert_true(run_until(&group.rig.loop, is_synced, &group));
	assert_false(kube_informer_refused(group.informer));
	assert_int_equal(kube_cache_count(kube_informer_cache(group.informer)), 3);
	finish_group(&group);
}

static void all_refused_is_refused(void **state)
{
	struct group group;

	(void)state;
	open_group(&group, "*");
	assert_true(run_until(&group.rig.loop, is_refused, &group));
	assert_false(kube_informer_synced(group.informer));
	finish_group(&group);
}

static void what_is_deleted_in_one_is_gone_from_all(void **state)
{
	struct group group;

	(void)state;
	open_group(&group, "");
	assert_true(run_until(&group.rig.loop, is_synced, &group));
	expect(&group, "+b/two ");
	/* The stream that was opened last may be any of the three: an event is of the namespace that it names. */
	fake_push(group.rig.fake, ADDED("z", "late", "40"));
	expect(&group, "+z/late ");
	fake_push(group.rig.fake, DELETED("z", "late", "41"));
	expect(&group, "-z/late ");
	assert_int_equal(kube_cache_count(kube_informer_cache(group.informer)), 3);
	finish_group(&group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_in_one_cache),
		cmocka_unit_test(each_namespace_is_as_far_as_its_own_watch),
		cmocka_unit_test(one_that_is_refused_holds_up_no_other),
		cmocka_unit_test(all_refused_is_refused),
		cmocka_unit_test(what_is_deleted_in_one_is_gone_from_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
