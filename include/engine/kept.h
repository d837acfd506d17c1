/*
 * What a scrape keeps of an engine's page: a Prometheus is shared, a page is its tenant's.
 *
 * Of an engine's page some hundred series are of no use here, and of a page that somebody made up any number. So the scrape
 * keeps what the queries read (presets.h), and has the bounds of our own reading of the page (page.h): what we read, Prometheus
 * takes too, and not much more. One bound is not needed: the length of labels, which the size of the page bounds.
 */
#ifndef ENGINE_KEPT_H
#define ENGINE_KEPT_H

#include <jansson.h>
#include <stddef.h>

#include "engine/page.h"
#include "engine/presets.h"

/* Of a sample: what a page may write, its name, and what prometheus-operator and Prometheus add about the target, some ten; up
 * to four tags. */
#define KEPT_LABELS_MAX (PAGE_LABELS_MAX + 16)
/* As a ServiceMonitor writes it. In the other formats that Prometheus asks for, a page is longer than in the one that we read:
 * each counter and histogram tells when it began. Twice as long is more than any comes to. */
#define KEPT_BODY_MAX "2MiB"
_Static_assert(PAGE_MAX_BYTES == 1024u * 1024, "the body is twice as much");

/* The metric relabelings of a ServiceMonitor that keep what the engine's rules read, and nothing else: by the whole names, in
 * all spellings; or by tags (custom.h), which they put on. New reference. */
json_t *kept_relabelings(const struct engine *engine);
/* The most samples of these that a page can have that we read. */
size_t kept_samples_max(const struct engine *engine);

#endif
