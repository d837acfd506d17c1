/* Asking the API server who a caller is and what it may. */
#include "reviews.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "peers.h"
#include "review_body.h"
#include "review_cache.h"

#define TOKENS_PATH "/apis/authentication.k8s.io/v1/tokenreviews"
#define ACCESS_PATH "/apis/authorization.k8s.io/v1/subjectaccessreviews"
/* Between two looks for what is late. */
#define TICK_MS 250

/* One request to the API server, for all who ask the same. */
struct request {
	struct reviews *reviews;
	struct review_key key;
	unsigned char peer[PEER_BYTES]; /* of the one for whom it began */
	struct kube_call *call;
	bool of_token;
	bool charged; /* to this peer */
	bool late;
	int64_t begun_ms;
	struct request *next;
};

struct review {
	struct reviews *reviews;
	char *token; /* NULL once it is known whose it is */
	struct review_key token_key;
	struct review_key access_key;
	json_t *attributes; /* of the SubjectAccessReview: what it asks for */
	char *user;         /* JSON; NULL = not known yet */
	char *failure;      /* why there is no answer; NULL = none yet */
	unsigned char peer[PEER_BYTES];
	bool listed;
	bool over;
	enum review_verdict verdict; /* once it is over */
	int64_t begun_ms;
	review_done_fn *done;
	void *ctx;
	struct review *next;
};

