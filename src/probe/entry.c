/* The probes of one key, one after the other. */
#include "entry.h"

#include "base/keep.h"
#include "base/memory.h"

static void entry_free_if_done(struct entry *entry)
{
	struct entry_common *common = entry->common;

	if (!entry->gone || entry->running) {
		return;
	}
	probe_request_unref(entry->request);
	evidence_free(entry->evidence);
	shared_request_unref(entry->shared_request);
	shared_evidence_free(entry->shared_evidence);
	keep_free(entry, sizeof(*entry));
	common->open--;
	common->freed(common);
}

void entry_close(struct entry *entry)
{
	entry->gone = true;
	pod_reader_release(&entry->pods);
	list_leave(&entry->waiting);
	agenda_remove(&entry->common->agenda, &entry->due);
	if (entry->probe != NULL) {
		key_probe_cancel(entry->probe); /* which may end it before this returns */
	} else {
		entry_free_if_done(entry);
	}
}

void entry_schedule(struct entry *entry)
{
	struct entry_common *common = entry->common;

	if (!entry->gone) {
		agenda_set(&common->agenda, &entry->due, timing_next(&entry->timing, entry->evidence, &common->seed));
	}
}

void entry_probe_soon(struct entry *entry)
{
	agenda_set(&entry->common->agenda, &entry->due, timing_soon(&entry->common->seed));
}

void entry_read(struct entry *entry)
{
	if (entry->unread) {
		entry->unread = false;
		entry_schedule(entry);
	}
}

/* One of its pods came, changed or went. */
static void on_pods_changed(struct pod_reader *reader)
{
	struct entry *entry = container_of(reader, struct entry, pods);
	struct agenda *agenda = &entry->common->agenda;
	uint64_t wait_ms = timing_after_pods(&entry->timing);

	entry->timing.pods_changed = true;
	if (!entry->running && entry->waiting.in == NULL && wait_ms < agenda_due_in(agenda, &entry->due)) {
		agenda_set(agenda, &entry->due, wait_ms);
	}
}

struct entry *entry_new(struct entry_common *common)
{
	struct entry *entry = keep_new(sizeof(*entry));

	*entry = (struct entry){.common = common, .timing = {.changed = true}};
	pod_reader_init(&entry->pods, common->pods, on_pods_changed);
	common->open++;
	return entry;
}

/* Whether the probe that ended counts: its evidence is to be kept and reported. */
static bool probe_ended(struct entry *entry)
{
	bool dropped = entry->dropped;
	bool counts = !dropped && !entry->gone;

	entry->running = entry->dropped = false;
	entry->probe = NULL;
	if (dropped) {
		entry->timing.changed = true;
		entry_schedule(entry);
	}
	entry_free_if_done(entry);
	return counts;
}

static void on_probe_done(void *ctx, struct evidence *evidence_take)
{
	struct entry *entry = ctx;
	const struct prober_hooks *hooks = &entry->common->hooks;
	struct evidence *before;

	if (!probe_ended(entry)) {
		evidence_free(evidence_take);
		return;
	}
	before = entry->evidence;
	entry->evidence = evidence_pack(evidence_take);
	entry->unread = true;
	if (!hooks->seen(hooks->ctx, entry->key, before)) {
		entry_read(entry);
	}
	evidence_free(before);
}

static void on_shared_done(void *ctx, struct shared_evidence *evidence_take)
{
	struct entry *entry = ctx;
	const struct prober_hooks *hooks = &entry->common->hooks;
	struct shared_evidence *before;

	if (!probe_ended(entry)) {
		shared_evidence_free(evidence_take);
		return;
	}
	before = entry->shared_evidence;
	entry->shared_evidence = evidence_take;
	entry->unread = true;
	if (!hooks->shared_seen(hooks->ctx, entry->key, before)) {
		entry_read(entry);
	}
	shared_evidence_free(before);
}

static void begin_shared(struct entry *entry)
{
	enum timing_calm calm;
	bool healthy = timing_begin(&entry->timing, &calm);

	entry->running = true;
	shared_probe_start(
		&(struct shared_task){&entry->common->context, entry->shared_request, healthy, on_shared_done, entry});
}

void entry_begin(struct list_item *item)
{
	struct entry *entry = container_of(item, struct entry, waiting);
	enum timing_calm calm;
	bool healthy = timing_begin(&entry->timing, &calm);

	entry->running = true;
	hpa_silence_look(&entry->silence, &entry->common->hooks, entry->request);
	key_probe_start(&(struct probe_task){&entry->common->context, entry->request, entry->evidence, &entry->pods,
				&entry->silence, healthy, calm, on_probe_done, entry},
		&entry->probe);
}

void entry_due(struct agenda_item *item)
{
	struct entry *entry = container_of(item, struct entry, due);

	if (entry->shared_request != NULL) {
		begin_shared(entry);
	} else {
		line_join(&entry->common->waiting, &entry->waiting);
	}
}
