/* Clients of a TLS server on the test's loop, and authorities that vouch for them. */
#include "tls_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

#define HEAD_MAX 1024 /* of a reply */

static void require(bool holds)
{
	if (!holds) {
		ERR_print_errors_fp(stderr);
		abort();
	}
}

/* Identities ---------------------------------------------------------------------------------- */

static void add_extension(X509 *x509, int kind, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

	require(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static struct tls_identity unsigned_identity(const char *common_name, long valid_s)
{
	static long serial;
	struct tls_identity identity = {.x509 = X509_new(), .key = EVP_EC_gen("P-256")};

	require(identity.x509 != NULL && identity.key != NULL);
	X509_set_version(identity.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(identity.x509), ++serial);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(identity.x509), "CN", MBSTRING_ASC,
		(const unsigned char *)common_name, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(identity.x509), -3600);
	X509_gmtime_adj(X509_getm_notAfter(identity.x509), valid_s);
	X509_set_pubkey(identity.x509, identity.key);
	return identity;
}

static void sign(struct tls_identity *identity, const struct tls_identity *authority)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	X509_set_issuer_name(identity->x509, X509_get_subject_name(authority->x509));
	require(X509_sign(identity->x509, authority->key, EVP_sha256()) > 0);
	require(PEM_write_bio_X509(bio, identity->x509) == 1);
	len = BIO_get_mem_data(bio, &bytes);
	identity->pem = xstrndup(bytes, (size_t)len);
	BIO_free(bio);
}

struct tls_identity tls_authority(const char *common_name)
{
	struct tls_identity authority = unsigned_identity(common_name, 3600);

	add_extension(authority.x509, NID_basic_constraints, "critical,CA:TRUE");
	sign(&authority, &authority);
	return authority;
}

struct tls_identity tls_identity(const struct tls_identity *authority, const char *common_name, long valid_s,
	const char *usage)
{
	struct tls_identity identity = unsigned_identity(common_name, valid_s);

	if (usage != NULL) {
		add_extension(identity.x509, NID_ext_key_usage, usage);
	}
	sign(&identity, authority);
	return identity;
}

void tls_identity_release(struct tls_identity *identity)
{
	X509_free(identity->x509);
	EVP_PKEY_free(identity->key);
	free(identity->pem);
}

/* A client ------------------------------------------------------------------------------------ */

static void believe(SSL_CTX *ctx, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x509;

	while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		require(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x509) == 1);
		X509_free(x509);
	}
	ERR_clear_error();
	BIO_free(bio);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

static SSL *tls_of(const struct tls_client_options *options)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	unsigned char protocol[64];
	SSL *ssl;

	require(ctx != NULL);
	if (options->believes != NULL) {
		believe(ctx, options->believes);
	}
	if (options->version != 0) {
		SSL_CTX_set_min_proto_version(ctx, options->version);
		SSL_CTX_set_max_proto_version(ctx, options->version);
	}
	require(options->groups == NULL || SSL_CTX_set1_groups_list(ctx, options->groups) == 1);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (options->server_name != NULL) {
		require(SSL_set1_host(ssl, options->server_name) == 1);
	}
	if (options->identity != NULL) {
		require(SSL_use_cert_and_key(ssl, options->identity->x509, options->identity->key, NULL, 1) == 1);
	}
	if (options->protocol != NULL) {
		size_t len = strlen(options->protocol);

		protocol[0] = (unsigned char)len;
		memcpy(protocol + 1, options->protocol, len);
		require(SSL_set_alpn_protos(ssl, protocol, (unsigned)len + 1) == 0);
	}
	return ssl;
}

struct tls_client tls_client_connect(struct event_loop *loop, int port, const struct tls_client_options *options)
{
	const struct sockaddr_in where = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct tls_client client = {.loop = loop, .fd = socket(AF_INET, SOCK_STREAM, 0), .ssl = tls_of(options)};
	int one = 1;

	strbuf_init(&client.got);
	require(client.fd >= 0 && connect(client.fd, (const struct sockaddr *)&where, sizeof(where)) == 0);
	fcntl(client.fd, F_SETFL, O_NONBLOCK);
	setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	SSL_set_fd(client.ssl, client.fd);
	SSL_set_connect_state(client.ssl);
	return client;
}

/* Turns the loop once, while there is time. */
static bool turn(struct tls_client *client)
{
	event_loop_turn(&client->loop->uv);
	return !client->loop->late;
}

