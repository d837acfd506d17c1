/* The head of an HTTP/1.1 request that may have no body. */
#include "net/request_head.h"

#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES (REQUEST_TARGET_MAX + 64U) /* of the request line: method and version are short */

static const char DIGITS[] = "0123456789";
#define ALPHANUMERIC "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
static const char TOKEN[] = "!#$%&'*+-.^_`|~" ALPHANUMERIC;
static const char HOST[] = "!$%&'()*+-.:;=[]_~" ALPHANUMERIC;

static bool equals(struct request_text text, const char *other)
{
	return text.len == strlen(other) && memcmp(text.text, other, text.len) == 0;
}

static bool equals_anycase(struct request_text text, const char *other)
{
	return text.len == strlen(other) && strncasecmp(text.text, other, text.len) == 0;
}

static bool consists_of(struct request_text text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.text[i] == '\0' || strchr(allowed, text.text[i]) == NULL) {
			return false;
		}
	}
	return true;
}

static bool is_visible(struct request_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.text[i] <= ' ' || text.text[i] > '~') {
			return false;
		}
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct request_text without_blanks(struct request_text text)
{
	while (text.len > 0 && is_blank(text.text[0])) {
		text.text++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.text[text.len - 1])) {
		text.len--;
	}
	return text;
}

/* Cuts off what stands before the first `mark`, and the mark; all when there is none. */
static struct request_text cut(struct request_text *rest, char mark)
{
	const char *at = rest->len > 0 ? memchr(rest->text, mark, rest->len) : NULL;
	struct request_text part = {rest->text, at != NULL ? (size_t)(at - rest->text) : rest->len};
	size_t gone = at != NULL ? part.len + 1 : part.len;

	*rest = (struct request_text){rest->text + gone, rest->len - gone};
	return part;
}

/* The bytes ----------------------------------------------------------------------------------- */

static bool fits_behind(unsigned char c, char before)
{
	if (c == '\n' || before == '\r') {
		return c == '\n' && before == '\r';
	}
	return (c >= ' ' || c == '\t' || c == '\r') && c != 0x7f;
}

/* WHOLE, and the head's length, when the empty line has come. */
static int scan(const char *bytes, size_t len, size_t *scanned, size_t *head_len)
{
	for (; *scanned < len && *scanned < REQUEST_HEAD_MAX; ++*scanned) {
		size_t i = *scanned;

		if (!fits_behind((unsigned char)bytes[i], i > 0 ? bytes[i - 1] : '\0') ||
			(i == 1 && bytes[i] == '\n')) {
			return 400;
		}
		if (i >= 3 && memcmp(bytes + i - 3, "\r\n\r\n", 4) == 0) {
			*head_len = i + 1;
			return REQUEST_HEAD_WHOLE;
		}
		if (i == LINE_MAX_BYTES && memchr(bytes, '\n', i) == NULL) {
			return 414;
		}
	}
	return *scanned < REQUEST_HEAD_MAX ? REQUEST_HEAD_MORE : 431;
}

/* The request line ---------------------------------------------------------------------------- */

/* 0, or the status of the refusal. */
static int read_version(struct request_head *head, struct request_text version, bool *needs_host)
{
	*needs_host = equals(version, "HTTP/1.1");
	if (*needs_host) {
		return 0;
	}
	head->last = true;
	if (equals(version, "HTTP/1.0")) {
		return 0;
	}
	return version.len == 8 && memcmp(version.text, "HTTP/", 5) == 0 && strchr(DIGITS, version.text[5]) != NULL &&
	                       version.text[6] == '.' && strchr(DIGITS, version.text[7]) != NULL
	               ? 505
	               : 400;
}

