/* Answers that take work, made as they are taken. */
#include "answers.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/memory.h"

/* At a time: the loop renews the Lease and answers /healthz in between, which nothing may hold up for 50 ms. A single step
 * of a hook comes on top. */
#define SLICE_NS INT64_C(5000000)
/* The pause after a slice, as a multiple of its time: a fifth of the loop's time is for answers. */
#define REST 4
/* A piece is given when it is as long as that, or the slice is over. */
#define PIECE ((size_t)8 << 10)

#define TEXT "text/plain; charset=utf-8"

/* One answer to one client. */
struct answer {
	struct answers *answers;
	struct http_exchange *exchange;
	char *question;
	const char *content_type;
	void *state;
	struct strbuf text; /* the piece that is being made */
	bool begun;         /* the reply */
	bool hungry;        /* its next piece may be made */
	uint64_t peer_fed;  /* the turn in which one of the same address was last given a piece, and this one itself */
	uint64_t fed;
	struct list_item place;
};

struct answers {
	uv_timer_t timer;
	struct answers_hooks hooks;
	struct list all; /* the oldest first */
	uint64_t turn;
	int64_t worked_ns;  /* since the last rest */
	uint64_t rest_ends; /* uv_hrtime(): no slice before */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void answer_free(struct answer *answer)
{
	list_leave(&answer->place);
	if (answer->state != NULL) {
		answer->answers->hooks.release(answer->state);
	}
	strbuf_release(&answer->text);
	free_indirect(&answer->question);
	free_indirect(&answer);
}

static struct answer *answer_of(const struct list_item *item)
{
	return item != NULL ? container_of(item, struct answer, place) : NULL;
}

static struct answer *after(const struct answer *answer)
{
	return answer_of(answer->place.next);
}

static bool goes_before(const struct answer *answer, const struct answer *other)
{
	return answer->peer_fed != other->peer_fed ? answer->peer_fed < other->peer_fed : answer->fed < other->fed;
}

/* Of the address that was given nothing for longest, and of its answers the one that waits for longest. */
static struct answer *next_hungry(const struct answers *answers)
{
	struct answer *found = NULL;

	for (struct answer *answer = answer_of(answers->all.first); answer != NULL; answer = after(answer)) {
		if (answer->hungry && (found == NULL || goes_before(answer, found))) {
			found = answer;
		}
	}
	return found;
}

static bool of_one_peer(const struct answer *a, const struct answer *b)
{
	return memcmp(http_exchange_peer(a->exchange), http_exchange_peer(b->exchange), HTTP_PEER_LEN) == 0;
}

static void count_turn(struct answer *answer)
{
	uint64_t turn = ++answer->answers->turn;

	answer->fed = turn;
	for (struct answer *other = answer_of(answer->answers->all.first); other != NULL; other = after(other)) {
		other->peer_fed = of_one_peer(answer, other) ? turn : other->peer_fed;
	}
}

static void on_turn(uv_timer_t *timer);

/* Who is hungry now waits for the end of the rest at most. */
static void arm(struct answers *answers)
{
	uint64_t now = uv_hrtime();
	uint64_t rest_ms = answers->rest_ends > now ? (answers->rest_ends - now + 999999) / 1000000 : 0;

	if (next_hungry(answers) == NULL) {
		uv_timer_stop(&answers->timer);
	} else {
		uv_timer_start(&answers->timer, on_turn, rest_ms, 0);
	}
}

static void on_taken(void *ctx)
{
	struct answer *answer = ctx;

	answer->hungry = true;
	arm(answer->answers);
}

/* A short answer is one piece, whose length is told. */
static void give(struct answer *answer, bool last)
{
	struct http_exchange *exchange = answer->exchange;
	auto_strbuf text = answer->text;

	strbuf_init(&answer->text);
	answer->hungry = false;
	if (last && !answer->begun) {
		http_reply(exchange, 200, answer->content_type, text.buf, text.len);
		answer_free(answer);
		return;
	}
	if (!answer->begun) {
		answer->begun = true;
		http_reply_begin(exchange, 200, answer->content_type, on_taken, answer);
	}
	http_reply_piece(exchange, text.buf, text.len, last);
	if (last) {
		answer_free(answer);
	}
}

/* Until it is long enough, or the time is over. */
static void make_piece(struct answer *answer, int64_t until_ns)
{
	struct answers *answers = answer->answers;
	bool last;

	do {
		last = answers->hooks.make(answers->hooks.ctx, answer->question, &answer->state, &answer->text);
	} while (!last && answer->text.len < PIECE && clock_worked_ns() < until_ns);
	count_turn(answer);
	if (last || answer->text.len > 0) {
		give(answer, last);
	}
}

static void rest(struct answers *answers)
{
	answers->rest_ends = uv_hrtime() + (uint64_t)answers->worked_ns * REST;
	answers->worked_ns = 0;
}

static void on_turn(uv_timer_t *timer)
{
	struct answers *answers = timer->data;
	int64_t start = clock_worked_ns();
	int64_t until = start + SLICE_NS - answers->worked_ns;
	struct answer *answer;

	while (clock_worked_ns() < until && (answer = next_hungry(answers)) != NULL) {
		make_piece(answer, until);
	}
	answers->worked_ns += clock_worked_ns() - start;
	if (answers->worked_ns >= SLICE_NS) {
		rest(answers);
	}
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

static void send_away(struct answer *answer, const char *why)
{
	struct http_exchange *exchange = answer->exchange;
	bool begun = answer->begun;

	answer_free(answer);
	if (begun) {
		http_reply_cut(exchange);
	} else {
		http_reply(exchange, 503, TEXT, why, strlen(why));
	}
}

static void on_gone(void *ctx)
{
	struct answer *answer = ctx;
	struct answers *answers = answer->answers;

	send_away(answer, "");
	arm(answers);
}

/* Only how it would begin. */
static void give_head(struct http_exchange *exchange, const char *content_type)
{
	http_reply_begin(exchange, 200, content_type, NULL, NULL);
	http_reply_piece(exchange, "", 0, true);
}

void answers_give(struct answers *answers, struct http_exchange *exchange, const char *question,
	const char *content_type)
{
	struct answer *answer;

	if (strcmp(http_exchange_method(exchange), "HEAD") == 0) {
		give_head(exchange, content_type);
		return;
	}
	answer = xcalloc(1, sizeof(*answer));
	*answer = (struct answer){.answers = answers,
		.exchange = exchange,
		.question = xstrdup(question),
		.content_type = content_type,
		.hungry = true};
	strbuf_init(&answer->text);
	for (const struct answer *other = answer_of(answers->all.first); other != NULL; other = after(other)) {
		answer->peer_fed = of_one_peer(answer, other) ? other->peer_fed : answer->peer_fed;
	}
	list_append(&answers->all, &answer->place);
	http_exchange_watch(exchange, on_gone, answer);
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
	while (answers->all.first != NULL) {
		send_away(answer_of(answers->all.first), "the operator is stopping\n");
	}
	uv_close((uv_handle_t *)&answers->timer, on_closed);
}
