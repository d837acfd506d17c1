/* Kubeconfig files and the service account: what is read, and what is said when it cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/base64.h"
#include "kube/sources.h"
#include "kube_rig.h"
#include "pem_rig.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
/* base64 of "-----BEGIN X" and of "none" */
#define PEM_DATA "LS0tLS1CRUdJTiBY"
#define NOT_PEM_DATA "bm9uZQ=="

#define ONE(cluster, user)                                                                                             \
	"current-context: t\n"                                                                                         \
	"contexts: [{name: t, context: {cluster: c, user: u, namespace: n}}]\n"                                        \
	"clusters: [{name: c, cluster: {" cluster "}}]\n"                                                              \
	"users: [{name: u, user: {" user "}}]\n"
#define V1 "apiVersion: client.authentication.k8s.io/v1"
#define SERVER "server: 'https://h:6443'"

static int make_dir(void **state)
{
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	*state = rig_dir();
	setenv("HOME", *state, 1);
	return 0;
}

static int remove_dir(void **state)
{
	rig_remove_dir(*state);
	free(*state);
	return 0;
}

static struct kube_config *load(const char *dir, const char *text, const char *context)
{
	auto_free char *path = rig_file(dir, "kc", text);
	auto_error err = ERROR_INIT;
	struct kube_config *config = kube_config_load(path, context, &err);

	if (config == NULL) {
		fail_msg("%s", err.message);
	}
	return config;
}

static void assert_header(struct kube_config *config, const char *want)
{
	auto_free char *header = NULL;
	auto_error err = ERROR_INIT;

	assert_int_equal(kube_config_authorization(config, &header, &err), 0);
	if (want != NULL) {
		assert_string_equal(header, want);
	} else {
		assert_null(header);
	}
}

static char *base64(const char *text)
{
	auto_strbuf coded = STRBUF_INIT;

	base64_encode(text, strlen(text), &coded);
	return strbuf_take(&coded);
}

static void test_all_fields(void **state)
{
	auto_free char *cert = NULL;
	auto_free char *key = NULL;
	auto_free char *text = NULL;
	auto_free char *cert_data = NULL;
	auto_free char *key_data = NULL;
	struct kube_config *config;
	struct http_tls tls;

	pem_pair("u", &cert, &key);
	cert_data = base64(cert);
	key_data = base64(key);
	text = xasprintf(ONE(SERVER ", tls-server-name: s, proxy-url: 'http://p:1', "
				    "certificate-authority-data: " PEM_DATA,
				 "client-certificate-data: %s, client-key-data: %s"),
		cert_data, key_data);
	config = load(*state, text, NULL);

	kube_config_tls(config, &tls);
	assert_string_equal(kube_config_server(config), "https://h:6443");
	assert_string_equal(kube_config_namespace(config), "n");
	assert_string_equal(kube_config_proxy(config), "http://p:1");
	assert_string_equal(tls.server_name, "s");
	assert_string_equal(tls.ca_data, "-----BEGIN X");
	assert_string_equal(tls.cert_data, cert);
	assert_string_equal(tls.key_data, key);
	assert_false(tls.insecure);
	assert_header(config, NULL);
	kube_config_free(config);
}

static void test_other_fields(void **state)
{
	struct kube_config *config = load(*state,
		"current-context: t\n"
		"contexts: [{name: t, context: {cluster: c}}, {name: b, context: {cluster: c, "
		"user: b}}, {name: k, context: {cluster: c, user: k}}]\n"
		"clusters: [{name: c, cluster: {server: 'http://[::1]:80/prefix//', "
		"insecure-skip-tls-verify: true}}]\n"
		"users: [{name: b, user: {username: 'a', password: 'b:c'}},\n"
		"        {name: k, user: {token: 'k1'}}]\n",
		NULL);
	auto_free char *path = xasprintf("%s/kc", (char *)*state);
	struct http_tls tls;

	kube_config_tls(config, &tls);
	assert_string_equal(kube_config_server(config), "http://[::1]:80/prefix");
	assert_string_equal(kube_config_namespace(config), "default");
	assert_null(kube_config_proxy(config));
	assert_true(tls.insecure);
	assert_null(tls.ca_data);
	assert_header(config, NULL);
	kube_config_free(config);

	config = kube_config_load(path, "b", NULL);
	assert_header(config, "Authorization: Basic YTpiOmM=");
	kube_config_free(config);
	config = kube_config_load(path, "k", NULL);
	assert_header(config, "Authorization: Bearer k1");
	kube_config_free(config);
}

