/* Who refused a write, by words of a real API server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "report/write_refusal.h"

static const struct {
	const char *failure;
	enum write_refusal refusal;
} rows[] = {
	{"deployments.apps \"a\" is forbidden: User \"system:serviceaccount:s:o\" cannot patch resource \"deployments\" in "
	 "API group \"apps\" in the namespace \"monitoring\"",
		WRITE_LACKS_RIGHT},
	{"configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
		WRITE_DENIED},
	{"configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: such as 'x is "
	 "forbidden: User \"y\" cannot patch'",
		WRITE_DENIED},
	{"admission webhook \"v.example\" denied the request: User \"x\" cannot", WRITE_DENIED},
	{"admission webhook \"v.example\" denied the request without explanation", WRITE_DENIED},
	{"services \"a\" is forbidden: exceeded quota: q, requested: services=1", WRITE_FAILED_OTHERWISE},
	{"cannot reach the API server", WRITE_FAILED_OTHERWISE},
	{"", WRITE_FAILED_OTHERWISE},
};

static void told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool denied = rows[i].refusal == WRITE_DENIED;

		assert_int_equal(write_refusal_of(rows[i].failure), rows[i].refusal);
		assert_int_equal(write_refusal_remedy(rows[i].failure)[0] != '\0', denied);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(told_apart)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
