/* Exec plugins: how they are run, when they are run again, and what is said when they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"
#include "kube/sources.h"
#include "kube_rig.h"
#include "pem_rig.h"

#define V1 "client.authentication.k8s.io/v1"
#define CREDENTIAL(status) "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{" status "}}"
#define TOKEN(token) CREDENTIAL("\"token\":\"" token "\"")

/* A plugin that notes each run, its arguments and what it was told, and prints the file "out". */
#define PLUGIN                                                                                                         \
	"#!/bin/sh\n"                                                                                                  \
	"cd \"${0%/*}\"\n"                                                                                             \
	"echo run >>runs\n"                                                                                            \
	"for arg; do echo \"<$arg>\"; done >args\n"                                                                    \
	"printf '%s' \"$KUBERNETES_EXEC_INFO\" >info\n"                                                                \
	"printf '%s' \"$OF_PLUGIN:$OURS\" >env\n"                                                                      \
	"cat out\n"

struct outcome {
	size_t calls;
	struct error err;
};

static void on_done(void *ctx, json_t *result, const struct error *err)
{
	struct outcome *outcome = ctx;

	(void)result;
	outcome->calls++;
	error_release(&outcome->err);
	if (err != NULL) {
		error_copy(&outcome->err, err);
	}
}

static bool is_done(void *ctx)
{
	return ((struct outcome *)ctx)->calls > 0;
}

struct test {
	struct kube_rig rig;
	char *dir;
	struct outcome outcome;
};

static struct fake_answer always_ok(void *ctx, const struct fake_request *request)
{
	(void)ctx;
	(void)request;
	return (struct fake_answer){.status = 200, .body = "{}"};
}

static void put(const struct test *test, const char *name, const char *text)
{
	free(rig_file(test->dir, name, text));
}

static char *get(const struct test *test, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", test->dir, name);
	auto_strbuf text = STRBUF_INIT;

	file_read(path, 1 << 20, &text, NULL);
	return strbuf_take(&text);
}

static int runs(const struct test *test)
{
	auto_free char *text = get(test, "runs");

	return (int)(strlen(text) / strlen("run\n"));
}

/* `more` is YAML for the fields of exec beside apiVersion and command. */
static void open_plugin(struct test *test, const char *script, const char *out, const char *more)
{
	auto_free char *path = NULL;
	auto_free char *user = NULL;

	memset(test, 0, sizeof(*test));
	test->outcome.err = ERROR_INIT;
	test->dir = rig_dir();
	path = rig_file(test->dir, "plugin", script);
	chmod(path, 0700);
	put(test, "out", out);
	user = xasprintf("exec: {apiVersion: " V1 ", command: '%s'%s}", path,
		more != NULL ? more : ", interactiveMode: Never");
	rig_open(&test->rig, always_ok, NULL, user);
}

static void close_plugin(struct test *test)
{
	error_release(&test->outcome.err);
	assert_int_equal(rig_close(&test->rig), 0);
	rig_remove_dir(test->dir);
	free(test->dir);
}

static struct kube_call *start(struct test *test)
{
	return kube_request(test->rig.client, "GET", "/x", NULL, NULL, on_done, &test->outcome);
}

static void request(struct test *test)
{
	test->outcome.calls = 0;
	start(test);
	/* Never from inside the call that started it. */
	assert_int_equal(test->outcome.calls, 0);
	assert_true(run_until(&test->rig.loop, is_done, &test->outcome));
	assert_int_equal(test->outcome.calls, 1);
}

static void assert_sent_token(const struct test *test, const char *token)
{
	auto_free char *line = xasprintf("Authorization: Bearer %s\r\n", token);

	assert_null(test->outcome.err.message);
	if (strstr(fake_last_head(test->rig.fake), line) == NULL) {
		assert_string_equal(fake_last_head(test->rig.fake), line);
	}
}

static void assert_file(const struct test *test, const char *name, const char *want)
{
	auto_free char *text = get(test, name);

	assert_string_equal(text, want);
}

static void test_its_token_is_sent_and_kept(void **state)
{
	struct test test;

	(void)state;
	open_plugin(&test, PLUGIN, TOKEN("t1"), NULL);
	for (int i = 0; i < 3; i++) {
		request(&test);
		assert_sent_token(&test, "t1");
	}
	assert_int_equal(runs(&test), 1);
	close_plugin(&test);
}

