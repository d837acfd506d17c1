/* Pages that tell of the autoscalers go through them one by one, and keep none. */
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
	int asked;          /* for the next one */
};

/* "NAMESPACE/a00007" is the eighth of its namespace: the first half are in `bakery`, the others in `shop`. */
static char *key_of(const struct controller *c, size_t i)
{
	return xasprintf("%s/a%05zu", i < c->count / 2 ? "bakery" : "shop", i);
}

const struct view_autoscaler *controller_next(const struct controller *c, const char *key)
{
	static const struct view *last; /* borrowed by whoever asked for it, until the next */
	auto_free char *found = NULL;
	size_t i = 0;

	((struct controller *)c)->asked++;
	view_unref(last);
	last = NULL;
	if (key != NULL && strstr(key, "/a") != NULL) {
		i = strtoul(strstr(key, "/a") + 2, NULL, 10) + 1;
	} else if (key != NULL) {
		i = strcmp(key, "bakery0/") == 0 ? c->count / 2 : c->count;
	}
	if (!c->gone && i < c->count) {
		auto_json *object = NULL;

		found = key_of(c, i);
		object = json_pack("{s:{s:s#, s:s}, s:{s:[{s:s, s:s}], s:[{s:s}]}}", "metadata", "namespace", found,
			(int)strcspn(found, "/"), "name", strchr(found, '/') + 1, "status", "conditions", "type",
			"Accepted", "status", "True", "advice", "reason", "RelistLong");
		last = view_decode(KIND_AUTOSCALER, object);
	}
	return view_autoscaler(last);
}

json_t *controller_explain(const struct controller *c, const char *key)
{
	auto_free char *message = xcalloc(c->message_len + 1, 1);

	memset(message, 'm', c->message_len);
	return c->gone ? NULL
	               : json_pack("{s:s#, s:s, s:s}", "namespace", key, (int)strcspn(key, "/"), "name",
				 strchr(key, '/') + 1, "message", message);
}

void controller_metrics(const struct controller *c, struct strbuf *page)
{
	(void)c;
	strbuf_addstr(page, "own 1\n");
}

static struct controller controller_of(size_t count)
{
	return (struct controller){.count = count, .message_len = 4000};
}

/* The whole page, and how much of it came in a step at most; each step but the last says that there is more. */
struct page {
	struct strbuf text;
	size_t steps;
	size_t longest;
};

static void page_release(struct page *page)
{
	strbuf_release(&page->text);
}

#define auto_page ATTR_CLEANUP(page_release) struct page

static struct page list(const struct controller *c, enum listing_kind kind, const char *key, const char *namespaces)
{
	struct listing *listing = listing_new(c, kind, key, namespaces, false);
	struct page page = {.text = STRBUF_INIT};
	bool last = false;

	while (!last) {
		auto_strbuf text = STRBUF_INIT;

		last = listing_step(listing, &text);
		strbuf_add(&page.text, text.buf, text.len);
		page.longest = text.len > page.longest ? text.len : page.longest;
		page.steps++;
	}
	listing_free(listing);
	return page;
}

static const json_t *items_of(const struct page *page, json_t **document)
{
	*document = json_parse(page->text.buf, page->text.len, NULL);
	return json_object_get(*document, "items");
}

static void all_are_told_of_in_their_order(void **state)
{
	struct controller c = controller_of(4);
	auto_page json = list(&c, LISTING_JSON, NULL, NULL);
	auto_page text = list(&c, LISTING_TEXT, NULL, NULL);
	auto_json *document = NULL;
	const json_t *items = items_of(&json, &document);

	(void)state;
	assert_int_equal(json_array_size(items), 4);
	assert_int_equal(json_object_size(document), 1);
	assert_string_equal(json_path_string(json_array_get(items, 0), "namespace", ""), "bakery");
	assert_string_equal(json_path_string(json_array_get(items, 3), "name", ""), "a00003");
	assert_int_equal(json.text.buf[json.text.len - 1], '\n');
	assert_memory_equal(text.text.buf, "bakery/a00000 scales", strlen("bakery/a00000 scales"));
	assert_non_null(strstr(text.text.buf, "\n\nshop/a00003 scales"));
}

