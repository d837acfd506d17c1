/*
 * A text that a file may replace while we run: a token, a CA bundle, a certificate or its key.
 *
 * Invariant: once it has held a good text it never loses it to a read error; a rotation that is
 * half done, or a volume that is away for a moment, costs nothing.
 */
#ifndef KUBE_KEPT_FILE_H
#define KUBE_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

struct kept_file {
	char *path;         /* NULL = the text never changes */
	char *text;         /* last good content; NULL = none */
	const char *marker; /* what a good text holds; NULL = anything printable on one line */
	int64_t read_ms;    /* monotonic time of the last read; 0 = to be read again */
	bool failing;       /* that read failed, and was logged */
};

/* Appends the whole file; refuses more than `limit` bytes. The message is the bare reason. */
int file_read(const char *path, size_t limit, struct strbuf *out, struct error *err);

void kept_file_release(struct kept_file *file);
/* Whether the last read is younger than `max_age_ms`, or than five seconds if it failed: an unreadable file is not read
 * again for each request. */
bool kept_file_is_fresh(const struct kept_file *file, int64_t max_age_ms);
/* Reads again when it is not fresh. -1 only when there is no good text at all. */
int kept_file_refresh(struct kept_file *file, int64_t max_age_ms, struct error *err);
/* The file's content, when it is a good one; the message is the bare reason. */
int kept_file_read(const struct kept_file *file, struct strbuf *text, struct error *err);
/* The text is perhaps no longer what the file holds: read it the next time, whatever its age. */
void kept_file_expire(struct kept_file *file);
/* The text is no good after all: forget it, if there is a file to read it from again. */
void kept_file_forget(struct kept_file *file);

#endif
