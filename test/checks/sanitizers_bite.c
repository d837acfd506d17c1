/* Does one wrong thing on purpose, so that a build can prove that its sanitizers notice. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void overflow(void)
{
	volatile size_t past = 8;
	volatile char *p = malloc(8);

	if (p != NULL) {
		p[past] = 1;
	}
	free((void *)p);
}

static void undefined(void)
{
	volatile int most = INT_MAX;

	most = most + 1;
}

static void leak(void)
{
	void *volatile p = malloc(8);

	p = NULL;
	(void)p;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*act)(void);
	} ways[] = {{"overflow", overflow}, {"undefined", undefined}, {"leak", leak}};

	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) != 0) {
			continue;
		}
		ways[i].act();
		/* a leak is reported at the end of the program, so only the others are late here */
		if (ways[i].act != leak) {
			printf("'%s' went unseen\n", argv[1]);
		}
		return 0;
	}
	fprintf(stderr, "usage: sanitizers_bite overflow|undefined|leak\n");
	return 2;
}
