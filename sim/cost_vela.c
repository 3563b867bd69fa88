/* SPDX-License-Identifier: MIT */
/*
 * A stream's cycles in the way that Vela 5.2 adds up its own: to show that the model is the same.
 *
 * A layer is one operation with all its slices in depth. Before it come the transfers of its
 * weights: all that was copied to where its streams are read.
 */
#include <string.h>

#include "sim/cost_stream.h"

/* What Vela knows of a layer: the whole of it, and how its weights come. */
struct layer {
	struct cost_op_desc whole, last;
	size_t first, end;		/* operations, transfers in between included */
	uint64_t copied, first_copy;	/* bytes of its weights */
	uint64_t table;			/* bytes of a table that it is all about */
	unsigned int source;		/* enum cost_memory_index of the weights before */
};

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool reads(const struct npu_op *op, unsigned int space, uint64_t lo, uint64_t hi)
{
	for (unsigned int i = 0; i < op->cores && i < NPU_MAX_CORES; i++) {
		if (op->weight_space == space && op->weight_len[i] && op->weight_base[i] < hi &&
		    op->weight_base[i] + op->weight_len[i] > lo)
			return true;
		if (op->scale_space == space && op->scale_len[i] && op->scale_base[i] < hi &&
		    op->scale_base[i] + op->scale_len[i] > lo)
			return true;
	}
	return false;
}

/* A pass that only looks up a table. */
static bool is_table_pass(const struct npu_op *op)
{
	return op->lut && op->kind == NPU_KIND_POOL && op->kernel_h * op->kernel_w == 1;
}

/* Transfers up to the layer whose bytes no earlier kernel took. */
static void find_copies(const struct cost_target *target, const struct npu_program *program,
			size_t from, struct layer *layer)
{
	for (size_t i = from; i < layer->end; i++) {
		const struct npu_op *copy = &program->ops[i];
		size_t k;

		if (copy->kind != NPU_KIND_DMA)
			continue;
		if (copy->dma_dst_space == NPU_SPACE_INTERNAL) {
			if (i > from && i < layer->first && is_table_pass(&program->ops[layer->first]))
				layer->table += copy->dma_len;
			continue;
		}
		for (k = i + 1; k < layer->end; k++)
			if (program->ops[k].kind != NPU_KIND_DMA &&
			    reads(&program->ops[k], copy->dma_dst_space, copy->dma_dst,
				  copy->dma_dst + copy->dma_len))
				break;
		if (k < layer->first || k == layer->end)
			continue;
		layer->copied += copy->dma_len;
		if (!layer->first_copy)
			layer->first_copy = copy->dma_len;
		layer->source = copy->dma_src_space < NPU_REGIONS
					? target->region[copy->dma_src_space]
					: COST_SRAM;
	}
}

static void add_slice(struct layer *layer, const struct cost_op_desc *slice)
{
	layer->whole.ofm.d += slice->ofm.d;
	layer->whole.weight_bytes += slice->weight_bytes;
	layer->whole.scale_bytes += slice->scale_bytes;
	if (layer->whole.kind == NPU_KIND_DEPTHWISE)
		layer->whole.ifm[0].d += slice->ifm[0].d;
	layer->last = *slice;
	layer->last.continues = true;
}

/* The layer that begins at the kernel @first. */
static void collect(const struct cost_target *target, const struct npu_program *program,
		    size_t first, struct layer *layer)
{
	size_t last = first, next;
	struct cost_op_desc slice;

	memset(layer, 0, sizeof(*layer));
	layer->first = first;
	layer->end = first + cost_describe(target, program, first, program->count, &layer->whole);
	layer->last = layer->whole;
	for (;;) {
		for (next = last + 1; next < program->count; next++)
			if (program->ops[next].kind != NPU_KIND_DMA)
				break;
		if (next >= program->count ||
		    !cost_same_layer(&program->ops[last], &program->ops[next]))
			return;
		layer->end = next + cost_describe(target, program, next, program->count, &slice);
		add_slice(layer, &slice);
		last = next;
	}
}

/* Vela's result of a layer; *@slack becomes what the next one's transfers can hide behind. */
static uint64_t layer_cycles(const struct cost_target *target, struct layer *layer,
			     uint64_t *slack)
{
	uint64_t scales = layer->whole.scale_bytes, hidden = *slack, cycles, copy, first;
	unsigned int staged = layer->whole.weight_memory;
	struct cost_result r, last;
	struct cost_target t = *target;

	if (layer->table) {
		cost_op(&t, &layer->whole, &r);
		layer->whole.activation = COST_ACT_NONE;
	}
	cost_op(&t, &layer->last, &last);
	cost_op(&t, &layer->whole, &r);
	cycles = r.npu_cycles;
	*slack = last.npu_cycles;
	if (layer->copied && layer->source != staged) {
		uint64_t memory_read, refetched;

		copy = cost_copy_cycles(&t, layer->source, staged, layer->copied);
		first = cost_copy_cycles(&t, layer->source, staged, layer->first_copy);
		copy += last.npu_cycles;
		copy = copy > hidden ? copy - hidden : 0;
		cycles = most(copy, cycles + (first > hidden ? first - hidden : 0));
		/* Scales count where they came from, each time they are read again. */
		refetched = scales ? r.read[layer->whole.scale_memory][COST_SCALES] : 0;
		layer->whole.scale_memory = (uint8_t)layer->source;
		cost_op(&t, &layer->whole, &r);
		memory_read = (uint64_t)((double)(refetched + layer->copied - layer->first_copy) /
					 t.memory[layer->source].bandwidth);
		cycles = most(cycles, memory_read);
	} else if (layer->table) {
		copy = cost_copy_cycles(&t, t.region[0], COST_MEMORIES, layer->table);
		cycles += copy > hidden ? copy - hidden : 0;
	}
	for (unsigned int m = 0; m < COST_MEMORIES; m++)
		cycles = most(cycles, r.memory_cycles[m]);
	return cycles;
}

uint64_t cost_stream_vela(const struct cost_target *target, const struct npu_program *program)
{
	uint64_t cycles = 0, slack = 0;
	size_t before = 0, i = 0;
	struct layer layer;

	while (i < program->count) {
		if (program->ops[i].kind == NPU_KIND_DMA) {
			i++;
			continue;
		}
		collect(target, program, i, &layer);
		find_copies(target, program, before, &layer);
		cycles += layer_cycles(target, &layer, &slack);
		before = layer.first;
		i = layer.end;
	}
	return cycles;
}
