/* SPDX-License-Identifier: MIT */
/* Channels taken out of a graph. */
#ifndef ACCEL_RUNTIME_COMPRESS_CHANNELS_H
#define ACCEL_RUNTIME_COMPRESS_CHANNELS_H

#include "runtime/compress/moments.h"

/**
 * struct channels - which are left
 * @keep: of each tensor of the original graph: its channels that are left, ascending; NULL: all.
 *	Tensors that must have the same ones share the list.
 * @lists, @list_count: the lists
 * @before, @after: channels of all groups that could have lost some
 */
struct channels {
	uint32_t **keep;
	uint32_t **lists;
	uint32_t list_count;
	uint32_t before, after;
};

void channels_free(struct channels *c);

/* List of a tensor, or NULL: all, also if nothing was taken out at all. */
static inline const uint32_t *channels_kept(const struct channels *c, uint32_t tensor)
{
	return c->keep ? c->keep[tensor] : NULL;
}

/**
 * channels_prune - leave out the channels that the layers that read them need least
 * @source: @original is the graph, and is what is looked at
 * @share: of all channels that can be left out
 * @channels: channels_free(), on failure too
 * @out: a graph of its own, with the same tensors and operations, some of them narrower
 *
 * Channels of tensors that are added, multiplied or the like go together. Those that the graph's
 * inputs and outputs have, that are concatenated, split, flattened or moved in any way that is not
 * known here, all stay. The weights that are left are as they were.
 */
int channels_prune(const struct moments_source *source, double share, struct channels *channels,
		   struct ir_graph **out, struct error *err);

#endif
