/* A list taken apart as it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kube/call_items.h"

static const struct {
	const char *list;
	const char *lines; /* whole ones, and what came of the last */
	const char *rest;
} lists[] = {
	{"{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},{\"b\":[2,3]}]}",
		"{\"a\":1}\n{\"b\":[2,3]}\n",
		"{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}"},
	/* As API servers write their own and custom resources' lists, and as they write for people. */
	{"{\"apiVersion\":\"v1\",\"items\":[{\"a\":1}],\"kind\":\"List\"}", "{\"a\":1}\n",
		"{\"apiVersion\":\"v1\",\"items\":[],\"kind\":\"List\"}"},
	{"{\n  \"items\" : [\n    {\n      \"a\": \"b c\"\n    },\n    {}\n  ]\n}\n", "{\"a\":\"b c\"}\n{}\n",
		"{\"items\":[]}"},
	{"{\"items\":[]}", "\n", "{\"items\":[]}"},
	{"{\"items\":null}", "", "{\"items\":null}"},
	/* Braces, brackets, commas and quotes in texts are none. */
	{"{\"items\":[{\"a\":\"]},\\\"{[\\\\\"},{\"\\\\\\\"\":\"}\"}]}",
		"{\"a\":\"]},\\\"{[\\\\\"}\n{\"\\\\\\\"\":\"}\"}\n", "{\"items\":[]}"},
	/* Others of that name are none either. */
	{"{\"metadata\":{\"items\":[1]},\"x,\\\"items\":[2],\"items\":[{\"items\":[3]}]}", "{\"items\":[3]}\n",
		"{\"metadata\":{\"items\":[1]},\"x,\\\"items\":[2],\"items\":[]}"},
	{"[{\"items\":[1]}]", "", "[{\"items\":[1]}]"},
	/* Cut short, and no JSON. */
	{"{\"items\":[{\"a\":1},{\"b\"", "{\"a\":1}\n{\"b\"", "{\"items\":["},
	{"{\"items\":[1,2]]]]}}}", "1\n2\n", "{\"items\":[]]]]}}}"},
	{"}]\"", "", "}]\""},
	{"", "", ""},
};

static void test_each_item_is_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t len = strlen(lists[i].list);

		/* In pieces of each length. */
		for (size_t piece = 1; piece <= len + 1; piece++) {
			struct call_items items = CALL_ITEMS_INIT;
			struct call_lines lines = CALL_LINES_INIT;

			for (size_t at = 0; at < len; at += piece) {
				call_items_add(&items, lists[i].list + at, piece < len - at ? piece : len - at, &lines);
			}
			assert_string_equal(lines.text.buf, lists[i].lines);
			assert_string_equal(items.rest.buf, lists[i].rest);
			call_items_release(&items);
			call_lines_release(&lines);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_item_is_a_line)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
