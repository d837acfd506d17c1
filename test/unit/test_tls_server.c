/* The TLS server: who is believed, what is served, and what a client cannot do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_server.h"
#include "tls_rig.h"

#define NAME "metrics.ns.svc"
#define HEAD_MS 300
#define IDLE_MS 400
#define CONNECTIONS 20
#define GET_HELD "GET /held HTTP/1.1\r\nHost: m\r\n\r\n"

struct world {
	struct event_loop loop;
	struct tls_server *server;
	struct certificate *certificate;
	struct tls_identity authority, front_proxy;
	struct tls_client_options trusted; /* the front proxy, who believes the certificate */
	struct tls_exchange *held;         /* the request to '/held' */
	int asked;
	int gone; /* clients of '/held' that left */
	char *target;
	char *user;
	size_t large; /* bytes of the answer to '/large' */
};

static void handle(void *ctx, struct tls_exchange *exchange)
{
	struct world *w = ctx;

	w->asked++;
	free(w->target);
	w->target = xstrdup(tls_exchange_target(exchange));
	free(w->user);
	w->user = xstrdup(tls_exchange_user(exchange));
	if (strcmp(w->target, "/held") == 0) {
		w->held = exchange;
	} else if (strcmp(w->target, "/large") == 0) {
		char *text = xcalloc(1, w->large);

		memset(text, 'x', w->large);
		tls_reply(exchange, 200, "text/plain", text, w->large);
		free(text);
	} else {
		tls_reply(exchange, 200, "application/json", w->target, strlen(w->target));
	}
}

static void trust(struct world *w, const struct tls_identity *authority, const char *name)
{
	auto_error err = ERROR_INIT;
	struct peer_trust *peers = peer_trust_new(authority->pem, &name, name != NULL, &err);

	assert_non_null(peers);
	tls_server_trust(w->server, peers);
	peer_trust_free(peers);
}

static struct certificate *present(struct world *w)
{
	auto_error err = ERROR_INIT;
	struct certificate *certificate = certificate_make(NAME, clock_wall_ms(), 3600000, &err);

	assert_non_null(certificate);
	tls_server_present(w->server, certificate);
	return certificate;
}

static void open_server(struct world *w, uint64_t head_ms, uint64_t idle_ms)
{
	const struct tls_server_options options = {.address = "127.0.0.1:0",
		.connections = CONNECTIONS,
		.head_ms = head_ms,
		.idle_ms = idle_ms};
	auto_error err = ERROR_INIT;

	w->server = tls_server_new(&w->loop.uv, &options, handle, w, &err);
	assert_non_null(w->server);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	event_loop_init(&w->loop);
	open_server(w, 0, 0);
	w->authority = tls_authority("front-proxy-ca");
	w->front_proxy = tls_identity(&w->authority, "front-proxy-client", 3600, "clientAuth");
	w->certificate = present(w);
	trust(w, &w->authority, "front-proxy-client");
	w->trusted = (struct tls_client_options){.identity = &w->front_proxy,
		.believes = certificate_pem(w->certificate),
		.server_name = NAME,
		.protocol = "http/1.1"};
	*state = w;
	return 0;
}

static void close_server(struct world *w)
{
	int closed = 0;

	tls_server_close(w->server, event_loop_count, &closed);
	w->server = NULL;
	assert_int_equal(closed, 0);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
}

static int teardown(void **state)
{
	struct world *w = *state;
	bool ok;

	if (w->server != NULL) {
		close_server(w);
	}
	ok = event_loop_end(&w->loop);
	certificate_free(w->certificate);
	tls_identity_release(&w->authority);
	tls_identity_release(&w->front_proxy);
	free(w->target);
	free(w->user);
	free(w);
	return ok ? 0 : -1;
}

/* Another server in its place, which has no patience. */
static void be_impatient(struct world *w)
{
	close_server(w);
	open_server(w, HEAD_MS, IDLE_MS);
	tls_server_present(w->server, w->certificate);
	trust(w, &w->authority, "front-proxy-client");
}

