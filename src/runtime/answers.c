/* Answers that take work, shared by all who ask. */
#include "answers.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

/* At a time: the loop renews the Lease and answers /healthz in between, which nothing may hold up for 50 ms. A single step
 * of a hook comes on top. */
#define SLICE_NS INT64_C(5000000)
/* The pause after a slice, as a multiple of its time: a fifth of the loop's time is for answers. */
#define REST 4
/* An answer is as fresh as that. Nothing that it tells changes faster: 2 s lie between two probes at least. */
#define FRESH_MS 1000
/* Made answers at a time: the whole pages, and some of single autoscalers. Who would ask for many of these makes
 * each of them anew. */
#define KEPT_MAX 8

#define TEXT "text/plain; charset=utf-8"

struct waiter {
	struct answers *answers;
	struct answer *answer;
	struct http_exchange *exchange;
	struct waiter *next;
};

struct answer {
	char *question;
	const char *content_type;
	void *state;
	struct strbuf text;           /* while it is made */
	struct http_content *content; /* once it is made */
	uint64_t made_ms;             /* loop time */
	struct waiter *waiting;
	struct answer *next;
};

struct answers {
	uv_timer_t timer;
	struct answers_hooks hooks;
	struct answer *first; /* the oldest */
	uint64_t rest_ends;   /* uv_hrtime(): no slice before */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void answer_free(struct answers *answers, struct answer *answer)
{
	if (answer->state != NULL) {
		answers->hooks.release(answer->state);
	}
	strbuf_release(&answer->text);
	http_content_unref(answer->content);
	free_indirect(&answer->question);
	free_indirect(&answer);
}

static struct answer **place_of(struct answers *answers, const struct answer *answer)
{
	struct answer **place = &answers->first;

	while (*place != answer) {
		place = &(*place)->next;
	}
	return place;
}

static void drop(struct answers *answers, struct answer *answer)
{
	*place_of(answers, answer) = answer->next;
	answer_free(answers, answer);
}

static struct answer *next_unmade(const struct answers *answers)
{
	struct answer *answer = answers->first;

	while (answer != NULL && answer->content != NULL) {
		answer = answer->next;
	}
	return answer;
}

/* What is older than it may be, and of the rest what is too many, the oldest first. */
static void drop_old(struct answers *answers)
{
	uint64_t now = uv_now(answers->timer.loop);
	size_t kept = 0;
	struct answer *next;

	for (const struct answer *answer = answers->first; answer != NULL; answer = answer->next) {
		kept += answer->content != NULL ? 1 : 0;
	}
	for (struct answer *answer = answers->first; answer != NULL; answer = next) {
		next = answer->next;
		if (answer->content != NULL && (now - answer->made_ms >= FRESH_MS || kept > KEPT_MAX)) {
			drop(answers, answer);
			kept--;
		}
	}
}

static void on_turn(uv_timer_t *timer);

static void arm(struct answers *answers)
{
	uint64_t now = uv_hrtime();
	uint64_t rest_ms = answers->rest_ends > now ? (answers->rest_ends - now + 999999) / 1000000 : 0;

	if (answers->first == NULL) {
		uv_timer_stop(&answers->timer);
	} else {
		/* With nothing to make it only lets go of what is old. */
		uv_timer_start(&answers->timer, on_turn, next_unmade(answers) != NULL ? rest_ms : FRESH_MS, 0);
	}
}

static void finish(struct answers *answers, struct answer *answer)
{
	if (answer->state != NULL) {
		answers->hooks.release(answer->state);
		answer->state = NULL;
	}
	answer->content = http_content_new(&answer->text);
	answer->made_ms = uv_now(answers->timer.loop);
	while (answer->waiting != NULL) {
		struct waiter *waiter = answer->waiting;

		answer->waiting = waiter->next;
		http_reply_content(waiter->exchange, 200, answer->content_type, answer->content);
		free_indirect(&waiter);
	}
}

static void on_turn(uv_timer_t *timer)
{
	struct answers *answers = timer->data;
	struct answer *answer = next_unmade(answers);
	int64_t start = clock_worked_ns();

	while (answer != NULL && clock_worked_ns() - start < SLICE_NS) {
		if (answers->hooks.make(answers->hooks.ctx, answer->question, &answer->state, &answer->text)) {
			finish(answers, answer);
			answer = next_unmade(answers);
		}
	}
	answers->rest_ends = uv_hrtime() + (uint64_t)(clock_worked_ns() - start) * REST;
	drop_old(answers);
	arm(answers);
}

struct answers *answers_new(uv_loop_t *loop, const struct answers_hooks *hooks)
{
	struct answers *answers = xcalloc(1, sizeof(*answers));

	answers->hooks = *hooks;
	uv_timer_init(loop, &answers->timer);
	answers->timer.data = answers;
	return answers;
}

static void send_away(struct waiter *waiter, const char *why)
{
	struct waiter **place = &waiter->answer->waiting;

	while (*place != waiter) {
		place = &(*place)->next;
	}
	*place = waiter->next;
	http_reply(waiter->exchange, 503, TEXT, why, strlen(why));
	free_indirect(&waiter);
}

static void on_gone(void *ctx)
{
	struct waiter *waiter = ctx;
	struct answers *answers = waiter->answers;
	struct answer *answer = waiter->answer;

	send_away(waiter, "");
	if (answer->waiting == NULL) {
		drop(answers, answer);
		arm(answers);
	}
}

static void wait_for(struct answers *answers, struct answer *answer, struct http_exchange *exchange)
{
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));

	*waiter = (struct waiter){.answers = answers, .answer = answer, .exchange = exchange, .next = answer->waiting};
	answer->waiting = waiter;
	http_exchange_watch(exchange, on_gone, waiter);
}

void answers_give(struct answers *answers, struct http_exchange *exchange, const char *question,
	const char *content_type)
{
	struct answer **place = &answers->first;

	drop_old(answers);
	while (*place != NULL && strcmp((*place)->question, question) != 0) {
		place = &(*place)->next;
	}
	if (*place == NULL) {
		*place = xcalloc(1, sizeof(**place));
		(*place)->question = xstrdup(question);
		(*place)->content_type = content_type;
		strbuf_init(&(*place)->text);
	}
	if ((*place)->content != NULL) {
		http_reply_content(exchange, 200, (*place)->content_type, (*place)->content);
	} else {
		wait_for(answers, *place, exchange);
	}
	arm(answers);
}

static void on_closed(uv_handle_t *handle)
{
	struct answers *answers = handle->data;
	void (*closed)(void *ctx) = answers->closed;
	void *ctx = answers->closed_ctx;

	free_indirect(&answers);
	closed(ctx);
}

void answers_close(struct answers *answers, void (*closed)(void *ctx), void *ctx)
{
	answers->closed = closed;
	answers->closed_ctx = ctx;
	while (answers->first != NULL) {
		while (answers->first->waiting != NULL) {
			send_away(answers->first->waiting, "the operator is stopping\n");
		}
		drop(answers, answers->first);
	}
	uv_close((uv_handle_t *)&answers->timer, on_closed);
}
