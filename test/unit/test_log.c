/* Log lines: one event is one line, whatever its values hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"

static FILE *caught;
static int real_stderr;

/* Turns stderr into a file of ours. */
static void catch_stderr(void)
{
	fflush(stderr);
	caught = tmpfile();
	assert_non_null(caught);
	real_stderr = dup(STDERR_FILENO);
	assert_true(real_stderr >= 0);
	assert_int_equal(dup2(fileno(caught), STDERR_FILENO), STDERR_FILENO);
}

/* Gives stderr back, and all that was written to it meanwhile. */
static char *release_stderr(void)
{
	char *text;
	long len;

	fflush(stderr);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	fseek(caught, 0, SEEK_END);
	len = ftell(caught);
	rewind(caught);
	text = xcalloc((size_t)len + 1, 1);
	assert_int_equal(fread(text, 1, (size_t)len, caught), len);
	fclose(caught);
	return text;
}

static void text_lines(void **state)
{
	(void)state;
	catch_stderr();
	log_configure(LOG_INFO, LOG_TEXT);
	log_event(LOG_WARN, "watch ended", "kind", "Pod", "why", "a \"b\"\nc", "none", NULL, "empty", "", "bad",
		"\xff!", NULL);
	auto_free char *line = release_stderr();

	/* the time in front is of fixed width */
	assert_true(strlen(line) > 28);
	assert_string_equal(line + 27, " warn  watch ended kind=Pod why=\"a \\\"b\\\"\\nc\" "
				       "none=\"\" empty=\"\" bad=\"?!\"\n");
	line[27] = '\0';
	assert_true(clock_parse_rfc3339(line) > 0);
}

static void json_lines(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	catch_stderr();
	log_configure(LOG_INFO, LOG_JSON);
	log_event(LOG_ERROR, "cannot write", "why", "a \"b\"\nc", "none", NULL, "bad", "\xff", NULL);
	auto_free char *line = release_stderr();
	char *newline = strchr(line, '\n');

	assert_non_null(newline);
	assert_string_equal(newline, "\n");
	auto_json *object = json_parse(line, strlen(line), &err);

	assert_non_null(object);
	assert_int_equal(json_object_size(object), 6);
	assert_true(clock_parse_rfc3339(json_path_string(object, "time", "")) > 0);
	assert_string_equal(json_path_string(object, "level", ""), "error");
	assert_string_equal(json_path_string(object, "message", ""), "cannot write");
	assert_string_equal(json_path_string(object, "why", ""), "a \"b\"\nc");
	assert_string_equal(json_path_string(object, "none", "x"), "");
	assert_string_equal(json_path_string(object, "bad", "x"), "?");
}

/* Each line is an object that holds each value under a name of its own, with the event's name under "message". */
static void fields_do_not_take_the_names_of_the_line(void **state)
{
	(void)state;
	catch_stderr();
	log_configure(LOG_INFO, LOG_JSON);
	log_event(LOG_WARN, "it failed", "message", "why", "level", "3rd", "time", "late", "message", "again", NULL);
	auto_free char *line = release_stderr();
	auto_json *object = json_parse(line, strlen(line), NULL);

	assert_non_null(object);
	assert_string_equal(json_path_string(object, "message", ""), "it failed");
	assert_string_equal(json_path_string(object, "level", ""), "warn");
	assert_true(clock_parse_rfc3339(json_path_string(object, "time", "")) > 0);
	assert_string_equal(json_path_string(object, "message_", ""), "why");
	assert_string_equal(json_path_string(object, "message__", ""), "again");
	assert_string_equal(json_path_string(object, "level_", ""), "3rd");
	assert_string_equal(json_path_string(object, "time_", ""), "late");
}

/* A container runtime splits a line of more than 16 KiB, and half of it is no JSON. */
static void a_line_is_short_whatever_its_values_are(void **state)
{
	(void)state;
	static const char bytes[] = {'x', '"', '\x01', '\xff'};
	auto_free char *much = xcalloc(1, 1U << 20);

	for (size_t i = 0; i < 2 * sizeof(bytes); i++) {
		memset(much, bytes[i / 2], (1U << 20) - 1);
		catch_stderr();
		log_configure(LOG_INFO, i % 2 == 0 ? LOG_TEXT : LOG_JSON);
		log_event(LOG_WARN, "it failed", "error", much, "reason", "Because", NULL);
		auto_free char *line = release_stderr();

		assert_true(strlen(line) < 16384);
		assert_non_null(strstr(line, "…"));
		assert_non_null(strstr(line, "Because"));
	}
}

static void less_than_the_level_is_silent(void **state)
{
	(void)state;
	catch_stderr();
	log_configure(LOG_WARN, LOG_TEXT);
	log_event(LOG_DEBUG, "no", NULL);
	log_event(LOG_INFO, "no", NULL);
	log_event(LOG_WARN, "yes", NULL);
	log_event(LOG_ERROR, "yes", NULL);
	auto_free char *lines = release_stderr();

	assert_null(strstr(lines, " no"));
	assert_non_null(strstr(lines, "warn  yes"));
	assert_non_null(strstr(lines, "error yes"));
}

static void names(void **state)
{
	(void)state;
	assert_int_equal(log_level_from_name("debug"), LOG_DEBUG);
	assert_int_equal(log_level_from_name("info"), LOG_INFO);
	assert_int_equal(log_level_from_name("warn"), LOG_WARN);
	assert_int_equal(log_level_from_name("error"), LOG_ERROR);
	assert_int_equal(log_level_from_name("INFO"), -1);
	assert_int_equal(log_level_from_name(""), -1);
	assert_int_equal(log_format_from_name("text"), LOG_TEXT);
	assert_int_equal(log_format_from_name("json"), LOG_JSON);
	assert_int_equal(log_format_from_name("xml"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(fields_do_not_take_the_names_of_the_line),
		cmocka_unit_test(a_line_is_short_whatever_its_values_are),
		cmocka_unit_test(less_than_the_level_is_silent),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
