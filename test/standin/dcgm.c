/* The exporter's page out of an assignment. */
#include "dcgm.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "text.h"

#define MODEL "NVIDIA H100 80GB HBM3"
#define DRIVER "580.82.07"
/* How many instances of the smallest profile a GPU is split into, and the first one's number. */
#define MIG_INSTANCES 7
#define MIG_FIRST_ID 7

struct counter {
	const char *name, *help;
	bool whole_only; /* a MIG instance does not have it */
	bool is_double;  /* written as %f, otherwise as %d */
	bool from_util;  /* has no value where the utilisation has none */
	double idle, per_percent;
};

/* In the order of the file. */
static const struct counter counters[] = {
	{"DCGM_FI_DEV_SM_CLOCK", "SM clock frequency (in MHz).", false, false, false, 345, 16},
	{"DCGM_FI_DEV_GPU_TEMP", "GPU temperature (in C).", false, false, false, 30, 0.35},
	{"DCGM_FI_DEV_POWER_USAGE", "Power draw (in W).", false, true, false, 70.25, 6},
	{"DCGM_FI_DEV_GPU_UTIL", "GPU utilization (in %).", true, false, true, 0, 1},
	{"DCGM_FI_DEV_MEM_COPY_UTIL", "Memory utilization (in %).", true, false, true, 0, 0.5},
	{"DCGM_FI_DEV_FB_FREE", "Framebuffer memory free (in MiB).", false, false, false, 73000, 0},
	{"DCGM_FI_DEV_FB_USED", "Framebuffer memory used (in MiB).", false, false, false, 7000, 0},
	{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "Ratio of time the graphics engine is active.", false, true, true, 0, 0.01},
	{"DCGM_FI_PROF_DRAM_ACTIVE", "Ratio of cycles the device memory interface is active sending or receiving data.",
		false, true, true, 0, 0.005},
};

/* One GPU or instance, and who holds it. */
struct device {
	int number; /* on the node */
	bool blank;
	double util;
	const char *uuid;     /* NULL is one made of the host's name and the number */
	const char *vgpu;     /* which share of it this is; NULL is all of it */
	const json_t *holder; /* NULL is nobody */
};

/* A number that stays the same for a node, and differs between nodes. */
static unsigned long hash_of(const char *s)
{
	unsigned long hash = 2166136261U;

	for (; *s; s++) {
		hash = ((hash ^ (unsigned char)*s) * 16777619U) & 0xffffffffU;
	}
	return hash;
}

static void add_sample(struct strbuf *page, const struct dcgm_options *options, const struct counter *counter,
	const struct device *device)
{
	int gpu = options->mig != NULL ? device->number / MIG_INSTANCES : device->number;
	double value = counter->idle + counter->per_percent * device->util;
	auto_free char *index = xasprintf("%d", gpu);
	auto_free char *made = xasprintf("GPU-%08lx-0000-4000-8000-%012d", hash_of(options->hostname), gpu);
	auto_free char *bus = xasprintf("00000000:%02X:00.0", (unsigned)gpu * 0x11 + 0x1b);
	auto_free char *name = xasprintf("nvidia%d", gpu);

	strbuf_addf(page, "%s{", counter->name);
	text_add_label(page, "gpu", index);
	text_add_label(page, "UUID", device->uuid != NULL ? device->uuid : made);
	text_add_label(page, "pci_bus_id", bus);
	text_add_label(page, "device", name);
	text_add_label(page, "modelName", MODEL);
	if (options->mig != NULL) {
		auto_free char *id = xasprintf("%d", device->number % MIG_INSTANCES + MIG_FIRST_ID);

		text_add_label(page, "GPU_I_PROFILE", options->mig);
		text_add_label(page, "GPU_I_ID", id);
	}
	text_add_label(page, "Hostname", options->hostname);
	text_add_label(page, "DCGM_FI_DRIVER_VERSION", DRIVER);
	if (device->holder != NULL && !options->no_pods) {
		text_add_label(page, "container", json_path_string(device->holder, "container", "server"));
		text_add_label(page, "namespace", json_path_string(device->holder, "namespace", ""));
		text_add_label(page, "pod", json_path_string(device->holder, "pod", ""));
		if (device->vgpu != NULL) {
			text_add_label(page, "vgpu", device->vgpu);
		}
	}
	strbuf_addf(page, counter->is_double ? "} %f\n" : "} %.0f\n", value);
}

/* The device with this number; false when the node has no such one. */
static bool find_device(const json_t *assignment, int gpus, int number, struct device *device)
{
	int seen = 0;
	size_t h, g;
	json_t *holder, *gpu;

	json_array_foreach((json_t *)assignment, h, holder) {
		json_array_foreach(json_object_get(holder, "gpus"), g, gpu) {
			const json_t *util = json_object_get(gpu, "util");

			if (seen++ == number) {
				*device = (struct device){.number = number,
					.blank = json_is_null(util),
					.util = json_number_value(util),
					.uuid = json_path_string(gpu, "uuid", NULL),
					.vgpu = json_path_string(gpu, "vgpu", NULL),
					.holder = holder};
				return true;
			}
		}
	}
	*device = (struct device){.number = number};
	return number < gpus;
}

void dcgm_page(struct strbuf *page, const struct dcgm_options *options, const json_t *assignment)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		const struct counter *counter = &counters[i];
		auto_strbuf samples = STRBUF_INIT;
		struct device device;

		if (options->mig != NULL && counter->whole_only) {
			continue;
		}
		for (int number = 0; find_device(assignment, options->gpus, number, &device); number++) {
			if (!device.blank || !counter->from_util) {
				add_sample(&samples, options, counter, &device);
			}
		}
		if (samples.len > 0) {
			strbuf_addf(page, "# HELP %s %s\n# TYPE %s gauge\n%s", counter->name, counter->help,
				counter->name, samples.buf);
		}
	}
}

static int check_gpu(const json_t *gpu, struct error *err)
{
	const json_t *util = json_object_get(gpu, "util");

	if (!json_is_null(util) && (!json_is_number(util) || json_number_value(util) < 0)) {
		return error_set(err, ERROR_INVALID,
			"'util' must be a percentage, or null for a GPU of which nothing is known");
	}
	return 0;
}

int dcgm_check(const json_t *assignment, struct error *err)
{
	size_t h, g;
	json_t *holder, *gpu;

	if (!json_is_array(assignment)) {
		return error_set(err, ERROR_INVALID, "give a list of {\"namespace\", \"pod\", \"gpus\": [{\"util\"}]}");
	}
	json_array_foreach((json_t *)assignment, h, holder) {
		if (!*json_path_string(holder, "namespace", "") || !*json_path_string(holder, "pod", "")) {
			return error_set(err, ERROR_INVALID, "[%zu]: 'namespace' and 'pod' must be strings", h);
		}
		if (json_array_size(json_object_get(holder, "gpus")) == 0) {
			return error_set(err, ERROR_INVALID, "[%zu]: 'gpus' must be a list of {\"util\": percent}", h);
		}
		json_array_foreach(json_object_get(holder, "gpus"), g, gpu) {
			if (check_gpu(gpu, err) < 0) {
				return error_wrap(err, "[%zu].gpus[%zu]", h, g);
			}
		}
	}
	return 0;
}
