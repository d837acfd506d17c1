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
	{"services \"a\" is forbidden: exceeded quota: q, requested: services=1, used: services=1, limited: services=1",
		WRITE_OVER_QUOTA},
	{"services \"a\" is forbidden: failed quota: q: must specify services", WRITE_OVER_QUOTA},
	{"services \"a\" is forbidden: status unknown for quota: q, resources: services", WRITE_OVER_QUOTA},
	{"services \"a\" is forbidden: insufficient quota to consume: services", WRITE_OVER_QUOTA},
	{"pods \"a\" is forbidden: maximum cpu usage per Container is 1, but limit is 2", WRITE_OVER_LIMIT},
	{"pods \"a\" is forbidden: [minimum memory usage per Pod is 1Gi.  No request is specified, x]",
		WRITE_OVER_LIMIT},
	{"pods \"a\" is forbidden: cpu max limit to request ratio per Pod is 2, but provided ratio is 4.000000",
		WRITE_OVER_LIMIT},
	{"services \"a\" is forbidden: unable to create new content in namespace b because it is being terminated",
		WRITE_NAMESPACE_ENDS},
	/* what a policy quotes is not the reason */
	{"admission webhook \"v.example\" denied the request: pods \"a\" is forbidden: exceeded quota: q",
		WRITE_DENIED},
	{"cannot reach the API server", WRITE_FAILED_OTHERWISE},
	{"", WRITE_FAILED_OTHERWISE},
};

static void told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(write_refusal_of(rows[i].failure), rows[i].refusal);
	}
}

static const struct {
	enum error_kind kind;
	const char *message;
	const char *says; /* NULL = no remedy */
} remedies[] = {
	{ERROR_FORBIDDEN, "configmaps \"a\" is forbidden: User \"o\" cannot patch resource \"configmaps\"",
		"chart's roles"},
	{ERROR_FORBIDDEN, "services \"a\" is forbidden: cannot set blockOwnerDeletion", "chart's roles"},
	{ERROR_FORBIDDEN,
		"configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
		"a policy or a webhook"},
	{ERROR_FORBIDDEN, "services \"a\" is forbidden: exceeded quota: q, requested: services=1", "; a ResourceQuota"},
	{ERROR_FORBIDDEN, "pods \"a\" is forbidden: maximum cpu usage per Pod is 1, but limit is 2", "; a LimitRange"},
	{ERROR_FORBIDDEN,
		"services \"a\" is forbidden: unable to create new content in namespace b because it is being terminated",
		"; the namespace is being deleted"},
	{ERROR_INVALID, "admission webhook \"v.example\" denied the request: no", "a policy or a webhook"},
	{ERROR_INVALID, "Service \"a\" is invalid: spec.ports: Required value", NULL},
};

static void each_has_its_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++) {
		auto_error err = ERROR_INIT;

		error_set(&err, remedies[i].kind, "%s", remedies[i].message);
		if (remedies[i].says == NULL) {
			assert_string_equal(write_refusal_remedy(&err), "");
		} else {
			assert_non_null(strstr(write_refusal_remedy(&err), remedies[i].says));
			assert_true((strstr(write_refusal_remedy(&err), "right") != NULL) ==
				    (strstr(remedies[i].says, "roles") != NULL));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(told_apart), cmocka_unit_test(each_has_its_remedy)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