static void test_there_is_no_shell(void **state)
{
	struct test test;

	(void)state;
	open_plugin(&test, PLUGIN, TOKEN("t"),
		", interactiveMode: Never, args: ['$(touch pwned)', '; touch pwned', 'a b', "
		"'']");
	request(&test);
	assert_file(&test, "args", "<$(touch pwned)>\n<; touch pwned>\n<a b>\n<>\n");
	close_plugin(&test);
}

static void test_the_environment_is_the_childs_alone(void **state)
{
	struct test test;

	(void)state;
	setenv("OURS", "kept", 1);
	setenv("KUBERNETES_EXEC_INFO", "of somebody else", 1);
	unsetenv("OF_PLUGIN");
	open_plugin(&test, PLUGIN, TOKEN("t"), ", interactiveMode: Never, env: [{name: OF_PLUGIN, value: 'x y'}]");
	request(&test);
	assert_file(&test, "env", "x y:kept");
	assert_file(&test, "info",
		"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false}}");
	assert_null(getenv("OF_PLUGIN"));
	assert_string_equal(getenv("KUBERNETES_EXEC_INFO"), "of somebody else");
	unsetenv("KUBERNETES_EXEC_INFO");
	close_plugin(&test);

	/* Its own value over ours. */
	open_plugin(&test, PLUGIN, TOKEN("t"), ", interactiveMode: IfAvailable, env: [{name: OURS, value: other}]");
	request(&test);
	assert_file(&test, "env", ":other");
	unsetenv("OURS");
	close_plugin(&test);
}

static void test_it_is_given_the_cluster_when_it_wants(void **state)
{
	struct test test;
	auto_free char *info = NULL;
	auto_json *all = NULL;
	const json_t *reported;

	(void)state;
	open_plugin(&test, PLUGIN, TOKEN("t"), ", interactiveMode: Never, provideClusterInfo: true");
	test.rig.config->server_name = xstrdup("s");
	test.rig.config->ca.text = xstrdup("PEM");
	test.rig.config->exec->cluster_config = json_pack("{s:s}", "audience", "a");
	request(&test);
	info = get(&test, "info");
	all = json_parse(info, strlen(info), NULL);
	reported = json_path(all, "spec.cluster");
	assert_string_equal(json_path_string(reported, "server", ""), fake_url(test.rig.fake));
	assert_string_equal(json_path_string(reported, "tls-server-name", ""), "s");
	assert_string_equal(json_path_string(reported, "certificate-authority-data", ""), "UEVN");
	assert_string_equal(json_path_string(reported, "config.audience", ""), "a");
	close_plugin(&test);
}

/* Our connections are not its business, and must not live on in what it leaves running. */
static void test_it_inherits_no_connection(void **state)
{
	struct test test;
	auto_free char *fds = NULL;

	(void)state;
	open_plugin(&test,
		"#!/bin/sh\n"
		"cd \"${0%/*}\"\n"
		"for fd in /proc/$$/fd/*; do\n"
		"	inode=$(readlink \"$fd\" | sed -n 's/^socket:.\\([0-9]*\\).$/\\1/p')\n"
		"	[ -z \"$inode\" ] || grep -w \"$inode\" /proc/net/tcp\n"
		"done >fds\n"
		"cat out\n",
		CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\""), NULL);
	request(&test);
	/* Now there is a connection, and a listener of this same process. */
	request(&test);
	assert_sent_token(&test, "t");
	fds = get(&test, "fds");
	assert_string_equal(fds, "");
	close_plugin(&test);
}

static void test_one_run_serves_all_who_wait(void **state)
{
	struct test test;

	(void)state;
	open_plugin(&test, PLUGIN, TOKEN("t"), NULL);
	for (int i = 0; i < 5; i++) {
		start(&test);
	}
	while (test.outcome.calls < 5) {
		event_loop_turn(&test.rig.loop);
	}
	assert_int_equal(fake_requests(test.rig.fake), 5);
	assert_int_equal(runs(&test), 1);
	close_plugin(&test);
}

struct ticks {
	int seen;
};

static void on_tick(uv_timer_t *timer)
{
	((struct ticks *)timer->data)->seen++;
}

