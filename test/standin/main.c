/*
 * vllm-standin: an inference engine without a model, vLLM or another. It serves the engine's metrics
 * and takes requests, makes load on it, and stands in for the GPUs' exporter too, so that everything
 * around an engine can be tried on a machine without a GPU.
 */
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "dcgm.h"
#include "load.h"
#include "serve.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: vllm-standin serve [options]\n"
	"       vllm-standin load --url http://HOST:PORT [options]\n"
	"       vllm-standin dcgm [options]\n"
	"\n"
	"An inference engine without a model: serves the metrics page of vLLM or another engine and takes\n"
	"completions, or keeps completions in flight against one. 'dcgm' is NVIDIA's dcgm-exporter without\n"
	"a GPU. Each verb has its own --help.\n";

static const char serve_usage[] =
	"usage: vllm-standin serve [options]\n"
	"\n"
	"Serves the engine's metrics page and version where the engine does, and /health, /v1/models,\n"
	"/v1/completions and /v1/chat/completions. A first SIGTERM finishes the requests that are in, a\n"
	"second ends them.\n"
	"\n"
	"/standin says what the gauges say. POST pins them, whatever runs, and DELETE releases them:\n"
	"  curl -d '{\"running\": 7, \"waiting\": 2, \"kv\": 0.42}' http://HOST:PORT/standin\n"
	"Each may be left out; null is NaN. As those of the real ones, the pages of TGI and TensorRT-LLM\n"
	"have no samples before the first request, or the first pin.\n"
	"\n"
	"  --page ENGINE             vllm, sglang, tgi, tensorrt-llm, triton, lmdeploy, nim or llamacpp (vllm), or\n"
	"                            vllm-router, which stands before a fleet of vLLM\n"
	"  --generation new|old      of the names, where they changed: vLLM until 0.11, TensorRT-LLM without\n"
	"                            counts, Triton without 'waiting', LMDeploy until 0.12.0, NIM 1,\n"
	"                            llama.cpp with the cache's fill (new)\n"
	"  --listen HOST:PORT        where to listen (0.0.0.0 and the engine's usual port)\n"
	"  --model NAME              the model's name (standin)\n"
	"  --max-num-seqs N          requests that run at once; the others wait (256)\n"
	"  --parallel N              the same in llama.cpp's words\n"
	"  --latency DURATION        how long a request runs, as in 2s or 500ms (1s)\n"
	"  --startup-delay DURATION  answers 503 for so long, as while a model loads (0s)\n"
	"  --unhealthy-for DURATION  answers 503 at /health for so long, while the page has zeros already (0s)\n"
	"  --page-status STATUS      answers for the page with this HTTP status\n"
	"  --page-moved PATH         has the page at this path, and redirects from its usual one to it\n"
	"  --hang                    never answers for the page\n"
	"  --health-hangs-above N    never answers at /health while more than N requests run or wait, so that a\n"
	"                            readiness probe times out under load\n"
	"  --clock-behind DURATION   stamps the page's samples with a clock that is late by so much\n"
	"  --help                    prints this\n";

static const char dcgm_usage[] =
	"usage: vllm-standin dcgm [options]\n"
	"\n"
	"Serves /metrics as NVIDIA's dcgm-exporter 4.5 does, and /health.\n"
	"\n"
	"Which pod holds which GPU is POSTed to /standin, and replaces what was there; DELETE takes all away:\n"
	"  curl -d '[{\"namespace\": \"shop\", \"pod\": \"a\", \"container\": \"server\",\n"
	"             \"gpus\": [{\"util\": 87}, {\"util\": 3}]}]' http://HOST:PORT/standin\n"
	"util is percent, or null for a GPU of which DCGM says nothing; \"uuid\" makes two GPUs one,\n"
	"of which \"vgpu\" numbers the shares, as with --kubernetes-virtual-gpus.\n"
	"\n"
	"  --listen HOST:PORT  where to listen (0.0.0.0:9400)\n"
	"  --hostname NAME     the node's name (the machine's)\n"
	"  --gpus N            GPUs on the node; those that no pod holds are idle (1)\n"
	"  --pods JSON         who holds them at the start, as it is POSTed\n"
	"  --mig PROFILE       MIG instances instead of GPUs, as in 1g.10gb: no DCGM_FI_DEV_GPU_UTIL\n"
	"  --no-pods           leaves out who holds a GPU\n"
	"  --help              prints this\n";

static const char load_usage[] =
	"usage: vllm-standin load --url http://HOST:PORT [options]\n"
	"\n"
	"Keeps completions in flight, each on a connection of its own, and tells every 5 s how it goes.\n"
	"SIGTERM and SIGINT end it.\n"
	"\n"
	"  --url URL            the server; its scheme, host and port\n"
	"  --inflight N         how many requests at once (1)\n"
	"  --duration DURATION  how long, as in 600s or 10m; 0s is until a signal (0s)\n"
	"  --model NAME         the model to name (the server's own)\n"
	"  --help               prints this\n";