static struct tls_client open_trusted(struct world *w)
{
	return tls_client_open(&w->loop, tls_server_port(w->server), &w->trusted);
}

static void wait_for_connections(struct world *w, size_t count)
{
	for (int i = 0; i < 100000 && tls_server_counts(w->server).connections != count; i++) {
		event_loop_turn(&w->loop.uv);
	}
	assert_int_equal(tls_server_counts(w->server).connections, count);
}

static void send_text(struct tls_client *client, const char *text)
{
	tls_client_send(client, text, strlen(text));
}

/* Serving ------------------------------------------------------------------------------------- */

static void requests_of_a_connection_are_answered(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	auto_strbuf body = STRBUF_INIT;

	assert_int_equal(tls_client_get(&client, "/apis//x/%2A/a?labelSelector=a+in+%28b%29", &body), 200);
	assert_string_equal(body.buf, "/apis//x/%2A/a?labelSelector=a+in+%28b%29");
	assert_int_equal(tls_client_get(&client, "/2", &body), 200);
	assert_string_equal(body.buf, "/2");
	assert_int_equal(w->asked, 2);
	assert_int_equal(tls_server_counts(w->server).accepted, 1);
	assert_int_equal(SSL_version(client.ssl), TLS1_3_VERSION);
	tls_client_close(&client);
	wait_for_connections(w, 0);
}

static void on_whose_behalf_it_is_asked_is_known(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	send_text(&client, "GET /a HTTP/1.1\r\nHost: m\r\nx-remote-user: system:admin \r\nX-Remote-Group: g\r\n\r\n");
	assert_int_equal(tls_client_reply(&client, NULL), 200);
	assert_string_equal(w->user, "system:admin");
	send_text(&client, "GET /a HTTP/1.1\r\nHost: m\r\n\r\n");
	assert_int_equal(tls_client_reply(&client, NULL), 200);
	assert_null(w->user);
	tls_client_close(&client);
}

static void tls_1_2_is_spoken_and_nothing_older(void **state)
{
	struct world *w = *state;
	struct tls_client client;

	w->trusted.version = TLS1_2_VERSION;
	client = open_trusted(w);
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	tls_client_close(&client);

	w->trusted.version = TLS1_1_VERSION;
	client = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);
	assert_false(tls_client_handshake(&client));
	tls_client_close(&client);
}

static void head_has_no_body(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	send_text(&client, "HEAD /abc HTTP/1.1\r\nHost: m\r\n\r\nGET /b HTTP/1.1\r\nHost: m\r\n\r\n");
	assert_int_equal(tls_client_reply_of_head(&client), 200);
	assert_int_equal(tls_client_reply(&client, NULL), 200);
	tls_client_close(&client);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	auto_strbuf many = STRBUF_INIT;
	auto_strbuf body = STRBUF_INIT;

	for (int i = 0; i < 2000; i++) {
		strbuf_addf(&many, "GET /%d HTTP/1.1\r\nHost: m\r\n\r\n", i);
	}
	tls_client_send(&client, many.buf, many.len);
	for (int i = 0; i < 2000; i++) {
		auto_free char *expected = xasprintf("/%d", i);

		assert_int_equal(tls_client_reply(&client, &body), 200);
		assert_string_equal(body.buf, expected);
	}
	tls_client_close(&client);
}

static void a_later_reply_is_given(void **state)
{
	struct world *w = *state;
	struct tls_client client;
	auto_strbuf body = STRBUF_INIT;

	be_impatient(w);
	client = open_trusted(w);
	send_text(&client, GET_HELD "GET /next HTTP/1.1\r\nHost: m\r\n\r\n");
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	assert_false(event_loop_wait_for(&w->loop, &w->asked, 2, 2 * HEAD_MS)); /* nor is it too long for anybody */
	tls_reply(w->held, 404, "application/json", "{}", 2);
	assert_int_equal(tls_client_reply(&client, &body), 404);
	assert_string_equal(body.buf, "{}");
	assert_int_equal(tls_client_reply(&client, &body), 200);
	tls_client_close(&client);
}

