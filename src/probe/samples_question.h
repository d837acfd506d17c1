/*
 * The questions about samples as they were made once: a thousand keys of one engine ask the same, and to make its text
 * takes longer than to look up its answer.
 *
 * Private to src/probe.
 */
#ifndef PROBE_SAMPLES_QUESTION_H
#define PROBE_SAMPLES_QUESTION_H

#include "base/texts.h"
#include "question.h"

/* More than there are engines and signals in use at once; beyond that all are made anew. */
#define SAMPLES_QUESTIONS_MAX 32

struct samples_question {
	struct texts series;
	char *metric;
	char *tag;     /* NULL = none */
	char *trusted; /* NULL = none are */
	char *target;  /* as of question_samples() */
	char *part;    /* likewise, of a part */
};

/* All zeros is empty. */
struct samples_questions {
	struct samples_question items[SAMPLES_QUESTIONS_MAX];
	size_t count;
};

/* Of question_samples() with these, made when it is new. Borrowed until the next call. */
const struct samples_question *samples_question(struct samples_questions *questions,
	const struct signal_request *signal, const char *trusted);
void samples_questions_release(struct samples_questions *questions);

#endif
