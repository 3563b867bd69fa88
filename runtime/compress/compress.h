/* SPDX-License-Identifier: MIT */
/* Float graphs with fewer, or fewer different, weights. */
#ifndef ACCEL_RUNTIME_COMPRESS_H
#define ACCEL_RUNTIME_COMPRESS_H

#include "runtime/compress/reconstruct.h"
#include "runtime/train/distill.h"

/**
 * struct compress_options - compress_defaults() sets them; nothing is done unless asked for
 * @sparsity: 2:4, or a share of all weights, 0: none
 * @clusters: values of a layer, 0: as many as there are
 * @channels: share of the channels to take out, 0: none
 * @spare: the layers that lose most by 2:4 stay as they are, as long as they hold no more than this
 *	share of all weights
 * @even: the same share of every layer, instead of more where less is lost
 * @samples: to use, 0: all
 * @rounds: layers are taken in so many groups, each seeing what those before came to
 * @damping: see fit_init()
 * @learn: what comes after, layer by layer; epochs 0: nothing. Not with clusters or channels
 * @distill: and through the whole network in the end; epochs 0: nothing. Not with clusters
 */
struct compress_options {
	struct sparsity sparsity;
	unsigned int clusters;
	double channels;
	double spare;
	bool even;
	size_t samples;
	unsigned int rounds;
	double damping;
	struct optimiser_options learn;
	struct distill_options distill;
};

void compress_defaults(struct compress_options *opt);

/**
 * struct compress_layer - what became of a layer
 * @name: of its output; belongs to the graph
 * @kind: enum ir_kind
 * @weights, @zeros: how many
 * @error: part of its output's power that is lost, see fit_error()
 * @touched: it was changed
 */
struct compress_layer {
	const char *name;
	unsigned int kind;
	uint64_t weights, zeros;
	double error;
	bool touched;
};

struct compress_report {
	struct compress_layer *layers;
	uint32_t count;
	uint32_t channels, channels_before;
	struct distill_report distill;
};

void compress_report_free(struct compress_report *r);

/**
 * compress - prune, cluster and reconstruct
 * @g: float graph; inputs of float32
 * @progress: called with what is done and how much of it; NULL: nobody wants to know
 * @out: a graph of its own
 *
 * Depthwise layers, and those that read so few channels that nothing is gained, are left alone.
 *
 * Return: 0; -EINVAL: no layers, or values that are not finite; what samples and graph give.
 */
int compress(const struct ir_graph *g, struct samples *samples, const struct compress_options *opt,
	     void (*progress)(const char *what, size_t done, size_t total), struct ir_graph **out,
	     struct compress_report *report, struct error *err);

#endif
