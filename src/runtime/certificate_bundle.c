/* Announced certificates, as the text of a caBundle. */
#include "certificate_bundle.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "net/certificate.h"

/* What is taken of an entry; heap, caller owns. NULL and *reason when that is nothing. */
static char *entry_certificates(const char *text, const char *dns_name, int64_t now_ms, const char **reason)
{
	char *taken;

	if (text == NULL || strlen(text) > BUNDLE_ENTRY_BYTES_MAX) {
		*reason = text == NULL ? "it is no text" : "it is longer than 8 KiB";
		return NULL;
	}
	taken = certificate_keep_valid(text, dns_name, now_ms);
	if (taken[0] == '\0') {
		*reason = "it holds no PEM certificate that is good now and for the metrics Service's name";
		free_indirect(&taken);
	}
	return taken;
}

/* Each once: replicas that are given a certificate announce the same one. */
static void add_new(struct strbuf *bundle, const char *certificates)
{
	static const char end[] = "-----END CERTIFICATE-----\n";

	for (const char *at = certificates, *next; (next = strstr(at, end)) != NULL; at = next) {
		auto_free char *pem = NULL;

		next += sizeof(end) - 1;
		pem = xstrndup(at, (size_t)(next - at));
		if (bundle->len == 0 || strstr(bundle->buf, pem) == NULL) {
			strbuf_addstr(bundle, pem);
		}
	}
}

char *certificate_bundle(const struct view_pairs *announced, const char *dns_name, int64_t now_ms,
	bundle_refused_fn *refused, void *ctx)
{
	auto_strbuf bundle = STRBUF_INIT;

	for (uint32_t i = 0; i < announced->count; i++) {
		const char *reason = "more than 16 entries are not read";
		auto_free char *taken = i < BUNDLE_ENTRIES_MAX ? entry_certificates(announced->items[i].value, dns_name,
									 now_ms, &reason)
		                                               : NULL;

		if (taken != NULL) {
			add_new(&bundle, taken);
		} else if (refused != NULL) {
			refused(ctx, announced->items[i].key, reason);
		}
	}
	return bundle.len > 0 ? strbuf_take(&bundle) : NULL;
}

bool certificate_entry_counts(const char *text, const char *dns_name, int64_t now_ms)
{
	const char *reason;
	auto_free char *taken = entry_certificates(text, dns_name, now_ms, &reason);

	return taken != NULL;
}
