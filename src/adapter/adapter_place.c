/* The place of our block in a foreign config, and the block in it. */
#include "adapter_place.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* The start of the line below `at`, and below comments deeper than the top's keys: those belong to
 * what they follow, as a rule that somebody commented out does. */
static size_t below(const char *text, size_t at, size_t column)
{
	size_t found = layout_at_line_start(text, at) ? at : layout_next_line(text, at);

	for (size_t line = found; text[line]; line = layout_next_line(text, line)) {
		size_t indent = strspn(text + line, " ");
		bool comment = text[line + indent] == '#';

		if (comment && indent > column) {
			found = layout_next_line(text, line);
		} else if (comment || strchr("\r\n", text[line + indent]) == NULL) {
			break;
		}
	}
	return found;
}

/* Whether a comma stands between the last item of a flow list and its ']'. */
static bool has_comma(const char *text, size_t at, size_t close)
{
	for (; at < close; at++) {
		if (text[at] == ',') {
			return true;
		}
		if (text[at] == '#') {
			at = layout_next_line(text, at) - 1;
		}
	}
	return false;
}

static struct place place_in_flow_list(const struct layout *l, const char *base)
{
	size_t start = layout_line_start(base, l->rules_close);
	bool alone = start + strspn(base + start, " \t") == l->rules_close;

	return (struct place){
		.at = alone ? start : l->rules_close,
		.column = l->column + 2,
		.fit = alone ? PLACE_WHOLE_LINES : PLACE_JOINED,
		.flow = true,
		.comma = l->item_count && !has_comma(base, l->rules_end, l->rules_close),
	};
}

static struct place place_in_flow_root(const struct layout *l, const char *base)
{
	size_t rest = l->root_begin + strspn(base + l->root_begin, " \t");
	bool alone = base[rest] == '\n' || base[rest] == '\r';

	return (struct place){
		.at = alone ? layout_next_line(base, rest) : l->root_begin,
		.column = 2,
		.fit = alone ? PLACE_WHOLE_LINES : PLACE_JOINED,
		.flow = true,
		.key = true,
	};
}

int place_find(struct place *p, const struct layout *l, const char *base, bool front, struct error *err)
{
	if (l->flow_root && (l->shape == LAYOUT_NULL || l->shape == LAYOUT_WRITTEN_NULL)) {
		return error_set(err, ERROR_INVALID, "'rules' is null: write 'rules: []'");
	}
	switch (l->shape) {
	case LAYOUT_EMPTY:
		*p = (struct place){.at = below(base, l->root_end, 0), .key = true};
		return 0;
	case LAYOUT_KEYLESS:
		if (l->flow_root) {
			*p = place_in_flow_root(l, base);
			return 0;
		}
		*p = (struct place){.at = front ? layout_line_start(base, l->root_begin)
		                                : below(base, l->root_end, l->column),
			.column = l->column,
			.key = true};
		return 0;
	case LAYOUT_NULL:
		*p = (struct place){.at = below(base, l->rules_end, l->column), .column = l->column};
		return 0;
	case LAYOUT_WRITTEN_NULL:
		*p = (struct place){.at = l->rules_begin, .column = l->column, .fit = PLACE_BEFORE_NULL};
		return 0;
	case LAYOUT_LIST:
		*p = (struct place){.at = front ? layout_next_line(base, l->rules_key)
		                                : below(base, l->rules_end, l->column),
			.column = l->item_column,
			.front = front};
		return 0;
	case LAYOUT_FLOW_LIST:
		*p = place_in_flow_list(l, base);
		return 0;
	case LAYOUT_OTHER:
		break;
	}
	return error_set(err, ERROR_INVALID, "'rules' is not a list");
}

/* The rules between the markers, each on lines of its own. */
static void add_body(struct strbuf *out, const struct place *p, const struct adapter_rule *const *rules, size_t n,
	const char *newline)
{
	if (p->key) {
		strbuf_addf(out, "%*srules:%s%s", (int)p->column, "", p->flow ? " [" : "", newline);
	}
	for (size_t i = 0; i < n; i++) {
		if (!p->flow) {
			adapter_rule_block(out, rules[i], p->column, newline);
			continue;
		}
		strbuf_addf(out, "%*s%s", (int)p->column, "", i || p->comma ? ", " : "");
		adapter_rule_flow(out, rules[i]);
		strbuf_addstr(out, newline);
	}
	if (p->key && p->flow) {
		strbuf_addf(out, "%*s],%s", (int)p->column, "", newline);
	}
}

char *place_insert(const struct place *p, const char *base, const struct adapter_rule *const *rules, size_t n)
{
	const char *lf = strchr(base, '\n');
	const char *newline = lf != NULL && lf > base && lf[-1] == '\r' ? "\r\n" : "\n";
	bool unended = p->fit == PLACE_WHOLE_LINES && !layout_at_line_start(base, p->at);
	auto_strbuf out = STRBUF_INIT;

	strbuf_add(&out, base, p->at);
	if (unended || p->fit != PLACE_WHOLE_LINES) {
		strbuf_addstr(&out, newline);
	}
	strbuf_addf(&out, "%*s" LAYOUT_BEGIN_TEXT "%s%s", (int)p->column, "",
		p->fit == PLACE_WHOLE_LINES ? "" : LAYOUT_JOINED, newline);
	add_body(&out, p, rules, n, newline);
	strbuf_addf(&out, "%*s" LAYOUT_END, (int)p->column, "");
	if (p->fit == PLACE_BEFORE_NULL) {
		strbuf_addstr(&out, LAYOUT_KEPT);
	} else if (!unended) {
		strbuf_addstr(&out, newline);
	}
	if (p->fit == PLACE_JOINED) {
		strbuf_addf(&out, "%*s", (int)p->column, "");
	}
	strbuf_addstr(&out, base + p->at);
	return strbuf_take(&out);
}
