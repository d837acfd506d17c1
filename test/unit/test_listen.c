/* All addresses are those of IPv6 and of IPv4, also where the kernel has one of them only. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "net/listen.h"

static bool answers_ipv4(int port)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool connected = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return connected;
}

static bool answers_ipv6(int port)
{
	const struct sockaddr_in6 to = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool connected = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return connected;
}

static bool has_ipv6(void)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return has;
}

static void test_all_addresses_are_of_both_families(void **state)
{
	auto_error err = ERROR_INIT;
	int port = 0;
	int fd = listen_on("[::]:0", &port, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_true(answers_ipv4(port));
	assert_true(!has_ipv6() || answers_ipv6(port));
	close(fd);
}

static void test_one_family_can_be_chosen(void **state)
{
	auto_error err = ERROR_INIT;
	int port = 0;
	int fd = listen_on("0.0.0.0:0", &port, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_true(answers_ipv4(port));
	assert_false(answers_ipv6(port));
	close(fd);
}

/* For this process, as a kernel with ipv6.disable=1 has it. */
static bool take_ipv6_away(void)
{
	struct sock_filter lines[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {.len = ARRAY_LEN(lines), .filter = lines};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#define NO_FILTER 77

/* The first expectation that does not hold; 0 when all do. */
static int without_ipv6(void)
{
	auto_error err = ERROR_INIT;
	int port = 0;

	if (!take_ipv6_away()) {
		return NO_FILTER;
	}
	if (socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno != EAFNOSUPPORT) {
		return 1;
	}
	if (listen_on("[::]:0", &port, &err) < 0) {
		return 2;
	}
	if (!answers_ipv4(port)) {
		return 3;
	}
	/* Of all addresses only: who names one means it. */
	return listen_on("[::1]:0", &port, &err) >= 0 ? 4 : 0;
}

static void test_without_ipv6_all_addresses_are_those_of_ipv4(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		_exit(without_ipv6());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_FILTER) {
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_addresses_are_of_both_families),
		cmocka_unit_test(test_one_family_can_be_chosen),
		cmocka_unit_test(test_without_ipv6_all_addresses_are_those_of_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
