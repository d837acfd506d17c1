/* The clocks, and times and durations as text. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

#define MS_PER_SECOND INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define SECONDS_PER_DAY INT64_C(86400)

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	if (clock_gettime(id, &now) != 0) {
		perror("cannot read the clock");
		abort();
	}
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

int64_t clock_monotonic_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

int64_t clock_worked_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* The UTC time of the second that holds `wall_ms`; *ms is what is left of it, 0 to 999. */
static struct tm split(int64_t wall_ms, int *ms)
{
	struct tm utc = {0};
	int64_t rest = wall_ms % MS_PER_SECOND;

	if (rest < 0) {
		rest += MS_PER_SECOND;
	}

	time_t seconds = (time_t)((wall_ms - rest) / MS_PER_SECOND);

	gmtime_r(&seconds, &utc);
	*ms = (int)rest;
	return utc;
}

char *clock_rfc3339(int64_t wall_ms)
{
	int ms;
	struct tm utc = split(wall_ms, &ms);

	return xasprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
		utc.tm_min, utc.tm_sec);
}

char *clock_rfc3339_micro(int64_t wall_ms)
{
	int ms;
	struct tm utc = split(wall_ms, &ms);

	return xasprintf("%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
		utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads exactly `digits` digits and moves past them; -1 when they are not there. */
static int take_number(const char **text, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (!is_digit(**text)) {
			return -1;
		}
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool take_char(const char **text, char c)
{
	if (**text != c) {
		return false;
	}
	(*text)++;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01, from a year of our era: timegm() is not POSIX. */
static int64_t days_since_epoch(int year, int month, int day)
{
	int before = year - 1;
	int64_t days = INT64_C(365) * before + before / 4 - before / 100 + before / 400;

	for (int m = 1; m < month; m++) {
		days += days_in_month(year, m);
	}
	return days + day - 1 - INT64_C(719162); /* the days from 0001-01-01 to the epoch */
}

/* ".123456" in milliseconds, 0 when there is no fraction; -1 for a dot without digits. */
static int take_fraction_ms(const char **text)
{
	int ms = 0;
	int weight = 100;

	if (!take_char(text, '.')) {
		return 0;
	}
	if (!is_digit(**text)) {
		return -1;
	}
	for (; is_digit(**text); (*text)++, weight /= 10) {
		ms += weight * (**text - '0');
	}
	return ms;
}

/* "Z" or "+01:00" in seconds east of UTC. */
static bool take_offset(const char **text, int *seconds)
{
	*seconds = 0;
	if (take_char(text, 'Z')) {
		return true;
	}

	int sign = **text == '-' ? -1 : 1;

	if (!take_char(text, '+') && !take_char(text, '-')) {
		return false;
	}

	int hours = take_number(text, 2);

	if (hours < 0 || hours > 23 || !take_char(text, ':')) {
		return false;
	}

	int minutes = take_number(text, 2);

	if (minutes < 0 || minutes > 59) {
		return false;
	}
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

int64_t clock_parse_rfc3339(const char *text)
{
	/* what follows each field, and the field's bounds (the day is checked by its month) */
	static const struct {
		int digits, min, max;
		char end;
	} fields[] = {
		{4, 1, 9999, '-'},
		{2, 1, 12, '-'},
		{2, 1, 31, 'T'},
		{2, 0, 23, ':'},
		{2, 0, 59, ':'},
		{2, 0, 59, '\0'},
	};
	int value[ARRAY_LEN(fields)];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		value[i] = take_number(&text, fields[i].digits);
		if (value[i] < fields[i].min || value[i] > fields[i].max) {
			return -1;
		}
		if (fields[i].end && !take_char(&text, fields[i].end)) {
			return -1;
		}
	}
	if (value[2] > days_in_month(value[0], value[1])) {
		return -1;
	}

	int ms = take_fraction_ms(&text);
	int offset;

	if (ms < 0 || !take_offset(&text, &offset) || *text) {
		return -1;
	}

	int64_t seconds = days_since_epoch(value[0], value[1], value[2]) * SECONDS_PER_DAY + value[3] * 3600 +
	                  value[4] * 60 + value[5] - offset;

	/* before the epoch is the unset time of Go, never an event here */
	return seconds < 0 ? -1 : seconds * MS_PER_SECOND + ms;
}

/* Nanoseconds per unit. A longer name stands before its own beginning: "ms" before "m". */
static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", INT64_C(1)},
	{"us", INT64_C(1000)},
	{"\xc2\xb5s", INT64_C(1000)}, /* micro sign */
	{"\xce\xbcs", INT64_C(1000)}, /* Greek mu */
	{"ms", INT64_C(1000000)},
	{"s", INT64_C(1000000000)},
	{"m", INT64_C(60) * 1000000000},
	{"h", INT64_C(3600) * 1000000000},
	{"d", INT64_C(86400) * 1000000000}, /* Prometheus only, as are the next two */
	{"w", INT64_C(7) * 86400 * 1000000000},
	{"y", INT64_C(365) * 86400 * 1000000000},
};

/* Adds count units to *ns; false on overflow. */
static bool add_units(int64_t *ns, int64_t count, int64_t unit)
{
	if (count > (INT64_MAX - *ns) / unit) {
		return false;
	}
	*ns += count * unit;
	return true;
}

/* Reads one number with its unit and adds it to *ns. */
static bool take_span(const char **text, int64_t *ns)
{
	const char *p = *text;
	int64_t whole = 0;

	for (; is_digit(*p); p++) {
		int digit = *p - '0';

		if (whole > (INT64_MAX - digit) / 10) {
			return false;
		}
		whole = whole * 10 + digit;
	}

	bool seen = p != *text;
	const char *fraction = p;

	if (*p == '.') {
		fraction = ++p;
		p += strspn(p, "0123456789");
		seen = seen || p != fraction;
	}
	if (!seen) {
		return false;
	}

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t len = strlen(units[i].name);
		int64_t part = units[i].ns;

		if (strncmp(p, units[i].name, len) != 0) {
			continue;
		}
		if (!add_units(ns, whole, units[i].ns)) {
			return false;
		}
		for (; is_digit(*fraction) && part; fraction++) {
			part /= 10;
			if (!add_units(ns, (*fraction - '0') * part, 1)) {
				return false;
			}
		}
		*text = p + len;
		return true;
	}
	return false;
}

int64_t clock_parse_duration(const char *text)
{
	int64_t ns = 0;

	if (!strcmp(text, "0")) {
		return 0;
	}
	do {
		if (!take_span(&text, &ns)) {
			return -1;
		}
	} while (*text);
	/* up: a wait that was asked for must not become none */
	return ns / 1000000 + (ns % 1000000 != 0);
}
