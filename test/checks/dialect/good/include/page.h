/* A page. */
struct page {
	struct page *next;
	const char *text, *type;
	void (*done)(struct page *page);
	int size;
};

const char *page_text(const struct page *page);