static bool ticked(void *ctx)
{
	return ((struct ticks *)ctx)->seen >= 5;
}

#define SLOW_PLUGIN                                                                                                    \
	"#!/bin/sh\n"                                                                                                  \
	"cd \"${0%/*}\"\n"                                                                                             \
	"echo $$ >pid.new && mv pid.new pid\n"                                                                         \
	"while [ ! -e go ]; do sleep 0.01; done\n"                                                                     \
	"cat out\n"

static void test_the_loop_goes_on_meanwhile(void **state)
{
	struct ticks ticks = {0};
	struct test test;
	uv_timer_t timer;

	(void)state;
	open_plugin(&test, SLOW_PLUGIN, TOKEN("t"), NULL);
	uv_timer_init(&test.rig.loop, &timer);
	timer.data = &ticks;
	uv_timer_start(&timer, on_tick, 5, 5);
	start(&test);
	assert_true(run_until(&test.rig.loop, ticked, &ticks));
	assert_int_equal(test.outcome.calls, 0);
	assert_int_equal(fake_requests(test.rig.fake), 0);
	put(&test, "go", "");
	assert_true(run_until(&test.rig.loop, is_done, &test.outcome));
	assert_sent_token(&test, "t");
	uv_close((uv_handle_t *)&timer, NULL);
	close_plugin(&test);
}

static bool has_pid(void *ctx)
{
	auto_free char *path = xasprintf("%s/pid", ((struct test *)ctx)->dir);

	return access(path, F_OK) == 0;
}

static bool is_gone(void *ctx)
{
	return kill((pid_t)atoi(ctx), 0) < 0 && errno == ESRCH;
}

static void test_cancelling_kills_it(void **state)
{
	struct test test;
	struct kube_call *one, *two;
	auto_free char *pid = NULL;

	(void)state;
	open_plugin(&test, SLOW_PLUGIN, TOKEN("t"), NULL);
	one = start(&test);
	two = start(&test);
	while (!has_pid(&test)) {
		uv_run(&test.rig.loop, UV_RUN_NOWAIT);
	}
	pid = get(&test, "pid");
	kube_call_cancel(one);
	assert_true(run_until(&test.rig.loop, is_done, &test.outcome));
	assert_int_equal(test.outcome.err.kind, ERROR_CANCELLED);
	/* The other one still waits for it. */
	assert_int_equal(kill((pid_t)atoi(pid), 0), 0);
	test.outcome.calls = 0;
	kube_call_cancel(two);
	assert_true(run_until(&test.rig.loop, is_done, &test.outcome));
	assert_true(run_until(&test.rig.loop, is_gone, pid));
	close_plugin(&test);
}

static void test_it_is_run_again_when_the_credential_expires(void **state)
{
	static const struct {
		int64_t left_ms;
		int runs;
	} rows[] = {{3600 * 1000, 1}, {5000, 3}, {-5000, 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *when = clock_rfc3339(clock_wall_ms() + rows[i].left_ms);
		auto_free char *out = xasprintf(CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"%s\""), when);
		struct test test;

		open_plugin(&test, PLUGIN, out, NULL);
		for (int request_count = 0; request_count < 3; request_count++) {
			request(&test);
		}
		assert_sent_token(&test, "t");
		assert_int_equal(runs(&test), rows[i].runs);
		close_plugin(&test);
	}
}

static void test_a_refusal_runs_it_again_once(void **state)
{
	static const struct fake_step steps[] = {
		{"GET *", {.status = 401, .body = "{}"}},
		{"GET *", {.status = 200, .body = "{}"}},
		{"GET *", {.status = 200, .body = "{}"}},
	};
	struct test test;
	unsigned old;

	(void)state;
	open_plugin(&test, PLUGIN, TOKEN("old"), NULL);
	assert_int_equal(rig_close(&test.rig), 0);
	{
		auto_free char *user = xasprintf("exec: {apiVersion: " V1 ", command: '%s/plugin', "
						 "interactiveMode: Never}",
			test.dir);

		rig_open(&test.rig, NULL, NULL, user);
	}
	fake_script(test.rig.fake, steps, ARRAY_LEN(steps));
	request(&test);
	assert_int_equal(test.outcome.err.kind, ERROR_UNAUTHORIZED);
	old = kube_config_generation(test.rig.config);
	put(&test, "out", TOKEN("new"));
	request(&test);
	assert_sent_token(&test, "new");
	assert_int_equal(runs(&test), 2);
	/* The refusal of another request, sent before with the old token, comes late. */
	kube_config_refused(test.rig.config, old);
	request(&test);
	assert_sent_token(&test, "new");
	assert_int_equal(runs(&test), 2);
	close_plugin(&test);
}

