/* Tags: which samples have one. */
#include "engine/custom.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/spelling.h"

/* What a target of ours has itself: a label of the page that is called so goes to exported_…, since the target's own wins. */
static const char *const target_labels[] = {"job", "instance", "service", "endpoint"};

/* What a relabeling reads, and what that must be: the values with a ';' between them, which none that is wanted has in it. */
struct samples {
	json_t *labels;
	struct strbuf values; /* a regular expression, which means the whole */
};

static void add_label(struct samples *samples, const char *name, size_t len)
{
	const char *moved = "";

	for (size_t i = 0; i < ARRAY_LEN(target_labels); i++) {
		if (strlen(target_labels[i]) == len && strncmp(target_labels[i], name, len) == 0) {
			moved = "exported_";
		}
	}
	json_array_append_new(samples->labels, json_sprintf("%s%.*s", moved, (int)len, name));
}

/* Of what a value may have in it (api/name_form.h), two characters mean something in an expression. */
static void add_value(struct samples *samples, const char *value, size_t len)
{
	strbuf_addch(&samples->values, ';');
	for (size_t i = 0; i < len; i++) {
		bool means = value[i] == '.' || value[i] == '+';

		strbuf_addf(&samples->values, means ? "[%c]" : "%c", value[i]);
	}
}

/* label="value",…} */
static void add_pairs(struct samples *samples, const char *at)
{
	while (*at != '\0' && *at != '}') {
		size_t name = strcspn(at, "=");
		const char *value = at + name + strlen("=\"");
		size_t len = strcspn(value, "\"");

		add_label(samples, at, name);
		add_value(samples, value, len);
		at = value + len + 1;
		at += *at == ',' ? 1 : 0;
	}
}

static struct samples samples_of(const struct engine_signal *signal)
{
	struct samples samples = {.labels = json_pack("[s]", "__name__"), .values = STRBUF_INIT};
	const char *series = signal->series[0];
	const char *brace = strchr(series, '{');
	const char *query = engine_page_query(signal);
	size_t len;
	const char *pattern = spelling_next(&query, &len);

	strbuf_add(&samples.values, pattern, len);
	if (brace != NULL) {
		add_pairs(&samples, brace + 1);
	}
	return samples;
}

char *custom_tag_matcher(const struct engine_signal *signal)
{
	const struct engine_tag *tag = &signal->tag;

	return tag->value != NULL ? xasprintf("%s=\"%s\"", tag->label, tag->value) : NULL;
}

json_t *custom_tag_relabeling(const struct engine_signal *signal)
{
	const struct engine_tag *tag = &signal->tag;
	struct samples samples;
	json_t *relabeling;

	if (tag->value == NULL) {
		return NULL;
	}
	samples = samples_of(signal);
	relabeling = json_pack("{s:s, s:o, s:s, s:s, s:s}", "action", "replace", "sourceLabels", samples.labels,
		"regex", samples.values.buf, "targetLabel", tag->label, "replacement", tag->value);
	strbuf_release(&samples.values);
	return relabeling;
}

char *custom_tag_config(const struct engine_signal *signal)
{
	const struct engine_tag *tag = &signal->tag;
	struct samples samples;
	auto_strbuf labels = STRBUF_INIT;
	char *config;
	size_t i;
	json_t *label;

	if (tag->value == NULL) {
		return NULL;
	}
	samples = samples_of(signal);
	json_array_foreach(samples.labels, i, label) {
		strbuf_addf(&labels, "%s%s", i > 0 ? ", " : "", json_string_value(label));
	}
	config = xasprintf("{source_labels: [%s], regex: '%s', target_label: %s, replacement: %s}", labels.buf,
		samples.values.buf, tag->label, tag->value);
	json_decref(samples.labels);
	strbuf_release(&samples.values);
	return config;
}
