/*
 * The load generator. Each request has a connection of its own and goes to the address with the
 * fewest of them, so that replicas that come later get their part at once.
 */
#include "load.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addresses.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "net/http_client.h"

#define REPORT_EVERY_MS 5000
#define FIRST_AFTER_MS 100
#define PAUSE_AFTER_FAILURE_MS 500

/* One of the requests that are always in flight. */
struct slot {
	struct run *run;
	struct http_transfer *transfer; /* NULL while pausing */
	struct address *address;        /* whom the transfer asks */
	uv_timer_t pause;
	int64_t started_ms;
};

struct run {
	const struct load_options *options;
	uv_loop_t loop;
	struct http_client *client;
	uv_timer_t report, end;
	uv_signal_t sigterm, sigint;
	struct addresses *addresses;
	char *body;
	struct slot *slots;
	int64_t started_ms;
	bool stopping, time_is_up;
	long finished, failed;
	int64_t latency_sum_ms, latency_max_ms;
	char *last_failure;
};

static void start(struct slot *slot);

static int count_in_flight(const struct run *run)
{
	int count = 0;

	for (int i = 0; i < run->options->inflight; i++) {
		count += run->slots[i].transfer != NULL;
	}
	return count;
}

static void print_summary(const struct run *run, const char *title)
{
	double elapsed_s = (double)(clock_monotonic_ms() - run->started_ms) / 1000;

	printf("%s: %.0f s, in flight %d, finished %ld (%.1f/s), failed %ld, latency mean %.0f ms max %lld ms%s%s\n",
		title, elapsed_s, count_in_flight(run), run->finished,
		elapsed_s > 0 ? (double)run->finished / elapsed_s : 0, run->failed,
		run->finished ? (double)run->latency_sum_ms / (double)run->finished : 0, (long long)run->latency_max_ms,
		run->last_failure != NULL ? ", last failure: " : "",
		run->last_failure != NULL ? run->last_failure : "");
	fflush(stdout);
}

static void on_pause_over(uv_timer_t *timer)
{
	start(timer->data);
}

/* Takes the message. */
static void fail(struct slot *slot, char *message)
{
	slot->run->failed++;
	free(slot->run->last_failure);
	slot->run->last_failure = message;
	uv_timer_start(&slot->pause, on_pause_over, PAUSE_AFTER_FAILURE_MS, 0);
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct slot *slot = ctx;
	struct run *run = slot->run;
	int64_t took_ms = clock_monotonic_ms() - slot->started_ms;

	slot->transfer = NULL;
	addresses_give_back(slot->address, response->status == 200);
	if (run->stopping) {
		return;
	}
	if (response->error == NULL && response->status == 200) {
		run->finished++;
		run->latency_sum_ms += took_ms;
		if (took_ms > run->latency_max_ms) {
			run->latency_max_ms = took_ms;
		}
		start(slot);
		return;
	}
	fail(slot, response->error != NULL ? xstrdup(response->error->message)
					   : xasprintf("HTTP %d: %.200s", response->status, response->body));
}

static void start(struct slot *slot)
{
	struct run *run = slot->run;
	const char *const headers[] = {"Content-Type: application/json", "Connection: close",
		addresses_host_header(run->addresses), NULL};
	struct http_request request = {.method = "POST",
		.headers = headers,
		.body = run->body,
		.body_len = strlen(run->body),
		.proxy = "",
		.done = on_done,
		.ctx = slot};
	auto_free char *url = NULL;

	slot->address = addresses_take(run->addresses);
	if (slot->address == NULL) {
		fail(slot, xasprintf("'%s' stands for no address", run->options->url));
		return;
	}
	request.url = url = xasprintf("%s/v1/completions", slot->address->base);
	slot->started_ms = clock_monotonic_ms();
	slot->transfer = http_client_start(run->client, &request);
}

static void on_report(uv_timer_t *timer)
{
	print_summary(timer->data, "load");
}

static void on_client_closed(void *ctx)
{
	struct run *run = ctx;

	addresses_close(run->addresses);
	for (int i = 0; i < run->options->inflight; i++) {
		uv_close((uv_handle_t *)&run->slots[i].pause, NULL);
	}
	uv_close((uv_handle_t *)&run->report, NULL);
	uv_close((uv_handle_t *)&run->end, NULL);
	uv_close((uv_handle_t *)&run->sigterm, NULL);
	uv_close((uv_handle_t *)&run->sigint, NULL);
}

static void stop(struct run *run)
{
	if (run->stopping) {
		return;
	}
	print_summary(run, "load ended");
	run->stopping = true;
	for (int i = 0; i < run->options->inflight; i++) {
		uv_timer_stop(&run->slots[i].pause);
	}
	http_client_close(run->client, on_client_closed, run);
}

static void on_end(uv_timer_t *timer)
{
	struct run *run = timer->data;

	run->time_is_up = true;
	stop(run);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	(void)signum;
	stop(handle->data);
}

static void watch_signal(struct run *run, uv_signal_t *handle, int signum)
{
	uv_signal_init(&run->loop, handle);
	handle->data = run;
	uv_signal_start(handle, on_signal, signum);
}

static void start_timer(struct run *run, uv_timer_t *timer, uv_timer_cb on_time, int64_t ms, int64_t repeat_ms)
{
	uv_timer_init(&run->loop, timer);
	timer->data = run;
	if (ms > 0) {
		uv_timer_start(timer, on_time, (uint64_t)ms, (uint64_t)repeat_ms);
	}
}

static char *make_body(const struct load_options *options)
{
	auto_json *body = json_pack("{s:s*, s:s, s:i}", "model", options->model, "prompt",
		"Say nothing, and take your time about it.", "max_tokens", 16);

	return json_text(body);
}

int load(const struct load_options *options)
{
	struct run run = {.options = options};
	auto_error err = ERROR_INIT;

	uv_loop_init(&run.loop);
	run.addresses = addresses_new(&run.loop, options->url, &err);
	if (run.addresses == NULL) {
		fprintf(stderr, "vllm-standin: %s\n", err.message);
		uv_loop_close(&run.loop);
		return EXIT_FAILURE;
	}
	run.client = http_client_new(&run.loop);
	run.body = make_body(options);
	run.started_ms = clock_monotonic_ms();
	watch_signal(&run, &run.sigterm, SIGTERM);
	watch_signal(&run, &run.sigint, SIGINT);
	start_timer(&run, &run.report, on_report, REPORT_EVERY_MS, REPORT_EVERY_MS);
	start_timer(&run, &run.end, on_end, options->duration_ms, 0);
	run.slots = xcalloc((size_t)options->inflight, sizeof(*run.slots));
	for (int i = 0; i < options->inflight; i++) {
		run.slots[i].run = &run;
		uv_timer_init(&run.loop, &run.slots[i].pause);
		run.slots[i].pause.data = &run.slots[i];
		/* The name is being resolved meanwhile. */
		uv_timer_start(&run.slots[i].pause, on_pause_over, FIRST_AFTER_MS, 0);
	}
	uv_run(&run.loop, UV_RUN_DEFAULT);
	uv_loop_close(&run.loop);
	free(run.slots);
	addresses_free(run.addresses);
	free(run.body);
	free(run.last_failure);
	return run.time_is_up && run.finished == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
