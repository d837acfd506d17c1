/* Heads of requests: those that are taken, those that are refused and with what, and how much work each byte is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "net/request_head.h"

#define HOST "Host: m.ns.svc\r\n"

static int read_all(struct request_head *head, const char *bytes, size_t len)
{
	size_t scanned = 0;

	return request_head_read(head, bytes, len, &scanned);
}

static void assert_text(struct request_text text, const char *expected)
{
	assert_non_null(text.text);
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.text, expected, text.len);
}

/* What kube-apiserver 1.36 sends on behalf of the HPA. */
static const char of_the_hpa[] =
	"GET /apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/%2A/vllm_num_requests_running?labelSelector=app%3Da"
	"%2Ctier+in+%28a%2Cb%29 HTTP/1.1\r\n"
	"Host: m.ns.svc:443\r\n"
	"User-Agent: kube-controller-manager/v1.36.3\r\n"
	"Accept: application/vnd.kubernetes.protobuf, */*\r\n"
	"X-Forwarded-For: 10.0.0.1\r\n"
	"X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id: JTI=1\r\n"
	"X-Remote-Group: system:serviceaccounts\r\n"
	"X-Remote-Group: system:authenticated\r\n"
	"X-Remote-User: system:serviceaccount:kube-system:horizontal-pod-autoscaler\r\n"
	"Accept-Encoding: gzip\r\n"
	"\r\n";

static void test_of_the_hpa(void **state)
{
	struct request_head head;

	(void)state;
	assert_int_equal(read_all(&head, of_the_hpa, strlen(of_the_hpa)), REQUEST_HEAD_WHOLE);
	assert_false(head.only_head);
	assert_false(head.last);
	assert_int_equal(head.len, strlen(of_the_hpa));
	assert_int_equal(head.headers_count, 9);
	assert_text(head.target,
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/%2A/vllm_num_requests_running"
		"?labelSelector=app%3Da%2Ctier+in+%28a%2Cb%29");
	assert_text(request_head_find(&head, "accept"), "application/vnd.kubernetes.protobuf, */*");
	assert_text(request_head_find(&head, "X-Remote-Group"), "system:serviceaccounts");
	assert_text(head.headers[6].value, "system:authenticated");
	assert_null(request_head_find(&head, "Authorization").text);
}

/* Byte by byte it is the same, and nothing before the last byte. */
static void test_bytes_one_by_one(void **state)
{
	struct request_head head;
	size_t scanned = 0;

	(void)state;
	for (size_t len = 1; len < strlen(of_the_hpa); len++) {
		assert_int_equal(request_head_read(&head, of_the_hpa, len, &scanned), REQUEST_HEAD_MORE);
		assert_int_equal(scanned, len);
	}
	assert_int_equal(request_head_read(&head, of_the_hpa, strlen(of_the_hpa), &scanned), REQUEST_HEAD_WHOLE);
	assert_int_equal(head.headers_count, 9);
}

static const struct {
	const char *bytes;
	bool only_head, last;
	const char *target;
} taken[] = {
	{"GET / HTTP/1.1\r\n" HOST "\r\n", false, false, "/"},
	{"HEAD /a HTTP/1.1\r\n" HOST "\r\n", true, false, "/a"},
	{"GET //a/../b;c?d&e=%2F HTTP/1.1\r\n" HOST "\r\n", false, false, "//a/../b;c?d&e=%2F"},
	{"GET / HTTP/1.1\r\nhOST:m.ns.svc\r\n\r\n", false, false, "/"},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", false, false, "/"},
	{"GET / HTTP/1.1\r\nHost: [fd00::1]:443 \t \r\n\r\n", false, false, "/"},
	{"GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", false, false, "/"},
	{"GET / HTTP/1.1\r\n" HOST "X: \x80\xff\t.\r\n\r\n", false, false, "/"},
	{"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false, true, "/"},
	{"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade,\t CLOSE ,\r\nUpgrade: h2c\r\n\r\n", false, true, "/"},
	{"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", false, true, "/"},
	{"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", false, false, "/"},
	{"GET / HTTP/1.0\r\n\r\n", false, true, "/"},
	{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false, true, "/"},
};

static void test_taken(void **state)
{
	struct request_head head;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		assert_int_equal(read_all(&head, taken[i].bytes, strlen(taken[i].bytes)), REQUEST_HEAD_WHOLE);
		assert_int_equal(head.only_head, taken[i].only_head);
		assert_int_equal(head.last, taken[i].last);
		assert_text(head.target, taken[i].target);
		assert_int_equal(head.len, strlen(taken[i].bytes));
	}
}

