/* The digest of JSON values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"

/* The vectors of the FNV reference code. */
static void test_digest_is_fnv_1a_128(void **state)
{
	static const struct {
		const char *text;
		struct digest digest;
	} rows[] = {
		{"", {UINT64_C(0x6c62272e07bb0142), UINT64_C(0x62b821756295c58d)}},
		{"a", {UINT64_C(0xd228cb696f1a8caf), UINT64_C(0x78912b704e4a8964)}},
		{"foobar", {UINT64_C(0x343e1662793c64bf), UINT64_C(0x6f0d3597ba446f18)}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct digest got = digest_bytes(rows[i].text, strlen(rows[i].text));

		assert_true(digest_equal(&got, &rows[i].digest));
	}
}

static struct digest digest_of(const char *text)
{
	auto_json *value = json_parse(text, strlen(text), NULL);

	return digest_json(value);
}

static void test_digest_of_json(void **state)
{
	static const char compact[] = "{\"a\":[1,{\"x\":\"y\",\"z\":null}],\"b\":true}";
	struct digest one = digest_of("{\"a\": [1, {\"x\": \"y\", \"z\": null}], \"b\": true}");
	struct digest same = digest_of("{\"b\":true,\"a\":[1,{\"z\":null,\"x\":\"y\"}]}");
	struct digest other = digest_of("{\"b\":true,\"a\":[{\"z\":null,\"x\":\"y\"},1]}");
	struct digest text = digest_bytes(compact, strlen(compact));
	struct digest none = digest_json(NULL);
	struct digest null = digest_of("null");

	(void)state;
	assert_true(digest_equal(&one, &same));
	assert_false(digest_equal(&one, &other));
	assert_true(digest_equal(&one, &text));
	assert_true(digest_equal(&none, &null));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_is_fnv_1a_128),
		cmocka_unit_test(test_digest_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
