/* What of the announced certificates an API server is told to trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "net/certificate.h"
#include "runtime/certificate_bundle.h"

#define NAME "ia.system.svc"
#define NOW_MS INT64_C(1795900000000)
#define HOUR_MS INT64_C(3600000)

static char *make(const char *name, int64_t valid_ms)
{
	struct certificate *certificate = certificate_make(name, NOW_MS, valid_ms, NULL);
	char *pem;

	assert_non_null(certificate);
	pem = xstrdup(certificate_pem(certificate));
	certificate_free(certificate);
	return pem;
}

static void note(void *ctx, const char *key, const char *reason)
{
	assert_non_null(reason);
	texts_add(ctx, key);
}

static char *bundle(const struct view_pair *pairs, uint32_t count, int64_t now_ms, struct texts *refused)
{
	return certificate_bundle(&(struct view_pairs){pairs, count}, NAME, now_ms, note, refused);
}

static void test_what_is_good_is_taken_once_in_the_order_of_the_keys(void **state)
{
	auto_free char *one = make(NAME, HOUR_MS), *two = make(NAME, HOUR_MS),
		       *other = make("else.system.svc", HOUR_MS);
	auto_free char *both = xasprintf("words\n%s%s", one, two);
	auto_free char *wanted = xasprintf("%s%s", one, two);
	struct view_pair pairs[] = {{"a", both}, {"b", other}, {"c", "no certificate"}, {"d", NULL}, {"e", one}};
	struct texts refused = {.count = 0};
	auto_free char *made = bundle(pairs, ARRAY_LEN(pairs), NOW_MS, &refused);

	(void)state;
	assert_string_equal(made, wanted);
	assert_int_equal(refused.count, 3);
	assert_string_equal(refused.items[0], "b");
	assert_string_equal(refused.items[2], "d");
	texts_release(&refused);
}

static void test_what_is_over_is_left_out(void **state)
{
	auto_free char *soon = make(NAME, HOUR_MS), *later = make(NAME, 3 * HOUR_MS);
	struct view_pair pairs[] = {{"a", soon}, {"b", later}};
	struct texts refused = {.count = 0};
	auto_free char *made = bundle(pairs, 2, NOW_MS + 2 * HOUR_MS, &refused);
	char *nothing = bundle(pairs, 2, NOW_MS + 4 * HOUR_MS, &refused);

	(void)state;
	assert_string_equal(made, later);
	assert_null(nothing);
	assert_true(certificate_entry_counts(later, NAME, NOW_MS));
	assert_false(certificate_entry_counts(later, NAME, NOW_MS + 4 * HOUR_MS));
	assert_false(certificate_entry_counts(NULL, NAME, NOW_MS));
	texts_release(&refused);
}

/* Whoever may write the ConfigMap fills no more than its share of a caBundle. */
static void test_it_has_a_bound(void **state)
{
	auto_free char *one = make(NAME, HOUR_MS);
	auto_free char *long_one = xcalloc(1, BUNDLE_ENTRY_BYTES_MAX + strlen(one) + 1);
	struct view_pair pairs[100];
	char *others[ARRAY_LEN(pairs)];
	struct texts refused = {.count = 0};
	size_t len = 0;
	char *made;

	(void)state;
	memset(long_one, ' ', BUNDLE_ENTRY_BYTES_MAX);
	memcpy(long_one + BUNDLE_ENTRY_BYTES_MAX, one, strlen(one));
	for (uint32_t i = 0; i < ARRAY_LEN(pairs); i++) {
		others[i] = make(NAME, HOUR_MS);
		len += i > 0 && i < BUNDLE_ENTRIES_MAX ? strlen(others[i]) : 0;
		pairs[i] = (struct view_pair){"a", i == 0 ? long_one : others[i]};
	}
	made = bundle(pairs, ARRAY_LEN(pairs), NOW_MS, &refused);
	assert_int_equal(strlen(made), len);
	assert_int_equal(refused.count, ARRAY_LEN(pairs) - BUNDLE_ENTRIES_MAX + 1);
	free_indirect(&made);
	texts_release(&refused);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		free_indirect(&others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_good_is_taken_once_in_the_order_of_the_keys),
		cmocka_unit_test(test_what_is_over_is_left_out),
		cmocka_unit_test(test_it_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
