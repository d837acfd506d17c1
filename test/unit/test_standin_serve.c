/* The stand-in as a process: its routes, its load generator, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "event_loop.h"
#include "net/http_client.h"
#include "standin/dcgm.h"
#include "standin/load.h"
#include "standin/serve.h"

struct world {
	struct event_loop loop;
	struct http_client *client;
	pid_t server;
	FILE *reported; /* its stderr */
	char *url;
	int done, status; /* of ask() */
	char *body;
	char *redirect;          /* "" = none */
	int ended, ended_status; /* of start() */
};

/* Forks a server, and reads the port from what it says. */
static struct world *world_start(int (*run)(const void *options), const void *options)
{
	struct world *w = xcalloc(1, sizeof(*w));
	char line[256] = "";
	const char *port;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	w->server = fork();
	assert_true(w->server >= 0);
	if (w->server == 0) {
		alarm(60); /* outlives no failed test */
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(run(options));
	}
	close(ends[1]);
	w->reported = fdopen(ends[0], "r");
	assert_non_null(fgets(line, sizeof(line), w->reported));
	port = strrchr(line, ' ');
	assert_non_null(port);
	w->url = xasprintf("http://127.0.0.1:%d", atoi(port));
	event_loop_init(&w->loop);
	w->client = http_client_new(&w->loop.uv);
	return w;
}

static int run_serve(const void *options)
{
	return serve(options);
}

static int run_dcgm(const void *options)
{
	return dcgm_serve(options);
}

static struct world *world_new(struct serve_options options)
{
	options.listen = "127.0.0.1:0";
	options.model = "tiny";
	options.kind = options.kind != NULL ? options.kind : kind_find("vllm", GENERATION_NEW);
	return world_start(run_serve, &options);
}

static void world_free(struct world *w)
{
	int closed = 0;

	http_client_close(w->client, event_loop_count, &closed);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
	assert_true(event_loop_end(&w->loop));
	fclose(w->reported);
	free(w->url);
	free(w->body);
	free(w->redirect);
	free(w);
}

/* Waits for the server's end; its exit code, or -1 when something else ended it. */
static int server_end(struct world *w)
{
	int status = 0;

	assert_int_equal(waitpid(w->server, &status, 0), w->server);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	free(w->body);
	free(w->redirect);
	w->redirect = xstrdup(response->redirect);
	w->status = response->error != NULL ? 0 : response->status;
	w->body = xstrdup(response->body);
	w->done++;
}

static void on_ended(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	w->ended_status = response->error != NULL ? 0 : response->status;
	w->ended++;
}

static struct http_transfer *start_with(struct world *w, const char *method, const char *path, const char *body,
	http_done_fn *done)
{
	auto_free char *url = xasprintf("%s%s", w->url, path);
	struct http_request request = {.method = method,
		.url = url,
		.body = body,
		.body_len = body != NULL ? strlen(body) : 0,
		.proxy = "",
		.done = done,
		.ctx = w,
		.timeout_ms = 8000};

	return http_client_start(w->client, &request);
}

/* Leaves it under way. */
static struct http_transfer *start(struct world *w, const char *method, const char *path, const char *body)
{
	return start_with(w, method, path, body, on_ended);
}

static int ask(struct world *w, const char *method, const char *path, const char *body)
{
	int before = w->done;

	start_with(w, method, path, body, on_done);
	assert_true(event_loop_wait(&w->loop, &w->done, before + 1));
	return w->status;
}

/* The value of a sample, found by its whole name with labels; asks until it is so. */
static void await_sample(struct world *w, const char *sample)
{
	uint64_t deadline = uv_now(&w->loop.uv) + 5000;

	do {
		assert_int_equal(ask(w, "GET", "/metrics", NULL), 200);
		if (strstr(w->body, sample) != NULL) {
			return;
		}
	} while (uv_now(&w->loop.uv) < deadline);
	fail_msg("never on the page: %s", sample);
}

#define RUNNING "\nvllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} "
#define WAITING "\nvllm:num_requests_waiting{engine=\"0\",model_name=\"tiny\"} "
#define PROMPT "{\"model\":\"tiny\",\"prompt\":\"hi\",\"max_tokens\":3}"

