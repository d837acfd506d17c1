/* Why a Prometheus does not select an object of ours, and what to do. */
#include "base/memory.h"
#include "monitoring_parts.h"
#include "view/monitoring.h"

static bool forbids(const struct view_requirement *requirement)
{
	return requirement->op == SELECTOR_NOT_IN || requirement->op == SELECTOR_DOES_NOT_EXIST;
}

/* The selector without what it forbids; its array of expressions is the caller's to free. */
static struct view_selector required(const struct view_selector *selector)
{
	struct view_selector positive = *selector;
	struct view_requirement *expressions = xcalloc(selector->expressions_count, sizeof(*expressions));

	positive.expressions = expressions;
	positive.expressions_count = 0;
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		if (!forbids(&selector->expressions[i])) {
			expressions[positive.expressions_count++] = selector->expressions[i];
		}
	}
	return positive;
}

/* The labels of these that the selector forbids, each by its key. */
static void add_forbidden(struct strbuf *text, const struct view_selector *selector, const struct view_pairs *labels)
{
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		const struct view_requirement *requirement = &selector->expressions[i];
		const struct view_selector alone = {.expressions = requirement,
			.expressions_count = 1,
			.given = true,
			.valid = true};

		if (forbids(requirement) && !view_selector_matches(&alone, labels, false)) {
			strbuf_addf(text, "%s'%s'", text->len > 0 ? ", " : "", requirement->key);
		}
	}
}

/* What to do with the labels of a namespace that the selector does not match; heap. */
static char *namespace_remedy(const struct view_selector *selector, const struct view_pairs *labels)
{
	struct view_selector positive = required(selector);
	auto_free char *wanted = view_selector_text(&positive);
	bool lacks = !view_selector_matches(&positive, labels, false);
	auto_strbuf forbidden = STRBUF_INIT;

	add_forbidden(&forbidden, selector, labels);
	free((void *)(uintptr_t)positive.expressions);
	if (lacks && forbidden.len > 0) {
		return xasprintf("label the namespace '%s' and take its label %s away", wanted, forbidden.buf);
	}
	return lacks ? xasprintf("label the namespace '%s'", wanted)
	             : xasprintf("take the label %s away from the namespace", forbidden.buf);
}

void monitoring_explain(struct strbuf *text, const struct monitoring_context *context,
	const struct monitoring_object *object, const struct view *prometheus)
{
	const struct monitoring_kind *kind = object->kind;
	bool covered = monitoring_covers(context, object, prometheus);
	const struct view_selector *selector = monitoring_selector(kind, prometheus);
	const struct view_selector *namespaces = monitoring_namespace_selector(kind, prometheus);
	const char *who = kinds[view_is_agent(prometheus) ? KIND_PROMETHEUSAGENT : KIND_PROMETHEUS].resource.kind;
	auto_free char *key = meta_key(&prometheus->meta);
	auto_free char *wanted = view_selector_text(selector);

	strbuf_addstr(text, text->len > 0 ? "; " : "");
	if (!covered && !namespaces->given) {
		strbuf_addf(text, "%s '%s' looks into its own namespace only: set its spec.%s", who, key,
			kind->namespace_selector);
	} else if (!covered) {
		const struct view_pairs *labels = monitoring_namespace_labels(context->namespaces, object->ns);
		auto_free char *remedy = namespace_remedy(namespaces, labels);

		strbuf_addf(text, "%s '%s' does not look into namespace '%s': %s, as its spec.%s wants", who, key,
			object->ns, remedy, kind->namespace_selector);
	} else if (!selector->given) {
		strbuf_addf(text, "%s '%s' selects no %s at all: set its spec.%s", who, key, kind->kind,
			kind->selector);
	} else if (!monitoring_counts(context, object, prometheus)) {
		strbuf_addf(text,
			"%s '%s' wants '%s', and is neither in namespace '%s' nor known to be the platform's: name these "
			"labels in spec.monitor.labels if it is to select",
			who, key, wanted, object->ns);
	} else if (json_object_size(object->pinned) > 0) {
		strbuf_addf(text, "%s '%s' wants '%s', which spec.monitor.labels contradicts: remove or correct them",
			who, key, wanted);
	} else {
		strbuf_addf(text, "%s '%s' wants '%s', which our labels cannot satisfy: change its spec.%s", who, key,
			wanted, kind->selector);
	}
}
