/* Resolving spec.source. */
#include "reconcile/source.h"

#include "reconcile/registration.h"

bool source_is_direct(const struct world *world, const struct autoscaler *spec)
{
	enum source source = autoscaler_source(spec);

	return source == SOURCE_DIRECT || (source == SOURCE_AUTO && registration_is_ours(world));
}