static void a_large_reply_arrives_whole(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	auto_strbuf body = STRBUF_INIT;

	w->large = (size_t)5 << 20;
	assert_int_equal(tls_client_get(&client, "/large", &body), 200);
	assert_int_equal(body.len, w->large);
	assert_int_equal(tls_client_get(&client, "/", &body), 200);
	tls_client_close(&client);
}

static void connection_close_is_kept(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	send_text(&client, "GET /1 HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: m\r\n\r\n");
	assert_int_equal(tls_client_reply(&client, NULL), 200);
	assert_true(tls_client_wait_end(&client));
	assert_true(client.in_order);
	assert_int_equal(w->asked, 1);
	tls_client_close(&client);
}

/* Trust --------------------------------------------------------------------------------------- */

static int status_for(struct world *w, const struct tls_identity *identity, struct strbuf *body)
{
	const struct tls_client_options options = {.identity = identity};
	struct tls_client client = tls_client_open(&w->loop, tls_server_port(w->server), &options);
	int status = tls_client_get(&client, "/secret", body);

	/* The connection stays, so that who is trusted later need not come anew. */
	assert_false(client.ended);
	tls_client_close(&client);
	return status;
}

static void strangers_get_401(void **state)
{
	struct world *w = *state;
	struct tls_identity other = tls_authority("front-proxy-ca");
	const struct {
		struct tls_identity identity;
		const char *why;
	} strangers[] = {
		{tls_identity(&w->authority, "somebody", 3600, "clientAuth"), "common name"},
		{tls_identity(&w->authority, "front-proxy-client", -60, "clientAuth"), "expired"},
		{tls_identity(&w->authority, "front-proxy-client", 3600, "serverAuth"), "purpose"},
		{tls_identity(&other, "front-proxy-client", 3600, "clientAuth"), ""},
		{tls_authority("front-proxy-client"), ""},
	};
	auto_strbuf body = STRBUF_INIT;

	assert_int_equal(status_for(w, NULL, &body), 401);
	assert_string_equal(body.buf,
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
		"\"message\":\"Unauthorized: a client certificate is needed\","
		"\"reason\":\"Unauthorized\",\"code\":401}\n");
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		struct tls_identity identity = strangers[i].identity;

		assert_int_equal(status_for(w, &identity, &body), 401);
		assert_non_null(strstr(body.buf, strangers[i].why));
		tls_identity_release(&identity);
	}
	assert_int_equal(w->asked, 0);
	assert_int_equal(tls_server_counts(w->server).unauthorized, 1 + ARRAY_LEN(strangers));
	tls_identity_release(&other);
}

static void a_certificate_that_ends_while_connected_is_believed_no_more(void **state)
{
	struct world *w = *state;
	struct tls_identity brief = tls_identity(&w->authority, "front-proxy-client", 2, NULL);
	struct tls_client client;
	int status = 200, answered = 0;

	w->trusted.identity = &brief;
	client = open_trusted(w);
	for (int64_t begin = clock_monotonic_ms(); status == 200 && clock_monotonic_ms() < begin + 4000; answered++) {
		status = tls_client_get(&client, "/", NULL);
	}
	assert_int_equal(status, 401);
	assert_true(answered > 1);
	tls_client_close(&client);
	tls_identity_release(&brief);
}

static void trust_changes_under_a_connection(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	struct tls_identity other = tls_authority("another-ca");
	auto_free char *both = xasprintf("%s%s", other.pem, w->authority.pem);
	struct tls_identity two = {.pem = both};

	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	trust(w, &other, NULL);
	assert_int_equal(tls_client_get(&client, "/", NULL), 401);
	trust(w, &two, NULL);
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	trust(w, &two, "another");
	assert_int_equal(tls_client_get(&client, "/", NULL), 401);
	tls_server_trust(w->server, NULL);
	assert_int_equal(tls_client_get(&client, "/", NULL), 401);
	assert_int_equal(tls_server_counts(w->server).accepted, 1);
	tls_client_close(&client);
	tls_identity_release(&other);
}