static void begin_to_wait(struct tls_client *client)
{
	client->loop->late = false;
	uv_update_time(&client->loop->uv);
	uv_timer_start(&client->loop->deadline, event_loop_on_deadline, EVENT_LOOP_DEADLINE_MS, 0);
}

static void end_to_wait(struct tls_client *client)
{
	uv_timer_stop(&client->loop->deadline);
}

static bool has_more_to_come(struct tls_client *client, int rc)
{
	int why = SSL_get_error(client->ssl, rc);

	ERR_clear_error();
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
		return true;
	}
	client->ended = true;
	client->in_order = why == SSL_ERROR_ZERO_RETURN;
	return false;
}

bool tls_client_handshake(struct tls_client *client)
{
	int rc;

	begin_to_wait(client);
	while ((rc = SSL_do_handshake(client->ssl)) != 1 && has_more_to_come(client, rc) && turn(client)) {
	}
	end_to_wait(client);
	return rc == 1;
}

struct tls_client tls_client_open(struct event_loop *loop, int port, const struct tls_client_options *options)
{
	struct tls_client client = tls_client_connect(loop, port, options);

	require(tls_client_handshake(&client));
	return client;
}

void tls_client_send(struct tls_client *client, const char *bytes, size_t len)
{
	begin_to_wait(client);
	while (len > 0) {
		int rc = SSL_write(client->ssl, bytes, (int)(len < 16384 ? len : 16384));

		if (rc > 0) {
			bytes += rc;
			len -= (size_t)rc;
		} else if (!has_more_to_come(client, rc) || !turn(client)) {
			break;
		}
	}
	end_to_wait(client);
}

bool tls_client_poll(struct tls_client *client)
{
	char bytes[16384];
	int rc = SSL_read(client->ssl, bytes, sizeof(bytes));

	if (rc > 0) {
		strbuf_add(&client->got, bytes, (size_t)rc);
		return true;
	}
	return !has_more_to_come(client, rc);
}

/* How long the first reply is; 0 = it is not whole. Of a large one the head alone is looked through. */
static size_t reply_len(const struct strbuf *got, bool only_head)
{
	auto_free char *begin = xstrndup(got->buf, got->len < HEAD_MAX ? got->len : HEAD_MAX);
	const char *end = strstr(begin, "\r\n\r\n");
	const char *length = strstr(begin, "Content-Length: ");
	size_t len;

	if (end == NULL || length == NULL || length > end) {
		return 0;
	}
	len = (size_t)(end + 4 - begin) + (only_head ? 0 : strtoul(length + 16, NULL, 10));
	return len <= got->len ? len : 0;
}

static int take_reply(struct tls_client *client, struct strbuf *body, bool only_head)
{
	size_t len;
	int status = 0;

	begin_to_wait(client);
	while ((len = reply_len(&client->got, only_head)) == 0) {
		if (!tls_client_poll(client) && !turn(client)) {
			break;
		}
		if (client->ended && reply_len(&client->got, only_head) == 0) {
			break;
		}
	}
	end_to_wait(client);
	if (len > 0 && sscanf(client->got.buf, "HTTP/1.1 %d ", &status) == 1) {
		size_t head = (size_t)(strstr(client->got.buf, "\r\n\r\n") + 4 - client->got.buf);

		if (body != NULL) {
			strbuf_reset(body);
			strbuf_add(body, client->got.buf + head, len - head);
		}
		strbuf_consume(&client->got, len);
	}
	return status;
}

int tls_client_reply(struct tls_client *client, struct strbuf *body)
{
	return take_reply(client, body, false);
}

int tls_client_reply_of_head(struct tls_client *client)
{
	return take_reply(client, NULL, true);
}

int tls_client_get(struct tls_client *client, const char *target, struct strbuf *body)
{
	auto_free char *request = xasprintf("GET %s HTTP/1.1\r\nHost: m.ns.svc\r\n\r\n", target);

	tls_client_send(client, request, strlen(request));
	return tls_client_reply(client, body);
}

bool tls_client_wait_end(struct tls_client *client)
{
	begin_to_wait(client);
	while (!client->ended && (tls_client_poll(client) || turn(client))) {
	}
	end_to_wait(client);
	return client->ended;
}

void tls_client_close(struct tls_client *client)
{
	SSL_free(client->ssl);
	if (client->fd >= 0) {
		close(client->fd);
	}
	strbuf_release(&client->got);
	*client = (struct tls_client){.fd = -1, .got = STRBUF_INIT};
}
