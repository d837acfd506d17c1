/* One libcurl easy handle: options from a request, words for its failures. */
#include "http_transfer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/memory.h"

/* libcurl's own, said here because no less may be taken: an HTTP/2 frame has as many bytes, and of one that does not fit
 * libcurl 7.88 keeps the rest until something else comes in on the connection: a watch would be late by as long. */
#define RECEIVE_BUFFER_BYTES 16384L
#define SEND_BUFFER_BYTES 16384L /* libcurl takes no less; its own 64 KiB are for files */
#define CONNECT_TIMEOUT_MS 10000
#define KEEPALIVE_IDLE_S 10L
#define KEEPALIVE_INTERVAL_S 5L
/* A peer that vanished is noticed after this long, also when data is under way: else the kernel resends for a quarter of an hour,
 * on a connection that every watch shares. Less than a request may take, whose successor would begin the time again.
 * HTTP/2 pings, as client-go sends them after 30 s, are not available: curl_easy_upkeep() knows only
 * the connections of curl_easy_perform(). */
#define PEER_LOST_MS 20000U

struct url_parts {
	char *scheme;
	char *host;
	char *port;
	char *default_port; /* the port, also when the URL names none */
};

static void url_parts_release(struct url_parts *parts)
{
	curl_free(parts->scheme);
	curl_free(parts->host);
	curl_free(parts->port);
	curl_free(parts->default_port);
}

/* Parses, and tells the origin: what a message may show of a URL. */
static int url_parse(struct http_transfer *t, const char *text, CURLU *url, struct url_parts *parts)
{
	CURLUcode rc = curl_url_set(url, CURLUPART_URL, text, 0);

	if (rc == CURLUE_OK) {
		rc = curl_url_get(url, CURLUPART_SCHEME, &parts->scheme, 0);
	}
	if (rc == CURLUE_OK) {
		rc = curl_url_get(url, CURLUPART_HOST, &parts->host, 0);
	}
	if (rc == CURLUE_OK) {
		rc = curl_url_get(url, CURLUPART_PORT, &parts->default_port, CURLU_DEFAULT_PORT);
	}
	if (rc != CURLUE_OK) {
		const char *start = strrchr(text, '@');

		start = start != NULL ? start + 1 : text;
		return error_set(&t->error, ERROR_INVALID, "URL '%.*s' cannot be used: %s", (int)strcspn(start, "?#"),
			start, curl_url_strerror(rc));
	}
	if (strcasecmp(parts->scheme, "http") != 0 && strcasecmp(parts->scheme, "https") != 0) {
		return error_set(&t->error, ERROR_INVALID, "URL scheme '%s' cannot be used: give http or https",
			parts->scheme);
	}
	if (curl_url_get(url, CURLUPART_PORT, &parts->port, 0) != CURLUE_OK) {
		parts->port = NULL;
	}
	t->origin = xasprintf("%s://%s%s%s", parts->scheme, parts->host, parts->port != NULL ? ":" : "",
		parts->port != NULL ? parts->port : "");
	return 0;
}

static int on_socket_made(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	unsigned lost_ms = PEER_LOST_MS;

	(void)ctx;
	(void)purpose;
	/* A program that we run is not to hold our connections. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* Refused on a socket that is not TCP: then there is nothing to watch over. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_ms, sizeof(lost_ms));
	return CURL_SOCKOPT_OK;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const char *text)
{
	struct curl_blob blob = {.len = strlen(text), .flags = CURL_BLOB_COPY};

	/* libcurl copies it and never writes to it; its struct knows no const. */
	memcpy(&blob.data, &text, sizeof(text));
	return curl_easy_setopt(easy, option, &blob);
}

/* The file's or the text's option, the text first; CURLE_OK when neither is given. */
static CURLcode set_pem(CURL *easy, CURLoption file_option, const char *file, CURLoption data_option, const char *data)
{
	if (data != NULL) {
		return set_blob(easy, data_option, data);
	}
	return file != NULL ? curl_easy_setopt(easy, file_option, file) : CURLE_OK;
}

static bool has_header(const char *const *headers, const char *name)
{
	size_t len = strlen(name);

	for (; headers != NULL && *headers != NULL; headers++) {
		if (strncasecmp(*headers, name, len) == 0 && (*headers)[len] == ':') {
			return true;
		}
	}
	return false;
}

static void add_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *list = curl_slist_append(t->headers, line);

	if (list != NULL) {
		t->headers = list;
	} else {
		abort(); /* out of memory, as base/memory.h has it */
	}
}

/* Server name unlike the URL's host: libcurl takes SNI and the name to verify from the URL, so the URL
 * gets the server name, and connection and Host header keep the real place. */
