/*
 * An entry of one of kubeconfig's three lists, and its fields. Private to the files that read
 * kubeconfig: kubeconfig.c (files, merging, context and cluster) and kubeconfig_user.c.
 */
#ifndef KUBE_KUBECONFIG_ENTRY_H
#define KUBE_KUBECONFIG_ENTRY_H

#include <jansson.h>

#include "sources.h"

/* A cluster, user or context, and the file it came from: relative paths start at that file. */
struct entry {
	const char *list; /* "clusters" */
	const char *name;
	const char *file;
	const json_t *fields;
};

/* *value is NULL when the field is absent or empty. */
int entry_text(const struct entry *entry, const char *field, const char **value, struct error *err);
/* The base64 of FIELD-data wins over the path in FIELD, as in kubectl. `data_field` NULL = there is no such field. */
int entry_file(const struct entry *entry, const char *field, const char *data_field, struct kept_file *file,
	struct error *err);
/* Heap, caller owns. */
char *entry_path(const struct entry *entry, const char *path);

/* kubeconfig_user.c: how we log in. */
int kubeconfig_load_user(struct kube_config *config, const struct entry *user, const struct entry *cluster,
	struct error *err);

#endif
