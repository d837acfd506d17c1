/* A text that a file may replace while we run. */
#include "kube/kept_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define KEPT_FILE_LIMIT (1024 * 1024)
#define RETRY_MS 5000

int file_read(const char *path, size_t limit, struct strbuf *out, struct error *err)
{
	FILE *stream = fopen(path, "rbe");
	char chunk[4096];
	size_t got, start = out->len;
	int failure;

	if (stream == NULL) {
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_INVALID, "%s", strerror(errno));
	}
	errno = 0;
	while ((got = fread(chunk, 1, sizeof(chunk), stream)) > 0 && out->len - start <= limit) {
		strbuf_add(out, chunk, got);
	}
	failure = ferror(stream) ? errno : 0;
	fclose(stream);
	if (failure) {
		return error_set(err, ERROR_INVALID, "%s", strerror(failure));
	}
	if (out->len - start > limit) {
		return error_set(err, ERROR_INVALID, "it is larger than %zu bytes", limit);
	}
	return 0;
}

void kept_file_release(struct kept_file *file)
{
	free(file->path);
	free(file->text);
	file->path = file->text = NULL;
}

/* A token goes into a header line: white space around it is an editor's, inside it an error. */
static int trim_line(struct strbuf *text, struct error *err)
{
	size_t lead = 0;

	while (text->len > 0 && isspace((unsigned char)text->buf[text->len - 1])) {
		text->buf[--text->len] = '\0';
	}
	while (lead < text->len && isspace((unsigned char)text->buf[lead])) {
		lead++;
	}
	strbuf_consume(text, lead);
	if (text->len == 0) {
		return error_set(err, ERROR_INVALID, "it is empty");
	}
	for (size_t i = 0; i < text->len; i++) {
		if (!isgraph((unsigned char)text->buf[i])) {
			return error_set(err, ERROR_INVALID, "it is not one line of printable characters");
		}
	}
	return 0;
}

int kept_file_read(const struct kept_file *file, struct strbuf *text, struct error *err)
{
	if (file_read(file->path, KEPT_FILE_LIMIT, text, err) < 0) {
		return -1;
	}
	if (file->marker == NULL) {
		return trim_line(text, err);
	}
	if (strstr(text->buf, file->marker) == NULL) {
		return error_set(err, ERROR_INVALID, "it holds no '%s'", file->marker);
	}
	return 0;
}

bool kept_file_is_fresh(const struct kept_file *file, int64_t max_age_ms)
{
	int64_t limit_ms = file->failing && max_age_ms > RETRY_MS ? RETRY_MS : max_age_ms;

	return file->path == NULL || (file->read_ms > 0 && clock_monotonic_ms() - file->read_ms < limit_ms);
}

int kept_file_refresh(struct kept_file *file, int64_t max_age_ms, struct error *err)
{
	auto_strbuf text = STRBUF_INIT;
	auto_error why = ERROR_INIT;

	if (file->path == NULL || (file->text != NULL && kept_file_is_fresh(file, max_age_ms))) {
		return 0;
	}
	file->read_ms = clock_monotonic_ms();
	if (kept_file_read(file, &text, &why) == 0) {
		free(file->text);
		file->text = strbuf_take(&text);
		file->failing = false;
		return 0;
	}
	if (file->text != NULL) {
		if (!file->failing) {
			log_event(LOG_WARN, "file cannot be read again, keeping what it held", "file", file->path,
				"error", why.message, NULL);
		}
		file->failing = true;
		return 0;
	}
	return error_set(err, ERROR_UNAUTHORIZED, "file '%s' cannot be used: %s", file->path, why.message);
}

void kept_file_expire(struct kept_file *file)
{
	file->read_ms = 0;
}

void kept_file_forget(struct kept_file *file)
{
	if (file->path == NULL) {
		return;
	}
	free(file->text);
	file->text = NULL;
}
