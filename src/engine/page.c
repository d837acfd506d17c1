/* Which series a /metrics page has. */
#include "engine/page.h"

#include <string.h>

bool page_has_series(const char *page, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = page; line != NULL && *line != '\0';) {
		if (strncmp(line, name, len) == 0 && strchr("{ \t", line[len]) != NULL && line[len] != '\0') {
			return true;
		}
		line = strchr(line, '\n');
		if (line != NULL) {
			line++;
		}
	}
	return false;
}

const struct engine *page_engine(const char *page)
{
	for (size_t i = 0; i < engines_count; i++) {
		if (page_has_series(page, engines[i].marker)) {
			return &engines[i];
		}
	}
	return NULL;
}
