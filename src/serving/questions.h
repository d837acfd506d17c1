/*
 * What a page is asked: all signals of its engine at once, so that two metrics of one pod cost one reading; or which pods
 * hold how busy GPUs.
 *
 * Private to src/serving.
 */
#ifndef SERVING_QUESTIONS_H
#define SERVING_QUESTIONS_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/page.h"
#include "engine/presets.h"
#include "figures.h"

struct questions; /* counted references */

/* The signals of an engine's preset; the metric of each becomes the name of its figure. New reference, as of all here. */
struct questions *questions_of_engine(const struct engine *engine);
/* The GPUs of pods on the page of an exporter (gpu_page.h). */
struct questions *questions_of_gpus(void);
/* Questions of somebody's own, `metrics[i]` by `queries[i]`; both are copied. */
struct questions *questions_new(const char *const *metrics, const char *const *queries, size_t count);
struct questions *questions_ref(struct questions *questions);
/* NULL is allowed. */
void questions_unref(struct questions *questions);
/* What tells them from others; borrowed. */
const char *questions_name(const struct questions *questions);
/* A page that looks for what they need, never read; borrowed. */
struct page *questions_page(struct questions *questions);
/* What the page says, `figures` is empty. -1 when it is not the page of the one who served it. */
int questions_answer(const struct questions *questions, const struct page *page, struct figures *figures,
	struct error *err);

#endif
