/* Keeping of a page what is looked for. */
#include "engine/page_sieve.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* A line of which so much has come begins with the whole name of its series, if that is one of ours. */
#define NAME_ENOUGH 512

struct page_sieve {
	struct page *wanted;
	struct strbuf kept; /* whole lines that are wanted, and behind them the begin of one that is not whole yet */
	size_t line;        /* where that one begins */
	size_t bytes;       /* that came */
	bool passes;        /* the rest of a line that nobody wants */
	bool ended;         /* by a NUL, behind which page_read() sees nothing */
};

struct page_sieve *page_sieve_new(struct page *wanted)
{
	struct page_sieve *sieve = xcalloc(1, sizeof(*sieve));

	*sieve = (struct page_sieve){.wanted = wanted, .kept = STRBUF_INIT};
	return sieve;
}

void page_sieve_free(struct page_sieve *sieve)
{
	if (sieve != NULL) {
		strbuf_release(&sieve->kept);
		free_indirect(&sieve);
	}
}

static void drop_line(struct page_sieve *sieve)
{
	sieve->kept.len = sieve->line;
	if (sieve->kept.cap > 0) {
		sieve->kept.buf[sieve->line] = '\0';
	}
}

/* The line that is kept became whole. */
static void end_line(struct page_sieve *sieve)
{
	if (sieve->kept.len > sieve->line && !page_wants_line(sieve->wanted, sieve->kept.buf + sieve->line)) {
		drop_line(sieve);
	}
	sieve->line = sieve->kept.len;
}

/* A piece of a line that does not end in it. */
static void begin_line(struct page_sieve *sieve, const char *data, size_t len)
{
	strbuf_add(&sieve->kept, data, len);
	if (sieve->kept.len - sieve->line >= NAME_ENOUGH &&
		!page_wants_line(sieve->wanted, sieve->kept.buf + sieve->line)) {
		drop_line(sieve);
		sieve->passes = true;
	}
}

/* A line, or the rest of one, with the '\n' at its end. */
static void add_line(struct page_sieve *sieve, const char *data, size_t len)
{
	if (sieve->passes) {
		sieve->passes = false;
	} else if (sieve->kept.len > sieve->line) {
		strbuf_add(&sieve->kept, data, len);
		end_line(sieve);
	} else if (page_wants_line(sieve->wanted, data)) {
		strbuf_add(&sieve->kept, data, len);
		sieve->line = sieve->kept.len;
	}
}

bool page_sieve_add(struct page_sieve *sieve, const char *data, size_t len)
{
	const char *nul;
	const char *end;

	sieve->bytes += len;
	if (sieve->bytes > PAGE_MAX_BYTES || sieve->ended) {
		return sieve->bytes <= PAGE_MAX_BYTES;
	}
	nul = memchr(data, '\0', len);
	sieve->ended = nul != NULL;
	end = nul != NULL ? nul : data + len;
	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t piece = (size_t)((newline != NULL ? newline + 1 : end) - data);

		if (newline != NULL) {
			add_line(sieve, data, piece);
		} else if (!sieve->passes) {
			begin_line(sieve, data, piece);
		}
		data += piece;
	}
	return true;
}

size_t page_sieve_kept(const struct page_sieve *sieve)
{
	return sieve->kept.len;
}

struct page *page_sieve_read(struct page_sieve *sieve, struct error *err)
{
	struct page *page;

	if (sieve->bytes > PAGE_MAX_BYTES) {
		error_set(err, ERROR_INVALID, "has more than %u bytes, the most that are read", PAGE_MAX_BYTES);
		return NULL;
	}
	end_line(sieve);
	page = page_like(sieve->wanted);
	if (page_read(page, sieve->kept.buf, err) < 0) {
		page_free(page);
		return NULL;
	}
	return page;
}
