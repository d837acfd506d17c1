/* Telling of APIServices that changed hands. */
#include "reconcile/handover.h"

#include "base/memory.h"
#include "registered.h"

static struct transition taken_over(const struct view_apiservice *api)
{
	return (struct transition){
		.reason = "TakenOver",
		.action = "TakeOver",
		.note = xasprintf(
			"'%s' of Service '%s/%s' leads to the operator, which passes on to it what is not its own",
			api->view.meta.name, api->former.service_namespace, api->former.service_name),
	};
}

static struct transition given_back(const struct world *world, const struct view_apiservice *api)
{
	struct transition told = {.reason = "GivenBack", .action = "GiveBack"};
	const char *name = api->view.meta.name;
	const char *ns = api->service_namespace;
	const char *service = api->service_name;

	if (world->forward_failure != NULL) {
		told.warning = true;
		told.note = xasprintf(
			"'%s' leads to Service '%s/%s' again, since what others asked could not be passed on to it (%s)",
			name, ns, service, world->forward_failure);
	} else if (world->shared->takeover.wanted || world->shared->takeover.reverted || api->former.noted) {
		told.warning = true;
		told.note =
			xasprintf("'%s' leads to Service '%s/%s' again, and not by this operator, which leaves it so",
				name, ns, service);
	} else {
		told.note = xasprintf("'%s' leads to Service '%s/%s' again", name, ns, service);
	}
	return told;
}

size_t handovers_find(const struct world *world, const struct takeover_memory *before,
	struct handover found[APISERVICES])
{
	const struct takeover_memory *now = &world->shared->takeover;
	size_t count = 0;

	for (size_t i = 0; i < APISERVICES && before->noted; i++) {
		const struct view_apiservice *api = registered(world, apiservices[i]);

		if (api == NULL || before->taken[i] == now->taken[i]) {
			continue;
		}
		/* One that was made beside another's was nobody's before. */
		if (now->taken[i] && api->former.service_name != NULL) {
			found[count++] = (struct handover){api, taken_over(api)};
		} else if (!now->taken[i] && !registered_leads_to_us(world, api)) {
			found[count++] = (struct handover){api, given_back(world, api)};
		}
	}
	return count;
}
