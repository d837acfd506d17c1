/* Events that are counted, and that wait in line. */
#include "event_series.h"

#include "base/memory.h"

struct series *series_new(struct kube_recorder *recorder, const char *key, const char *ns, char *name_take)
{
	struct series *series = xcalloc(1, sizeof(*series));

	*series = (struct series){.recorder = recorder, .key = xstrdup(key), .ns = xstrdup(ns), .name = name_take};
	return series;
}

void series_free(void *value)
{
	struct series *series = value;

	free_indirect(&series->text);
	free_indirect(&series->ns);
	free_indirect(&series->name);
	free_indirect(&series->key);
	free_indirect(&series);
}

void line_add(struct line *line, struct series *series)
{
	series->waiting = true;
	series->next = NULL;
	if (line->first == NULL) {
		line->first = series;
	} else {
		line->last->next = series;
	}
	line->last = series;
	line->count++;
}

struct series *line_take(struct line *line)
{
	struct series *series = line->first;

	if (series != NULL) {
		line->first = series->next;
		line->count--;
		series->waiting = false;
		series->owed = false;
	}
	return series;
}
