/* The fields of a kubeconfig's entries. */
#include "kubeconfig_entry.h"

#include <string.h>

#include "base/base64.h"
#include "base/memory.h"

int entry_text(const struct entry *entry, const char *field, const char **value, struct error *err)
{
	const json_t *found = json_object_get(entry->fields, field);

	*value = NULL;
	if (found == NULL || json_is_null(found)) {
		return 0;
	}
	if (!json_is_string(found)) {
		return error_set(err, ERROR_INVALID, "kubeconfig '%s': '%s' of %s '%s' is not a string: quote it",
			entry->file, field, entry->list, entry->name);
	}
	if (json_string_value(found)[0] != '\0') {
		*value = json_string_value(found);
	}
	return 0;
}

char *entry_path(const struct entry *entry, const char *path)
{
	const char *slash = strrchr(entry->file, '/');

	if (path[0] == '/' || slash == NULL) {
		return xstrdup(path);
	}
	return xasprintf("%.*s/%s", (int)(slash - entry->file), entry->file, path);
}

int entry_file(const struct entry *entry, const char *field, const char *data_field, struct kept_file *file,
	struct error *err)
{
	const char *data = NULL, *path;
	auto_strbuf text = STRBUF_INIT;

	if ((data_field != NULL && entry_text(entry, data_field, &data, err) < 0) ||
		entry_text(entry, field, &path, err) < 0) {
		return -1;
	}
	if (data != NULL) {
		if (base64_decode(data, &text) < 0) {
			return error_set(err, ERROR_INVALID,
				"kubeconfig '%s': '%s' of %s '%s' is not base64: encode "
				"the PEM file with base64 -w0",
				entry->file, data_field, entry->list, entry->name);
		}
		if (strstr(text.buf, file->marker) == NULL) {
			return error_set(err, ERROR_INVALID,
				"kubeconfig '%s': '%s' of %s '%s' holds no PEM text: "
				"encode a file that begins with "
				"'%s'",
				entry->file, data_field, entry->list, entry->name, file->marker);
		}
		file->text = strbuf_take(&text);
		return 0;
	}
	if (path == NULL) {
		return 0;
	}
	file->path = entry_path(entry, path);
	if (kept_file_refresh(file, 0, err) < 0) {
		return error_wrap(err, "kubeconfig '%s': '%s' of %s '%s'", entry->file, field, entry->list,
			entry->name);
	}
	return 0;
}