static void none_are_reported_as_well(void **state)
{
	struct controller c = controller_of(0);
	struct listing *waits = listing_new(&c, LISTING_TEXT, NULL, NULL, true);
	auto_page json = list(&c, LISTING_JSON, NULL, NULL);
	auto_page text = list(&c, LISTING_TEXT, NULL, NULL);
	auto_strbuf waiting = STRBUF_INIT;

	(void)state;
	assert_string_equal(json.text.buf, "{\"items\":[]}\n");
	assert_string_equal(text.text.buf, "there is no InferenceAutoscaler\n");
	assert_true(listing_step(waits, &waiting));
	assert_string_equal(waiting.buf, "this replica waits for the Lease: ask the other one\n");
	listing_free(waits);
}

static void one_is_reported_alone(void **state)
{
	struct controller c = controller_of(4);
	auto_page json = list(&c, LISTING_JSON, "shop/a00002", NULL);
	auto_page text = list(&c, LISTING_TEXT, "shop/a00002", NULL);
	auto_json *document = json_parse(json.text.buf, json.text.len, NULL);
	auto_page gone = (struct page){.text = STRBUF_INIT};

	(void)state;
	assert_int_equal(json.steps, 1);
	assert_string_equal(json_path_string(document, "name", ""), "a00002");
	assert_memory_equal(text.text.buf, "shop/a00002 scales", strlen("shop/a00002 scales"));
	c.gone = true;
	gone = list(&c, LISTING_JSON, "shop/a00002", NULL);
	assert_string_equal(gone.text.buf, "{}\n");
}

/* Also those of a namespace alone, without a look at each of the others. */
static void a_list_may_be_of_some_namespaces(void **state)
{
	struct controller c = controller_of(1000);
	auto_page shop = list(&c, LISTING_JSON, NULL, "none,shop");
	auto_json *document = NULL;
	const json_t *items = items_of(&shop, &document);

	(void)state;
	assert_int_equal(json_array_size(items), 500);
	assert_string_equal(json_path_string(json_array_get(items, 0), "name", ""), "a00500");
	assert_in_range(c.asked, 500, 510);
}

/* What goes while the list is made is left out, and what was told stands. */
static void who_goes_meanwhile_is_left_out(void **state)
{
	struct controller c = controller_of(4);
	struct listing *listing = listing_new(&c, LISTING_JSON, NULL, NULL, false);
	struct page page = {.text = STRBUF_INIT};
	auto_json *document = NULL;

	(void)state;
	assert_false(listing_step(listing, &page.text));
	assert_false(listing_step(listing, &page.text));
	c.gone = true;
	assert_true(listing_step(listing, &page.text));
	assert_int_equal(json_array_size(items_of(&page, &document)), 2);
	page_release(&page);
	listing_free(listing);
}

/* Two thousand of 4 KiB each: all of them, and no more than one at a time. */
static void of_many_one_is_held_at_a_time(void **state)
{
	struct controller c = controller_of(2000);
	auto_page json = list(&c, LISTING_JSON, NULL, NULL);
	auto_page text = list(&c, LISTING_TEXT, NULL, NULL);
	auto_json *document = NULL;

	(void)state;
	assert_int_equal(json_array_size(items_of(&json, &document)), 2000);
	assert_true(json.text.len > (size_t)8000000);
	assert_in_range(json.longest, 4000, 5000);
	assert_in_range(text.longest, 10, 5000);
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

static void metrics_stand_together(void **state)
{
	struct controller c = controller_of(2000);
	auto_page page = list(&c, LISTING_METRICS, NULL, NULL);

	(void)state;
	assert_memory_equal(page.text.buf, "own 1\n", 6);
	assert_int_equal(count_lines(&page.text, "inference_autoscaler_link_healthy{"), 2000);
	assert_int_equal(count_lines(&page.text, "inference_autoscaler_advice{"), 2000);
	assert_int_equal(count_lines(&page.text, "# TYPE inference_autoscaler_advice"), 1);
	assert_null(strstr(strstr(page.text.buf, "inference_autoscaler_advice"), "inference_autoscaler_link_healthy"));
	assert_in_range(page.longest, 50, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_told_of_in_their_order),
		cmocka_unit_test(none_are_reported_as_well),
		cmocka_unit_test(one_is_reported_alone),
		cmocka_unit_test(a_list_may_be_of_some_namespaces),
		cmocka_unit_test(who_goes_meanwhile_is_left_out),
		cmocka_unit_test(of_many_one_is_held_at_a_time),
		cmocka_unit_test(metrics_stand_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
