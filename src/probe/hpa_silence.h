/*
 * How long the HPA of a key has been silent of what is asked, and how long it may be.
 *
 * Of each question it is noted whether the HPA had spoken already when it was first asked: what it said then may be of
 * another question (chain/hpa_says.h). Private to src/probe.
 */
#ifndef PROBE_HPA_SILENCE_H
#define PROBE_HPA_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence/request.h"
#include "probe/probe.h"

/* The HPA controller comes to a new HPA after its period, 15 s, and so do its tries after that. */
#define HPA_SPEAKS_MS 20000

struct hpa_silence {
	int64_t last_ms;  /* wall: when it was last seen silent; 0 = it had spoken already when this was asked first */
	int64_t since_ms; /* monotonic: since when it has been awaited */
	bool there;       /* the HPA was when it was looked at last */
	bool silent;      /* it was, likewise */
};

/* From now on this is asked. */
void hpa_silence_begin(struct hpa_silence *silence, const struct prober_hooks *hooks,
	const struct probe_request *request);
/* A probe of the same question begins. */
void hpa_silence_look(struct hpa_silence *silence, const struct prober_hooks *hooks,
	const struct probe_request *request);
/* How much longer the HPA is awaited, in ms; 0 = it has spoken, or has had its time. */
int64_t hpa_silence_awaited_ms(const struct hpa_silence *silence);

#endif
