/* What a kubelet asks. */
#include "health.h"

#include <string.h>

static const struct question {
	const char *path;
	bool (*well)(const struct controller *controller);
	const char *why_not;
} questions[] = {
	{"/healthz", controller_live, "a watch has made no progress for 15 minutes\n"},
	{"/readyz", controller_ready, "the caches have not synced yet: see the log for what cannot be watched\n"},
};

bool health_standing_by(const struct health *health)
{
	return health->lease != NULL && !kube_lease_held(health->lease);
}

bool health_answer(const struct health *health, struct http_exchange *exchange)
{
	const char *path = http_exchange_path(exchange);

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct question *question = &questions[i];
		bool well;
		const char *text;

		if (strcmp(path, question->path) != 0) {
			continue;
		}
		well = health_standing_by(health) || question->well(health->controller);
		text = well ? "ok\n" : question->why_not;
		http_reply(exchange, well ? 200 : 503, "text/plain; charset=utf-8", text, strlen(text));
		return true;
	}
	return false;
}
