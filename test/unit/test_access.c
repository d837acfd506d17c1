/* Options of the access to Prometheus: those that cannot work are refused, with the option and the remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kube_rig.h"
#include "pem_rig.h"
#include "probe/access.h"

#define URL "https://prometheus.example:9090/prom"

/* Files of a test, by what they hold. */
struct files {
	char *dir;
	char *token;
	char *empty;
	char *two_words;
	char *cert;
	char *key;
	char *other_key;
	char *cut; /* a certificate without its second half */
};

static void files_open(struct files *f)
{
	auto_free char *cert = NULL;
	auto_free char *key = NULL;
	auto_free char *other = NULL;
	auto_free char *other_key = NULL;
	auto_free char *cut = NULL;

	pem_pair("prometheus", &cert, &key);
	pem_pair("another", &other, &other_key);
	cut = xstrndup(cert, strlen(cert) / 2);
	f->dir = rig_dir();
	f->token = rig_file(f->dir, "token", "t0ken\n");
	f->empty = rig_file(f->dir, "empty", "\n");
	f->two_words = rig_file(f->dir, "two-words", "two words\n");
	f->cert = rig_file(f->dir, "tls.crt", cert);
	f->key = rig_file(f->dir, "tls.key", key);
	f->other_key = rig_file(f->dir, "other.key", other_key);
	f->cut = rig_file(f->dir, "cut.crt", cut);
}

static void files_close(struct files *f)
{
	char **all[] = {&f->token, &f->empty, &f->two_words, &f->cert, &f->key, &f->other_key, &f->cut, &f->dir};

	rig_remove_dir(f->dir);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		free_indirect(all[i]);
	}
}

static void assert_refused(const struct access_options *options, const char *says)
{
	auto_error err = ERROR_INIT;

	assert_null(access_new(options, &err));
	assert_int_equal(err.kind, ERROR_INVALID);
	if (strstr(err.message, says) == NULL) {
		fail_msg("'%s' does not say '%s'", err.message, says);
	}
}

#define REFUSED(says, ...) assert_refused(&(struct access_options){__VA_ARGS__}, says)

static void test_options_that_do_not_go_together(void **state)
{
	(void)state;
	REFUSED("--prometheus-url must be like https://HOST:PORT/PATH, not 'prometheus:9090'",
		.url = "prometheus:9090");
	REFUSED("--prometheus-url must be like", .url = "file:///etc/passwd");
	REFUSED("--prometheus-url must be like", .url = "https:///prom");
	REFUSED("give --prometheus-username and --prometheus-password-file instead",
		.url = "https://me:secret@prometheus");
	REFUSED("goes on after its path", .url = "https://prometheus/?tenant=a");
	REFUSED("--prometheus-token-file needs --prometheus-url", .token_file = "t");
	REFUSED("--prometheus-username needs --prometheus-url", .username = "u", .password_file = "p");
	REFUSED("--prometheus-token-file and --prometheus-username exclude each other", .url = URL, .token_file = "t",
		.username = "u", .password_file = "p");
	REFUSED("--prometheus-username needs --prometheus-password-file: give both", .url = URL, .username = "u");
	REFUSED("--prometheus-password-file needs --prometheus-username: give both", .url = URL, .password_file = "p");
	REFUSED("holds a ':'", .url = URL, .username = "a:b", .password_file = "p");
	REFUSED("--prometheus-client-tls-cert-file needs --prometheus-client-tls-key-file", .client_cert_file = "c");
	REFUSED("--prometheus-client-tls-key-file needs --prometheus-client-tls-cert-file", .client_key_file = "k");
	REFUSED("--prometheus-insecure-skip-verify and --prometheus-ca-file exclude each other", .insecure = true,
		.ca_file = "ca");
}

static void assert_header_refused(const char *header, const char *says)
{
	const char *const headers[] = {header};

	REFUSED(says, .url = URL, .headers = headers, .headers_count = 1);
}