/* JSON allows a field without a name; it means nothing. */
static void test_a_field_without_a_name(void **state)
{
	const char *dir = *state;
	struct kube_config *config;

	free(rig_file(dir, "token", "t1"));
	config = load(dir, ONE(SERVER, "'': YWJj, tokenFile: token"), NULL);
	assert_header(config, "Authorization: Bearer t1");
	kube_config_free(config);
}

static void test_files_are_beside_the_kubeconfig(void **state)
{
	const char *dir = *state;
	auto_free char *ca = rig_file(dir, "ca.pem", PEM);
	auto_free char *token = rig_file(dir, "token", "  t1\n");
	struct kube_config *config = load(dir, ONE(SERVER ", certificate-authority: ca.pem", "tokenFile: token"), NULL);
	struct http_tls tls;

	kube_config_tls(config, &tls);
	assert_string_equal(tls.ca_data, PEM);
	assert_header(config, "Authorization: Bearer t1");
	assert_string_equal(ca, config->ca.path);
	assert_string_equal(token, config->token.path);
	kube_config_free(config);
}

/* A token is read again after a refusal, or when it is a minute old. */
static void test_a_new_token_is_read(void **state)
{
	const char *dir = *state;
	auto_free char *token = rig_file(dir, "token", "t1");
	struct kube_config *config = load(dir, ONE(SERVER, "tokenFile: token"), NULL);

	assert_header(config, "Authorization: Bearer t1");
	free(rig_file(dir, "token", "t2"));
	assert_header(config, "Authorization: Bearer t1");
	config->token.read_ms -= 61 * 1000;
	assert_header(config, "Authorization: Bearer t2");
	free(rig_file(dir, "token", "t3"));
	kube_config_refused(config, 0);
	assert_header(config, "Authorization: Bearer t3");
	/* A read error keeps the last good token ... */
	free(rig_file(dir, "token", ""));
	config->token.read_ms -= 61 * 1000;
	assert_header(config, "Authorization: Bearer t3");
	unlink(token);
	assert_header(config, "Authorization: Bearer t3");
	/* ... until the API server refuses that. */
	kube_config_refused(config, 0);
	{
		auto_free char *header = NULL;
		auto_free char *want = xasprintf("token cannot be read: file '%s' cannot be used: "
						 "No such file or directory",
			token);
		auto_error err = ERROR_INIT;

		assert_int_equal(kube_config_authorization(config, &header, &err), -1);
		assert_int_equal(err.kind, ERROR_UNAUTHORIZED);
		assert_string_equal(err.message, want);
	}
	kube_config_free(config);
}

/* While it cannot be read, a file is not read again for each request, but soon. */
static void test_an_unreadable_file_is_left_alone_for_a_moment(void **state)
{
	const char *dir = *state;
	struct kube_config *config;

	free(rig_file(dir, "token", "t1"));
	config = load(dir, ONE(SERVER, "tokenFile: token"), NULL);
	free(rig_file(dir, "token", ""));
	config->token.read_ms -= 61 * 1000;
	assert_header(config, "Authorization: Bearer t1");
	free(rig_file(dir, "token", "t2"));
	assert_header(config, "Authorization: Bearer t1");
	config->token.read_ms -= 6 * 1000;
	assert_header(config, "Authorization: Bearer t2");
	kube_config_free(config);
}

/* The CA's file: every five minutes, at once when the server cannot be reached, and never replaced by
 * what is none. */
static void test_a_new_ca_is_read(void **state)
{
	const char *dir = *state;
	auto_free char *ca = rig_file(dir, "ca.pem", PEM);
	struct kube_config *config = load(dir, ONE(SERVER ", certificate-authority: ca.pem", ""), NULL);
	struct http_tls tls;

	kube_config_tls(config, &tls);
	assert_string_equal(tls.ca_data, PEM);
	free(rig_file(dir, "ca.pem", PEM PEM));
	kube_config_tls(config, &tls);
	assert_string_equal(tls.ca_data, PEM);
	config->ca.read_ms -= 301 * 1000;
	kube_config_tls(config, &tls);
	assert_string_equal(tls.ca_data, PEM PEM);
	free(rig_file(dir, "ca.pem", PEM));
	kube_config_not_reached(config);
	kube_config_tls(config, &tls);
	assert_string_equal(tls.ca_data, PEM);
	free(rig_file(dir, "ca.pem", "half written"));
	config->ca.read_ms -= 301 * 1000;
	kube_config_tls(config, &tls);
	assert_string_equal(tls.ca_data, PEM);
	kube_config_free(config);
}

static void assert_pair(struct kube_config *config, const char *cert, const char *key)
{
	struct http_tls tls;

	kube_config_tls(config, &tls);
	assert_string_equal(tls.cert_data, cert);
	assert_string_equal(tls.key_data, key);
}

