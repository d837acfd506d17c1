/* Which ConfigMap and which key prometheus-adapter's Deployment has its rules from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "view/workload.h"
#include "view_rig.h"

/* "configmap/key", "secret:name/key"; with '?' behind it when it is only a guess; "-" = nothing is told. */
static char *words(const struct view_config *config)
{
	const char *name = config->configmap != NULL ? config->configmap : config->secret;

	return name == NULL ? xstrdup("-")
	                    : xasprintf("%s%s/%s%s", config->secret != NULL ? "secret:" : "", name,
				      config->key != NULL ? config->key : "-", config->certain ? "" : "?");
}

static const struct view *decode(const char *args, const char *rest, const char *volumes)
{
	auto_free char *text = xasprintf("{spec: {template: {spec: {containers: [{name: proxy, args: [--config=/p]}, "
					 "{args: [%s, --prometheus-url=http://p:9090/], %s}], volumes: [%s]}}}}",
		args, rest, volumes);

	return view_rig_yaml(&view_workload_type, text);
}

#define MOUNT "volumeMounts: [{name: c, mountPath: /etc/adapter}]"
#define CONFIG "--config=/etc/adapter/config.yaml"
#define VOLUME "{name: c, configMap: {name: rules}}"

static void test_the_path_is_followed(void **state)
{
	static const struct {
		const char *args;
		const char *rest; /* of the container */
		const char *volumes;
		const char *wanted;
	} rows[] = {
		/* As the chart has it, in two words, and as a hashed name. */
		{CONFIG, MOUNT, VOLUME, "rules/config.yaml"},
		{"--config, /etc/adapter/config.yaml", MOUNT, VOLUME, "rules/config.yaml"},
		{CONFIG, MOUNT, "{name: x, emptyDir: {}}, {name: c, configMap: {name: adapter-config-7b2c9f}}",
			"adapter-config-7b2c9f/config.yaml"},
		{"-v=6", "command: [/adapter, " CONFIG "], " MOUNT, VOLUME, "rules/config.yaml"},
		{"--config=$(FILE)", "env: [{name: FILE, value: /etc/adapter/a.yaml}], " MOUNT, VOLUME, "rules/a.yaml"},
		{"--config=$(FILE)", MOUNT, VOLUME, "-"},
		/* The innermost mount around it has it. */
		{CONFIG, "volumeMounts: [{name: o, mountPath: /etc}, {name: c, mountPath: /etc/adapter/}]",
			"{name: o, configMap: {name: other}}, " VOLUME, "rules/config.yaml"},
		{CONFIG, "volumeMounts: [{name: c, mountPath: /}]", VOLUME, "rules/-"},
		{CONFIG, "volumeMounts: [{name: c, mountPath: /etc/adap}]", VOLUME, "-"},
		{CONFIG, "volumeMounts: [{name: c, mountPath: /etc/adapter/config.yaml}]", VOLUME, "rules/-"},
		{"--config=config.yaml", MOUNT, VOLUME, "-"},
		{"--config=", MOUNT, VOLUME, "-"},
		/* Parts of a volume. */
		{CONFIG, "volumeMounts: [{name: c, mountPath: /etc/adapter/config.yaml, subPath: rules.yaml}]", VOLUME,
			"rules/rules.yaml"},
		{CONFIG, "volumeMounts: [{name: c, mountPath: /etc/adapter, subPath: a/b}]",
			"{name: c, configMap: {name: rules, items: [{key: k, path: a/b/config.yaml}]}}", "rules/k"},
		{CONFIG, "volumeMounts: [{name: c, mountPath: /etc/adapter, subPathExpr: $(A)}]", VOLUME, "-"},
		{CONFIG, MOUNT, "{name: c, configMap: {name: rules, items: [{key: k, path: config.yaml}]}}", "rules/k"},
		{CONFIG, MOUNT, "{name: c, configMap: {name: rules, items: [{key: k, path: other.yaml}]}}", "rules/-"},
		/* Projected volumes. */
		{CONFIG, MOUNT,
			"{name: c, projected: {sources: [{serviceAccountToken: {}}, {configMap: {name: rules}}]}}",
			"rules/config.yaml"},
		{CONFIG, MOUNT,
			"{name: c, projected: {sources: [{configMap: {name: ca, items: [{key: ca, path: ca.crt}]}}, "
			"{configMap: {name: rules, items: [{key: k, path: config.yaml}]}}]}}",
			"rules/k"},
		{CONFIG, MOUNT, "{name: c, projected: {sources: [{configMap: {name: a}}, {configMap: {name: b}}]}}",
			"-"},
		/* No ConfigMap has it. */
		{CONFIG, MOUNT, "{name: c, secret: {secretName: s}}, {name: d, configMap: {name: ca}}",
			"secret:s/config.yaml"},
		{CONFIG, MOUNT, "{name: c, emptyDir: {}}, {name: d, configMap: {name: ca}}", "-"},
		{CONFIG, MOUNT, "", "-"},
		{CONFIG, "volumeMounts: [1, {name: 2, mountPath: 3}]", "1, {configMap: 2}", "-"},
		/* Without the flag the only ConfigMap is what it may be. */
		{"-v=6", MOUNT, VOLUME ", {name: t, emptyDir: {}}", "rules/-?"},
		{"-v=6", "ports: []", "{name: c, configMap: {name: rules, items: [{key: k, path: p}]}}", "rules/k?"},
		{"-v=6", MOUNT, VOLUME ", {name: d, configMap: {name: ca}}", "-"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_view *view = decode(rows[i].args, rows[i].rest, rows[i].volumes);
		auto_free char *got = words(view_workload(view)->config);

		if (!text_equal(got, rows[i].wanted)) {
			fail_msg("row %zu (%s, %s): '%s', not '%s'", i, rows[i].rest, rows[i].volumes, got,
				rows[i].wanted);
		}
	}
}

static void test_other_programs_have_no_rules(void **state)
{
	auto_view *view = view_rig_yaml(&view_workload_type,
		"{spec: {template: {spec: {containers: [{args: [" CONFIG "], " MOUNT "}], volumes: [" VOLUME "]}}}}");

	(void)state;
	assert_null(view_workload(view)->config);
}

/* A stranger's Deployment may be as large as etcd takes it. */
static void test_many_mounts(void **state)
{
	static const char text[] = "{spec: {template: {spec: {containers: [{args: [" CONFIG
				   ", --prometheus-url=x], volumeMounts: []}], volumes: []}}}}";
	auto_json *object = yaml_parse(text, strlen(text), NULL);
	json_t *spec = json_path(object, "spec.template.spec");
	json_t *mounts = json_object_get(json_array_get(json_object_get(spec, "containers"), 0), "volumeMounts");

	(void)state;
	for (int i = 0; i < 20000; i++) {
		auto_free char *name = xasprintf("v%d", i);
		auto_free char *path = xasprintf("/etc/adapter/%d", i);

		json_array_append_new(mounts, json_pack("{s:s, s:s}", "name", name, "mountPath", path));
		json_array_append_new(json_object_get(spec, "volumes"),
			json_pack("{s:s, s:{s:s}}", "name", name, "configMap", "name", name));
	}
	json_array_append_new(mounts, json_pack("{s:s, s:s}", "name", "v7", "mountPath", "/etc/adapter"));
	auto_view *view = view_decode(KIND_DEPLOYMENT, object);

	assert_string_equal(view_workload(view)->config->configmap, "v7");
	assert_true(view->bytes < 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_path_is_followed),
		cmocka_unit_test(test_other_programs_have_no_rules),
		cmocka_unit_test(test_many_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