enum option_id {
	OPTION_HELP = 1,
	OPTION_LISTEN,
	OPTION_MODEL,
	OPTION_MAX_NUM_SEQS,
	OPTION_LATENCY,
	OPTION_STARTUP_DELAY,
	OPTION_PAGE,
	OPTION_GENERATION,
	OPTION_UNHEALTHY_FOR,
	OPTION_PAGE_STATUS,
	OPTION_PAGE_MOVED,
	OPTION_HANG,
	OPTION_HEALTH_HANGS_ABOVE,
	OPTION_CLOCK_BEHIND,
	OPTION_URL,
	OPTION_INFLIGHT,
	OPTION_DURATION,
	OPTION_HOSTNAME,
	OPTION_GPUS,
	OPTION_PODS,
	OPTION_MIG,
	OPTION_NO_PODS,
};

static int complain(const char *name, const char *value, const char *wanted)
{
	fprintf(stderr, "vllm-standin: cannot use '%s' for --%s: give %s\n", value, name, wanted);
	return EXIT_USAGE;
}

/* A whole number of at least 1; -1 when it is not that. */
static int parse_count(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return *text != '\0' && *end == '\0' && value >= 1 && value <= 1000000 ? (int)value : -1;
}

/* The next option, 0 at the end, -1 after complaining or printing help, with the exit code in *rc. */
static int next_option(int argc, char **argv, const struct option *options, const char *help, int *index, int *rc)
{
	int id = getopt_long(argc, argv, "", options, index);

	if (id == -1 && optind == argc) {
		return 0;
	}
	if (id == OPTION_HELP) {
		fputs(help, stdout);
		*rc = EXIT_SUCCESS;
		return -1;
	}
	if (id == -1) {
		fprintf(stderr, "vllm-standin: unexpected argument '%s': see --help\n", argv[optind]);
	}
	if (id == -1 || id == '?') {
		*rc = EXIT_USAGE;
		return -1;
	}
	return id;
}

static int serve_verb(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, OPTION_HELP},
		{"listen", required_argument, NULL, OPTION_LISTEN},
		{"model", required_argument, NULL, OPTION_MODEL},
		{"max-num-seqs", required_argument, NULL, OPTION_MAX_NUM_SEQS},
		{"parallel", required_argument, NULL, OPTION_MAX_NUM_SEQS},
		{"latency", required_argument, NULL, OPTION_LATENCY},
		{"startup-delay", required_argument, NULL, OPTION_STARTUP_DELAY},
		{"page", required_argument, NULL, OPTION_PAGE},
		{"generation", required_argument, NULL, OPTION_GENERATION},
		{"unhealthy-for", required_argument, NULL, OPTION_UNHEALTHY_FOR},
		{"page-status", required_argument, NULL, OPTION_PAGE_STATUS},
		{"page-moved", required_argument, NULL, OPTION_PAGE_MOVED},
		{"hang", no_argument, NULL, OPTION_HANG},
		{"health-hangs-above", required_argument, NULL, OPTION_HEALTH_HANGS_ABOVE},
		{"clock-behind", required_argument, NULL, OPTION_CLOCK_BEHIND},
		{0},
	};
	struct serve_options so = {.model = "standin", .max_num_seqs = 256, .latency_ms = 1000};
	const char *page = "vllm";
	enum standin_generation generation = GENERATION_NEW;
	auto_free char *usual = NULL;
	int index = 0, id, rc = EXIT_SUCCESS;

	while ((id = next_option(argc, argv, options, serve_usage, &index, &rc)) > 0) {
		const char *name = options[index].name;

		switch (id) {
		case OPTION_LISTEN:
			so.listen = optarg;
			break;
		case OPTION_MODEL:
			so.model = optarg;
			break;
		case OPTION_MAX_NUM_SEQS:
			if ((so.max_num_seqs = parse_count(optarg)) < 0) {
				return complain(name, optarg, "a whole number from 1");
			}
			break;
		case OPTION_LATENCY:
			if ((so.latency_ms = clock_parse_duration(optarg)) < 0) {
				return complain(name, optarg, "a duration, as in 2s");
			}
			break;
		case OPTION_STARTUP_DELAY:
			if ((so.startup_delay_ms = clock_parse_duration(optarg)) < 0) {
				return complain(name, optarg, "a duration, as in 20s");
			}
			break;
		case OPTION_PAGE:
			page = optarg;
			if (kind_find(page, generation) == NULL) {
				return complain(name, optarg, KIND_NAMES);
			}
			break;
		case OPTION_GENERATION:
			if (strcmp(optarg, "new") != 0 && strcmp(optarg, "old") != 0) {
				return complain(name, optarg, "new or old");
			}
			generation = strcmp(optarg, "old") == 0 ? GENERATION_OLD : GENERATION_NEW;
			break;
		case OPTION_UNHEALTHY_FOR:
			if ((so.unhealthy_ms = clock_parse_duration(optarg)) < 0) {
				return complain(name, optarg, "a duration, as in 20s");
			}
			break;
		case OPTION_PAGE_STATUS:
			if ((so.page_status = parse_count(optarg)) < 100 || so.page_status > 599) {
				return complain(name, optarg, "an HTTP status, as in 503");
			}
			break;
		case OPTION_PAGE_MOVED:
			so.page_moved = optarg;
			break;
		case OPTION_HANG:
			so.hang = true;
			break;
		case OPTION_HEALTH_HANGS_ABOVE:
			if ((so.health_hangs_above = parse_count(optarg)) < 0) {
				return complain(name, optarg, "a whole number from 1");
			}
			break;
		case OPTION_CLOCK_BEHIND:
			if ((so.clock_behind_ms = clock_parse_duration(optarg)) < 0) {
				return complain(name, optarg, "a duration, as in 10m");
			}
			break;
		}
	}
	if (id < 0) {
		return rc;
	}
	so.kind = kind_find(page, generation);
	usual = xasprintf("0.0.0.0:%d", so.kind->port);
	so.listen = so.listen != NULL ? so.listen : usual;
	return serve(&so);
}