static void routes_answer(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int status;
		const char *answer;
	} cases[] = {
		{"GET", "/health", NULL, 200, ""},
		{"GET", "/version", NULL, 200, "\"version\":"},
		{"GET", "/v1/models", NULL, 200, "\"id\":\"tiny\""},
		{"POST", "/v1/completions", PROMPT, 200, "\"completion_tokens\":3"},
		{"POST", "/v1/completions", "{\"prompt\":\"hi\"}", 200, "\"object\":\"text_completion\""},
		{"POST", "/v1/chat/completions", "{\"messages\":[]}", 200, "\"object\":\"chat.completion\""},
		{"POST", "/v1/completions", "{", 400, "line 1"},
		{"POST", "/v1/completions", "[]", 400, "not an object"},
		{"POST", "/v1/completions", "{}", 400, "field 'prompt' is required"},
		{"POST", "/v1/chat/completions", "{}", 400, "field 'messages' is required"},
		{"POST", "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":0}", 400, "field 'max_tokens'"},
		{"POST", "/v1/completions", "{\"prompt\":\"x\",\"stream\":true}", 400, "field 'stream'"},
		{"POST", "/v1/completions", "{\"prompt\":\"x\",\"model\":\"y\"}", 404, "The model `y` does not exist."},
		{"GET", "/v1/completions", NULL, 405, "Method Not Allowed"},
		{"GET", "/nothing", NULL, 404, "Not Found"},
		{"GET", "/metrics", NULL, 200,
			"\nvllm:generation_tokens_total{engine=\"0\",model_name=\"tiny\"} 35.0\n"},
	};
	struct world *w = world_new((struct serve_options){.max_num_seqs = 4, .latency_ms = 1});

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ask(w, cases[i].method, cases[i].path, cases[i].body);
		if (w->status != cases[i].status || strstr(w->body, cases[i].answer) == NULL) {
			fail_msg("%s %s %s: %d %s", cases[i].method, cases[i].path, cases[i].body ? cases[i].body : "",
				w->status, w->body);
		}
	}
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void a_request_runs_for_the_latency_and_leaves_with_its_client(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 100000});
	struct http_transfer *first = start(w, "POST", "/v1/completions", PROMPT);
	struct http_transfer *second;

	(void)state;
	await_sample(w, RUNNING "1.0\n");
	second = start(w, "POST", "/v1/completions", PROMPT);
	await_sample(w, WAITING "1.0\n");
	assert_non_null(strstr(w->body, RUNNING "1.0\n"));
	http_transfer_cancel(first);
	await_sample(w, WAITING "0.0\n");
	assert_non_null(strstr(w->body, RUNNING "1.0\n"));
	http_transfer_cancel(second);
	await_sample(w, RUNNING "0.0\n");
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void load_is_answered(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 2, .latency_ms = 20});
	struct load_options options = {.url = w->url, .inflight = 6, .duration_ms = 400};

	(void)state;
	assert_int_equal(load(&options), 0);
	ask(w, "GET", "/metrics", NULL);
	assert_null(strstr(w->body, "finished_reason=\"length\",model_name=\"tiny\"} 0.0\n"));
	await_sample(w, RUNNING "0.0\n"); /* what was in flight at the end has left */
	options.model = "another";
	options.duration_ms = 50;
	assert_int_equal(load(&options), 1); /* nothing was answered */
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void sigterm_finishes_what_is_in(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 300});

	(void)state;
	start(w, "POST", "/v1/completions", PROMPT);
	await_sample(w, RUNNING "1.0\n");
	kill(w->server, SIGTERM);
	assert_true(event_loop_wait(&w->loop, &w->ended, 1));
	assert_int_equal(w->ended_status, 200);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void a_second_sigterm_ends_it(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 100000});

	(void)state;
	start(w, "POST", "/v1/completions", PROMPT);
	await_sample(w, RUNNING "1.0\n");
	kill(w->server, SIGTERM);
	while (ask(w, "GET", "/health", NULL) != 503) { /* until the first was noticed */
	}
	kill(w->server, SIGTERM);
	assert_true(event_loop_wait(&w->loop, &w->ended, 1));
	assert_int_equal(w->ended_status, 503);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void a_loading_model_answers_503(void **state)
{
	struct world *w =
		world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 1, .startup_delay_ms = 100000});

	(void)state;
	assert_int_equal(ask(w, "GET", "/health", NULL), 503);
	assert_int_equal(ask(w, "GET", "/metrics", NULL), 503);
	assert_int_equal(ask(w, "POST", "/v1/completions", PROMPT), 503);
	assert_int_equal(ask(w, "GET", "/version", NULL), 200);
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void metrics_can_be_refused_or_hang(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 1, .page_status = 401});

	(void)state;
	assert_int_equal(ask(w, "GET", "/metrics", NULL), 401);
	assert_int_equal(ask(w, "GET", "/health", NULL), 200);
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);

	w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 1, .hang = 1});
	start(w, "GET", "/metrics", NULL);
	assert_int_equal(ask(w, "GET", "/health", NULL), 200);
	assert_false(event_loop_wait_for(&w->loop, &w->ended, 1, 200));
	kill(w->server, SIGTERM);
	assert_true(event_loop_wait(&w->loop, &w->ended, 1));
	assert_int_equal(w->ended_status, 503);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void the_page_can_move(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 1, .page_moved = "/stats"});
	auto_free char *moved = xasprintf("%s/stats", w->url);

	(void)state;
	assert_int_equal(ask(w, "GET", "/metrics", NULL), 307);
	assert_string_equal(w->redirect, moved);
	assert_int_equal(ask(w, "GET", "/stats", NULL), 200);
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void health_hangs_under_load(void **state)
{
	struct world *w =
		world_new((struct serve_options){.max_num_seqs = 2, .latency_ms = 2000, .health_hangs_above = 1});

	(void)state;
	assert_int_equal(ask(w, "GET", "/health", NULL), 200);
	start(w, "POST", "/v1/completions", PROMPT);
	start(w, "POST", "/v1/completions", PROMPT);
	await_sample(w, RUNNING "2.0\n");
	start(w, "GET", "/health", NULL);
	assert_true(event_loop_wait(&w->loop, &w->ended, 2));
	assert_false(event_loop_wait_for(&w->loop, &w->ended, 3, 200));
	kill(w->server, SIGTERM);
	assert_true(event_loop_wait(&w->loop, &w->ended, 3));
	assert_int_equal(w->ended_status, 503);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void health_can_fail_while_the_page_has_zeros(void **state)
{
	struct world *w = world_new((struct serve_options){.max_num_seqs = 1, .latency_ms = 1, .unhealthy_ms = 300});

	(void)state;
	assert_int_equal(ask(w, "GET", "/health", NULL), 503);
	await_sample(w, RUNNING "0.0\n");
	while (ask(w, "GET", "/health", NULL) != 200) { /* until its time is over */
	}
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void samples_can_be_of_a_clock_that_is_late(void **state)
{
	struct world *w = world_new(
		(struct serve_options){.max_num_seqs = 1, .latency_ms = 1, .clock_behind_ms = INT64_C(600000)});
	int64_t latest = clock_wall_ms() - 600000;
	const char *sample;
	int64_t stamp;

	(void)state;
	assert_int_equal(ask(w, "GET", "/metrics", NULL), 200);
	assert_true(strncmp(w->body, "# HELP ", 7) == 0);
	sample = strstr(w->body, "\nvllm:num_requests_running{");
	assert_non_null(sample);
	assert_int_equal(sscanf(strchr(sample, '}'), "} 0.0 %" SCNd64, &stamp), 1);
	assert_in_range(stamp, latest, latest + 60000);
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void gauges_can_be_pinned(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"runing\":1}", "{\"running\":-1}", "{\"running\":\"1\"}",
		"{\"waiting\":9,\"kv\":1.5}"};
	struct world *w = world_new((struct serve_options){.max_num_seqs = 4, .latency_ms = 1});

	(void)state;
	assert_int_equal(ask(w, "POST", "/standin", "{\"running\":7,\"waiting\":2,\"kv\":0.25}"), 200);
	assert_string_equal(w->body, "{\"kv\":0.25,\"running\":7.0,\"waiting\":2.0}");
	/* whatever runs */
	assert_int_equal(ask(w, "POST", "/v1/completions", PROMPT), 200);
	ask(w, "GET", "/metrics", NULL);
	assert_non_null(strstr(w->body, RUNNING "7.0\n"));
	assert_non_null(strstr(w->body, WAITING "2.0\n"));
	assert_non_null(strstr(w->body, "\nvllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.25\n"));
	/* one alone leaves the others */
	assert_int_equal(ask(w, "POST", "/standin", "{\"running\":null}"), 200);
	ask(w, "GET", "/metrics", NULL);
	assert_non_null(strstr(w->body, RUNNING "NaN\n"));
	assert_non_null(strstr(w->body, WAITING "2.0\n"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(ask(w, "POST", "/standin", bad[i]), 400);
	}
	ask(w, "GET", "/standin", NULL);
	assert_string_equal(w->body, "{\"kv\":0.25,\"running\":null,\"waiting\":2.0}");
	assert_int_equal(ask(w, "DELETE", "/standin", NULL), 200);
	assert_string_equal(w->body, "{\"kv\":0.0,\"running\":0.0,\"waiting\":0.0}");
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void another_engine_is_served_where_it_is(void **state)
{
	struct world *w = world_new((struct serve_options){.kind = kind_find("tensorrt-llm", GENERATION_NEW),
		.max_num_seqs = 4,
		.latency_ms = 1});

	(void)state;
	assert_int_equal(ask(w, "GET", "/prometheus/metrics", NULL), 200);
	assert_null(strstr(w->body, "\ntrtllm_num_requests_running{"));
	assert_int_equal(ask(w, "GET", "/metrics", NULL), 200);
	assert_string_equal(w->body, "[]");
	assert_int_equal(ask(w, "POST", "/v1/completions", PROMPT), 200);
	ask(w, "GET", "/prometheus/metrics", NULL);
	assert_non_null(
		strstr(w->body, "\ntrtllm_generation_tokens_total{engine_type=\"trtllm\",model_name=\"tiny\"} 3.0\n"));
	ask(w, "GET", "/metrics", NULL);
	assert_non_null(strstr(w->body, "\"numActiveRequests\":0,"));
	ask(w, "GET", "/version", NULL);
	assert_string_equal(w->body, "{\"version\":\"1.3.0+standin\"}");
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

static void gpus_are_served_and_handed_out(void **state)
{
	struct dcgm_options options = {.listen = "127.0.0.1:0", .hostname = "node", .gpus = 1};
	struct world *w = world_start(run_dcgm, &options);

	(void)state;
	assert_int_equal(ask(w, "GET", "/health", NULL), 200);
	assert_int_equal(ask(w, "GET", "/metrics", NULL), 200);
	assert_null(strstr(w->body, "pod="));
	assert_int_equal(ask(w, "POST", "/standin", "[{\"namespace\":\"n\",\"pod\":\"a\",\"gpus\":[{\"util\":87}]}]"),
		200);
	ask(w, "GET", "/metrics", NULL);
	assert_non_null(strstr(w->body, "namespace=\"n\",pod=\"a\"} 87\n"));
	assert_int_equal(ask(w, "POST", "/standin", "[{\"namespace\":\"n\"}]"), 400);
	assert_non_null(strstr(w->body, "[0]: 'namespace' and 'pod' must be strings"));
	ask(w, "GET", "/standin", NULL);
	assert_non_null(strstr(w->body, "\"util\":87"));
	assert_int_equal(ask(w, "DELETE", "/standin", NULL), 200);
	ask(w, "GET", "/metrics", NULL);
	assert_null(strstr(w->body, "pod="));
	assert_int_equal(ask(w, "GET", "/nothing", NULL), 404);
	kill(w->server, SIGTERM);
	assert_int_equal(server_end(w), 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_answer),
		cmocka_unit_test(a_request_runs_for_the_latency_and_leaves_with_its_client),
		cmocka_unit_test(load_is_answered),
		cmocka_unit_test(sigterm_finishes_what_is_in),
		cmocka_unit_test(a_second_sigterm_ends_it),
		cmocka_unit_test(a_loading_model_answers_503),
		cmocka_unit_test(metrics_can_be_refused_or_hang),
		cmocka_unit_test(the_page_can_move),
		cmocka_unit_test(health_hangs_under_load),
		cmocka_unit_test(health_can_fail_while_the_page_has_zeros),
		cmocka_unit_test(samples_can_be_of_a_clock_that_is_late),
		cmocka_unit_test(gauges_can_be_pinned),
		cmocka_unit_test(another_engine_is_served_where_it_is),
		cmocka_unit_test(gpus_are_served_and_handed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
