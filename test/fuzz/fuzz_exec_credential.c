/* Any bytes as what an exec plugin prints: what is taken can be sent, as a header line and to libcurl. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "kube/exec_credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exec_credential credential = EXEC_CREDENTIAL_INIT;
	auto_error err = ERROR_INIT;
	int rc = exec_credential_parse(&credential, (const char *)data, size, "client.authentication.k8s.io/v1", &err);

	if (rc == 0 && ((credential.token == NULL && credential.cert == NULL) ||
			       (credential.cert == NULL) != (credential.key == NULL))) {
		abort();
	}
	for (const char *p = credential.token; p != NULL && *p; p++) {
		if (!isgraph((unsigned char)*p)) {
			abort();
		}
	}
	if (rc < 0 && (err.message == NULL || credential.token != NULL || credential.cert != NULL ||
			      credential.key != NULL)) {
		abort();
	}
	exec_credential_release(&credential);
	return 0;
}
