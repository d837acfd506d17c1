/* A pure room that asks the clock; clock_gettime() in a comment is fine, and time("") in quotes. */
#include "base/clock.h"

const char *text(void)
{
	return "time(now)";
}

long runtime(long x); /* no call of time() */

long age(void)
{
	return clock_wall_ms();
}
