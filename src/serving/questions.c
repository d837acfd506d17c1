/* Questions to a page. */
#include "questions.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/query.h"
#include "gpu_page.h"

struct question {
	char *metric;
	char *query;
};

struct questions {
	unsigned references;
	char *name;
	struct page *page;
	struct question *items;
	size_t count;
	bool gpus;
};

static struct questions *make(char *name_take)
{
	struct questions *questions = xcalloc(1, sizeof(*questions));

	*questions = (struct questions){.references = 1, .name = name_take, .page = page_new()};
	return questions;
}

static struct questions *make_of_queries(char *name_take, const char *const *metrics, const char *const *queries,
	size_t count)
{
	struct questions *questions = make(name_take);

	questions->items = xcalloc(count + 1, sizeof(*questions->items));
	questions->count = count;
	page_want_owners(questions->page);
	for (size_t i = 0; i < count; i++) {
		questions->items[i] = (struct question){.metric = xstrdup(metrics[i]), .query = xstrdup(queries[i])};
		page_want(questions->page, queries[i]);
	}
	return questions;
}

/* Those of the presets are made once: the first asks for them, and all that come later. */
static struct questions *of_preset(size_t number, const struct engine *engine)
{
	static struct questions **made;
	const char *metrics[ENGINE_SIGNALS_MAX];
	const char *queries[ENGINE_SIGNALS_MAX];
	size_t count = 0;

	if (made == NULL) {
		made = xcalloc(engines_count + 1, sizeof(*made));
	}
	if (made[number] != NULL) {
		return questions_ref(made[number]);
	}
	if (engine == NULL) {
		made[number] = make(xstrdup("GPU"));
		made[number]->gpus = true;
		gpu_page_want(made[number]->page);
		return questions_ref(made[number]);
	}
	for (; count < ENGINE_SIGNALS_MAX && engine->signals[count].name != NULL; count++) {
		metrics[count] = engine->signals[count].metric;
		queries[count] = engine->signals[count].metrics_query;
	}
	made[number] = make_of_queries(xstrdup(engine->type), metrics, queries, count);
	return questions_ref(made[number]);
}

struct questions *questions_of_engine(const struct engine *engine)
{
	return of_preset((size_t)(engine - engines), engine);
}

struct questions *questions_of_gpus(void)
{
	return of_preset(engines_count, NULL);
}

struct questions *questions_new(const char *const *metrics, const char *const *queries, size_t count)
{
	auto_strbuf words = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		strbuf_addf(&words, "%s\n%s\n", metrics[i], queries[i]);
	}
	return make_of_queries(strbuf_take(&words), metrics, queries, count);
}

struct questions *questions_ref(struct questions *questions)
{
	questions->references++;
	return questions;
}

void questions_unref(struct questions *questions)
{
	if (questions == NULL || --questions->references > 0) {
		return;
	}
	for (size_t i = 0; i < questions->count; i++) {
		free_indirect(&questions->items[i].metric);
		free_indirect(&questions->items[i].query);
	}
	free_indirect(&questions->items);
	free_indirect(&questions->name);
	page_free(questions->page);
	free_indirect(&questions);
}

const char *questions_name(const struct questions *questions)
{
	return questions->name;
}

struct page *questions_page(struct questions *questions)
{
	return questions->page;
}

int questions_answer(const struct questions *questions, const struct page *page, struct figures *figures,
	struct error *err)
{
	const struct router *router = questions->gpus ? NULL : page_router(page);

	if (questions->gpus) {
		gpu_page_answer(page, figures);
		return 0;
	}
	if (router != NULL) {
		return error_set(err, ERROR_INVALID,
			"is that of a router, %s, which tells the figures of engines in other pods", router->name);
	}
	for (size_t i = 0; i < questions->count; i++) {
		double value;
		int64_t milli;

		if (query_on_page(questions->items[i].query, page, &value) && query_milli(value, &milli)) {
			figures_add(figures, questions->items[i].metric, milli);
		}
	}
	return 0;
}