/* A client certificate and its key: every five minutes and after a refusal, and only together. */
static void test_a_new_client_certificate_is_read_with_its_key(void **state)
{
	const char *dir = *state;
	char *cert[3], *key[3];
	struct kube_config *config;

	for (size_t i = 0; i < ARRAY_LEN(cert); i++) {
		pem_pair("u", &cert[i], &key[i]);
	}
	free(rig_file(dir, "c.pem", cert[0]));
	free(rig_file(dir, "k.pem", key[0]));
	config = load(dir, ONE(SERVER, "client-certificate: c.pem, client-key: k.pem"), NULL);
	assert_pair(config, cert[0], key[0]);
	/* Half of it: in between no request may be made with what does not belong together. */
	free(rig_file(dir, "c.pem", cert[1]));
	config->pair.cert.read_ms -= 301 * 1000;
	assert_pair(config, cert[0], key[0]);
	free(rig_file(dir, "k.pem", key[1]));
	assert_pair(config, cert[0], key[0]);
	config->pair.cert.read_ms -= 6 * 1000;
	assert_pair(config, cert[1], key[1]);
	free(rig_file(dir, "k.pem", key[2]));
	free(rig_file(dir, "c.pem", cert[2]));
	assert_pair(config, cert[1], key[1]);
	kube_config_refused(config, 0);
	assert_pair(config, cert[2], key[2]);
	free(rig_file(dir, "c.pem", ""));
	kube_config_refused(config, 0);
	assert_pair(config, cert[2], key[2]);
	kube_config_free(config);

	free(rig_file(dir, "c.pem", cert[1]));
	{
		auto_free char *path = rig_file(dir, "kc", ONE(SERVER, "client-certificate: c.pem, client-key: k.pem"));
		auto_error err = ERROR_INIT;

		assert_null(kube_config_load(path, NULL, &err));
		assert_non_null(strstr(err.message, "user 'u' cannot log in: the client key is not "
						    "the certificate's"));
	}
	for (size_t i = 0; i < ARRAY_LEN(cert); i++) {
		free_indirect(&cert[i]);
		free_indirect(&key[i]);
	}
}

static void test_several_files_are_merged_first_wins(void **state)
{
	const char *dir = *state;
	auto_free char *a = rig_file(dir, "a",
		"contexts: [{name: t, context: {cluster: c, user: u}}]\n"
		"users: [{name: u, user: {token: first}}]\n");
	auto_free char *b = rig_file(dir, "b", ONE(SERVER, "token: second"));
	auto_free char *list = xasprintf("%s/none:%s::%s", dir, a, b);
	auto_error err = ERROR_INIT;
	struct kube_config *config;

	setenv("KUBECONFIG", list, 1);
	config = kube_config_load(NULL, NULL, &err);
	assert_non_null(config);
	assert_header(config, "Authorization: Bearer first");
	assert_string_equal(kube_config_server(config), "https://h:6443");
	assert_string_equal(kube_config_namespace(config), "default");
	kube_config_free(config);
}

static void test_the_service_account(void **state)
{
	const char *dir = *state;
	auto_free char *token = rig_file(dir, "token", "t");
	auto_free char *ca = rig_file(dir, "ca.crt", PEM);
	auto_free char *ns = rig_file(dir, "namespace", "mine");
	auto_error err = ERROR_INIT;
	struct kube_config *config = kube_config_new();

	assert_int_equal(incluster_load(config, dir, &err), -1);
	assert_string_equal(err.message, "environment variable 'KUBERNETES_SERVICE_HOST' is not set: in a pod "
					 "the kubelet sets it; outside give --kubeconfig");
	kube_config_free(config);

	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	config = kube_config_new();
	assert_int_equal(incluster_load(config, dir, &err), 0);
	assert_string_equal(kube_config_server(config), "https://[fd00::1]:443");
	assert_string_equal(kube_config_namespace(config), "mine");
	assert_header(config, "Authorization: Bearer t");
	assert_string_equal(config->ca.text, PEM);
	kube_config_free(config);

	unlink(ca);
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	config = kube_config_new();
	assert_int_equal(incluster_load(config, dir, &err), -1);
	assert_string_equal(config->server, "https://10.0.0.1:443");
	assert_non_null(strstr(err.message, "automountServiceAccountToken: true"));
	assert_non_null(strstr(err.message, ca));
	kube_config_free(config);
}