/* Certificates -------------------------------------------------------------------------------- */

static void without_a_certificate_handshakes_are_refused(void **state)
{
	struct world *w = *state;
	const struct tls_client_options anyone = {0};
	struct tls_client client;

	close_server(w);
	open_server(w, 0, 0);
	client = tls_client_connect(&w->loop, tls_server_port(w->server), &anyone);
	assert_false(tls_client_handshake(&client));
	assert_true(client.ended);
	tls_client_close(&client);
}

/* Connections stay through a hundred changes, and new ones see the newest. */
static void the_certificate_changes_under_connections(void **state)
{
	struct world *w = *state;
	struct tls_client stays = open_trusted(w);

	for (int i = 0; i < 100; i++) {
		struct certificate *next = present(w);
		struct tls_client_options options = w->trusted;
		struct tls_client client;

		options.believes = certificate_pem(next);
		client = tls_client_open(&w->loop, tls_server_port(w->server), &options);
		assert_int_equal(tls_client_get(&client, "/new", NULL), 200);
		assert_int_equal(tls_client_get(&stays, "/old", NULL), 200);
		tls_client_close(&client);
		certificate_free(next);
	}
	tls_client_close(&stays);
}

/* Of two replicas, say: the names are equal, and the bundle has both. */
static void a_bundle_of_several_is_believed(void **state)
{
	struct world *w = *state;
	auto_error err = ERROR_INIT;
	struct certificate *other = certificate_make(NAME, clock_wall_ms(), 3600000, &err);
	auto_free char *one = xasprintf("%s%s", certificate_pem(other), certificate_pem(w->certificate));
	auto_free char *two = xasprintf("%s%s", certificate_pem(w->certificate), certificate_pem(other));
	struct tls_client client;

	w->trusted.believes = one;
	client = open_trusted(w);
	tls_client_close(&client);
	w->trusted.believes = two;
	client = open_trusted(w);
	tls_client_close(&client);
	w->trusted.believes = certificate_pem(other);
	client = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);
	assert_false(tls_client_handshake(&client));
	tls_client_close(&client);
	certificate_free(other);
}

/* What is refused ----------------------------------------------------------------------------- */

static const struct {
	const char *request;
	int status;
} refusals[] = {
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nhello", 405},
	{"GET / HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nhello", 413},
	{"GET / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
	{"GET / HTTP/1.1\r\n\r\n", 400},
	{"GET / HTTP/1.1\nHost: m\n\n", 400},
};

static void what_is_no_plain_get_is_refused_and_ends_the_connection(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct tls_client client = open_trusted(w);

		send_text(&client, refusals[i].request);
		send_text(&client, "GET / HTTP/1.1\r\nHost: m\r\n\r\n");
		assert_int_equal(tls_client_reply(&client, NULL), refusals[i].status);
		assert_true(tls_client_wait_end(&client));
		assert_true(client.in_order);
		tls_client_close(&client);
	}
	assert_int_equal(w->asked, 0);
}

/* The client sees the refusal although it goes on sending. */
static void a_head_of_1_mib_is_refused(void **state)
{
	struct world *w = *state;
	static const char in_a_line[] = "GET / HTTP/1.1\r\nHost: m\r\nA: ";
	const size_t len = (size_t)1 << 20;
	auto_free char *huge = xcalloc(1, len);

	for (int line = 0; line < 2; line++) {
		struct tls_client client = open_trusted(w);

		memset(huge, 'x', len);
		memcpy(huge, "GET /", 5);
		if (line == 1) {
			memcpy(huge, in_a_line, strlen(in_a_line));
		}
		tls_client_send(&client, huge, len);
		assert_int_equal(tls_client_reply(&client, NULL), line == 1 ? 431 : 414);
		tls_client_close(&client);
	}
	assert_int_equal(w->asked, 0);
}

