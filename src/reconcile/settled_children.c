/* What decides whether children are as they should be, in a few bytes. */
#include "settled_children.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "children/children.h"
#include "view/own.h"

#define USUAL_BYTES 4000

static void add_json(struct strbuf *text, const json_t *value)
{
	auto_free char *words = json_text(value);

	strbuf_addf(text, "%s\n", words);
}

/* See struct workload: the engine decides by its signals, and the replicas only while they are held. */
static void add_workload(struct strbuf *text, const struct workload *w)
{
	for (size_t i = 0; i < w->signals_count; i++) {
		strbuf_addf(text, "%s %lld\n", w->signals[i].signal->metric, (long long)w->signals[i].target_milli);
	}
	strbuf_addf(text, "%d %lld %s %s %lld %lld\n", w->direct, (long long)w->port, w->scheme, w->path,
		w->spec->paused ? (long long)w->replicas : -1LL, (long long)w->min_replicas);
	add_json(text, w->match_labels);
	add_json(text, w->monitor_labels);
}

struct digest settled_children_digest(const struct observation *o, const struct world *world)
{
	const struct object_meta *meta = &o->object->view.meta;
	auto_strbuf text = STRBUF_INIT;

	strbuf_reserve(&text, USUAL_BYTES);
	/* The generation stands for the spec, and the settings are the same for as long as the operator runs. */
	strbuf_addf(&text, "%s %lld\n", meta->uid, (long long)meta->generation);
	add_workload(&text, &o->facts.workload);
	strbuf_addf(&text, "%d\n", o->facts.workload.direct && o->served); /* then what an earlier source left may go */
	for (size_t i = 0; i < children_count; i++) {
		strbuf_addf(&text, "%d %d\n", world->missing(world->ctx, children[i]->form.kind), o->owned[i]);
		if (o->observed[i] != NULL) {
			own_add_read(o->observed[i], &text);
		}
	}
	return digest_bytes(text.buf, text.len);
}
