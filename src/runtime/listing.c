/* A page that tells of the autoscalers, one after the other. */
#include "listing.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "link_metrics.h"
#include "report/diagnosis.h"

struct listing {
	const struct controller *controller;
	enum listing_kind kind;
	bool standing_by;
	char *one;        /* the key of the only one, without the frame of a list; NULL = a list */
	char *namespaces; /* NULL = all */
	char *at;         /* the key of the last one; NULL = none yet */
	bool begun;       /* the frame */
	bool advice;      /* samples of a metric stand together: those of advice come in a second round */
	size_t told;      /* diagnoses */
};

struct listing *listing_new(const struct controller *controller, enum listing_kind kind, const char *key,
	const char *namespaces, bool standing_by)
{
	struct listing *listing = xcalloc(1, sizeof(*listing));

	*listing = (struct listing){.controller = controller,
		.kind = kind,
		.standing_by = standing_by,
		.one = xstrdup(key),
		.namespaces = xstrdup(namespaces)};
	return listing;
}

void listing_free(struct listing *listing)
{
	free_indirect(&listing->one);
	free_indirect(&listing->namespaces);
	free_indirect(&listing->at);
	free_indirect(&listing);
}

/* Whether the namespace is among the names. */
static bool is_among(const char *ns, const char *namespaces)
{
	size_t len = strlen(ns);

	for (const char *at = namespaces; at != NULL; at = strchr(at, ','), at += at != NULL ? 1 : 0) {
		if (strncmp(at, ns, len) == 0 && (at[len] == ',' || at[len] == '\0')) {
			return true;
		}
	}
	return false;
}

/* NULL = it was the last. */
static const struct view_autoscaler *next(struct listing *listing)
{
	const struct view_autoscaler *found = controller_next(listing->controller, listing->at);

	while (found != NULL && listing->namespaces != NULL && !is_among(found->view.meta.ns, listing->namespaces)) {
		/* What comes after all of the namespace: '0' is the character after '/'. */
		auto_free char *end = xasprintf("%s0/", found->view.meta.ns);

		found = controller_next(listing->controller, end);
	}
	free_indirect(&listing->at);
	listing->at = found != NULL ? meta_key(&found->view.meta) : NULL;
	return found;
}

static void begin(struct listing *listing, struct strbuf *text)
{
	listing->begun = true;
	if (listing->kind == LISTING_METRICS) {
		controller_metrics(listing->controller, text);
		link_health_begin(text);
	} else if (listing->kind == LISTING_JSON && listing->one == NULL) {
		strbuf_addstr(text, "{\"items\":[");
	}
}

static void add_diagnosis(struct listing *listing, const char *key, struct strbuf *text)
{
	auto_json *diagnosis = controller_explain(listing->controller, key);

	if (diagnosis == NULL) {
		return; /* it was deleted meanwhile */
	}
	if (listing->kind == LISTING_JSON) {
		auto_free char *document = json_text(diagnosis);

		strbuf_addf(text, "%s%s", listing->told > 0 ? "," : "", document);
	} else {
		strbuf_addstr(text, listing->told > 0 ? "\n" : "");
		diagnosis_text(text, diagnosis, false, clock_wall_ms());
	}
	listing->told++;
}

static void end(const struct listing *listing, struct strbuf *text)
{
	if (listing->kind == LISTING_JSON) {
		/* A single one may have been deleted meanwhile. */
		strbuf_addstr(text, listing->one == NULL ? "]}\n" : listing->told > 0 ? "\n" : "{}\n");
	} else if (listing->kind == LISTING_TEXT && listing->told == 0) {
		strbuf_addstr(text, listing->standing_by ? "this replica waits for the Lease: ask the other one\n"
							 : "there is no InferenceAutoscaler\n");
	}
}

static bool step_metrics(struct listing *listing, struct strbuf *text)
{
	const struct view_autoscaler *autoscaler = next(listing);

	if (autoscaler != NULL) {
		(listing->advice ? advice_add : link_health_add)(autoscaler, text);
		return false;
	}
	if (!listing->advice) {
		listing->advice = true;
		advice_begin(text);
		return false;
	}
	return true;
}

static bool step_diagnoses(struct listing *listing, struct strbuf *text)
{
	const struct view_autoscaler *autoscaler = listing->one == NULL ? next(listing) : NULL;

	if (listing->one != NULL) {
		add_diagnosis(listing, listing->one, text);
	} else if (autoscaler != NULL) {
		add_diagnosis(listing, listing->at, text);
		return false;
	}
	end(listing, text);
	return true;
}

bool listing_step(struct listing *listing, struct strbuf *text)
{
	if (!listing->begun) {
		begin(listing, text);
	}
	return listing->kind == LISTING_METRICS ? step_metrics(listing, text) : step_diagnoses(listing, text);
}
