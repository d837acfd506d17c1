/*
 * How a table of fields is written. Private to src/evidence.
 *
 * Each struct of request.h and evidence.h has one table, and each of its members that people see one row.
 */
#ifndef EVIDENCE_FIELDS_H
#define EVIDENCE_FIELDS_H

#include "base/memory.h"
#include "base/shape.h"

#define TEXT(name, type, member)                                                                                       \
	{                                                                                                              \
		name, FIELD_TEXT, offsetof(struct type, member), 0, NULL, NULL                                         \
	}
#define INT(name, type, member, absent)                                                                                \
	{                                                                                                              \
		name, FIELD_INT, offsetof(struct type, member), absent, NULL, NULL                                     \
	}
#define TIME(name, type, member)                                                                                       \
	{                                                                                                              \
		name, FIELD_TIME, offsetof(struct type, member), 0, NULL, NULL                                         \
	}
#define BOOL(name, type, member)                                                                                       \
	{                                                                                                              \
		name, FIELD_BOOL, offsetof(struct type, member), 0, NULL, NULL                                         \
	}
#define ENUM(name, type, member, names)                                                                                \
	{                                                                                                              \
		name, FIELD_ENUM, offsetof(struct type, member), 0, NULL, names                                        \
	}
#define PAIR(name, type, member)                                                                                       \
	{                                                                                                              \
		name, FIELD_PAIR, offsetof(struct type, member), 0, NULL, NULL                                         \
	}
#define TEXTS(name, type, member)                                                                                      \
	{                                                                                                              \
		name, FIELD_TEXTS, offsetof(struct type, member), 0, NULL, NULL                                        \
	}
#define LIST(name, type, member, of)                                                                                   \
	{                                                                                                              \
		name, FIELD_LIST, offsetof(struct type, member), 0, &(of), NULL                                        \
	}
#define MAP(name, type, member, of)                                                                                    \
	{                                                                                                              \
		name, FIELD_MAP, offsetof(struct type, member), 0, &(of), NULL                                         \
	}
#define PART(name, type, member, of)                                                                                   \
	{                                                                                                              \
		name, FIELD_PART, offsetof(struct type, member), 0, &(of), NULL                                        \
	}

/* When a part was seen, and why it was not. */
#define SEEN(type)                                                                                                     \
	{                                                                                                              \
		"at", FIELD_TIME, offsetof(struct type, seen_ms), SHAPE_NOW, NULL, NULL                                \
	}
#define FAILURE(type) TEXT("error", type, failure.text), ENUM("cause", type, failure.cause, cause_names)

#define SHAPE(type, fields)                                                                                            \
	{                                                                                                              \
		sizeof(struct type), fields, ARRAY_LEN(fields)                                                         \
	}

#endif
