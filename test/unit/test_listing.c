/* Pages that tell of the autoscalers have a length, and say what they leave out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runtime/listing.h"

/* A controller that has so many autoscalers, in place of the real one. */
struct controller {
	size_t count;
	size_t message_len; /* of each link's message */
	bool gone;          /* all were deleted after the listing began */
	char **keys;
};

char **controller_autoscalers(const struct controller *c, size_t *count)
{
	char **keys = xcalloc(c->count, sizeof(*keys));

	*count = c->count;
	for (size_t i = 0; i < c->count; i++) {
		keys[i] = xstrdup(c->keys[i]);
	}
	return keys;
}

const struct view_autoscaler *controller_autoscaler(const struct controller *c, const char *key)
{
	auto_json *object = json_pack("{s:{s:s, s:s}, s:{s:[{s:s, s:s}], s:[{s:s}]}}", "metadata", "namespace", "shop",
		"name", key + strlen("shop/"), "status", "conditions", "type", "Accepted", "status", "True", "advice",
		"reason", "RelistLong");
	static const struct view *last; /* borrowed by whoever asked for it, until the next */

	view_unref(last);
	last = c->gone ? NULL : view_decode(KIND_AUTOSCALER, object);
	return view_autoscaler(last);
}

json_t *controller_explain(const struct controller *c, const char *key)
{
	auto_free char *message = xcalloc(c->message_len + 1, 1);

	memset(message, 'm', c->message_len);
	return c->gone ? NULL
	               : json_pack("{s:s, s:s, s:s}", "namespace", "shop", "name", key + strlen("shop/"), "message",
				 message);
}

void controller_metrics(const struct controller *c, struct strbuf *page)
{
	(void)c;
	strbuf_addstr(page, "own 1\n");
}

static struct controller controller_of(size_t count)
{
	struct controller c = {.count = count, .message_len = 4000, .keys = xcalloc(count + 1, sizeof(char *))};

	for (size_t i = 0; i < count; i++) {
		c.keys[i] = xasprintf("shop/a%05zu", i);
	}
	return c;
}

static void controller_release(struct controller *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free_indirect(&c->keys[i]);
	}
	free_indirect(&c->keys);
}

/* The whole page; each step but the last says that there is more. */
static void list(const struct controller *c, enum listing_kind kind, const char *key, bool standing_by,
	struct strbuf *text, size_t *steps)
{
	struct listing *listing = listing_new(c, kind, key, NULL, standing_by);

	*steps = 1;
	while (!listing_step(listing, text)) {
		++*steps;
	}
	listing_free(listing);
}

static void a_few_are_reported_whole(void **state)
{
	struct controller c = controller_of(3);
	auto_strbuf text = STRBUF_INIT;
	auto_json *document = NULL;
	size_t steps;

	(void)state;
	list(&c, LISTING_JSON, NULL, false, &text, &steps);
	assert_int_equal(steps, 3);
	document = json_parse(text.buf, text.len, NULL);
	assert_int_equal(json_array_size(json_object_get(document, "items")), 3);
	assert_null(json_object_get(document, "message"));
	assert_string_equal(json_path_string(json_array_get(json_object_get(document, "items"), 2), "name", ""),
		"a00002");
	strbuf_reset(&text);
	list(&c, LISTING_TEXT, NULL, false, &text, &steps);
	assert_memory_equal(text.buf, "shop/a00000 scales", strlen("shop/a00000 scales"));
	assert_non_null(strstr(text.buf, "\n\nshop/a00002 scales"));
	assert_null(strstr(text.buf, "these are the first"));
	controller_release(&c);
}

static void none_are_reported_as_well(void **state)
{
	struct controller c = controller_of(0);
	auto_strbuf text = STRBUF_INIT;
	size_t steps;

	(void)state;
	list(&c, LISTING_JSON, NULL, false, &text, &steps);
	assert_string_equal(text.buf, "{\"items\":[]}\n");
	strbuf_reset(&text);
	list(&c, LISTING_TEXT, NULL, false, &text, &steps);
	assert_string_equal(text.buf, "there is no InferenceAutoscaler\n");
	strbuf_reset(&text);
	list(&c, LISTING_TEXT, NULL, true, &text, &steps);
	assert_string_equal(text.buf, "this replica waits for the Lease: ask the other one\n");
	controller_release(&c);
}

