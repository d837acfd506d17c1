/*
 * Where prometheus-adapter is, and which ConfigMap it has its rules from.
 *
 *   the settings           name it: then nothing is looked for
 *   else what is found     APIService of the metrics API → its Service → the Deployment whose pods this selects → the
 *                          ConfigMap and the key that its --config leads to
 *   else where it is usual as its chart installs it: monitoring, prometheus-adapter, config.yaml
 *   else what has our rules the Deployment that mounts the ConfigMap with our annotation
 *
 * The last two are for a metrics API that is not registered, or is another server's: the adapter stays the one that it was.
 * Each name by itself. A Deployment without flags of prometheus-adapter is another server's, and is never taken.
 */
#ifndef RECONCILE_ADAPTER_FIND_H
#define RECONCILE_ADAPTER_FIND_H

#include "api/settings.h"
#include "reconcile/world.h"
#include "view/workload.h"

struct adapter_found {
	struct adapter_names names;             /* none is NULL; borrowed from the settings and from views */
	const struct view_workload *deployment; /* NULL = there is none of that name */
};

struct adapter_found adapter_find(const struct world *world);
/* The names that the last shared pass found; before the first one, those that are found now. Borrowed likewise. */
struct adapter_names adapter_names_known(const struct world *world);
/* Whether its namespace and Deployment have the usual names, to which the chart grants rights by itself. */
bool adapter_is_usual(const struct adapter_names *names);
/* What the Deployment surely reads its rules from, when that is not what `names` say: for a message, "ConfigMap 'ns/name',
 * key 'k'". Heap; NULL when it is the same, or cannot be told. */
char *adapter_reads_other(const struct adapter_found *found);

#endif
