/*
 * The series that are looked for on a /metrics page, by name. Private to src/engine.
 */
#ifndef ENGINE_PAGE_SERIES_H
#define ENGINE_PAGE_SERIES_H

#include <stdbool.h>
#include <stddef.h>

/* A power of two, twice as many as the table of engines needs: a search ends at a free slot. */
#define SERIES_SLOTS 256
#define SERIES_MAX (SERIES_SLOTS / 2)

struct series {
	char *name;
	size_t len;
	size_t number;  /* in the table */
	size_t count;   /* samples on the page, up to the first that is too many */
	bool announced; /* by a TYPE line */
	bool buckets;
};

/* All zero is an empty one. It holds our own names only, so that a page cannot fill one of its corners. */
struct series_table {
	struct series rows[SERIES_MAX];
	size_t count;
	unsigned char slots[SERIES_SLOTS]; /* 0 = free, else the series' number + 1 */
	bool borrowed;                     /* the names are another table's */
};

/* The same names as in a table to which nothing was counted yet, and which is to outlive this one. */
void series_table_borrow(struct series_table *table, const struct series_table *from);
void series_table_release(struct series_table *table);

/* Looks for this name (not ended) too; an empty one is passed over. */
void series_want(struct series_table *table, const char *name, size_t len, bool buckets);
/* NULL when it is not looked for; the name is not ended. */
const struct series *series_named(const struct series_table *table, const char *name, size_t len);
/* The series whose name the line begins with, and where that ends; NULL when it is not looked for. */
struct series *series_of_line(struct series_table *table, const char *line, const char **end);
/* Whether this character is none of a name. */
static inline bool series_name_ends(char c)
{
	return c == '{' || c == ' ' || c == '\t' || c == '\n' || c == '\0';
}

#endif