static CURLcode set_server_name(struct http_transfer *t, const struct http_request *request, CURLU *url,
	const struct url_parts *parts)
{
	auto_free char *place = xasprintf("::%s:%s", parts->host, parts->default_port);

	if (curl_url_set(url, CURLUPART_HOST, request->tls->server_name, 0) != CURLUE_OK) {
		return CURLE_URL_MALFORMAT;
	}
	t->connect_to = curl_slist_append(NULL, place);
	if (!has_header(request->headers, "Host")) {
		auto_free char *host = xasprintf("Host: %s%s%s", parts->host, parts->port != NULL ? ":" : "",
			parts->port != NULL ? parts->port : "");

		add_header(t, host);
	}
	return curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
}

static CURLcode set_tls(CURL *easy, const struct http_tls *tls)
{
	CURLcode rc = set_pem(easy, CURLOPT_CAINFO, tls->ca_file, CURLOPT_CAINFO_BLOB, tls->ca_data);

	/* The system's directory of CAs stays trusted beside a CA file unless taken away. */
	if (rc == CURLE_OK && (tls->ca_file != NULL || tls->ca_data != NULL)) {
		rc = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (rc == CURLE_OK) {
		rc = set_pem(easy, CURLOPT_SSLCERT, tls->cert_file, CURLOPT_SSLCERT_BLOB, tls->cert_data);
	}
	if (rc == CURLE_OK) {
		rc = set_pem(easy, CURLOPT_SSLKEY, tls->key_file, CURLOPT_SSLKEY_BLOB, tls->key_data);
	}
	if (rc == CURLE_OK && tls->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return rc;
}

static void set_method(struct http_transfer *t, const struct http_request *request)
{
	CURL *easy = t->easy;

	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	if (request->body != NULL || strcmp(request->method, "POST") == 0) {
		t->request_body = xcalloc(1, request->body_len + 1);
		if (request->body != NULL) {
			memcpy(t->request_body, request->body, request->body_len);
		}
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->request_body);
		add_header(t, "Expect:"); /* do not wait for "100 Continue" */
		if (!has_header(request->headers, "Content-Type")) {
			add_header(t, "Content-Type:"); /* not the form type libcurl assumes */
		}
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_common(struct http_transfer *t, const struct http_request *request)
{
	CURL *easy = t->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error_text);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* When it is given up, the thread that asks for the host's name is not waited for: that would hold the loop until a
	 * DNS server answers. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES);
	/* libcurl 7.88 never forgets a host whose connection gave way to another, and looks through all of them for the next. */
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->once ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS));
	if (request->proxy != NULL) {
		curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy);
	}
}

int http_easy_setup(struct http_transfer *t, const struct http_request *request)
{
	struct url_parts parts = {0};
	CURLU *url = curl_url();
	CURLcode rc = CURLE_OK;
	char *whole = NULL;

	t->easy = curl_easy_init();
	if (t->easy == NULL || url == NULL) {
		abort(); /* out of memory */
	}
	if (url_parse(t, request->url, url, &parts) == 0) {
		set_common(t, request);
		set_method(t, request);
		for (const char *const *h = request->headers; h != NULL && *h != NULL; h++) {
			add_header(t, *h);
		}
		if (request->tls != NULL) {
			rc = set_tls(t->easy, request->tls);
		}
		if (rc == CURLE_OK && request->tls != NULL && request->tls->server_name != NULL) {
			rc = set_server_name(t, request, url, &parts);
		}
		/* Rather wait for a connection being made, to share it, than open one each; over plain HTTP
		 * nothing can be shared, and one dead listener would hold up the others. */
		curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, strcasecmp(parts.scheme, "https") == 0 ? 1L : 0L);
		/* An address needs no answer of DNS to be kept: those of a thousand pods lie all over the heap. */
		if (parts.host[0] == '[' || parts.host[strspn(parts.host, "0123456789.")] == '\0') {
			curl_easy_setopt(t->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
		}
		curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
		if (rc == CURLE_OK && curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
			rc = curl_easy_setopt(t->easy, CURLOPT_URL, whole);
		}
		if (rc != CURLE_OK) {
			error_set(&t->error, ERROR_INVALID, "request to '%s' cannot be made: %s", t->origin,
				curl_easy_strerror(rc));
		}
	}
	url_parts_release(&parts);
	curl_free(whole);
	curl_url_cleanup(url);
	return t->error.kind == ERROR_NONE ? 0 : -1;
}

void http_easy_release(struct http_transfer *t)
{
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_to);
	free(t->request_body);
	free(t->origin);
}

/* What libcurl says of a failure, the most telling first. */
static const char *reason(struct http_transfer *t, CURLcode code)
{
	long os_errno = 0;

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) {
		curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
	}
	if (os_errno) {
		return strerror((int)os_errno);
	}
	return t->error_text[0] ? t->error_text : curl_easy_strerror(code);
}

