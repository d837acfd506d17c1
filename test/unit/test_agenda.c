/* Many items of one timer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "net/agenda.h"

#define MANY 10000

struct appointment {
	struct agenda_item item;
	int number;
};

static struct {
	uv_loop_t loop;
	struct agenda agenda;
	int due[MANY]; /* the numbers of those that were */
	int count;
	int again;          /* so often more the next one is set anew, to be due at once */
	uint64_t turns[16]; /* of those the loop's times */
} rig;

static void on_due(struct agenda_item *item)
{
	rig.due[rig.count++] = container_of(item, struct appointment, item)->number;
	if (rig.again > 0) {
		rig.turns[--rig.again] = uv_now(&rig.loop);
		agenda_set(&rig.agenda, item, 0);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	uv_loop_init(&rig.loop);
	agenda_init(&rig.agenda, &rig.loop, on_due);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	agenda_close(&rig.agenda, NULL);
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&rig.loop);
}

static void test_each_is_due_at_its_time(void **state)
{
	struct appointment a = {.number = 1};
	struct appointment b = {.number = 2};
	struct appointment c = {.number = 3};

	(void)state;
	agenda_set(&rig.agenda, &a.item, 30);
	agenda_set(&rig.agenda, &b.item, 10);
	agenda_set(&rig.agenda, &c.item, 20);
	assert_int_equal(agenda_due_in(&rig.agenda, &a.item), 30);
	agenda_set(&rig.agenda, &a.item, 5); /* another time than before */
	assert_int_equal(agenda_due_in(&rig.agenda, &a.item), 5);
	agenda_remove(&rig.agenda, &b.item);
	assert_int_equal(agenda_due_in(&rig.agenda, &b.item), 0);
	assert_int_equal(rig.count, 0);
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	assert_int_equal(rig.count, 2);
	assert_int_equal(rig.due[0], 1);
	assert_int_equal(rig.due[1], 3);
	assert_int_equal(agenda_due_in(&rig.agenda, &c.item), 0);
}

static void test_what_is_due_at_once_again_ends_no_turn(void **state)
{
	struct appointment a = {.number = 1};

	(void)state;
	rig.again = 3;
	agenda_set(&rig.agenda, &a.item, 0);
	assert_int_equal(rig.count, 0); /* never before agenda_set() returns */
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	assert_int_equal(rig.count, 4);
	assert_true(rig.turns[2] < rig.turns[1] && rig.turns[1] < rig.turns[0]);
}

static void test_many_come_in_order(void **state)
{
	struct appointment *many = xcalloc(MANY, sizeof(*many));

	(void)state;
	for (int i = 0; i < MANY; i++) {
		many[i].number = i * 7919 % MANY / 500; /* the ms of which it is */
		agenda_set(&rig.agenda, &many[i].item, (uint64_t)many[i].number);
	}
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	assert_int_equal(rig.count, MANY);
	for (int i = 1; i < MANY; i++) {
		assert_true(rig.due[i - 1] <= rig.due[i]);
	}
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_is_due_at_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_due_at_once_again_ends_no_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_come_in_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