struct reviews {
	struct kube_client *client; /* NULL while it closes */
	uv_timer_t turn;
	struct review_cache cache;
	struct peers peers;
	struct review *first; /* the oldest */
	struct request *requests;
	unsigned under_way;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void review_free(struct review *review)
{
	wipe_indirect(&review->token);
	json_decref(review->attributes);
	free_indirect(&review->user);
	free_indirect(&review->failure);
	free_indirect(&review);
}

static void unlink_review(struct review *review)
{
	struct review **place = &review->reviews->first;

	while (*place != review) {
		place = &(*place)->next;
	}
	*place = review->next;
}

static struct review_key wanted(const struct review *review)
{
	return review->user == NULL ? review->token_key : review->access_key;
}

static bool is_asked(const struct reviews *reviews, struct review_key key)
{
	for (const struct request *request = reviews->requests; request != NULL; request = request->next) {
		if (!request->late && review_key_equal(request->key, key)) {
			return true;
		}
	}
	return false;
}

static void end(struct review *review, enum review_verdict verdict)
{
	review->over = true;
	review->verdict = verdict;
}

static void take_token(struct review *review, const char *user)
{
	review->user = xstrdup(user);
	wipe_indirect(&review->token);
	if (user == NULL) {
		end(review, REVIEW_NOBODY);
	}
}

static void take_failure(struct review *review, char *why_take)
{
	review->failure = why_take;
	end(review, REVIEW_UNAVAILABLE);
}

/* Who else waits for the same has it too. */
static void give(const struct request *request, bool yes, const char *user)
{
	for (struct review *review = request->reviews->first; review != NULL; review = review->next) {
		if (review->over || !review_key_equal(wanted(review), request->key)) {
			continue;
		}
		if (request->of_token) {
			take_token(review, user);
		} else {
			end(review, yes ? REVIEW_ALLOWED : REVIEW_FORBIDDEN);
		}
	}
}

static void fail(const struct request *request, const char *why)
{
	for (struct review *review = request->reviews->first; review != NULL; review = review->next) {
		if (!review->over && review_key_equal(wanted(review), request->key)) {
			take_failure(review, xstrdup(why));
		}
	}
}

/* Whether it was a yes. */
static bool take_answer(const struct request *request, const json_t *answer)
{
	struct review_cache *cache = &request->reviews->cache;
	bool yes = json_path_bool(answer, request->of_token ? "status.authenticated" : "status.allowed", false);
	const json_t *user = request->of_token && yes ? json_path(answer, "status.user") : NULL;
	auto_free char *text = user != NULL ? json_text(user) : NULL;

	if (request->of_token && yes && json_path_string(user, "username", "")[0] == '\0') {
		fail(request, "the API server says whose the token is without a name");
		return false;
	}
	review_cache_put(cache, request->key, yes, text, clock_monotonic_ms());
	give(request, yes, text);
	return yes;
}

static void arm(struct reviews *reviews, uint64_t ms);

static void on_timer_closed(uv_handle_t *handle)
{
	struct reviews *reviews = handle->data;
	void (*closed)(void *ctx) = reviews->closed;
	void *ctx = reviews->closed_ctx;

	review_cache_release(&reviews->cache);
	peers_release(&reviews->peers);
	free_indirect(&reviews);
	closed(ctx);
}

static void end_request(struct request *request)
{
	struct reviews *reviews = request->reviews;
	struct request **place = &reviews->requests;

	while (*place != request) {
		place = &(*place)->next;
	}
	*place = request->next;
	reviews->under_way--;
	free_indirect(&request);
	if (reviews->client != NULL) {
		arm(reviews, 0);
	} else if (reviews->under_way == 0) {
		uv_close((uv_handle_t *)&reviews->turn, on_timer_closed);
	}
}

static void on_answer(void *ctx, json_t *result, const struct error *err)
{
	struct request *request = ctx;
	bool refused = err == NULL && !take_answer(request, result);

	if (err != NULL && !request->late) {
		fail(request, err->message);
	}
	if (request->charged && !refused) {
		peers_refund(&request->reviews->peers, request->peer);
	}
	end_request(request);
}

static void begin(struct review *review, bool charged)
{
	struct reviews *reviews = review->reviews;
	struct request *request = xcalloc(1, sizeof(*request));
	bool of_token = review->user == NULL;
	auto_json *body =
		of_token ? review_of_token(review->token) : review_of_access(review->user, review->attributes);

	*request = (struct request){.reviews = reviews,
		.key = wanted(review),
		.of_token = of_token,
		.charged = charged,
		.begun_ms = clock_monotonic_ms(),
		.next = reviews->requests};
	memcpy(request->peer, review->peer, PEER_BYTES);
	reviews->requests = request;
	reviews->under_way++;
	request->call = kube_request(reviews->client, "POST", of_token ? TOKENS_PATH : ACCESS_PATH, "application/json",
		body, on_answer, request);
}

/* One step on, or to where the API server has to be asked. */
static void advance(struct review *review, int64_t now_ms)
{
	struct reviews *reviews = review->reviews;
	const struct kept_answer *kept;

	if (review->user == NULL && !review->over) {
		kept = review_cache_find(&reviews->cache, review->token_key, now_ms);
		if (kept != NULL) {
			take_token(review, kept->user);
		}
	}
	if (review->user != NULL && !review->over) {
		kept = review_cache_find(&reviews->cache, review->access_key, now_ms);
		if (kept != NULL) {
			end(review, kept->yes ? REVIEW_ALLOWED : REVIEW_FORBIDDEN);
		}
	}
	if (!review->over && now_ms - review->begun_ms >= REVIEWS_DEADLINE_MS) {
		take_failure(review,
			xasprintf("the API server has not answered within %d s", REVIEWS_DEADLINE_MS / 1000));
	}
}

static void finish(struct review *review)
{
	auto_json *user = review->user != NULL ? json_parse(review->user, strlen(review->user), NULL) : NULL;
	const struct review_answer answer = {.verdict = review->verdict,
		.caller = json_path_string(user, "username", ""),
		.why = review->failure != NULL ? review->failure : ""};

	unlink_review(review);
	review->done(review->ctx, &answer);
	review_free(review);
}

static struct review *next_over(const struct reviews *reviews)
{
	struct review *review = reviews->first;

