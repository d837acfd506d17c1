/* A listening TCP socket for "HOST:PORT". */
#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"

#define BACKLOG 511

/* "HOST:PORT" with a literal address; -1 when it is not that. */
static int parse_address(const char *address, struct sockaddr_storage *where)
{
	const char *colon = strrchr(address, ':');
	auto_free char *host = NULL;
	char *end = NULL;
	long port;

	if (colon == NULL || colon == address || colon[1] == '\0') {
		return -1;
	}
	port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || port < 0 || port > 65535) {
		return -1;
	}
	if (address[0] == '[' && colon[-1] == ']') {
		host = xstrndup(address + 1, (size_t)(colon - address) - 2);
		return uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)where);
	}
	host = xstrndup(address, (size_t)(colon - address));
	return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)where);
}

/* What to do about it, for the reasons people meet. */
static const char *listen_remedy(int reason)
{
	switch (reason) {
	case EADDRINUSE:
		return ": stop what listens there, or choose another port";
	case EACCES:
		return ": choose a port above 1023";
	case EADDRNOTAVAIL:
		return ": choose an address of this machine, or 0.0.0.0";
	default:
		return "";
	}
}

static int bind_and_listen(int fd, const struct sockaddr_storage *where, struct sockaddr_storage *bound)
{
	socklen_t len = where->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
		bind(fd, (const struct sockaddr *)where, len) < 0 || listen(fd, BACKLOG) < 0) {
		return -1;
	}
	return getsockname(fd, (struct sockaddr *)bound, &len);
}

/* A socket of this address, IPv4 too where it is of all; -1 and errno. */
static int open_at(const struct sockaddr_storage *where, struct sockaddr_storage *bound)
{
	int fd = socket(where->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int none = 0;
	int reason;

	if (fd < 0) {
		return -1;
	}
	/* Whatever net.ipv6.bindv6only says. */
	if (where->ss_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &none, sizeof(none));
	}
	if (bind_and_listen(fd, where, bound) < 0) {
		reason = errno;
		close(fd);
		errno = reason;
		return -1;
	}
	return fd;
}

/* The same of all addresses where the kernel has no IPv6; false when this is not of all addresses. */
static bool without_ipv6(const struct sockaddr_storage *where, struct sockaddr_storage *other)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)where;

	return where->ss_family == AF_INET6 && memcmp(&six->sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0 &&
	       uv_ip4_addr("0.0.0.0", ntohs(six->sin6_port), (struct sockaddr_in *)other) == 0;
}

int listen_on(const char *address, int *port, struct error *err)
{
	struct sockaddr_storage where = {0}, other = {0}, bound = {0};
	int fd;

	if (parse_address(address, &where) != 0) {
		return error_set(err, ERROR_INVALID,
			"cannot listen on '%s': give an IP address and a port, as in "
			"0.0.0.0:8080 or [::]:8080",
			address);
	}
	fd = open_at(&where, &bound);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) && without_ipv6(&where, &other)) {
		fd = open_at(&other, &bound);
	}
	if (fd < 0) {
		int reason = errno;

		return error_set(err, ERROR_INVALID, "cannot listen on '%s': %s%s", address, strerror(reason),
			listen_remedy(reason));
	}
	*port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						  : ((struct sockaddr_in *)&bound)->sin_port);
	return fd;
}
