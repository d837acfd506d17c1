/*
 * Any bytes as a request, and any order of the pieces that requests are made of: what is taken has one meaning, the same
 * however the bytes come, and lies within them.
 *
 * An independent and simpler reading of what was taken says the same of where it ends and that it has no body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/request_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds) {
		abort();
	}
}

static void require_within(struct request_text part, const char *bytes, size_t len)
{
	require(part.text >= bytes && part.text + part.len <= bytes + len);
	require(part.len == 0 ||
		(memchr(part.text, '\r', part.len) == NULL && memchr(part.text, '\n', part.len) == NULL &&
			memchr(part.text, '\0', part.len) == NULL));
}

static void check_whole(const struct request_head *head, const char *bytes)
{
	require(head->len >= 4 && memcmp(bytes + head->len - 4, "\r\n\r\n", 4) == 0);
	for (size_t i = 0; i + 4 < head->len; i++) {
		require(memcmp(bytes + i, "\r\n\r\n", 4) != 0 && bytes[i] != '\0');
		require(bytes[i] != '\n' || (i > 0 && bytes[i - 1] == '\r'));
	}
	require(head->target.text[0] == '/' && memchr(head->target.text, ' ', head->target.len) == NULL);
	require_within(head->target, bytes, head->len);
	require(head->headers_count <= REQUEST_HEADERS_MAX);
	for (size_t i = 0; i < head->headers_count; i++) {
		require_within(head->headers[i].name, bytes, head->len);
		require_within(head->headers[i].value, bytes, head->len);
		require(head->headers[i].name.text[head->headers[i].name.len] == ':');
	}
	require(request_head_find(head, "Transfer-Encoding").text == NULL);
	require(request_head_find(head, "Content-Length").text == NULL ||
		request_head_find(head, "Content-Length").text[0] == '0');
}

static void check(const char *bytes, size_t size, size_t step)
{
	static struct request_head head, again;
	size_t scanned = 0;
	int at_once, piecewise = REQUEST_HEAD_MORE;

	at_once = request_head_read(&head, bytes, size, &scanned);
	require(scanned <= size);
	scanned = 0;
	for (size_t len = step < size ? step : size; piecewise == REQUEST_HEAD_MORE; len += step) {
		len = len < size ? len : size;
		piecewise = request_head_read(&again, bytes, len, &scanned);
		if (len == size) {
			break;
		}
	}
	require(piecewise == at_once);
	if (at_once == REQUEST_HEAD_WHOLE) {
		require(again.len == head.len && again.headers_count == head.headers_count && again.last == head.last);
		check_whole(&head, bytes);
	}
}

static const char *const pieces[] = {
	"GET ",
	"HEAD ",
	"POST ",
	"/",
	"/a?b=%2F",
	"*",
	" HTTP/1.1\r\n",
	" HTTP/1.0\r\n",
	" HTTP/2.0\r\n",
	"GET / HTTP/1.1\r\nHost: m\r\n",
	"Host: m\r\n",
	"host:",
	"Content-Length: 0\r\n",
	"Content-Length:",
	"1",
	"0",
	",",
	"Transfer-Encoding: chunked\r\n",
	"Transfer-Encoding",
	":",
	" ",
	"\t",
	"\r\n",
	"\r",
	"\n",
	"Connection: close\r\n",
	"Connection:",
	"close",
	"X-Remote-Group: a\r\n",
	"\x80",
	"\x01",
	"\r\n\r\n",
};

/* Each byte is one of the pieces. */
static void check_pieces(const uint8_t *data, size_t size)
{
	size_t len = 0, room = 1;
	char *bytes;

	for (size_t i = 0; i < size; i++) {
		room += strlen(pieces[data[i] % (sizeof(pieces) / sizeof(pieces[0]))]);
	}
	bytes = malloc(room);
	require(bytes != NULL);
	for (size_t i = 0; i < size; i++) {
		const char *piece = pieces[data[i] % (sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(bytes + len, piece, strlen(piece));
		len += strlen(piece);
	}
	check(bytes, len, 1 + size % 7U);
	free(bytes);
}

static void check_bytes(const uint8_t *data, size_t size)
{
	/* A copy of its own size, so that a read behind it is seen. */
	char *bytes = malloc(size + (size == 0));

	require(bytes != NULL);
	if (size > 0) {
		memcpy(bytes, data, size);
	}
	check(bytes, size, size > 0 ? 1 + data[size - 1] % 7U : 1);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_bytes(data, size);
	check_pieces(data, size);
	return 0;
}
