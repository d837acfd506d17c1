/* Bodies to tables, on the pool. */
#include "body_read.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "walk.h"

struct reading {
	struct body_reader *reader;
	uv_work_t work;
	char *body;
	size_t len;
	const struct answer_type *type;
	struct table *onto;
	body_done_fn *done;
	void *ctx;
	struct table *table;
	struct error err;
	struct reading *next;
};

struct body_reader {
	uv_loop_t *loop;
	struct reading *first; /* it is under way, the others wait, in order */
	struct reading **end;
};

struct body_reader *body_reader_new(uv_loop_t *loop)
{
	struct body_reader *reader = xcalloc(1, sizeof(*reader));

	reader->loop = loop;
	reader->end = &reader->first;
	return reader;
}

void body_reader_free(struct body_reader *reader)
{
	assert(reader->first == NULL);
	free_indirect(&reader);
}

struct rows_of {
	const struct answer_type *type;
	struct table_rows rows;
};

static void read_element(void *ctx, const json_t *element)
{
	struct rows_of *of = ctx;

	of->type->read(&of->rows, element);
}

/* As a whole, which takes much memory: only of what is no usual answer. */
static bool read_tree(struct rows_of *of, const json_t *answer)
{
	auto_free char *path = xasprintf("data.%s", of->type->list);
	size_t i;
	json_t *element;

	json_array_foreach(json_path(answer, path), i, element) {
		read_element(of, element);
	}
	return strcmp(json_path_string(answer, "status", ""), "success") == 0;
}

struct table *body_table(const char *body, size_t len, const struct answer_type *type, const struct table *onto,
	struct error *err)
{
	struct rows_of of = {.type = type};
	struct table *table;
	bool answered = false;

	table_rows_begin(&of.rows, type->rows);
	if (walk_answer(body, len, type->list, read_element, &of, &answered) != 0) {
		auto_json *answer = json_parse(body, len, err);

		table_unref(table_make(&of.rows));
		table_rows_begin(&of.rows, type->rows);
		answered = answer != NULL && read_tree(&of, answer);
	}
	if (onto != NULL) {
		table_rows_add(&of.rows, onto);
	}
	table = table_make(&of.rows);
	if (!answered) {
		table_unref(table);
		return NULL;
	}
	return table;
}

static void on_work(uv_work_t *work)
{
	struct reading *reading = work->data;

	reading->table = body_table(reading->body, reading->len, reading->type, reading->onto, &reading->err);
}

static void begin(struct reading *reading);

static void on_worked(uv_work_t *work, int status)
{
	struct reading *reading = work->data;
	struct body_reader *reader = reading->reader;
	const struct body_answer answer = {reading->table,
		reading->err.kind != ERROR_NONE ? reading->err.message : NULL};

	(void)status; /* nobody cancels it */
	reader->first = reading->next;
	if (reader->first == NULL) {
		reader->end = &reader->first;
	} else {
		begin(reader->first);
	}
	free_indirect(&reading->body);
	/* Behind the line, since it may be the last one, whose end frees the reader. */
	reading->done(reading->ctx, &answer);
	table_unref(reading->table);
	table_unref(reading->onto);
	error_release(&reading->err);
	free_indirect(&reading);
}

static void begin(struct reading *reading)
{
	int failed = uv_queue_work(reading->reader->loop, &reading->work, on_work, on_worked);

	assert(failed == 0);
	(void)failed;
}

void body_read(struct body_reader *reader, char *body_take, size_t len, const struct answer_type *type,
	struct table *onto_take, body_done_fn *done, void *ctx)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));
	bool alone = reader->first == NULL;

	*reading = (struct reading){.reader = reader,
		.body = body_take,
		.len = len,
		.type = type,
		.onto = onto_take,
		.done = done,
		.ctx = ctx};
	reading->work.data = reading;
	*reader->end = reading;
	reader->end = &reading->next;
	if (alone) {
		begin(reading);
	}
}