static void one_is_reported_alone(void **state)
{
	struct controller c = controller_of(3);
	auto_strbuf text = STRBUF_INIT;
	auto_json *document = NULL;
	size_t steps;

	(void)state;
	list(&c, LISTING_JSON, "shop/a00001", false, &text, &steps);
	assert_int_equal(steps, 1);
	document = json_parse(text.buf, text.len, NULL);
	assert_string_equal(json_path_string(document, "name", ""), "a00001");
	strbuf_reset(&text);
	list(&c, LISTING_TEXT, "shop/a00001", false, &text, &steps);
	assert_memory_equal(text.buf, "shop/a00001 scales", strlen("shop/a00001 scales"));
	strbuf_reset(&text);
	c.gone = true;
	list(&c, LISTING_JSON, "shop/a00001", false, &text, &steps);
	assert_string_equal(text.buf, "{}\n");
	strbuf_reset(&text);
	list(&c, LISTING_JSON, NULL, false, &text, &steps);
	assert_string_equal(text.buf, "{\"items\":[]}\n");
	controller_release(&c);
}

/* Ten thousand of 4 KiB each: the page ends, and says how to ask for those that it lacks. */
static void a_page_has_a_length(void **state)
{
	static const char says[] = " of 10000 InferenceAutoscalers: ask for a single one at /explain";
	struct controller c = controller_of(10000);
	auto_strbuf text = STRBUF_INIT;
	auto_json *document = NULL;
	size_t steps;

	(void)state;
	list(&c, LISTING_JSON, NULL, false, &text, &steps);
	assert_in_range(text.len, 512 << 10, 520 << 10);
	assert_in_range(steps, 100, 150);
	document = json_parse(text.buf, text.len, NULL);
	assert_int_equal(json_array_size(json_object_get(document, "items")), steps);
	assert_non_null(strstr(json_path_string(document, "message", ""), says));
	assert_non_null(strstr(text.buf, "/explain/NAMESPACE/NAME"));
	strbuf_reset(&text);
	list(&c, LISTING_TEXT, NULL, false, &text, &steps);
	assert_in_range(text.len, 512 << 10, 520 << 10);
	assert_non_null(strstr(text.buf, says));
	assert_non_null(strstr(text.buf, "/explain.txt/NAMESPACE/NAME"));
	controller_release(&c);
}

static size_t count_lines(const struct strbuf *text, const char *start)
{
	size_t count = 0;
	size_t len = strlen(start);

	for (size_t i = 0; i + len <= text->len; i++) {
		count += (i == 0 || text->buf[i - 1] == '\n') && memcmp(text->buf + i, start, len) == 0 ? 1 : 0;
	}
	return count;
}

static void metrics_stand_together_and_have_a_length(void **state)
{
	struct controller few = controller_of(1000);
	struct controller many = controller_of(100000);
	auto_strbuf text = STRBUF_INIT;
	size_t steps;

	(void)state;
	list(&few, LISTING_METRICS, NULL, false, &text, &steps);
	assert_memory_equal(text.buf, "own 1\n", 6);
	assert_int_equal(count_lines(&text, "inference_autoscaler_link_healthy{"), 1000);
	assert_int_equal(count_lines(&text, "inference_autoscaler_advice{"), 1000);
	assert_null(strstr(strstr(text.buf, "inference_autoscaler_advice"), "inference_autoscaler_link_healthy"));
	assert_non_null(strstr(text.buf, "\ninference_autoscaler_left_out 0\n"));
	strbuf_reset(&text);
	list(&many, LISTING_METRICS, NULL, false, &text, &steps);
	assert_in_range(text.len, 8 << 20, (8 << 20) + 4096);
	assert_int_equal(count_lines(&text, "inference_autoscaler_link_healthy{"), steps);
	assert_int_equal(atoi(strstr(text.buf, "\ninference_autoscaler_left_out ") +
				 strlen("\ninference_autoscaler_left_out ")),
		100000 - (int)steps);
	controller_release(&few);
	controller_release(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_are_reported_whole),
		cmocka_unit_test(none_are_reported_as_well),
		cmocka_unit_test(one_is_reported_alone),
		cmocka_unit_test(a_page_has_a_length),
		cmocka_unit_test(metrics_stand_together_and_have_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
