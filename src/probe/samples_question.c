/* Remembering the texts of questions. */
#include "samples_question.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "question.h"

const struct samples_question *samples_question(struct samples_questions *questions,
	const struct signal_request *signal, const char *trusted)
{
	struct samples_question *made;

	for (size_t i = 0; i < questions->count; i++) {
		const struct samples_question *one = &questions->items[i];

		if (strcmp(one->metric, signal->metric) == 0 && text_equal(one->trusted, trusted) &&
			text_equal(one->tag, signal->tag) && texts_equal(&one->series, &signal->series)) {
			return one;
		}
	}
	if (questions->count == SAMPLES_QUESTIONS_MAX) {
		samples_questions_release(questions);
	}
	made = &questions->items[questions->count++];
	*made = (struct samples_question){.metric = xstrdup(signal->metric),
		.tag = xstrdup(signal->tag),
		.trusted = xstrdup(trusted),
		.target = question_samples(signal, trusted, false),
		.part = question_samples(signal, trusted, true)};
	texts_copy(&made->series, &signal->series);
	return made;
}

void samples_questions_release(struct samples_questions *questions)
{
	for (size_t i = 0; i < questions->count; i++) {
		struct samples_question *one = &questions->items[i];

		texts_release(&one->series);
		free_indirect(&one->metric);
		free_indirect(&one->tag);
		free_indirect(&one->trusted);
		free_indirect(&one->target);
		free_indirect(&one->part);
	}
	questions->count = 0;
}