static void http2_alone_is_not_agreed_on(void **state)
{
	struct world *w = *state;
	struct tls_client client;

	w->trusted.protocol = "h2";
	client = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);
	assert_false(tls_client_handshake(&client));
	tls_client_close(&client);
}

/* It would keep the loop busy for longer than all else. */
static void slow_groups_are_not_agreed_on(void **state)
{
	struct world *w = *state;
	struct tls_client client;

	w->trusted.groups = "ffdhe8192";
	client = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);
	assert_false(tls_client_handshake(&client));
	tls_client_close(&client);
}

static void renegotiation_is_refused(void **state)
{
	struct world *w = *state;
	struct tls_client client;

	w->trusted.version = TLS1_2_VERSION;
	client = open_trusted(w);
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	SSL_renegotiate(client.ssl);
	assert_false(tls_client_handshake(&client));
	tls_client_close(&client);
	client = open_trusted(w);
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	tls_client_close(&client);
}

static void no_session_is_taken_up_again(void **state)
{
	struct world *w = *state;

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct tls_client first, second;
		SSL_SESSION *session;

		w->trusted.version = version;
		first = open_trusted(w);
		assert_int_equal(tls_client_get(&first, "/", NULL), 200);
		session = SSL_get1_session(first.ssl);
		second = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);
		SSL_set_session(second.ssl, session);
		assert_true(tls_client_handshake(&second));
		assert_false(SSL_session_reused(second.ssl));
		SSL_SESSION_free(session);
		tls_client_close(&first);
		tls_client_close(&second);
	}
}

static void bytes_that_are_no_tls_are_refused(void **state)
{
	struct world *w = *state;
	const struct tls_client_options anyone = {0};
	struct tls_client client = tls_client_connect(&w->loop, tls_server_port(w->server), &anyone);
	static const char plain[] = "GET / HTTP/1.1\r\nHost: m\r\n\r\n";

	assert_int_equal(write(client.fd, plain, strlen(plain)), strlen(plain));
	assert_true(tls_client_wait_end(&client));
	tls_client_close(&client);
	wait_for_connections(w, 0);
}

/* Clients that take their time ---------------------------------------------------------------- */

/* One byte at a time, faster than any patience with silence. */
static void a_slow_head_is_given_up(void **state)
{
	struct world *w = *state;
	struct tls_client client;
	static const char head[] = "GET / HTTP/1.1\r\nA: ";
	int64_t begin;

	be_impatient(w);
	begin = clock_monotonic_ms();
	client = open_trusted(w);
	send_text(&client, head);
	while (!client.ended && clock_monotonic_ms() - begin < EVENT_LOOP_DEADLINE_MS) {
		tls_client_send(&client, "x", 1);
		tls_client_poll(&client);
		(void)event_loop_wait_for(&w->loop, &w->asked, 1, 5);
	}
	assert_true(client.ended);
	assert_true(clock_monotonic_ms() - begin >= HEAD_MS - 50);
	assert_true(clock_monotonic_ms() - begin < 10 * HEAD_MS);
	assert_int_equal(tls_server_counts(w->server).dropped, 1);
	tls_client_close(&client);
}

static void a_handshake_that_does_not_go_on_is_given_up(void **state)
{
	struct world *w = *state;
	struct tls_client client;

	be_impatient(w);
	client = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);
	SSL_do_handshake(client.ssl); /* sends its first message alone */
	wait_for_connections(w, 1);
	wait_for_connections(w, 0);
	assert_int_equal(tls_server_counts(w->server).dropped, 1);
	tls_client_close(&client);
}

