/* A bucket of tokens for each object. */
#include "event_budget.h"

#include "base/keep.h"

#define BURST 25

struct budget {
	double writes;
	int64_t at_ms;
};

static void budget_free(void *value)
{
	keep_free(value, sizeof(struct budget));
}

void budgets_init(struct map *budgets)
{
	map_init(budgets, budget_free);
}

static void refill(struct budget *budget, int64_t now, int64_t refill_ms)
{
	budget->writes += (double)(now - budget->at_ms) / (double)refill_ms;
	budget->writes = budget->writes > BURST ? BURST : budget->writes;
	budget->at_ms = now;
}

bool budgets_spend(struct map *budgets, const char *object, int64_t now, int64_t refill_ms)
{
	struct budget *budget = map_get(budgets, object);

	if (budget == NULL) {
		budget = keep_new(sizeof(*budget));
		*budget = (struct budget){.writes = BURST, .at_ms = now};
		map_put(budgets, object, budget);
	}
	refill(budget, now, refill_ms);
	if (budget->writes < 1) {
		return false;
	}
	budget->writes -= 1;
	return true;
}

void budgets_sweep(struct map *budgets, int64_t now, int64_t refill_ms)
{
	const char *key;
	void *value;
	size_t pos = 0;

	while (map_next(budgets, &pos, &key, &value)) {
		struct budget *budget = value;

		refill(budget, now, refill_ms);
		if (budget->writes >= BURST) {
			map_remove(budgets, key);
		}
	}
}
