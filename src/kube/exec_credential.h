/*
 * What an exec plugin prints: an ExecCredential with a token, a client certificate with its key, or
 * both, as JSON or YAML.
 * https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
 */
#ifndef KUBE_EXEC_CREDENTIAL_H
#define KUBE_EXEC_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct exec_credential {
	char *token; /* NULL = none */
	char *cert;  /* PEM; NULL = none, and then no key either */
	char *key;
	int64_t expires_ms; /* wall clock; -1 = never */
};

#define EXEC_CREDENTIAL_INIT                                                                                           \
	(struct exec_credential)                                                                                       \
	{                                                                                                              \
		.expires_ms = -1                                                                                       \
	}

/* Fills a cleared credential. `api_version` is the one that was asked for. The message is the bare
 * reason ("it has no 'status'") and never shows a secret. */
int exec_credential_parse(struct exec_credential *credential, const char *text, size_t len, const char *api_version,
	struct error *err);
void exec_credential_release(struct exec_credential *credential);

#endif
