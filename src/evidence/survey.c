/* Surveys: their tables of fields, and their life. */
#include "evidence/survey.h"

#include "fields.h"

static const struct field adapter_fields[] = {
	TEXT("namespace", adapter_survey, ns),
	TEXT("deployment", adapter_survey, deployment),
	TEXT("configMap", adapter_survey, configmap),
	TEXT("key", adapter_survey, key),
	TEXT("url", adapter_survey, url),
	TEXT("prometheus", adapter_survey, prometheus),
	BOOL("nowhere", adapter_survey, nowhere),
	TEXT("relist", adapter_survey, relist),
	INT("replicas", adapter_survey, replicas, -1),
	INT("since", adapter_survey, since_ms, -1),
};
const struct shape shape_adapter_survey = SHAPE(adapter_survey, adapter_fields);

static const struct field exporter_fields[] = {
	TEXT("id", exporter_survey, id),
	TEXT("problem", exporter_survey, problem),
	TEXT("service", exporter_survey, service),
	TEXT("job", exporter_survey, job),
	INT("ready", exporter_survey, ready, -1),
	TEXT("others", exporter_survey, others),
	TEXT("local", exporter_survey, local),
	TEXT("monitor", exporter_survey, monitor),
	INT("since", exporter_survey, since_ms, -1),
	TEXT("pool", exporter_survey, pool),
	TEXT("selectedBy", exporter_survey, selected_by),
	TEXT("selectProblem", exporter_survey, select_problem),
	TEXT("enforced", exporter_survey, enforced),
	BOOL("outOfReach", exporter_survey, out_of_reach),
};
const struct shape shape_exporter_survey = SHAPE(exporter_survey, exporter_fields);

static const struct field rule_fields[] = {
	TEXT("problem", rule_survey, problem),
	TEXT("name", rule_survey, name),
	TEXT("selectedBy", rule_survey, selected_by),
	INT("since", rule_survey, since_ms, -1),
	BOOL("enforced", rule_survey, enforced),
};
static const struct shape shape_rule_survey = SHAPE(rule_survey, rule_fields);

static const struct field gpu_fields[] = {
	MAP("exporters", gpu_survey, exporters, shape_exporter_survey),
	PART("rule", gpu_survey, rule, shape_rule_survey),
	BOOL("scraped", gpu_survey, scraped),
	TEXT("prometheus", gpu_survey, prometheus),
	INT("shards", gpu_survey, shards, 0),
	TEXTS("namespaces", gpu_survey, namespaces),
	TEXT("trusted", gpu_survey, trusted),
	TEXT("own", gpu_survey, own),
};
const struct shape shape_gpu_survey = SHAPE(gpu_survey, gpu_fields);

static void *make(const struct shape *shape)
{
	void *survey = xcalloc(1, shape->size);

	shape_clear(shape, survey);
	return survey;
}

static void release(const struct shape *shape, void *survey)
{
	if (survey != NULL) {
		shape_release(shape, survey);
		free_indirect(&survey);
	}
}

static bool equal(const struct shape *shape, const void *one, const void *other)
{
	return one == NULL || other == NULL ? one == other : shape_equal(shape, one, other);
}

struct adapter_survey *adapter_survey_new(void)
{
	return make(&shape_adapter_survey);
}

void adapter_survey_free(struct adapter_survey *survey)
{
	release(&shape_adapter_survey, survey);
}

struct gpu_survey *gpu_survey_new(void)
{
	return make(&shape_gpu_survey);
}

void gpu_survey_free(struct gpu_survey *survey)
{
	release(&shape_gpu_survey, survey);
}

bool adapter_survey_equal(const struct adapter_survey *one, const struct adapter_survey *other)
{
	return equal(&shape_adapter_survey, one, other);
}

bool gpu_survey_equal(const struct gpu_survey *one, const struct gpu_survey *other)
{
	return equal(&shape_gpu_survey, one, other);
}

const struct exporter_survey *gpu_survey_exporter(const struct gpu_survey *survey, const char *id)
{
	return survey != NULL ? shape_find(&shape_exporter_survey, &survey->exporters, id) : NULL;
}
