/*
 * Who a caller is and what it may, as the API server says: TokenReview, then SubjectAccessReview.
 *
 * Anybody can send any number of tokens, and with one that is somebody's ask for any number of namespaces. So one peer may be
 * refused so often only (peers.h), few reviews are under way at a time, one question is under way once, each has a deadline,
 * and answers are kept for seconds, in a bounded number. What is kept of a token is a hash with a key
 * that nobody outside knows; the token itself is wiped when its question is answered.
 */
#ifndef RUNTIME_REVIEWS_H
#define RUNTIME_REVIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "kube/client.h"

#define REVIEWS_UNDER_WAY 8
#define REVIEWS_KEPT 512
/* A right that was taken away is believed in for so long; one that was given is missed for the other. */
#define REVIEWS_ALLOWED_MS 10000
#define REVIEWS_REFUSED_MS 2000
#define REVIEWS_DEADLINE_MS 5000

struct reviews;
struct review;

enum review_verdict {
	REVIEW_ALLOWED,
	REVIEW_FORBIDDEN,   /* a known caller who may not */
	REVIEW_NOBODY,      /* the token is nobody's */
	REVIEW_TOO_MANY,    /* this peer was refused too often: nothing is asked for it */
	REVIEW_UNAVAILABLE, /* the API server has not said: nobody is let in */
};

/* What somebody asks to do: to get InferenceAutoscalers in a namespace ("" = in all), or a path that is no resource's. */
struct review_question {
	const char *token;
	const char *ns;            /* a namespace's name, and no other text */
	const char *path;          /* NULL = `ns` counts */
	bool listed;               /* nobody named it: one of the bounded number that there are */
	const unsigned char *peer; /* who shows it, PEER_BYTES of an address */
};

/* Borrowed for the time of the call. */
struct review_answer {
	enum review_verdict verdict;
	const char *caller; /* "" unless the token is somebody's */
	const char *why;    /* of REVIEW_UNAVAILABLE, a sentence's part; else "" */
};

typedef void review_done_fn(void *ctx, const struct review_answer *answer);

/* Borrows the client, which nothing may guard (kube/client.h): a replica that waits for the Lease asks too. */
struct reviews *reviews_new(struct kube_client *client);
/* Nothing is asked any more. What is under way is cancelled, without done(); closed(ctx) from the loop, freed after it. */
void reviews_close(struct reviews *reviews, void (*closed)(void *ctx), void *ctx);

/* Never answers from inside. The answer that is at hand comes in the next turn of the loop. */
struct review *reviews_ask(struct reviews *reviews, const struct review_question *question, review_done_fn *done,
	void *ctx);
/* Without done(). */
void review_cancel(struct review *review);

/* For tests of size: answers kept. */
size_t reviews_kept(const struct reviews *reviews);

#endif