static void test_headers_that_cannot_be_sent(void **state)
{
	static const char *const fine[] = {"X-Scope-OrgID: tenant"};

	(void)state;
	assert_header_refused("X-Scope-OrgID", "must be like 'Name: value', not 'X-Scope-OrgID'");
	assert_header_refused("X-Scope-OrgID: ", "must be like 'Name: value'");
	assert_header_refused("X Scope: a", "must be like 'Name: value'");
	assert_header_refused("X-Scope-OrgID: a\r\nHost: b", "'X-Scope-OrgID' holds a control character");
	assert_header_refused("authorization: Bearer x", "cannot set 'Authorization': a secret is given by");
	REFUSED("--prometheus-header needs --prometheus-url", .headers = fine, .headers_count = 1);
}

static void test_files_that_cannot_be_used(void **state)
{
	struct files f;

	(void)state;
	files_open(&f);
	REFUSED("--prometheus-token-file '/nowhere' cannot be used: No such file or directory; put it there, or correct the "
		"path",
		.url = URL, .token_file = "/nowhere");
	REFUSED("--prometheus-token-file '/' cannot be used: Is a directory", .url = URL, .token_file = "/");
	REFUSED("it is empty", .url = URL, .token_file = f.empty);
	REFUSED("it is not one line of printable characters", .url = URL, .token_file = f.two_words);
	REFUSED("it is empty", .url = URL, .username = "u", .password_file = f.empty);
	REFUSED("--prometheus-ca-file", .ca_file = f.token);
	REFUSED("it holds no PEM certificate", .ca_file = f.key);
	REFUSED("it holds a broken PEM certificate", .ca_file = f.cut);
	REFUSED("the client key is not the certificate's", .client_cert_file = f.cert, .client_key_file = f.other_key);
	REFUSED("--prometheus-client-tls-key-file '/nowhere' cannot be used", .client_cert_file = f.cert,
		.client_key_file = "/nowhere");
	files_close(&f);
}

static void test_a_request_gets_what_was_set(void **state)
{
	struct files f;
	struct access *access;
	struct http_request request = {.method = "GET"};

	(void)state;
	files_open(&f);
	access = access_new(&(struct access_options){.url = URL "//",
				    .ca_file = f.cert,
				    .client_cert_file = f.cert,
				    .client_key_file = f.key,
				    .server_name = "prom",
				    .username = "u",
				    .password_file = f.two_words},
		NULL);
	assert_non_null(access);
	access_apply(access, URL, &request);
	/* printf 'u:two words' | base64 */
	assert_string_equal(request.headers[0], "Authorization: Basic dTp0d28gd29yZHM=");
	assert_null(request.headers[1]);
	assert_non_null(strstr(request.tls->ca_data, "BEGIN CERTIFICATE"));
	assert_non_null(request.tls->cert_data);
	assert_non_null(request.tls->key_data);
	assert_string_equal(request.tls->server_name, "prom");

	/* Another is trusted likewise, but is not told who we are. */
	request = (struct http_request){.method = "GET"};
	access_apply(access, "https://prometheus-operated.monitoring.svc:9090", &request);
	assert_non_null(request.tls->ca_data);
	assert_null(request.headers);
	access_free(access);
	files_close(&f);
}

static void test_what_cannot_be_read_again_stays(void **state)
{
	struct files f;
	struct access *access;
	struct http_request request = {.method = "GET"};
	auto_free char *empty = NULL;
	auto_free char *next = NULL;
	unsigned before;

	(void)state;
	files_open(&f);
	access = access_new(&(struct access_options){.url = URL, .token_file = f.token}, NULL);
	assert_non_null(access);
	before = access_generation(access);
	assert_false(access_renew(access, before));
	empty = rig_file(f.dir, "token", "");
	assert_false(access_renew(access, before));
	access_apply(access, URL, &request);
	assert_string_equal(request.headers[0], "Authorization: Bearer t0ken");
	next = rig_file(f.dir, "token", "next");
	assert_true(access_renew(access, before));
	access_apply(access, URL, &request);
	assert_string_equal(request.headers[0], "Authorization: Bearer next");
	access_free(access);
	files_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_that_do_not_go_together),
		cmocka_unit_test(test_headers_that_cannot_be_sent),
		cmocka_unit_test(test_files_that_cannot_be_used),
		cmocka_unit_test(test_a_request_gets_what_was_set),
		cmocka_unit_test(test_what_cannot_be_read_again_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
