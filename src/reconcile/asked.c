/* Which Prometheus' answers count. */
#include "reconcile/asked.h"

#include "base/memory.h"
#include "reconcile/adapter.h"
#include "reconcile/prometheus.h"

/* "ns/name" of the one that the adapter asks; heap, NULL when that cannot be told. */
static char *asked_by_adapter(const struct world *world)
{
	struct adapter_survey *own;
	char *key;

	if (world->shared->adapter != NULL) {
		return xstrdup(world->shared->adapter->prometheus);
	}
	/* Before the first shared pass nobody has looked yet. */
	own = adapter_survey_make(world);
	key = xstrdup(own->prometheus);
	adapter_survey_free(own);
	return key;
}

char *prometheus_asked(const struct world *world)
{
	const char *url = world->settings->prometheus_url;
	const struct view_prometheus *prometheus;
	bool nowhere = false;
	auto_free char *key = asked_by_adapter(world);

	if (key == NULL && url != NULL) {
		key = prometheus_behind(world, url, &nowhere);
	}
	prometheus = prometheus_by_key(world, key);
	return prometheus != NULL && prometheus->replicas != 0 ? xstrdup(key) : NULL;
}
