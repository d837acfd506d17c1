/* Events that are counted, and that wait in line. */
#include "event_series.h"

#include "base/keep.h"
#include "base/memory.h"

struct series *series_new(struct kube_recorder *recorder, const char *ns, const char *name)
{
	struct series *series = keep_new(sizeof(*series));

	*series = (struct series){.recorder = recorder, .ns = keep_text(ns), .name = keep_text(name)};
	return series;
}

void series_free(void *value)
{
	struct series *series = value;

	free_indirect(&series->text);
	keep_text_free(series->ns);
	keep_text_free(series->name);
	keep_free(series, sizeof(*series));
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
