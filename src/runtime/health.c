/* What a kubelet asks. */
#include "health.h"

#include <string.h>

static const char *why_unwell(const struct health *health)
{
	return controller_live(health->controller) ? NULL : "a watch has made no progress for 15 minutes\n";
}

static const char *why_unready(const struct health *health)
{
	if (health->metrics_server != NULL) {
		return metrics_server_unready(health->metrics_server);
	}
	return health_standing_by(health) || controller_ready(health->controller)
	               ? NULL
	               : "the caches have not synced yet: see the log for what cannot be watched\n";
}

static const struct question {
	const char *path;
	const char *(*why_not)(const struct health *health); /* NULL = all is well */
} questions[] = {
	{"/healthz", why_unwell},
	{"/readyz", why_unready},
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
		const char *why_not;
		const char *text;

		if (strcmp(path, question->path) != 0) {
			continue;
		}
		why_not = question->why_not(health);
		text = why_not != NULL ? why_not : "ok\n";
		http_reply(exchange, why_not != NULL ? 503 : 200, "text/plain; charset=utf-8", text, strlen(text));
		return true;
	}
	return false;
}