static void check_timeout(struct http_transfer *t)
{
	curl_off_t connected = 0, ready = 0;

	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	if (ready > 0) {
		error_set(&t->error, ERROR_UNAVAILABLE, "no answer from '%s' within %lld ms", t->origin,
			(long long)t->timeout_ms);
	} else if (connected > 0) {
		error_set(&t->error, ERROR_UNAVAILABLE, "cannot reach '%s': TLS handshake timed out", t->origin);
	} else {
		error_set(&t->error, ERROR_UNAVAILABLE, "cannot reach '%s': connection timed out", t->origin);
	}
}

/* Failures whose words say more than "request failed". */
static const struct meaning {
	CURLcode code;
	enum error_kind kind;
	const char *failure; /* "%s" is the origin */
	bool tls;
} meanings[] = {
	{CURLE_COULDNT_RESOLVE_HOST, ERROR_UNAVAILABLE, "cannot reach '%s'", false},
	{CURLE_COULDNT_RESOLVE_PROXY, ERROR_UNAVAILABLE, "cannot reach '%s' through its proxy", false},
	{CURLE_PROXY, ERROR_UNAVAILABLE, "cannot reach '%s' through its proxy", false},
	{CURLE_COULDNT_CONNECT, ERROR_UNAVAILABLE, "cannot reach '%s'", false},
	{CURLE_SSL_CONNECT_ERROR, ERROR_UNAVAILABLE, "cannot reach '%s' over TLS", true},
	{CURLE_PEER_FAILED_VERIFICATION, ERROR_UNAVAILABLE, "cannot trust the certificate of '%s'", true},
	{CURLE_SSL_CACERT_BADFILE, ERROR_INVALID, "cannot read the CA certificate for '%s'", true},
	{CURLE_SSL_CERTPROBLEM, ERROR_INVALID, "cannot use the client certificate or key for '%s'", true},
	{CURLE_GOT_NOTHING, ERROR_UNAVAILABLE, "'%s' closed the connection without an answer", false},
	{CURLE_PARTIAL_FILE, ERROR_UNAVAILABLE, "answer from '%s' was cut short", false},
	{CURLE_SEND_ERROR, ERROR_UNAVAILABLE, "connection to '%s' broke", false},
	{CURLE_RECV_ERROR, ERROR_UNAVAILABLE, "connection to '%s' broke", false},
	{CURLE_WEIRD_SERVER_REPLY, ERROR_INTERNAL, "answer from '%s' is not HTTP", false},
	{CURLE_UNSUPPORTED_PROTOCOL, ERROR_INTERNAL, "answer from '%s' is not HTTP", false},
};

/*
 * In TLS 1.3 a server refuses a client certificate, or that none was shown, after the handshake: it says
 * so and hangs up, and whether we still read its words or already fail to write is chance.
 */
static bool was_refused(struct http_transfer *t, CURLcode code)
{
	curl_off_t handshake = 0;
	long connects = 0;

	curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
	return (code == CURLE_SEND_ERROR && handshake > 0 && connects > 0) ||
	       (code == CURLE_RECV_ERROR && strstr(t->error_text, "alert") != NULL);
}

void http_easy_check(struct http_transfer *t, CURLcode code)
{
	auto_free char *failure = NULL;
	enum error_kind kind = ERROR_UNAVAILABLE;

	if (code == CURLE_OK || t->error.kind != ERROR_NONE) {
		return;
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		check_timeout(t);
		return;
	}
	if (was_refused(t, code)) {
		t->tls_failed = true;
		failure = xasprintf("'%s' ended the connection after the TLS handshake", t->origin);
	}
	for (size_t i = 0; i < ARRAY_LEN(meanings) && failure == NULL; i++) {
		const struct meaning *j = &meanings[i];
		const char *gap = strstr(j->failure, "%s");

		if (j->code != code) {
			continue;
		}
		kind = j->kind;
		t->tls_failed = j->tls;
		failure = xasprintf("%.*s%s%s", (int)(gap - j->failure), j->failure, t->origin, gap + 2);
	}
	if (failure == NULL) {
		failure = xasprintf("request to '%s' failed", t->origin);
	}
	error_set(&t->error, kind, "%s: %s", failure, reason(t, code));
}

int64_t http_easy_retry_after(CURL *easy)
{
	struct curl_header *header = NULL;
	char *end = NULL;
	long long seconds;

	if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
		return -1;
	}
	seconds = strtoll(header->value, &end, 10);
	if (end == header->value || *end != '\0') {
		time_t when = curl_getdate(header->value, NULL);

		if (when == -1) {
			return -1;
		}
		seconds = (long long)when - (long long)time(NULL);
	}
	if (seconds < 0) {
		return 0;
	}
	return seconds > INT64_MAX / 1000 ? INT64_MAX : (int64_t)seconds * 1000;
}
