/* Errors: what is set, what wrapping adds, who owns the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

static void set_fills_everything_and_fails(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(&err, ERROR_INVALID, "cannot read '%s': %d", "a", 7), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_string_equal(err.message, "cannot read 'a': 7");
	assert_int_equal(err.retry_after_ms, -1);
	assert_int_equal(err.http, 0);
}

static void set_replaces_the_whole_error(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERROR_UNAVAILABLE, "first");
	err.http = 429;
	err.retry_after_ms = 1000;
	/* the old message is an argument of the new one */
	error_set(&err, ERROR_INTERNAL, "second after %s", err.message);
	assert_string_equal(err.message, "second after first");
	assert_int_equal(err.kind, ERROR_INTERNAL);
	assert_int_equal(err.http, 0);
	assert_int_equal(err.retry_after_ms, -1);
}

static void wrap_prepends_and_keeps_the_rest(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERROR_UNAVAILABLE, "timed out");
	err.http = 503;
	err.retry_after_ms = 2000;
	assert_int_equal(error_wrap(&err, "cannot list '%s'", "pods"), -1);
	error_wrap(&err, "cannot start");
	assert_string_equal(err.message, "cannot start: cannot list 'pods': timed out");
	assert_int_equal(err.kind, ERROR_UNAVAILABLE);
	assert_int_equal(err.http, 503);
	assert_int_equal(err.retry_after_ms, 2000);
}

static void wrap_of_a_silent_failure_is_internal(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	error_wrap(&err, "cannot start");
	assert_int_equal(err.kind, ERROR_INTERNAL);
	assert_string_equal(err.message, "cannot start");
}

static void null_is_reported_by_the_return_value_alone(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(NULL, ERROR_INVALID, "x"), -1);
	assert_int_equal(error_wrap(NULL, "x"), -1);
	error_set(&err, ERROR_INVALID, "x");
	error_move(NULL, &err);
	assert_int_equal(err.kind, ERROR_NONE);
	assert_null(err.message);
}

static void move_leaves_the_source_clear(void **state)
{
	auto_error from = ERROR_INIT;
	auto_error to = ERROR_INIT;

	(void)state;
	error_set(&to, ERROR_INVALID, "old");
	error_set(&from, ERROR_CONFLICT, "new");
	error_move(&to, &from);
	assert_int_equal(to.kind, ERROR_CONFLICT);
	assert_string_equal(to.message, "new");
	assert_int_equal(from.kind, ERROR_NONE);
	assert_null(from.message);
	assert_int_equal(from.retry_after_ms, -1);
	error_move(&to, &to);
	assert_string_equal(to.message, "new");
}

static void copy_owns_its_own_message(void **state)
{
	auto_error from = ERROR_INIT;
	auto_error to = ERROR_INIT;

	(void)state;
	error_set(&from, ERROR_EXPIRED, "too old");
	from.http = 410;
	error_copy(&to, &from);
	assert_ptr_not_equal(to.message, from.message);
	error_release(&from);
	assert_string_equal(to.message, "too old");
	assert_int_equal(to.http, 410);
	error_copy(&to, &from);
	assert_int_equal(to.kind, ERROR_NONE);
	assert_null(to.message);
}

static void every_kind_has_its_own_name(void **state)
{
	(void)state;
	for (int a = ERROR_NONE; a <= ERROR_INTERNAL; a++) {
		const char *name = error_kind_name((enum error_kind)a);

		assert_non_null(name);
		assert_string_not_equal(name, "Unknown");
		for (int b = ERROR_NONE; b < a; b++) {
			assert_string_not_equal(name, error_kind_name((enum error_kind)b));
		}
	}
	assert_string_equal(error_kind_name((enum error_kind)(ERROR_INTERNAL + 1)), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_everything_and_fails),
		cmocka_unit_test(set_replaces_the_whole_error),
		cmocka_unit_test(wrap_prepends_and_keeps_the_rest),
		cmocka_unit_test(wrap_of_a_silent_failure_is_internal),
		cmocka_unit_test(null_is_reported_by_the_return_value_alone),
		cmocka_unit_test(move_leaves_the_source_clear),
		cmocka_unit_test(copy_owns_its_own_message),
		cmocka_unit_test(every_kind_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
