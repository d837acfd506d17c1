/*
 * What the API server is sent to find out about a caller: TokenReview and SubjectAccessReview.
 */
#ifndef RUNTIME_REVIEW_BODY_H
#define RUNTIME_REVIEW_BODY_H

#include <jansson.h>
#include <stdbool.h>

#include "reviews.h"

/* Whether the text has only what a token may have: another one is not sent. */
bool review_can_be_token(const char *text);
/* New reference. */
json_t *review_of_token(const char *token);
/* What a question asks for, as a part of the SubjectAccessReview's spec. New reference. */
json_t *review_attributes(const struct review_question *question);
/* With the user as the answer to its TokenReview has it, JSON. New reference. */
json_t *review_of_access(const char *user_text, const json_t *attributes);

#endif
