/* Whose turn it is, and how many are at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "serving/fair_line.h"

#define MANY 40

struct work {
	struct fair_item item;
	char name;
	bool begun;
};

static struct work works[MANY];
static char order[2 * MANY + 1]; /* the names, as they began */

static void begin(struct fair_item *item)
{
	struct work *work = container_of(item, struct work, item);

	work->begun = true;
	order[strlen(order)] = work->name;
}

static void open_line(struct fair_line *line, size_t most, size_t share)
{
	memset(works, 0, sizeof(works));
	memset(order, 0, sizeof(order));
	fair_line_init(line, most, share, begin);
}

/* For each letter one more work, of the namespace of that letter. */
static void join_all(struct fair_line *line, const char *names)
{
	for (size_t i = 0; names[i] != '\0'; i++) {
		char ns[2] = {names[i], '\0'};

		works[i].name = names[i];
		fair_line_join(line, &works[i].item, ns);
	}
}

static void leave_all(struct fair_line *line)
{
	for (size_t i = 0; i < MANY; i++) {
		fair_line_leave(line, &works[i].item);
	}
	fair_line_release(line);
}

static void turns_go_around_the_namespaces(void **state)
{
	struct fair_line line;

	(void)state;
	open_line(&line, 1, 1);
	join_all(&line, "aaaabbc");
	for (size_t i = 0; i < 7; i++) {
		struct work *last = NULL;

		for (size_t w = 0; w < 7; w++) {
			last = works[w].begun && works[w].item.tenant != NULL ? &works[w] : last;
		}
		assert_non_null(last);
		fair_line_leave(&line, &last->item);
	}
	assert_string_equal(order, "abcabaa");
	leave_all(&line);
}

static void none_has_more_than_its_share(void **state)
{
	struct fair_line line;

	(void)state;
	open_line(&line, 8, 3);
	join_all(&line, "aaaaaaaabbbbc");
	assert_string_equal(order, "aaabbbc");
	assert_int_equal(line.begun, 7);
	/* one of a's ends: another of a's begins, none of b's */
	fair_line_leave(&line, &works[0].item);
	assert_string_equal(order, "aaabbbca");
	leave_all(&line);
}

static void one_that_waits_leaves_without_a_trace(void **state)
{
	struct fair_line line;

	(void)state;
	open_line(&line, 1, 1);
	join_all(&line, "aab");
	assert_true(fair_item_waits(&works[1].item));
	fair_line_leave(&line, &works[1].item);
	fair_line_leave(&line, &works[1].item);
	fair_line_leave(&line, &works[0].item);
	assert_string_equal(order, "ab");
	assert_int_equal(map_count(&line.tenants), 1);
	leave_all(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_go_around_the_namespaces),
		cmocka_unit_test(none_has_more_than_its_share),
		cmocka_unit_test(one_that_waits_leaves_without_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
