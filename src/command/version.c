/* `version`: what this binary is. */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "base/memory.h"
#include "command/command.h"

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	const char *curl = curl_version_info(CURLVERSION_NOW)->version;

	(void)verbs;
	(void)err;
	if (options->output != NULL && strcmp(options->output, "json") == 0) {
		auto_json *version = json_pack("{s:s, s:s, s:s, s:s}", "version", INFERENCE_AUTOSCALER_VERSION,
			"libcurl", curl, "libuv", uv_version_string(), "jansson", jansson_version_str());
		auto_free char *text = json_text(version);

		printf("%s\n", text);
	} else {
		printf("inference-autoscaler %s (libcurl %s, libuv %s, jansson %s)\n", INFERENCE_AUTOSCALER_VERSION,
			curl, uv_version_string(), jansson_version_str());
	}
	return EXIT_SUCCESS;
}

static const struct option_row rows[] = {
	OPTION("output", 'o', "text|json", OPTION_STRING, output, "how to print (text)"),
};

const struct command command_version = {
	.name = "version",
	.summary = "print the version",
	.about = "Prints the version of this program and of the libraries it runs with.",
	.examples = {{"which version is this?", "version"}, {"just the number", "version -o json | jq -r .version"}},
	.rows = rows,
	.rows_count = ARRAY_LEN(rows),
	.run = run,
};
