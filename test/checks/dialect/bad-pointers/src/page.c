/* A page whose pointers stand bare. */
#include "page.h"

static struct page *first;

static int count(const struct page *page, int size)
{
	const char *a = page->text, *b = page->type;

	if (page) {
		return 1;
	}
	if (!a || size > 1) {
		return 2;
	}
	while (size > 2 && b) {
		size--;
	}
	if (!page_text(page)) {
		return page->type ? 3 : 4;
	}
	return size && page->done && !first;
}

static int other(int page)
{
	return !page ? 1 : 2;
}
