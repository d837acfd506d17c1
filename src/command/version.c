/* `version`: what this binary is. */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "command/command.h"
#include "command/options.h"

static int version_main(int argc, char **argv)
{
	const char *output = "text";
	const struct option_row rows[] = {
		{"output", 'o', "text|json", OPTION_STRING, &output, "how to print (text)"},
	};
	auto_error err = ERROR_INIT;
	bool help = false;

	if (options_parse(rows, ARRAY_LEN(rows), argc, argv, &help, &err) < 0) {
		fprintf(stderr, "inference-autoscaler version: %s\n", err.message);
		return EXIT_USAGE;
	}
	if (help) {
		printf("Usage: inference-autoscaler version [options]\n\nPrints the version and the libraries' versions.\n\n");
		options_print(rows, ARRAY_LEN(rows), stdout);
		return EXIT_SUCCESS;
	}
	if (output[0] == 'j') {
		printf("{\"version\":\"%s\",\"libcurl\":\"%s\",\"libuv\":\"%s\",\"jansson\":\"%s\"}\n",
			INFERENCE_AUTOSCALER_VERSION, curl_version_info(CURLVERSION_NOW)->version, uv_version_string(),
			jansson_version_str());
	} else {
		printf("inference-autoscaler %s (libcurl %s, libuv %s, jansson %s)\n", INFERENCE_AUTOSCALER_VERSION,
			curl_version_info(CURLVERSION_NOW)->version, uv_version_string(), jansson_version_str());
	}
	return EXIT_SUCCESS;
}

const struct command command_version = {"version", "print the version", version_main};