static int dcgm_verb(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, OPTION_HELP},
		{"listen", required_argument, NULL, OPTION_LISTEN},
		{"hostname", required_argument, NULL, OPTION_HOSTNAME},
		{"gpus", required_argument, NULL, OPTION_GPUS},
		{"pods", required_argument, NULL, OPTION_PODS},
		{"mig", required_argument, NULL, OPTION_MIG},
		{"no-pods", no_argument, NULL, OPTION_NO_PODS},
		{0},
	};
	char hostname[256] = "";
	struct dcgm_options dco = {.listen = "0.0.0.0:9400", .hostname = hostname, .gpus = 1};
	auto_json *pods = NULL;
	auto_error err = ERROR_INIT;
	int index = 0, id, rc = EXIT_SUCCESS;

	gethostname(hostname, sizeof(hostname) - 1);
	while ((id = next_option(argc, argv, options, dcgm_usage, &index, &rc)) > 0) {
		switch (id) {
		case OPTION_LISTEN:
			dco.listen = optarg;
			break;
		case OPTION_HOSTNAME:
			dco.hostname = optarg;
			break;
		case OPTION_GPUS:
			if ((dco.gpus = parse_count(optarg)) < 0) {
				return complain(options[index].name, optarg, "a whole number from 1");
			}
			break;
		case OPTION_PODS:
			json_decref(pods);
			pods = json_parse(optarg, strlen(optarg), &err);
			if (pods == NULL || dcgm_check(pods, &err) < 0) {
				fprintf(stderr, "vllm-standin: --pods: %s\n", err.message);
				return EXIT_USAGE;
			}
			break;
		case OPTION_MIG:
			dco.mig = optarg;
			break;
		case OPTION_NO_PODS:
			dco.no_pods = true;
			break;
		}
	}
	dco.assignment = pods;
	return id < 0 ? rc : dcgm_serve(&dco);
}

static int load_verb(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, OPTION_HELP},
		{"url", required_argument, NULL, OPTION_URL},
		{"inflight", required_argument, NULL, OPTION_INFLIGHT},
		{"duration", required_argument, NULL, OPTION_DURATION},
		{"model", required_argument, NULL, OPTION_MODEL},
		{0},
	};
	struct load_options lo = {.inflight = 1};
	int index = 0, id, rc = EXIT_SUCCESS;

	while ((id = next_option(argc, argv, options, load_usage, &index, &rc)) > 0) {
		const char *name = options[index].name;

		switch (id) {
		case OPTION_URL:
			if (strncmp(optarg, "http://", 7) != 0 && strncmp(optarg, "https://", 8) != 0) {
				return complain(name, optarg, "a URL, as in http://127.0.0.1:8000");
			}
			lo.url = optarg;
			break;
		case OPTION_INFLIGHT:
			if ((lo.inflight = parse_count(optarg)) < 0) {
				return complain(name, optarg, "a whole number from 1");
			}
			break;
		case OPTION_DURATION:
			if ((lo.duration_ms = clock_parse_duration(optarg)) < 0) {
				return complain(name, optarg, "a duration, as in 600s");
			}
			break;
		case OPTION_MODEL:
			lo.model = optarg;
			break;
		}
	}
	if (id < 0) {
		return rc;
	}
	if (lo.url == NULL) {
		fputs("vllm-standin: load needs to know the server: give --url http://HOST:PORT\n", stderr);
		return EXIT_USAGE;
	}
	return load(&lo);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc > 1) {
		argv[1] = argv[0]; /* what getopt_long() calls us */
	}
	if (strcmp(verb, "serve") == 0) {
		return serve_verb(argc - 1, argv + 1);
	}
	if (strcmp(verb, "load") == 0) {
		return load_verb(argc - 1, argv + 1);
	}
	if (strcmp(verb, "dcgm") == 0) {
		return dcgm_verb(argc - 1, argv + 1);
	}
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (*verb) {
		fprintf(stderr, "vllm-standin: unknown verb '%s'\n", verb);
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}