static void test_where_it_is_looked_for(void **state)
{
	const char *dir = *state;
	auto_free char *missing = xasprintf("%s/none", dir);
	auto_free char *list = xasprintf("%s/none:%s/neither", dir, dir);
	auto_error err = ERROR_INIT;

	assert_null(kube_config_load(NULL, NULL, &err));
	assert_non_null(strstr(err.message, "no cluster to talk to: KUBECONFIG and "
					    "KUBERNETES_SERVICE_HOST are not set and '"));
	assert_non_null(strstr(err.message, "give --kubeconfig or run in a pod"));
	assert_null(kube_config_load(missing, NULL, &err));
	assert_non_null(strstr(err.message, "cannot be read: No such file or directory: give "
					    "--kubeconfig or KUBECONFIG another path"));
	assert_null(kube_config_load(dir, NULL, &err));
	assert_non_null(strstr(err.message, "cannot be read: Is a directory"));
	setenv("KUBECONFIG", list, 1);
	assert_null(kube_config_load(NULL, NULL, &err));
	assert_non_null(strstr(err.message, "none of the kubeconfig files"));
	unsetenv("KUBECONFIG");
	/* In a pod the service account comes before the home folder. */
	setenv("KUBERNETES_SERVICE_HOST", "h", 1);
	assert_null(kube_config_load(NULL, NULL, &err));
	assert_non_null(strstr(err.message, "'KUBERNETES_SERVICE_PORT' is not set"));
}

