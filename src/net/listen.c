/* A listening TCP socket for "HOST:PORT". */
#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
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

int listen_on(const char *address, int *port, struct error *err)
{
	struct sockaddr_storage where = {0}, bound = {0};
	int fd;

	if (parse_address(address, &where) != 0) {
		return error_set(err, ERROR_INVALID,
			"cannot listen on '%s': give an IP address and a port, as in "
			"0.0.0.0:8080 or [::]:8080",
			address);
	}
	fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind_and_listen(fd, &where, &bound) < 0) {
		int reason = errno;

		if (fd >= 0) {
			close(fd);
		}
		return error_set(err, ERROR_INVALID, "cannot listen on '%s': %s%s", address, strerror(reason),
			listen_remedy(reason));
	}
	*port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						  : ((struct sockaddr_in *)&bound)->sin_port);
	return fd;
}
