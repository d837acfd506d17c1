/* What is said of Prometheus' failures, and of its failing scrapes. */
#include "base/memory.h"
#include "key_probe.h"
#include "question.h"
#include "reading.h"

void probe_fail(struct failure *failure, const struct prometheus_answer *answer)
{
	if (answer->error != NULL) {
		failure_set(failure, answer->cause, reading_text(answer->error));
	}
}

char *probe_blame(const char *pool, const struct counted_pods *blamed, const struct prometheus_answer *answer)
{
	size_t count;
	const struct target_row *rows = table_find(answer->table, pool, NULL, &count);

	if (answer->error != NULL) {
		auto_free char *text = xasprintf("its words cannot be read (%s)", answer->error);

		return reading_text(text);
	}
	for (size_t i = 0; i < count; i++) {
		if (blamed == NULL || rows[i].pod[0] == '\0' || counted_pods_find(blamed, rows[i].pod) != NULL) {
			return xstrdup(rows[i].error);
		}
	}
	return NULL;
}
