/*
 * vllm-standin: an inference engine without a model. It serves vLLM's HTTP interface and metrics, and
 * makes load on it, so that everything around an engine can be tried on a machine without a GPU.
 */
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "load.h"
#include "serve.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: vllm-standin serve [options]\n"
	"       vllm-standin load --url http://HOST:PORT [options]\n"
	"\n"
	"An inference engine without a model: serves vLLM's HTTP interface and metrics page, or keeps\n"
	"completions in flight against one. See 'vllm-standin serve --help' and 'vllm-standin load --help'.\n";

static const char serve_usage[] =
	"usage: vllm-standin serve [options]\n"
	"\n"
	"Serves /metrics, /health, /version, /v1/models, /v1/completions and /v1/chat/completions.\n"
	"A first SIGTERM finishes the requests that are in, a second ends them.\n"
	"\n"
	"  --listen HOST:PORT        where to listen (0.0.0.0:8000)\n"
	"  --model NAME              the model's name (standin)\n"
	"  --max-num-seqs N          requests that run at once; the others wait (256)\n"
	"  --latency DURATION        how long a request runs, as in 2s or 500ms (1s)\n"
	"  --startup-delay DURATION  answers 503 for so long, as while a model loads (0s)\n"
	"  --metrics-names NAMES     'current', or 'v0.10' for vllm:gpu_cache_usage_perc (current)\n"
	"  --refuse                  answers /metrics with 503\n"
	"  --hang                    never answers /metrics\n"
	"  --help                    prints this\n";

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
	OPTION_METRICS_NAMES,
	OPTION_REFUSE,
	OPTION_HANG,
	OPTION_URL,
	OPTION_INFLIGHT,
	OPTION_DURATION,
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

	if (id == -1 && optind == argc)
		return 0;
	if (id == OPTION_HELP) {
		fputs(help, stdout);
		*rc = EXIT_SUCCESS;
		return -1;
	}
	if (id == -1)
		fprintf(stderr, "vllm-standin: unexpected argument '%s': see --help\n", argv[optind]);
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
		{"latency", required_argument, NULL, OPTION_LATENCY},
		{"startup-delay", required_argument, NULL, OPTION_STARTUP_DELAY},
		{"metrics-names", required_argument, NULL, OPTION_METRICS_NAMES},
		{"refuse", no_argument, NULL, OPTION_REFUSE},
		{"hang", no_argument, NULL, OPTION_HANG},
		{0},
	};
	struct serve_options so = {
		.listen = "0.0.0.0:8000", .model = "standin", .max_num_seqs = 256, .latency_ms = 1000};
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
			if ((so.max_num_seqs = parse_count(optarg)) < 0)
				return complain(name, optarg, "a whole number from 1");
			break;
		case OPTION_LATENCY:
			if ((so.latency_ms = clock_parse_duration(optarg)) < 0)
				return complain(name, optarg, "a duration, as in 2s");
			break;
		case OPTION_STARTUP_DELAY:
			if ((so.startup_delay_ms = clock_parse_duration(optarg)) < 0)
				return complain(name, optarg, "a duration, as in 20s");
			break;
		case OPTION_METRICS_NAMES:
			if (strcmp(optarg, "current") != 0 && strcmp(optarg, "v0.10") != 0)
				return complain(name, optarg, "current or v0.10");
			so.names = strcmp(optarg, "v0.10") == 0 ? NAMES_V0_10 : NAMES_CURRENT;
			break;
		case OPTION_REFUSE:
			so.refuse = true;
			break;
		case OPTION_HANG:
			so.hang = true;
			break;
		}
	}
	return id < 0 ? rc : serve(&so);
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
			if (strncmp(optarg, "http://", 7) != 0 && strncmp(optarg, "https://", 8) != 0)
				return complain(name, optarg, "a URL, as in http://127.0.0.1:8000");
			lo.url = optarg;
			break;
		case OPTION_INFLIGHT:
			if ((lo.inflight = parse_count(optarg)) < 0)
				return complain(name, optarg, "a whole number from 1");
			break;
		case OPTION_DURATION:
			if ((lo.duration_ms = clock_parse_duration(optarg)) < 0)
				return complain(name, optarg, "a duration, as in 600s");
			break;
		case OPTION_MODEL:
			lo.model = optarg;
			break;
		}
	}
	if (id < 0)
		return rc;
	if (!lo.url) {
		fputs("vllm-standin: load needs to know the server: give --url http://HOST:PORT\n", stderr);
		return EXIT_USAGE;
	}
	return load(&lo);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc > 1)
		argv[1] = argv[0]; /* what getopt_long() calls us */
	if (strcmp(verb, "serve") == 0)
		return serve_verb(argc - 1, argv + 1);
	if (strcmp(verb, "load") == 0)
		return load_verb(argc - 1, argv + 1);
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (*verb)
		fprintf(stderr, "vllm-standin: unknown verb '%s'\n", verb);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
