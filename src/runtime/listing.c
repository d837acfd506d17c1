/* A page that tells of the autoscalers, one after the other. */
#include "listing.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "link_metrics.h"
#include "report/diagnosis.h"

/* Each page at its longest. A new one is made every second, and the slowest clients hold the last ten: of all three
 * kinds together these must fit into the memory that the chart gives. Diagnoses are 4 KiB each, and one alone can be
 * asked for; samples are 1.3 KiB an autoscaler, and to leave some out is to be blind. */
#define DIAGNOSES_MAX ((size_t)512 << 10)
#define METRICS_MAX ((size_t)8 << 20)

struct listing {
	const struct controller *controller;
	enum listing_kind kind;
	bool one; /* alone, without the frame of a list */
	bool standing_by;
	char **keys;
	size_t count;
	size_t next;
	struct strbuf advice; /* samples of a metric stand together: these come after all links */
};

/* Whether the key's namespace is among the names. */
static bool is_within(const char *key, const char *namespaces)
{
	size_t len = strcspn(key, "/");

	for (const char *at = namespaces; at != NULL; at = strchr(at, ','), at += at != NULL ? 1 : 0) {
		if (strncmp(at, key, len) == 0 && (at[len] == ',' || at[len] == '\0')) {
			return true;
		}
	}
	return false;
}

static void narrow(struct listing *listing, const char *namespaces)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++) {
		if (is_within(listing->keys[i], namespaces)) {
			listing->keys[kept++] = listing->keys[i];
		} else {
			free_indirect(&listing->keys[i]);
		}
	}
	listing->count = kept;
}

struct listing *listing_new(const struct controller *controller, enum listing_kind kind, const char *key,
	const char *namespaces, bool standing_by)
{
	struct listing *listing = xcalloc(1, sizeof(*listing));

	*listing = (struct listing){.controller = controller,
		.kind = kind,
		.one = key != NULL,
		.standing_by = standing_by,
		.count = 1};
	if (key == NULL) {
		listing->keys = controller_autoscalers(controller, &listing->count);
	} else {
		listing->keys = xcalloc(1, sizeof(*listing->keys));
		listing->keys[0] = xstrdup(key);
	}
	if (namespaces != NULL) {
		narrow(listing, namespaces);
	}
	strbuf_init(&listing->advice);
	return listing;
}

void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		free_indirect(&listing->keys[i]);
	}
	free_indirect(&listing->keys);
	strbuf_release(&listing->advice);
	free_indirect(&listing);
}

static void begin(struct listing *listing, struct strbuf *text)
{
	if (listing->kind == LISTING_METRICS) {
		controller_metrics(listing->controller, text);
		link_metrics_begin(text, &listing->advice);
	} else if (listing->kind == LISTING_JSON) {
		strbuf_addstr(text, "{\"items\":[");
	}
}

static void add(struct listing *listing, const char *key, struct strbuf *text)
{
	auto_json *diagnosis = NULL;

	if (listing->kind == LISTING_METRICS) {
		const struct view_autoscaler *autoscaler = controller_autoscaler(listing->controller, key);

		if (autoscaler != NULL) {
			link_metrics_add(autoscaler, text, &listing->advice);
		}
		return; /* else it was deleted meanwhile */
	}
	diagnosis = controller_explain(listing->controller, key);
	if (diagnosis == NULL) {
		return; /* it was deleted meanwhile */
	}
	if (listing->kind == LISTING_JSON) {
		auto_free char *document = json_text(diagnosis);

		strbuf_addf(text, "%s%s", listing->one || text->buf[text->len - 1] == '[' ? "" : ",", document);
	} else {
		strbuf_addstr(text, text->len > 0 ? "\n" : "");
		diagnosis_text(text, diagnosis, false, clock_wall_ms());
	}
}

/* In a sentence, how to ask for those that the page has no room for; NULL = it has all. */
static char *rest_of(const struct listing *listing)
{
	return listing->next == listing->count
	               ? NULL
	               : xasprintf("these are the first %zu of %zu InferenceAutoscalers: ask for a single one at "
				   "/explain%s/NAMESPACE/NAME",
				 listing->next, listing->count, listing->kind == LISTING_TEXT ? ".txt" : "");
}

static void end(struct listing *listing, struct strbuf *text)
{
	auto_free char *rest = rest_of(listing);

	switch (listing->kind) {
	case LISTING_METRICS:
		strbuf_add(text, listing->advice.buf, listing->advice.len);
		strbuf_addf(text,
			"# HELP inference_autoscaler_left_out InferenceAutoscalers whose links this page has no room for.\n"
			"# TYPE inference_autoscaler_left_out gauge\ninference_autoscaler_left_out %zu\n",
			listing->count - listing->next);
		return;
	case LISTING_JSON:
		/* A single one may have been deleted meanwhile. */
		strbuf_addstr(text, !listing->one ? "]" : text->len > 0 ? "\n" : "{}\n");
		if (rest != NULL) {
			strbuf_addf(text, ",\"message\":\"%s\"", rest); /* it holds no quote */
		}
		strbuf_addstr(text, listing->one ? "" : "}\n");
		return;
	case LISTING_TEXT:
		if (rest != NULL) {
			strbuf_addf(text, "\n%s\n", rest);
		}
		if (listing->count == 0) {
			strbuf_addstr(text, listing->standing_by
						    ? "this replica waits for the Lease: ask the other one\n"
						    : "there is no InferenceAutoscaler\n");
		}
		return;
	}
}

bool listing_step(struct listing *listing, struct strbuf *text)
{
	size_t max = listing->kind == LISTING_METRICS ? METRICS_MAX : DIAGNOSES_MAX;

	if (listing->next == 0 && !listing->one) {
		begin(listing, text);
	}
	if (listing->next < listing->count) {
		add(listing, listing->keys[listing->next], text);
		listing->next++;
	}
	if (listing->next < listing->count && text->len + listing->advice.len < max) {
		return false;
	}
	end(listing, text);
	return true;
}
