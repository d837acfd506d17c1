/* Reading the lists of namespaces that the command line gives. */
#include "api/settings.h"

#include <string.h>

bool settings_list_has(const char *list, const char *ns)
{
	if (list == NULL || strcmp(list, "*") == 0) {
		return list != NULL;
	}
	for (size_t len = 0; *list != '\0'; list += len + (list[len] == ',' ? 1 : 0)) {
		len = strcspn(list, ",");
		if (len > 0 && strlen(ns) == len && strncmp(list, ns, len) == 0) {
			return true;
		}
	}
	return false;
}
