/* A large object of JSON, read piece by piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/json.h"
#include "base/json_items.h"
#include "base/memory.h"
#include "base/strbuf.h"

/* The elements as a list; NULL when the text is refused. */
static json_t *read_all(const char *text, json_t **others, struct error *err)
{
	struct json_items items;
	json_t *list = json_array();
	json_t *item;

	json_items_begin(&items, xstrdup(text), strlen(text), "items");
	while ((item = json_items_next(&items, err)) != NULL) {
		json_array_append_new(list, item);
	}
	assert_true(err->kind != ERROR_NONE || json_items_next(&items, err) == NULL);
	*others = json_incref(items.others);
	json_items_release(&items);
	if (err->kind != ERROR_NONE) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* As the text parsed whole. */
static void what_is_json_is_read(void **state)
{
	static const char *const texts[] = {
		"{}",
		" {\n\t} \n",
		"{\"items\":[]}",
		"{\"items\":[1]}",
		"{ \"items\" : [ 1 , \"]\" , {\"items\":[2]} , [3] , null ] } ",
		"{\"kind\":\"List\",\"metadata\":{\"continue\":\"x\"},\"items\":[{\"a\":1},{\"b\":[]}]}",
		"{\"items\":[{\"a\":1}],\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"7\"}}",
		"{\"metadata\":{\"a\":{\"items\":[1]}}}",
		"{\"items\":null,\"a\":\"\\\"\\u0000\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_json *whole = json_parse(texts[i], strlen(texts[i]), NULL);
		auto_error err = ERROR_INIT;
		auto_json *others = NULL;
		auto_json *list = read_all(texts[i], &others, &err);
		const json_t *wanted = json_object_get(whole, "items");

		assert_non_null(list);
		assert_true(json_is_array(wanted) ? json_equal(list, wanted) : json_array_size(list) == 0);
		if (json_is_array(wanted)) {
			json_object_del(whole, "items");
		}
		assert_true(json_equal(others, whole));
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{",
		"{\"items\"",
		"{\"items\":",
		"{\"items\":[",
		"{\"items\":[1",
		"{\"items\":[1,",
		"{\"items\":[1,]}",
		"{\"items\":[,1]}",
		"{\"items\":[1 2]}",
		"{\"items\":[1]",
		"{\"items\":[1],}",
		"{\"items\":[1]}}",
		"{\"items\":[1]} x",
		"{\"items\":[1],\"items\":[2]}",
		"{\"a\":1,}",
		"{\"a\" 1}",
		"{1:2}",
		"{\"items\":[{\"a\":}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_error err = ERROR_INIT;
		auto_json *others = NULL;

		assert_null(read_all(texts[i], &others, &err));
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.message, "cannot parse JSON at byte "));
	}
}

/* Beside the text, it takes one element at a time. */
static void a_long_list_takes_little_more_than_its_text(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct json_items items;
	auto_error err = ERROR_INIT;
	size_t before;
	size_t most = 0;
	json_t *item;
	size_t len;

	(void)state;
	strbuf_addstr(&text, "{\"items\":[0");
	for (int i = 0; i < 10000; i++) {
		strbuf_addf(&text, ",{\"metadata\":{\"name\":\"n-%d\"},\"spec\":[1,2,3,{\"a\":\"b\"}]}", i);
	}
	strbuf_addstr(&text, "],\"metadata\":{}}");
	len = text.len;
	before = mallinfo2().uordblks;
	json_items_begin(&items, strbuf_take(&text), len, "items");
	while ((item = json_items_next(&items, &err)) != NULL) {
		size_t now = mallinfo2().uordblks;

		most = now > most ? now : most;
		json_decref(item);
	}
	assert_int_equal(err.kind, ERROR_NONE);
	assert_true(most <= before + 8192);
	json_items_release(&items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json_is_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(a_long_list_takes_little_more_than_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
