/*
 * All rules of ours: one for each signal of each engine, of those that somebody describes too (engine/custom.h), and the
 * one for GPUs.
 *
 * They are written together, since each change of them restarts the adapter for all: so that no spec of anybody makes
 * it restart once they are there.
 */
#ifndef ADAPTER_ADAPTER_RULES_H
#define ADAPTER_ADAPTER_RULES_H

#include <stddef.h>

#include "adapter/adapter_rule.h"

/* A heap array of *count for the caller to free; what is in it is static. No name is there twice. */
struct adapter_rule *adapter_rules_all(size_t *count);

#endif
