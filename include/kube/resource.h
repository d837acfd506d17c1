/*
 * Names of things in the Kubernetes API: a resource type, an object's key, and request paths.
 */
#ifndef KUBE_RESOURCE_H
#define KUBE_RESOURCE_H

#include <jansson.h>
#include <stdbool.h>

/* A resource type. Instances are static and const. */
struct kube_resource {
	const char *group;   /* "" for core */
	const char *version; /* "v1" */
	const char *plural;  /* "services" */
	const char *kind;    /* "Service" */
	bool namespaced;
};

/* "v1" or "apps/v1"; heap, caller owns. */
char *kube_api_version(const struct kube_resource *resource);
/* "/api/v1/namespaces/ns/services/name", name and ns may be NULL; heap, caller owns. Segments are percent-encoded. */
char *kube_resource_path(const struct kube_resource *resource, const char *ns, const char *name);

/* "ns/name", or "name" when ns is NULL or ""; heap, caller owns. */
char *kube_key(const char *ns, const char *name);
/* The same of an object's metadata. */
char *kube_object_key(const json_t *object);
/* Borrowed from the object; "" when absent. */
const char *kube_object_name(const json_t *object);
const char *kube_object_namespace(const json_t *object);
const char *kube_object_uid(const json_t *object);
const char *kube_object_resource_version(const json_t *object);
const char *kube_object_label(const json_t *object, const char *key);      /* NULL when absent */
const char *kube_object_annotation(const json_t *object, const char *key); /* NULL when absent */

/* A metav1.LabelSelector in query form ("a=b,c in (d,e),!f"); heap, caller owns. NULL is allowed. */
char *kube_selector_text(const json_t *selector);

#endif