/* Each message without its leading "kubeconfig '<path>'". */
static void test_what_is_said_of_a_broken_file(void **state)
{
	static const struct {
		const char *text, *context, *message;
	} rows[] = {
		{"a: [", NULL, " is not valid YAML (correct it or give another)"},
		{"", NULL, " is empty or not a mapping: give a file written by kubectl config"},
		{"- a", NULL, " is empty or not a mapping: give a file written by kubectl config"},
		{"users: x", NULL, ": 'users' is not a list: correct the file"},
		{"users: [{user: {}}]", NULL, ": users[0] has no 'name': give it one (quoted, if it is a number)"},
		{"contexts: [{name: a}, {name: b}]", NULL,
			" has no 'current-context': give --context or set one with kubectl config "
			"use-context; there are: a, b"},
		{"current-context: x", NULL, " has no context 'x': choose one of: (none)"},
		{ONE(SERVER, ""), "x", " has no context 'x': choose one of: t"},
		{"current-context: t\ncontexts: [{name: t, context: {}}]", NULL,
			": context 't' has no 'cluster': name one"},
		{"current-context: t\ncontexts: [{name: t, context: {cluster: c}}]", NULL,
			": context 't' names the cluster 'c', which is not there: add it or correct the "
			"name"},
		{"current-context: t\ncontexts: [{name: t, context: {cluster: c, user: u}}]\n"
		 "clusters: [{name: c}]",
			NULL,
			": context 't' names the user 'u', which is not there: add it or correct the "
			"name"},
		{ONE("", ""), NULL, ": cluster 'c' has no 'server': give its URL"},
		{ONE("server: 5", ""), NULL, ": 'server' of clusters 'c' is not a string: quote it"},
		{ONE("server: 'h:1'", ""), NULL, ": server 'h:1' of cluster 'c' is not a URL: begin it with https://"},
		{ONE(SERVER ", insecure-skip-tls-verify: true, certificate-authority-data: " PEM_DATA, ""), NULL,
			": cluster 'c' has both a certificate authority and 'insecure-skip-tls-verify': "
			"remove one"},
		{ONE(SERVER ", certificate-authority-data: 'a'", ""), NULL,
			": 'certificate-authority-data' of clusters 'c' is not base64: encode the PEM "
			"file with base64 -w0"},
		{ONE(SERVER ", certificate-authority-data: '" NOT_PEM_DATA "'", ""), NULL,
			": 'certificate-authority-data' of clusters 'c' holds no PEM text: encode a file "
			"that begins with '-----BEGIN '"},
		{ONE(SERVER ", certificate-authority: /none", ""), NULL,
			": 'certificate-authority' of clusters 'c': file '/none' cannot be used: No such "
			"file or directory"},
		{ONE(SERVER, "exec: {command: x}"), NULL,
			": 'exec.apiVersion' of users 'u' must be client.authentication.k8s.io/v1 or "
			"v1beta1: update the plugin and its entry"},
		{ONE(SERVER, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1}"), NULL,
			": 'exec.apiVersion' of users 'u' must be client.authentication.k8s.io/v1 or "
			"v1beta1: update the plugin and its entry"},
		{ONE(SERVER, "exec: {" V1 "}"), NULL, ": 'exec.command' of users 'u' is missing: name the program"},
		{ONE(SERVER, "exec: {" V1 ", command: x}"), NULL,
			": 'exec.interactiveMode' of users 'u' must be Never, IfAvailable or Always: add "
			"it"},
		{ONE(SERVER, "exec: {" V1 ", command: x, interactiveMode: Maybe}"), NULL,
			": 'exec.interactiveMode' of users 'u' must be Never, IfAvailable or Always: add "
			"it"},
		{ONE(SERVER, "exec: {" V1 ", command: x, args: [5]}"), NULL,
			": 'exec.args' of users 'u' holds what is no string: quote it"},
		{ONE(SERVER, "exec: {" V1 ", command: x, env: [{name: A}]}"), NULL,
			": 'exec.env' of users 'u' holds an entry without name and value: give both, as "
			"strings"},
		{ONE(SERVER ", proxy-url: 'p:3128'", ""), NULL,
			": 'proxy-url' of cluster 'c' cannot be used: begin it with http://, https:// or "
			"socks5://"},
		{ONE(SERVER, "client-certificate-data: " PEM_DATA ", client-key-data: " PEM_DATA), NULL,
			": user 'u' cannot log in: the client certificate is not PEM"},
		{ONE(SERVER, "auth-provider: {name: x}"), NULL,
			": user 'u' uses an auth provider, which this version does not know: use a token, "
			"client certificate or exec plugin"},
		{ONE(SERVER, "as: x, token: t"), NULL,
			": user 'u' impersonates another ('as'), which this version does not do: use "
			"that identity's own credentials"},
		{ONE(SERVER, "client-certificate-data: " PEM_DATA), NULL,
			": user 'u' has a client certificate without its key: give both"},
		{ONE(SERVER, "client-key-data: " PEM_DATA), NULL,
			": user 'u' has a client key without its certificate: give both"},
		{ONE(SERVER, "tokenFile: /none"), NULL,
			": 'tokenFile' of users 'u': file '/none' cannot be used: No such file or "
			"directory"},
		{ONE(SERVER, "token: 5"), NULL, ": 'token' of users 'u' is not a string: quote it"},
		{ONE(SERVER, "token: \"a\\nb\""), NULL,
			": 'token' of users 'u' is not one line of printable characters: correct it"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path = rig_file(*state, "kc", rows[i].text);
		auto_free char *want = xasprintf("kubeconfig '%s'%s", path, rows[i].message);
		auto_error err = ERROR_INIT;

		if (kube_config_load(path, rows[i].context, &err) != NULL) {
			fail_msg("row %zu was taken: %s", i, rows[i].text);
		}
		/* YAML's own words, with line and column, follow. */
		if (strncmp(err.message, want, strlen(want)) != 0) {
			assert_string_equal(err.message, want);
		}
		if (i > 0) {
			assert_string_equal(err.message, want);
		}
	}
}

static void test_base64(void **state)
{
	static const struct {
		const char *plain, *coded;
	} rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xfe", "//4="}};
	static const char *const wrong[] = {"Z", "Zg", "Zg=", "Zg===", "Z===", "Zm=v", "Zm9-", "===="};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_strbuf coded = STRBUF_INIT;
		auto_strbuf plain = STRBUF_INIT;

		base64_encode(rows[i].plain, strlen(rows[i].plain), &coded);
		assert_string_equal(coded.buf, rows[i].coded);
		assert_int_equal(base64_decode(rows[i].coded, &plain), 0);
		assert_string_equal(plain.buf, rows[i].plain);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_strbuf plain = STRBUF_INIT;

		if (base64_decode(wrong[i], &plain) == 0) {
			fail_msg("'%s' was taken", wrong[i]);
		}
	}
	{
		auto_strbuf plain = STRBUF_INIT;

		assert_int_equal(base64_decode("Zm\n9v\n", &plain), 0);
		assert_string_equal(plain.buf, "foo");
	}
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		WITH_DIR(test_all_fields),
		WITH_DIR(test_other_fields),
		WITH_DIR(test_a_field_without_a_name),
		WITH_DIR(test_files_are_beside_the_kubeconfig),
		WITH_DIR(test_an_unreadable_file_is_left_alone_for_a_moment),
		WITH_DIR(test_a_new_token_is_read),
		WITH_DIR(test_a_new_ca_is_read),
		WITH_DIR(test_a_new_client_certificate_is_read_with_its_key),
		WITH_DIR(test_several_files_are_merged_first_wins),
		WITH_DIR(test_the_service_account),
		WITH_DIR(test_where_it_is_looked_for),
		WITH_DIR(test_what_is_said_of_a_broken_file),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
