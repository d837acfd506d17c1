/*
 * The head of an HTTP/1.1 request that may have no body: bytes → method, target and header lines.
 *
 * It is strict, because two readers who disagree about where a request ends can be made to serve one client's request as
 * another's: lines end with CR LF alone, a name stands right before its colon, nothing is folded, and a body is refused.
 */
#ifndef NET_REQUEST_HEAD_H
#define NET_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_HEAD_MAX 32768U  /* bytes of a head, its empty line included */
#define REQUEST_TARGET_MAX 8192U /* bytes of a target; X-Forwarded-Uri repeats it */
#define REQUEST_HEADERS_MAX 100U

/* Not ended by a NUL. */
struct request_text {
	const char *text;
	size_t len;
};

struct request_header {
	struct request_text name, value; /* the value without the blanks around it */
};

/* All of it borrowed from the bytes. */
struct request_head {
	bool only_head;             /* HEAD: the reply has no body. Else GET */
	bool last;                  /* the client wants the connection closed after the reply */
	struct request_text target; /* begins with '/'; visible ASCII */
	struct request_header headers[REQUEST_HEADERS_MAX];
	size_t headers_count;
	size_t len; /* of the head; behind it begins the next request */
};

/* What request_head_read() answers, beside the status of a refusal: 400, 405, 413, 414, 431 or 505. */
#define REQUEST_HEAD_MORE 0 /* what is there so far may become a head */
#define REQUEST_HEAD_WHOLE 200

/*
 * Reads the head at the beginning of the bytes. `scanned` is how many of them earlier calls have gone over, 0 at first: each
 * is looked at once, however few come at a time. After a refusal nothing of this connection can be read.
 */
int request_head_read(struct request_head *head, const char *bytes, size_t len, size_t *scanned);

/* The value of the first header line of that name, in whatever case; text is NULL when there is none. */
struct request_text request_head_find(const struct request_head *head, const char *name);

#endif
