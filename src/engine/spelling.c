/* The spellings of a series' name. */
#include "engine/spelling.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

#define RAY "ray_"
#define VLLM "vllm"
#define EITHER "[:_]"
/* What stands around a selector's name in the queries of the presets. */
#define AROUND " (),+-*>=\n}"

/* Before the ':' of names that client libraries write; Prometheus' own, of recording rules, stay as they are. */
static const char *const prefixes[] = {VLLM ":", "sglang:", "lmdeploy:", "llamacpp:"};

static bool begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* Up to the ':'; 0 when the series has one spelling. */
static size_t prefix_of(const char *series)
{
	size_t len = 0;

	for (size_t i = 0; len == 0 && i < ARRAY_LEN(prefixes); i++) {
		len = begins(series, strlen(series), prefixes[i]) ? strlen(prefixes[i]) - 1 : 0;
	}
	return len;
}

char *spelling_of(const char *series, size_t i)
{
	static const struct {
		const char *before;
		const char *between;
	} forms[] = {{"", ":"}, {"", "_"}, {RAY, "_"}, {RAY, ":"}};
	size_t prefix = prefix_of(series);
	size_t count = begins(series, prefix, VLLM) ? ARRAY_LEN(forms) : 2;

	if (prefix == 0) {
		return i == 0 ? xstrdup(series) : NULL;
	}
	return i < count ? xasprintf("%s%.*s%s%s", forms[i].before, (int)prefix, series, forms[i].between,
				   series + prefix + 1)
	                 : NULL;
}

/* The length of the alternative that begins here, up to its '|' or ')'. */
static size_t alternative(const char *at, size_t len)
{
	size_t n = 0;

	while (n < len && at[n] != '|' && at[n] != ')') {
		n++;
	}
	return n;
}

static void add_text(struct strbuf *name, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *either = memchr(text, EITHER[0], (size_t)(end - text));

		if (either == NULL || !begins(either, (size_t)(end - either), EITHER)) {
			strbuf_add(name, text, (size_t)(end - text));
			return;
		}
		strbuf_add(name, text, (size_t)(either - text));
		strbuf_addch(name, ':');
		text = either + strlen(EITHER);
	}
}

/* Adds the alternative that `i` chooses of the group behind an opening parenthesis; what is left of `i` chooses in the
 * next one. What follows the group's closing parenthesis. */
static const char *add_choice(struct strbuf *name, const char *group, const char *end, size_t *i)
{
	const char *at = group;
	size_t count = 0;

	for (;; count++) {
		at += alternative(at, (size_t)(end - at));
		if (at == end || *at == ')') {
			count++;
			break;
		}
		at++;
	}
	for (size_t chosen = *i % count; chosen > 0; chosen--) {
		group += alternative(group, (size_t)(end - group)) + 1;
	}
	add_text(name, group, alternative(group, (size_t)(end - group)));
	*i /= count;
	return at < end ? at + 1 : end;
}

char *spelling_first_name(const char *pattern, size_t len, size_t i)
{
	auto_strbuf name = STRBUF_INIT;
	const char *end = pattern + len;

	while (pattern < end) {
		const char *group = memchr(pattern, '(', (size_t)(end - pattern));

		add_text(&name, pattern, (size_t)((group != NULL ? group : end) - pattern));
		pattern = group != NULL ? add_choice(&name, group + 1, end, &i) : end;
	}
	return i == 0 ? strbuf_take(&name) : NULL;
}

const char *spelling_next(const char **at, size_t *len)
{
	while (**at != '\0') {
		const char *name = *at + strspn(*at, AROUND);
		const char *brace = name + strcspn(name, AROUND "{");

		*at = brace;
		if (*brace != '{') {
			continue;
		}
		*at += strcspn(brace, "}");
		*len = (size_t)(brace - name);
		if (begins(name, strlen(name), SPELLING_BEGIN)) {
			name += strlen(SPELLING_BEGIN);
			*len = strcspn(name, "\"");
		}
		return name;
	}
	return NULL;
}

const char *spelling_without_ray(const char *name)
{
	return text_begins(name, RAY VLLM) ? name + strlen(RAY) : name;
}
