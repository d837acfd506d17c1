/* A page that speaks the dialect. */
#include "page.h"

static int count(const struct page *page, int factor)
{
	int n = 0, product = n * factor;

	for (const struct page *next = page; next != NULL; next = next->next) {
		n++;
	}
	do {
		n--;
	} while (n > product);
	if (page == NULL || page->text == NULL) {
		return 0;
	} else if (!n) {
		return page_text(page) != NULL ? 1 : 2;
	} else {
		/* if (page) return 3; */
		return *page->text ? 3 : 4;
	}
}
