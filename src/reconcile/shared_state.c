/* What the shared pass found. */
#include "adapter_fight.h"
#include "base/json.h"
#include "base/memory.h"
#include "reconcile/reconcile.h"

void shared_state_release(struct shared_state *state)
{
	free_indirect(&state->message);
	json_decref(state->conflicts);
	gpu_survey_free(state->gpu);
	adapter_survey_free(state->adapter);
	texts_release(&state->gpu_memory.scraped);
	free_indirect(&state->api_message);
	free_indirect(&state->own.message);
	adapter_fight_release(&state->fight);
	*state = SHARED_STATE_INIT;
}

struct shared_state shared_state_next(struct shared_state *before)
{
	struct shared_state next = SHARED_STATE_INIT;

	next.fight = before->fight;
	next.takeover = before->takeover;
	next.vacancy = before->vacancy;
	next.gpu_memory = before->gpu_memory;
	before->fight = ADAPTER_FIGHT_INIT;
	before->gpu_memory = (struct gpu_memory){.mended_ms = 0};
	return next;
}

void shared_state_set(struct shared_state *state, enum adapter_state value, const char *reason, char *message)
{
	free_indirect(&state->message);
	state->state = value;
	state->reason = reason;
	state->message = message;
}