static void test_it_may_print_yaml(void **state)
{
	struct test test;

	(void)state;
	open_plugin(&test, PLUGIN,
		"apiVersion: " V1 "\nkind: ExecCredential\nstatus:\n"
		"  expirationTimestamp: 2099-01-01T00:00:00+02:00\n  token: y1\n",
		NULL);
	request(&test);
	request(&test);
	assert_sent_token(&test, "y1");
	assert_int_equal(runs(&test), 1);
	close_plugin(&test);
}

static void test_it_may_give_a_client_certificate(void **state)
{
	auto_free char *cert = NULL;
	auto_free char *key = NULL;
	auto_free char *out = NULL;
	auto_json *credential = NULL;
	struct http_tls tls;
	struct test test;

	(void)state;
	pem_pair("a", &cert, &key);
	credential = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", V1, "kind", "ExecCredential", "status",
		"clientCertificateData", cert, "clientKeyData", key);
	out = json_text(credential);
	open_plugin(&test, PLUGIN, out, NULL);
	request(&test);
	assert_null(test.outcome.err.message);
	assert_null(strstr(fake_last_head(test.rig.fake), "Authorization"));
	kube_config_tls(test.rig.config, &tls);
	assert_string_equal(tls.cert_data, cert);
	assert_string_equal(tls.key_data, key);
	close_plugin(&test);
}

static void test_a_command_with_a_slash_is_beside_the_kubeconfig(void **state)
{
	auto_free char *dir = rig_dir();
	auto_free char *plugin = rig_file(dir, "plugin", "");
	auto_free char *path = rig_file(dir, "kc",
		"current-context: t\n"
		"contexts: [{name: t, context: {cluster: c, user: u}}]\n"
		"clusters: [{name: c, cluster: {server: 'https://h'}}]\n"
		"users: [{name: u, user: {exec: {apiVersion: " V1 ", command: ./plugin, interactiveMode: Never}}}]\n");
	auto_free char *want = xasprintf("%s/./plugin", dir);
	struct kube_config *config = kube_config_load(path, NULL, NULL);

	(void)state;
	assert_non_null(config);
	assert_string_equal(config->exec->command, want);
	kube_config_free(config);
	rig_remove_dir(dir);
}

static void test_credentials_in_the_file_win(void **state)
{
	struct kube_rig rig;

	(void)state;
	rig_open(&rig, always_ok, NULL, "token: t, exec: {apiVersion: " V1 ", command: x, interactiveMode: Never}");
	assert_null(rig.config->exec);
	assert_int_equal(rig_close(&rig), 0);
}

