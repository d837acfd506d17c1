/* The distance of two words (optimal string alignment), and what is near enough. */
#include "command/nearest.h"

#include <string.h>

#define WORD_MAX 40

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t rows[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a);
	size_t m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX) {
		return n > m ? n : m;
	}
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				rows[i][j] = i + j;
				continue;
			}
			rows[i][j] = least(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
				rows[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				rows[i - 2][j - 2] + 1 < rows[i][j]) {
				rows[i][j] = rows[i - 2][j - 2] + 1;
			}
		}
	}
	return rows[n][m];
}

void nearest_consider(const char *word, const char *candidate, const char **best)
{
	size_t far = nearest_distance(word, candidate);

	if (far <= 1 + strlen(candidate) / 4 && (*best == NULL || far < nearest_distance(word, *best))) {
		*best = candidate;
	}
}
