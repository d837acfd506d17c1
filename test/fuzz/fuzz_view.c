/* Any JSON as an object of any kind: it has a view, and an object of ours is made of that again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "view/own.h"
#include "view/pod.h"
#include "view/service.h"
#include "view/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_json *object = json_parse((const char *)data, size, NULL);
	auto_view *pod = view_decode_as(&view_pod_type, object);

	if (pod->meta.labels.count > 0) {
		abort();
	}
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		auto_view *view = view_decode((enum kind)kind, object);

		if (kind == KIND_SERVICE && view_service(view)->own_spec != NULL) {
			auto_json *own = own_object(KIND_SERVICE, view, view_service(view)->own_spec);

			if (!json_equal(json_object_get(own, "spec"), json_object_get(object, "spec")) &&
				json_object_get(object, "spec") != NULL) {
				abort();
			}
		}
	}
	return 0;
}
