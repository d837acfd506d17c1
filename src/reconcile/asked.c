/* Which Prometheus' answers count. */
#include "reconcile/asked.h"

#include "base/json.h"
#include "base/memory.h"
#include "reconcile/adapter.h"
#include "reconcile/prometheus.h"

char *prometheus_asked(const struct world *world)
{
	/* Before the first shared pass nobody has looked yet. */
	auto_json *survey =
		world->shared->adapter != NULL ? json_incref(world->shared->adapter) : adapter_survey(world);
	const char *by_adapter = json_path_string(survey, "prometheus", NULL);
	const char *url = world->settings->prometheus_url;
	const struct view_prometheus *prometheus;
	bool nowhere = false;
	auto_free char *key = NULL;

	if (by_adapter != NULL) {
		key = xstrdup(by_adapter);
	} else if (url != NULL) {
		key = prometheus_behind(world, url, &nowhere);
	}
	prometheus = prometheus_by_key(world, key);
	return prometheus != NULL && prometheus->replicas != 0 ? xstrdup(key) : NULL;
}