static void an_idle_connection_ends_in_order(void **state)
{
	struct world *w = *state;
	struct tls_client client;
	int64_t begin;

	be_impatient(w);
	client = open_trusted(w);
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	begin = clock_monotonic_ms();
	assert_true(tls_client_wait_end(&client));
	assert_true(client.in_order);
	assert_true(clock_monotonic_ms() - begin >= IDLE_MS - 50);
	assert_int_equal(tls_server_counts(w->server).dropped, 0);
	tls_client_close(&client);
}

static void who_does_not_read_is_given_up(void **state)
{
	struct world *w = *state;
	struct tls_client client;

	be_impatient(w);
	client = open_trusted(w);
	w->large = (size_t)20 << 20;
	send_text(&client, "GET /large HTTP/1.1\r\nHost: m\r\n\r\n");
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	wait_for_connections(w, 0);
	assert_int_equal(tls_server_counts(w->server).dropped, 1);
	tls_client_close(&client);
}

/* Clients that leave -------------------------------------------------------------------------- */

static void on_gone(void *ctx)
{
	struct world *w = ctx;

	w->gone++;
	tls_reply(w->held, 200, "text/plain", "x", 1);
	w->held = NULL;
}

static void who_leaves_is_noticed(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	send_text(&client, GET_HELD);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	tls_exchange_watch(w->held, on_gone, w);
	tls_client_close(&client);
	assert_true(event_loop_wait(&w->loop, &w->gone, 1));
	wait_for_connections(w, 0);
}

static void a_reply_to_one_who_left_is_dropped(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	send_text(&client, GET_HELD);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	tls_client_close(&client);
	wait_for_connections(w, 0);
	tls_reply(w->held, 200, "text/plain", "x", 1);
}

static void half_a_close_of_tls_still_gets_the_reply(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	auto_strbuf body = STRBUF_INIT;

	send_text(&client, GET_HELD);
	SSL_shutdown(client.ssl);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	tls_reply(w->held, 200, "text/plain", "late", 4);
	assert_int_equal(tls_client_reply(&client, &body), 200);
	assert_string_equal(body.buf, "late");
	assert_true(tls_client_wait_end(&client));
	tls_client_close(&client);
}

static void half_a_close_of_tcp_is_the_end(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	send_text(&client, GET_HELD);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	tls_exchange_watch(w->held, on_gone, w);
	shutdown(client.fd, SHUT_WR);
	assert_true(event_loop_wait(&w->loop, &w->gone, 1));
	assert_true(tls_client_wait_end(&client));
	tls_client_close(&client);
}

/* Many clients -------------------------------------------------------------------------------- */

/* Somebody who connects and says nothing; the descriptor. */
static int connect_silently(struct world *w)
{
	const struct sockaddr_in where = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)tls_server_port(w->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
	return fd;
}

/* Ten thousand come, at most CONNECTIONS stay, and who has proven himself is not among those that go. */
static void ten_thousand_connections_find_a_bound(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	int others[2 * CONNECTIONS];

	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	for (size_t i = 0; i < 10000; i++) {
		int *other = &others[i % ARRAY_LEN(others)];

		if (i >= ARRAY_LEN(others)) {
			close(*other);
		}
		*other = connect_silently(w);
		event_loop_turn(&w->loop.uv);
		assert_true(tls_server_counts(w->server).connections <= CONNECTIONS);
		if (i % 100 == 0) {
			assert_int_equal(tls_client_get(&client, "/", NULL), 200);
		}
	}
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	assert_true(tls_server_counts(w->server).dropped > 9000);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		close(others[i]);
	}
	tls_client_close(&client);
}

static void without_descriptors_connections_wait_in_the_kernel(void **state)
{
	struct world *w = *state;
	struct rlimit before, none;
	struct tls_client client = tls_client_connect(&w->loop, tls_server_port(w->server), &w->trusted);

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	(void)event_loop_wait_for(&w->loop, &w->asked, 1, 50);
	assert_int_equal(tls_server_counts(w->server).accepted, 0);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(tls_client_handshake(&client));
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	tls_client_close(&client);
}

/* The end ------------------------------------------------------------------------------------- */

