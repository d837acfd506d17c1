/*
 * Reading the bodies of Prometheus' answers into tables, on libuv's pool: one of some MiB would hold the loop for too
 * long. One after the other, each element by itself, so that they take little memory.
 *
 * Private to src/probe.
 */
#ifndef PROBE_BODY_READ_H
#define PROBE_BODY_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/error.h"
#include "table.h"

/* What is read of an answer. */
struct answer_type {
	const char *list; /* member of its `data`: the list whose elements are read */
	const struct table_type *rows;
	/* Adds the element's rows: it may be anything. On a thread of the pool. */
	void (*read)(struct table_rows *rows, const json_t *element);
	bool steady; /* the same for long in a healthy cluster, so that a change is news */
};

/* What a body holds. */
struct body_answer {
	struct table *table;    /* NULL = it is no answer of Prometheus; the reader's when it is done */
	const char *unreadable; /* without a table: why it is not JSON; NULL = it is, but does not say "success" */
};

typedef void body_done_fn(void *ctx, const struct body_answer *answer);

struct body_reader;

struct body_reader *body_reader_new(uv_loop_t *loop);
/* Nothing is read. */
void body_reader_free(struct body_reader *reader);
/* `onto_take`: a table of this type whose rows the answer's are added to, with this one reference; NULL = none. `done`
 * comes once, from the loop. */
void body_read(struct body_reader *reader, char *body_take, size_t len, const struct answer_type *type,
	struct table *onto_take, body_done_fn *done, void *ctx);

/* The same at once: a new table, or NULL with `err` filled when it is not JSON, and empty when it does not say
 * "success". */
struct table *body_table(const char *body, size_t len, const struct answer_type *type, const struct table *onto,
	struct error *err);

#endif