static int read_request_line(struct request_head *head, struct request_text line, bool *needs_host)
{
	struct request_text method = cut(&line, ' ');
	int refusal;

	head->target = cut(&line, ' ');
	refusal = read_version(head, line, needs_host);
	if (refusal != 0) {
		return refusal;
	}
	if (method.len == 0 || !consists_of(method, TOKEN)) {
		return 400;
	}
	head->only_head = equals(method, "HEAD");
	if (!head->only_head && !equals(method, "GET")) {
		return 405;
	}
	if (head->target.len > REQUEST_TARGET_MAX) {
		return 414;
	}
	return head->target.len > 0 && head->target.text[0] == '/' && is_visible(head->target) &&
	                       memchr(head->target.text, '#', head->target.len) == NULL
	               ? 0
	               : 400;
}

/* The header lines ---------------------------------------------------------------------------- */

static int read_header(struct request_head *head, struct request_text line)
{
	struct request_header *header = &head->headers[head->headers_count];
	size_t whole = line.len;

	if (head->headers_count == REQUEST_HEADERS_MAX) {
		return 431;
	}
	header->name = cut(&line, ':');
	header->value = without_blanks(line);
	head->headers_count++;
	/* A folded line begins with a blank, which no name has. */
	return header->name.len > 0 && header->name.len < whole && consists_of(header->name, TOKEN) ? 0 : 400;
}

/* How many lines have the name; `value` is the last one's. */
static size_t count_of(const struct request_head *head, const char *name, struct request_text *value)
{
	size_t count = 0;

	for (size_t i = 0; i < head->headers_count; i++) {
		if (equals_anycase(head->headers[i].name, name)) {
			*value = head->headers[i].value;
			count++;
		}
	}
	return count;
}

static int check_host(const struct request_head *head, bool needed)
{
	struct request_text host = {NULL, 0};
	size_t count = count_of(head, "Host", &host);

	return count > 1 || (count == 0 && needed) || !consists_of(host, HOST) ? 400 : 0;
}

static int check_no_body(const struct request_head *head)
{
	struct request_text length = {NULL, 0}, coding = {NULL, 0};
	size_t lengths = count_of(head, "Content-Length", &length);
	size_t codings = count_of(head, "Transfer-Encoding", &coding);

	if (lengths + codings > 1 || (lengths == 1 && (length.len == 0 || !consists_of(length, DIGITS)))) {
		return 400;
	}
	return codings == 1 || (lengths == 1 && !equals(length, "0")) ? 413 : 0;
}

static bool asks_to_close(const struct request_head *head)
{
	for (size_t i = 0; i < head->headers_count; i++) {
		struct request_text rest = head->headers[i].value;

		while (equals_anycase(head->headers[i].name, "Connection") && rest.len > 0) {
			if (equals_anycase(without_blanks(cut(&rest, ',')), "close")) {
				return true;
			}
		}
	}
	return false;
}

static int read_lines(struct request_head *head, const char *bytes)
{
	struct request_text rest = {bytes, head->len - 2}, line;
	bool needs_host;
	int refusal;

	line = cut(&rest, '\n');
	line.len--;
	refusal = read_request_line(head, line, &needs_host);
	while (refusal == 0 && rest.len > 0) {
		line = cut(&rest, '\n');
		line.len--;
		refusal = read_header(head, line);
	}
	refusal = refusal != 0 ? refusal : check_host(head, needs_host);
	refusal = refusal != 0 ? refusal : check_no_body(head);
	head->last = head->last || asks_to_close(head);
	return refusal != 0 ? refusal : REQUEST_HEAD_WHOLE;
}

int request_head_read(struct request_head *head, const char *bytes, size_t len, size_t *scanned)
{
	size_t head_len = 0;
	int found = scan(bytes, len, scanned, &head_len);

	if (found != REQUEST_HEAD_WHOLE) {
		return found;
	}
	head->only_head = false;
	head->last = false;
	head->headers_count = 0;
	head->len = head_len;
	return read_lines(head, bytes);
}

struct request_text request_head_find(const struct request_head *head, const char *name)
{
	for (size_t i = 0; i < head->headers_count; i++) {
		if (equals_anycase(head->headers[i].name, name)) {
			return head->headers[i].value;
		}
	}
	return (struct request_text){NULL, 0};
}
