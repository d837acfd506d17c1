/* How long the turns of the loop take. */
#include "turns.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/memory.h"

#define NS_PER_US 1000
#define US_PER_S 1000000

/* 10 ms is what the work queue takes of a turn, 50 ms the most that a turn may take, and from a second on a kubelet's
 * probe gives up. */
static const struct {
	const char *le;
	uint64_t ns;
} bounds[] = {
	{"0.005", 5000000},
	{"0.01", 10000000},
	{"0.025", 25000000},
	{"0.05", 50000000},
	{"0.1", 100000000},
	{"0.25", 250000000},
	{"0.5", 500000000},
	{"1", 1000000000},
};

/* The two measures of a turn. On a machine that is busy, or with a limit of CPU, the first is often longer by what the
 * thread waited for a processor. */
enum measure {
	WALL,
	CPU,
	MEASURES,
};

static const struct {
	const char *name, *help;
} measures[MEASURES] = {
	[WALL] = {"inference_autoscaler_loop_turn_seconds",
		"How long the turns of the operator's loop take, in which nothing else is done."},
	[CPU] = {"inference_autoscaler_loop_turn_cpu_seconds",
		"How much time of a processor the turns of the operator's loop take; the rest of "
		"inference_autoscaler_loop_turn_seconds is mostly waiting for one."},
};

struct histogram {
	uint64_t counts[ARRAY_LEN(bounds)];
	uint64_t count; /* of all, those beyond the last bound too */
	uint64_t sum_ns;
};

struct turns {
	uv_prepare_t prepare;
	uint64_t began_ns; /* the turn; 0 = none yet */
	uint64_t idle_ns;  /* of the loop until then */
	int64_t worked_ns; /* of the thread until then */
	struct histogram seen[MEASURES];
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* Right before the poll, in which the callbacks of sockets run as well: so that a turn lasts from here to here, but for
 * the time that the poll waited. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct turns *turns = prepare->data;
	uint64_t now_ns = uv_hrtime();
	uint64_t idle_ns = uv_metrics_idle_time(prepare->loop);
	int64_t worked_ns = clock_worked_ns();

	if (turns->began_ns > 0) {
		turns_count(turns, now_ns - turns->began_ns - (idle_ns - turns->idle_ns),
			(uint64_t)(worked_ns - turns->worked_ns));
	}
	turns->began_ns = now_ns;
	turns->idle_ns = idle_ns;
	turns->worked_ns = worked_ns;
}

struct turns *turns_new(uv_loop_t *loop)
{
	struct turns *turns = xcalloc(1, sizeof(*turns));

	uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
	uv_prepare_init(loop, &turns->prepare);
	turns->prepare.data = turns;
	uv_prepare_start(&turns->prepare, on_prepare);
	return turns;
}

static void on_closed(uv_handle_t *handle)
{
	struct turns *turns = handle->data;
	void (*closed)(void *ctx) = turns->closed;
	void *ctx = turns->closed_ctx;

	free_indirect(&turns);
	closed(ctx);
}

void turns_close(struct turns *turns, void (*closed)(void *ctx), void *ctx)
{
	turns->closed = closed;
	turns->closed_ctx = ctx;
	uv_close((uv_handle_t *)&turns->prepare, on_closed);
}

static void add(struct histogram *seen, uint64_t ns)
{
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		seen->counts[i] += ns <= bounds[i].ns ? 1 : 0;
	}
	seen->count++;
	seen->sum_ns += ns;
}

void turns_count(struct turns *turns, uint64_t wall_ns, uint64_t cpu_ns)
{
	add(&turns->seen[WALL], wall_ns);
	add(&turns->seen[CPU], cpu_ns);
}

static void write_histogram(const struct histogram *seen, const char *name, const char *help, struct strbuf *page)
{
	unsigned long long sum_us = seen->sum_ns / NS_PER_US;
	unsigned long long count = seen->count;

	strbuf_addf(page, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		strbuf_addf(page, "%s_bucket{le=\"%s\"} %llu\n", name, bounds[i].le,
			(unsigned long long)seen->counts[i]);
	}
	strbuf_addf(page, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu.%06llu\n%s_count %llu\n", name, count, name,
		sum_us / US_PER_S, sum_us % US_PER_S, name, count);
}

void turns_metrics(const struct turns *turns, struct strbuf *page)
{
	for (size_t i = 0; i < MEASURES; i++) {
		write_histogram(&turns->seen[i], measures[i].name, measures[i].help, page);
	}
}
