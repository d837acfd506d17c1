/* Reading a metrics page as the operator does, for all signals of all engines. */
#include "read_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/page.h"
#include "engine/presets.h"
#include "probe/reading.h"

void read_page_for_init(struct read_page_for *all)
{
	*all = (struct read_page_for){.request = probe_request_new()};
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const struct engine_signal *signal = &engines[e].signals[i];

			probe_request_add_signal(all->request, signal->name, signal->metric, true);
			texts_add(&all->series, signal->series[0]);
		}
	}
}

void read_page_for_free(struct read_page_for *all)
{
	probe_request_unref(all->request);
	texts_release(&all->series);
}

bool read_page(const char *text, const struct read_page_for *all, struct page_seen *seen, struct error *err)
{
	auto_page *page = page_of_engines(text, err);
	struct page_values *values;

	shape_clear(&shape_page_seen, seen);
	if (page == NULL) {
		return false;
	}
	reading_page(page, &all->series, seen);
	values = shape_add(&shape_page_values, &seen->values);
	values->pod = xstrdup("pod");
	reading_page_values(page, all->request, values);
	return true;
}

void read_page_release(struct page_seen *seen)
{
	shape_release(&shape_page_seen, seen);
}

struct strbuf read_file(const char *path)
{
	struct strbuf text = STRBUF_INIT;
	FILE *file = fopen(path, "r");
	char chunk[8192];
	size_t got;

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		strbuf_add(&text, chunk, got);
	}
	fclose(file);
	return text;
}