static void a_drained_server_sends_clients_away_with_their_reply(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);

	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	tls_server_drain(w->server);
	assert_int_equal(tls_client_get(&client, "/", NULL), 200);
	assert_true(tls_client_wait_end(&client));
	assert_true(client.in_order);
	tls_client_close(&client);
}

static void the_end_gives_the_reply_that_is_owed(void **state)
{
	struct world *w = *state;
	struct tls_client asks = open_trusted(w), idles = open_trusted(w);
	int closed = 0;

	assert_int_equal(tls_client_get(&idles, "/", NULL), 200);
	send_text(&asks, GET_HELD);
	assert_true(event_loop_wait(&w->loop, &w->asked, 2));
	tls_server_close(w->server, event_loop_count, &closed);
	w->server = NULL;
	assert_true(tls_client_wait_end(&idles));
	assert_true(idles.in_order);
	tls_client_close(&idles);
	assert_int_equal(closed, 0);
	tls_reply(w->held, 200, "text/plain", "x", 1);
	assert_int_equal(tls_client_reply(&asks, NULL), 200);
	assert_true(tls_client_wait_end(&asks));
	tls_client_close(&asks);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
}

static void the_end_does_not_wait_long(void **state)
{
	struct world *w = *state;
	struct tls_client client = open_trusted(w);
	int64_t begin;

	send_text(&client, GET_HELD);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	tls_exchange_watch(w->held, event_loop_count, &w->gone);
	begin = clock_monotonic_ms();
	close_server(w);
	assert_true(clock_monotonic_ms() - begin < 3000);
	assert_int_equal(w->gone, 1);
	tls_reply(w->held, 200, "text/plain", "x", 1); /* owed all the same */
	tls_client_close(&client);
}

static void unusable_address_is_reported(void **state)
{
	struct world *w = *state;
	const struct tls_server_options options = {.address = "nowhere"};
	auto_error err = ERROR_INIT;

	assert_null(tls_server_new(&w->loop.uv, &options, handle, w, &err));
	assert_non_null(strstr(err.message, "'nowhere'"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_of_a_connection_are_answered),
		TEST(on_whose_behalf_it_is_asked_is_known),
		TEST(tls_1_2_is_spoken_and_nothing_older),
		TEST(head_has_no_body),
		TEST(pipelined_requests_are_answered_in_their_order),
		TEST(a_later_reply_is_given),
		TEST(a_large_reply_arrives_whole),
		TEST(connection_close_is_kept),
		TEST(strangers_get_401),
		TEST(a_certificate_that_ends_while_connected_is_believed_no_more),
		TEST(trust_changes_under_a_connection),
		TEST(without_a_certificate_handshakes_are_refused),
		TEST(the_certificate_changes_under_connections),
		TEST(a_bundle_of_several_is_believed),
		TEST(what_is_no_plain_get_is_refused_and_ends_the_connection),
		TEST(a_head_of_1_mib_is_refused),
		TEST(http2_alone_is_not_agreed_on),
		TEST(slow_groups_are_not_agreed_on),
		TEST(renegotiation_is_refused),
		TEST(no_session_is_taken_up_again),
		TEST(bytes_that_are_no_tls_are_refused),
		TEST(a_slow_head_is_given_up),
		TEST(a_handshake_that_does_not_go_on_is_given_up),
		TEST(an_idle_connection_ends_in_order),
		TEST(who_does_not_read_is_given_up),
		TEST(who_leaves_is_noticed),
		TEST(a_reply_to_one_who_left_is_dropped),
		TEST(half_a_close_of_tls_still_gets_the_reply),
		TEST(half_a_close_of_tcp_is_the_end),
		TEST(ten_thousand_connections_find_a_bound),
		TEST(without_descriptors_connections_wait_in_the_kernel),
		TEST(a_drained_server_sends_clients_away_with_their_reply),
		TEST(the_end_gives_the_reply_that_is_owed),
		TEST(the_end_does_not_wait_long),
		TEST(unusable_address_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