	while (review != NULL && !review->over) {
		review = review->next;
	}
	return review;
}

static void cancel_late(struct reviews *reviews, int64_t now_ms)
{
	for (struct request *request = reviews->requests; request != NULL; request = request->next) {
		if (!request->late && now_ms - request->begun_ms >= REVIEWS_DEADLINE_MS) {
			request->late = true;
			kube_call_cancel(request->call);
		}
	}
}

/* Asks the API server, unless the peer has cost it enough. */
static void begin_or_refuse(struct review *review, int64_t now_ms)
{
	bool charged = review->user == NULL || !review->listed;

	if (charged && !peers_charge(&review->reviews->peers, review->peer, now_ms)) {
		end(review, REVIEW_TOO_MANY);
	} else {
		begin(review, charged);
	}
}

static void on_turn(uv_timer_t *timer)
{
	struct reviews *reviews = timer->data;
	int64_t now_ms = clock_monotonic_ms();
	struct review *over;

	for (struct review *review = reviews->first; review != NULL; review = review->next) {
		advance(review, now_ms);
	}
	for (struct review *review = reviews->first; review != NULL; review = review->next) {
		if (!review->over && reviews->under_way < REVIEWS_UNDER_WAY && !is_asked(reviews, wanted(review))) {
			begin_or_refuse(review, now_ms);
		}
	}
	cancel_late(reviews, now_ms);
	review_cache_drop_old(&reviews->cache, now_ms);
	while ((over = next_over(reviews)) != NULL) {
		finish(over);
		if (reviews->client == NULL) {
			return;
		}
	}
	arm(reviews, TICK_MS);
}

static void arm(struct reviews *reviews, uint64_t ms)
{
	bool busy = reviews->first != NULL || reviews->requests != NULL;

	if (busy && uv_is_active((uv_handle_t *)&reviews->turn) && uv_timer_get_due_in(&reviews->turn) <= ms) {
		return;
	}
	if (busy) {
		uv_timer_start(&reviews->turn, on_turn, ms, 0);
	} else if (reviews->cache.oldest != NULL) {
		uv_timer_start(&reviews->turn, on_turn, REVIEWS_ALLOWED_MS, 0);
	} else {
		uv_timer_stop(&reviews->turn);
	}
}

struct reviews *reviews_new(struct kube_client *client)
{
	struct reviews *reviews = xcalloc(1, sizeof(*reviews));

	reviews->client = client;
	uv_timer_init(kube_client_loop(client), &reviews->turn);
	reviews->turn.data = reviews;
	return reviews;
}

void reviews_close(struct reviews *reviews, void (*closed)(void *ctx), void *ctx)
{
	reviews->closed = closed;
	reviews->closed_ctx = ctx;
	reviews->client = NULL;
	uv_timer_stop(&reviews->turn);
	while (reviews->first != NULL) {
		review_cancel(reviews->first);
	}
	for (struct request *request = reviews->requests; request != NULL; request = request->next) {
		kube_call_cancel(request->call);
	}
	if (reviews->requests == NULL) {
		uv_close((uv_handle_t *)&reviews->turn, on_timer_closed);
	}
}

struct review *reviews_ask(struct reviews *reviews, const struct review_question *question, review_done_fn *done,
	void *ctx)
{
	struct review *review = xcalloc(1, sizeof(*review));
	struct review **place = &reviews->first;

	assert(reviews->client != NULL);
	*review = (struct review){.reviews = reviews,
		.token = xstrdup(question->token),
		.token_key = review_key((struct review_key){0, 0}, question->token),
		.attributes = review_attributes(question),
		.listed = question->listed,
		.begun_ms = clock_monotonic_ms(),
		.done = done,
		.ctx = ctx};
	memcpy(review->peer, question->peer, PEER_BYTES);
	review->access_key = review_access_key(review->token_key, question);
	if (!review_can_be_token(question->token)) {
		end(review, REVIEW_NOBODY);
	}
	for (; *place != NULL; place = &(*place)->next) {
	}
	*place = review;
	arm(reviews, 0);
	return review;
}

void review_cancel(struct review *review)
{
	unlink_review(review);
	review_free(review);
}

size_t reviews_kept(const struct reviews *reviews)
{
	return reviews->cache.table.count;
}
