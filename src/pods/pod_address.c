/* Which addresses are read. */
#include "pods/pod_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

/* In the order of the network. */
static bool is_read_v4(const unsigned char bytes[4], bool loopback)
{
	return bytes[0] != 0 && (loopback || bytes[0] != 127) && !(bytes[0] == 169 && bytes[1] == 254) &&
	       bytes[0] < 224;
}

bool pod_address_is_read(const char *text, bool loopback)
{
	struct in6_addr v6;
	struct in_addr v4;
	unsigned char bytes[4];

	if (inet_pton(AF_INET, text, &v4) == 1) {
		memcpy(bytes, &v4, sizeof(bytes));
		return is_read_v4(bytes, loopback);
	}
	if (inet_pton(AF_INET6, text, &v6) != 1) {
		return false;
	}
	if (IN6_IS_ADDR_V4MAPPED(&v6) || (IN6_IS_ADDR_V4COMPAT(&v6) && !IN6_IS_ADDR_LOOPBACK(&v6))) {
		return false; /* nobody writes a pod's address so */
	}
	return !IN6_IS_ADDR_UNSPECIFIED(&v6) && (loopback || !IN6_IS_ADDR_LOOPBACK(&v6)) &&
	       !IN6_IS_ADDR_LINKLOCAL(&v6) && !IN6_IS_ADDR_MULTICAST(&v6);
}
