/* What a Lease says of its holder. */
#include "lease_record.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

void lease_record_release(struct lease_record *record)
{
	json_decref(record->object);
	record->object = NULL;
}

/* Only a change of the record counts as a sign of life: other fields of the Lease do not. */
void lease_record_observe(struct lease_record *record, json_t *object)
{
	if (!json_equal(json_object_get(record->object, "spec"), json_object_get(object, "spec")) ||
		record->changed_ms == 0) {
		record->changed_ms = clock_monotonic_ms();
	}
	json_decref(record->object);
	record->object = json_incref(object);
}

void lease_record_forget(struct lease_record *record)
{
	lease_record_release(record);
}

const char *lease_record_holder(const struct lease_record *record)
{
	return json_path_string(record->object, "spec.holderIdentity", "");
}

static int64_t bounded(int64_t value, int64_t max)
{
	return value < 0 ? 0 : value > max ? max : value;
}

int64_t lease_record_expires_ms(const struct lease_record *record, int64_t duration_ms)
{
	int64_t seconds = (int64_t)json_path_int(record->object, "spec.leaseDurationSeconds", duration_ms / 1000);

	if (lease_record_holder(record)[0] == '\0') {
		return 0;
	}
	/* The field has 32 bits; what is no such number must not overflow ours. */
	return record->changed_ms + bounded(seconds, INT32_MAX) * 1000;
}

json_t *lease_record_claim(const struct lease_record *record, const char *ns, const char *name, const char *identity,
	int64_t duration_ms)
{
	auto_free char *now = clock_rfc3339_micro(clock_wall_ms());
	json_t *object = record->object != NULL
	                         ? json_deep_copy(record->object)
	                         : json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "coordination.k8s.io/v1", "kind",
					   "Lease", "metadata", "namespace", ns, "name", name);
	json_int_t transitions = json_path_int(object, "spec.leaseTransitions", 0);
	json_t *spec = json_object_get(object, "spec");

	if (!json_is_object(spec)) {
		spec = json_object();
		json_object_set_new(object, "spec", spec);
	}
	/* Letting go is no transition, taking is. */
	if (identity[0] != '\0' && strcmp(lease_record_holder(record), identity) != 0) {
		json_object_set_new(spec, "acquireTime", json_string(now));
		json_object_set_new(spec, "leaseTransitions",
			json_integer(transitions + (record->object != NULL ? 1 : 0)));
	}
	json_object_set_new(spec, "renewTime", json_string(now));
	json_object_set_new(spec, "holderIdentity", json_string(identity));
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(duration_ms / 1000));
	json_object_del(json_object_get(object, "metadata"), "managedFields");
	return object;
}