#define LINE(bytes) bytes, sizeof(bytes) - 1
static const struct {
	int status;
	const char *bytes;
	size_t len;
} refused[] = {
	/* The request line. */
	{400, LINE("\r\nGET / HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET / HTTP/1.1\n")},
	{400, LINE("GET /\r\n\r\n")},
	{400, LINE("GET  / HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET / HTTP/1.1 \r\n" HOST "\r\n")},
	{400, LINE("GET / http/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET / HTTP/1.10\r\n" HOST "\r\n")},
	{400, LINE("GET / HTTP/1:1\r\n" HOST "\r\n")},
	{400, LINE("GET\t/\tHTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE(" GET / HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("G(T / HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET http://m.ns.svc/ HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET * HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET /\x80 HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET /a#b HTTP/1.1\r\n" HOST "\r\n")},
	{400, LINE("GET /\0 HTTP/1.1\r\n" HOST "\r\n")},
	{405, LINE("POST / HTTP/1.1\r\n" HOST "\r\n")},
	{405, LINE("get / HTTP/1.1\r\n" HOST "\r\n")},
	{405, LINE("CONNECT m:443 HTTP/1.1\r\n" HOST "\r\n")},
	{505, LINE("GET / HTTP/2.0\r\n" HOST "\r\n")},
	{505, LINE("GET / HTTP/1.2\r\n" HOST "\r\n")},
	{505, LINE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
	/* The lines. */
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n " HOST "\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A\x80: b\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: b\r\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: \0\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: \x1b\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n")},
	/* Whose request it is, and where it ends. */
	{400, LINE("GET / HTTP/1.1\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST HOST "\r\n")},
	{400, LINE("GET / HTTP/1.0\r\n" HOST HOST "\r\n")},
	{400, LINE("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
	{413, LINE("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na")},
	{413, LINE("GET / HTTP/1.1\r\n" HOST "Content-Length: 00\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "Content-Length: 0, 0\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "Content-Length: +0\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n")},
	{413, LINE("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
	{413, LINE("GET / HTTP/1.1\r\n" HOST "transfer-encoding: identity\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n")},
	{400, LINE("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n")},
};

static void test_refused(void **state)
{
	struct request_head head;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int status = read_all(&head, refused[i].bytes, refused[i].len);

		if (status != refused[i].status) {
			fail_msg("%d instead of %d for:\n%s", status, refused[i].status, refused[i].bytes);
		}
	}
}

/* What cannot become a head is refused without waiting for its end. */
static void test_refused_early(void **state)
{
	struct request_head head;

	(void)state;
	assert_int_equal(read_all(&head, "\x16\x03\x01", 3), 400);
	assert_int_equal(read_all(&head, "GET / HTTP/1.1\n", 15), 400);
	assert_int_equal(read_all(&head, "\r\n", 2), 400);
}

static void test_pipelined(void **state)
{
	static const char two[] = "GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n";
	struct request_head head;
	size_t first;

	(void)state;
	assert_int_equal(read_all(&head, two, strlen(two)), REQUEST_HEAD_WHOLE);
	assert_text(head.target, "/1");
	first = head.len;
	assert_int_equal(read_all(&head, two + first, strlen(two) - first), REQUEST_HEAD_WHOLE);
	assert_text(head.target, "/2");
	assert_int_equal(first + head.len, strlen(two));
}

/* "GET /xxx HTTP/1.1", with so many bytes of target, and a header line with so many bytes of value. */
static int read_sized(size_t target, size_t value)
{
	auto_strbuf text = STRBUF_INIT;
	struct request_head head;

	strbuf_addstr(&text, "GET /");
	for (size_t i = 1; i < target; i++) {
		strbuf_addch(&text, 'x');
	}
	strbuf_addstr(&text, " HTTP/1.1\r\n" HOST "A: ");
	for (size_t i = 0; i < value; i++) {
		strbuf_addch(&text, 'y');
	}
	strbuf_addstr(&text, "\r\n\r\n");
	return read_all(&head, text.buf, text.len);
}

static void test_sizes(void **state)
{
	const size_t rest = strlen("GET / HTTP/1.1\r\n" HOST "A: \r\n\r\n");

	(void)state;
	assert_int_equal(read_sized(REQUEST_TARGET_MAX, 1), REQUEST_HEAD_WHOLE);
	assert_int_equal(read_sized(REQUEST_TARGET_MAX + 1, 1), 414);
	assert_int_equal(read_sized((size_t)1 << 20, 1), 414);
	assert_int_equal(read_sized(1, REQUEST_HEAD_MAX - rest), REQUEST_HEAD_WHOLE);
	assert_int_equal(read_sized(1, REQUEST_HEAD_MAX - rest + 1), 431);
	assert_int_equal(read_sized(1, (size_t)1 << 20), 431);
}

static void test_many_lines(void **state)
{
	auto_strbuf text = STRBUF_INIT;
	struct request_head head;

	(void)state;
	strbuf_addstr(&text, "GET / HTTP/1.1\r\n" HOST);
	for (size_t i = 1; i < REQUEST_HEADERS_MAX; i++) {
		strbuf_addstr(&text, "A: b\r\n");
	}
	strbuf_addstr(&text, "\r\n");
	assert_int_equal(read_all(&head, text.buf, text.len), REQUEST_HEAD_WHOLE);
	text.len -= 2;
	strbuf_addstr(&text, "A: b\r\n\r\n");
	assert_int_equal(read_all(&head, text.buf, text.len), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_the_hpa),
		cmocka_unit_test(test_bytes_one_by_one),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_early),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_many_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
