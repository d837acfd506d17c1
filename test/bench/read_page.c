/* Reading a metrics page as the operator does, for all signals of all engines. */
#include "read_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/page.h"
#include "engine/presets.h"
#include "probe/reading.h"

void read_page_for_init(struct read_page_for *all)
{
	*all = (struct read_page_for){.signals = json_array(), .series = json_array()};
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const struct engine_signal *signal = &engines[e].signals[i];

			json_array_append_new(all->signals,
				json_pack("{s:s, s:b}", "metric", signal->metric, "page", 1));
			json_array_append_new(all->series, json_string(signal->series[0]));
		}
	}
}

void read_page_for_free(struct read_page_for *all)
{
	json_decref(all->signals);
	json_decref(all->series);
}

json_t *read_page(const char *text, const struct read_page_for *all, struct error *err)
{
	auto_page *page = page_of_engines(text, err);
	json_t *document;

	if (page == NULL) {
		return NULL;
	}
	document = reading_page(page, "http://10.0.0.1:8000/metrics", "pod", all->series);
	json_object_set_new(document, "values", reading_page_values(page, all->signals));
	return document;
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
