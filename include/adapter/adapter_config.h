/*
 * Somebody else's prometheus-adapter configuration, with our rules in it.
 *
 * The adapter reads one file that all teams share. We add one contiguous run of bytes to it, our
 * block, and touch nothing else: comments, odd indentation, CRLF, trailing spaces and a missing
 * final newline stay. Taking out the block gives the original byte for byte.
 *
 *   rules:
 *   - seriesQuery: '{__name__="theirs"}'   # theirs
 *   # BEGIN inference-autoscaler: managed rules, do not edit
 *   - seriesQuery: '{__name__="vllm:num_requests_running",namespace!="",pod!=""}'
 *     …
 *   # END inference-autoscaler
 *
 * The block goes to the end of `rules`, because the adapter lets the last rule win: ours work
 * beside a catch-all rule of the chart's defaults. Where nothing can be appended without changing
 * a value (a text that ends inside a block scalar without a newline), it goes to the front. A
 * config without `rules` gets the key inside the block. In a flow list (`rules: []`) the block
 * stands in front of the ']'; when it had to break a line the first marker ends in "(joined)". An
 * explicit null (`rules: ~`) is kept behind the second marker, as a comment.
 *
 * What others change outside the block survives; what they change inside is rendered anew. Rules of ours that lost their
 * markers, as a tool that leaves comments out makes them do, are taken for the block.
 */
#ifndef ADAPTER_ADAPTER_CONFIG_H
#define ADAPTER_ADAPTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "adapter/adapter_rule.h"
#include "base/attr.h"
#include "base/error.h"

/*
 * The text with these rules of ours in place, sorted by name; heap, caller owns. One whose name a foreign rule exposes is
 * left out, since the adapter would silently drop one of the two: `left_out` then holds the name → what is to be done, as
 * text; with `left_out` NULL that is an error. `n` == 0
 * takes our block out. Splicing what has been spliced changes nothing. (An adapter that is left
 * with no rule at all serves no custom metrics API until it gets one and is restarted.)
 *
 * The result has been parsed again: everything foreign reads as before and ours as asked for. NULL
 * and `err` otherwise, the message naming the line and the remedy:
 *   ERROR_INVALID   not one YAML document, or one the adapter would refuse; a damaged marker; a
 *                   rule of ours that is not well-formed
 *   ERROR_CONFLICT  a foreign rule exposes a name of ours: the adapter would silently drop one
 */
char *adapter_config_splice(const char *text, const struct adapter_rule *rules, size_t n, json_t *left_out,
	struct error *err) ATTR_MUST_USE;

/*
 * Whether the adapter reads both texts alike: the same rules of others in the same order, and behind them the same of
 * ours, in any order and with or without markers. Whoever delivers the configuration may have put ours into it.
 */
bool adapter_config_reads_alike(const char *text, const char *other);

#endif