/* What a plugin does, and what is said of it after "exec plugin '…/plugin' ". */
static void test_what_is_said_of_a_failing_plugin(void **state)
{
	static const struct {
		const char *script, *out, *more, *message;
	} rows[] = {
		{"#!/bin/sh\necho first >&2\necho 'no such profile' >&2\nexit 3\n", "", NULL,
			"ended with code 3: no such profile"},
		{"#!/bin/sh\nexit 1\n", "", NULL, "ended with code 1: it said nothing on its standard error"},
		{"#!/bin/sh\nkill -9 $$\n", "", NULL, "was ended by signal 9"},
		{PLUGIN, "", NULL, "gave no credentials: it printed nothing"},
		{PLUGIN, "hello", NULL, "gave no credentials: it printed neither JSON nor YAML"},
		{PLUGIN, "{}", NULL, "gave no credentials: its 'kind' is '', not 'ExecCredential'"},
		{PLUGIN, "{\"kind\":\"ExecCredential\",\"apiVersion\":\"v2\"}", NULL,
			"gave no credentials: its 'apiVersion' is 'v2', but the kubeconfig asks for '" V1 "'"},
		{PLUGIN, "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}", NULL,
			"gave no credentials: it has no 'status'"},
		{PLUGIN, CREDENTIAL(""), NULL,
			"gave no credentials: it has neither 'status.token' nor "
			"'status.clientCertificateData'"},
		{PLUGIN, CREDENTIAL("\"token\":5"), NULL, "gave no credentials: 'status.token' is not a text"},
		{PLUGIN, CREDENTIAL("\"token\":\"a\\nInjected: b\""), NULL,
			"gave no credentials: 'status.token' is not one line of printable characters"},
		{PLUGIN, CREDENTIAL("\"clientKeyData\":\"k\""), NULL,
			"gave no credentials: it has a client key without its certificate"},
		{PLUGIN, CREDENTIAL("\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\""), NULL,
			"gave no credentials: the client certificate is not PEM"},
		{PLUGIN, CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"soon\""), NULL,
			"gave no credentials: 'status.expirationTimestamp' 'soon' is not an RFC 3339 "
			"time"},
		{PLUGIN, "", ", interactiveMode: Always",
			"has to ask somebody ('interactiveMode: Always'), and there is no terminal: use "
			"credentials that need not"},
		{"#!/bin/sh\nexec yes\n", "", NULL, "printed more than 1024 KiB"},
		{"#!/bin/sh\nexec sleep 60\n", "", NULL, "did not end within 0 s and was killed"},
		{"#!/no/interpreter\n", "", ", interactiveMode: Never, installHint: 'see the docs'",
			"cannot be run: no such file or directory: see the docs"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *want = NULL;
		struct test test;

		open_plugin(&test, rows[i].script, rows[i].out, rows[i].more);
		test.rig.config->exec->timeout_ms = strstr(rows[i].message, "did not end") != NULL ? 100 : 10000;
		want = xasprintf("cannot GET '/x': exec plugin '%s/plugin' %s", test.dir, rows[i].message);
		request(&test);
		assert_string_equal(test.outcome.err.message, want);
		assert_int_equal(test.outcome.err.kind, ERROR_UNAUTHORIZED);
		assert_int_equal(fake_requests(test.rig.fake), 0);
		close_plugin(&test);
	}
}

static void test_a_missing_program_is_named_with_its_remedy(void **state)
{
	struct outcome outcome = {.err = ERROR_INIT};
	struct kube_rig rig;

	(void)state;
	rig_open(&rig, NULL, NULL, "exec: {apiVersion: " V1 ", command: no-such-plugin, interactiveMode: Never}");
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &outcome);
	assert_true(run_until(&rig.loop, is_done, &outcome));
	assert_string_equal(outcome.err.message, "cannot GET '/x': exec plugin 'no-such-plugin' cannot be run: no such "
						 "file or directory: install it, or correct the user's 'exec.command'");
	/* Also when nobody waits for that any longer. */
	outcome.calls = 0;
	kube_call_cancel(kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &outcome));
	assert_true(run_until(&rig.loop, is_done, &outcome));
	assert_int_equal(outcome.err.kind, ERROR_CANCELLED);
	error_release(&outcome.err);
	assert_int_equal(rig_close(&rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_its_token_is_sent_and_kept),
		cmocka_unit_test(test_there_is_no_shell),
		cmocka_unit_test(test_the_environment_is_the_childs_alone),
		cmocka_unit_test(test_it_is_given_the_cluster_when_it_wants),
		cmocka_unit_test(test_it_inherits_no_connection),
		cmocka_unit_test(test_one_run_serves_all_who_wait),
		cmocka_unit_test(test_the_loop_goes_on_meanwhile),
		cmocka_unit_test(test_cancelling_kills_it),
		cmocka_unit_test(test_it_is_run_again_when_the_credential_expires),
		cmocka_unit_test(test_a_refusal_runs_it_again_once),
		cmocka_unit_test(test_it_may_print_yaml),
		cmocka_unit_test(test_it_may_give_a_client_certificate),
		cmocka_unit_test(test_a_command_with_a_slash_is_beside_the_kubeconfig),
		cmocka_unit_test(test_credentials_in_the_file_win),
		cmocka_unit_test(test_what_is_said_of_a_failing_plugin),
		cmocka_unit_test(test_a_missing_program_is_named_with_its_remedy),
	};

	/* Whoever runs this by hand has a terminal, and a plugin might ask there. */
	if (freopen("/dev/null", "r", stdin) == NULL) {
		abort();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
