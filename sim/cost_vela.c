/* SPDX-License-Identifier: MIT */
/*
 * A stream's cycles in the way that Vela 5.2 adds up its own: to show that the model is the same.
 *
 * Vela counts layers. Here they are put together again: slices in depth follow each other, stripes
 * of a cascade have the same weights, copies that move elements about come in runs. Before a layer
 * come the transfers of its weights: all that was copied to where its streams are read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cost_stream.h"

#define MAX_BACK	64	/* layers between two stripes of one */
#define MAX_AHEAD	256	/* operations between a transfer and who needs it */
#define MIN_RUN		8	/* copies that are one layer */

/**
 * struct layer - what Vela knows as one operation
 * @whole, @last: all of it; its last slice in depth
 * @head, @tail: its first and last operation
 * @copied, @first_copy: bytes of its weights, all and those of the first transfer
 * @source: enum cost_memory_index where they came from
 * @table: bytes of a table that it is all about
 * @moved: elements, if it does nothing but move them; whole.ifm[0] and .ofm say where
 */
struct layer {
	struct cost_op_desc whole, last;
	size_t head, tail;
	uint64_t copied, first_copy;
	unsigned int source;
	uint64_t table;
	uint64_t moved;
};

struct account {
	const struct cost_target *target;
	const struct npu_program *program;
	struct layer *layers;
	size_t count;
	uint32_t *layer_of;
};

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static bool overlaps(uint64_t base, uint64_t len, const struct npu_op *copy)
{
	return len && base < copy->dma_dst + copy->dma_len && base + len > copy->dma_dst;
}

static bool reads_copy(const struct npu_op *op, const struct npu_op *copy)
{
	for (unsigned int i = 0; i < op->cores && i < NPU_MAX_CORES; i++) {
		if (op->weight_space == copy->dma_dst_space &&
		    overlaps(op->weight_base[i], op->weight_len[i], copy))
			return true;
		if (op->scale_space == copy->dma_dst_space &&
		    overlaps(op->scale_base[i], op->scale_len[i], copy))
			return true;
	}
	return false;
}

/* A pass that only looks up a table. */
static bool is_table_pass(const struct npu_op *op)
{
	return op->lut && op->kind == NPU_KIND_POOL && op->kernel_h * op->kernel_w == 1;
}

/* ---- layers ---- */

/* Were weights copied to where @op reads them after operation @from, before @to? */
static bool copied_between(const struct account *a, const struct npu_op *op, size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++)
		if (a->program->ops[i].kind == NPU_KIND_DMA &&
		    reads_copy(op, &a->program->ops[i]))
			return true;
	return false;
}

/* Feature maps of one element are steps of a recurrence and no stripes. */
static bool same_weights(const struct npu_op *op, const struct npu_op *next)
{
	return (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE) &&
	       op->kind == next->kind && op->weight_len[0] &&
	       op->weight_len[0] == next->weight_len[0] &&
	       op->weight_base[0] == next->weight_base[0] &&
	       op->weight_space == next->weight_space && op->ow == next->ow && op->oc == next->oc &&
	       op->kernel_h == next->kernel_h && op->kernel_w == next->kernel_w &&
	       op->a.depth == next->a.depth && op->oh * op->ow > 1;
}

static struct layer *find_stripes(const struct account *a, size_t i)
{
	const struct npu_op *op = &a->program->ops[i];
	size_t n = a->count < MAX_BACK ? a->count : MAX_BACK;

	for (size_t k = 1; k <= n; k++) {
		struct layer *layer = &a->layers[a->count - k];
		const struct npu_op *tail = &a->program->ops[layer->tail];

		if (same_weights(tail, op))
			return copied_between(a, op, layer->tail, i) ? NULL : layer;
	}
	return NULL;
}

/* U55, U65: a copy to places in another order. */
static bool is_move(const struct npu_op *op)
{
	return op->kind == NPU_KIND_POOL && op->mode == NPU_POOL_AVERAGE && !op->lut &&
	       op->kernel_h * op->kernel_w == 1 && !op->ofm.brick && !op->a.brick;
}

static bool turns(const struct npu_op *op)
{
	return is_move(op) && op->oh > 1 && op->ofm.stride_y < op->ofm.stride_x;
}

static bool same_move(const struct npu_op *op, const struct npu_op *next)
{
	return is_move(op) && is_move(next) && op->oh == next->oh && op->ow == next->ow &&
	       op->oc == next->oc && op->a.stride_y == next->a.stride_y &&
	       op->ofm.stride_x == next->ofm.stride_x && op->ofm.stride_y == next->ofm.stride_y;
}

/* How many copies from operation @i on are one. 1: it is an operation like others. */
static size_t move_run(const struct account *a, size_t i)
{
	const struct npu_op *ops = a->program->ops;
	size_t n = 1;

	while (i + n < a->program->count && same_move(&ops[i], &ops[i + n]))
		n++;
	return n >= MIN_RUN ? n : 1;
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

static void add_stripe(struct layer *layer, const struct cost_op_desc *stripe)
{
	layer->whole.ofm.h += stripe->ofm.h;
	layer->whole.ifm[0].h += stripe->ofm.h * stripe->stride_y / (stripe->upscale ? 2 : 1);
	layer->last = layer->whole;
}

/* Vela's figures are for the output as it is stored, with the block as it is computed. */
static void turn(const struct npu_op *op, struct cost_op_desc *desc)
{
	desc->ofm.h = op->ofm.height;
	desc->ofm.w = op->ofm.width;
	desc->ofm.d = op->ofm.depth;
}

/* Put the kernel @i into a layer. Return: how many operations that were. */
static size_t add_kernel(struct account *a, size_t i)
{
	const struct npu_op *ops = a->program->ops;
	struct layer *newest = a->count ? &a->layers[a->count - 1] : NULL, *stripes;
	bool old = a->target->arch->family != 85;
	struct cost_op_desc desc;
	size_t n = cost_describe(a->target, a->program, i, a->program->count, &desc), run;

	if (newest && cost_same_layer(&ops[newest->tail], &ops[i])) {
		add_slice(newest, &desc);
		newest->tail = i;
		a->layer_of[i] = (uint32_t)(a->count - 1);
		return 1;
	}
	stripes = find_stripes(a, i);
	if (stripes) {
		add_stripe(stripes, &desc);
		stripes->tail = i;
		a->layer_of[i] = (uint32_t)(stripes - a->layers);
		return n;
	}
	newest = &a->layers[a->count];
	*newest = (struct layer){ .whole = desc, .head = i, .tail = i };
	if (desc.transpose)
		turn(&ops[i], &newest->whole);
	newest->last = newest->whole;
	run = old ? move_run(a, i) : 1;
	if (run > 1 || (old && turns(&ops[i]))) {
		newest->moved = (uint64_t)run * ops[i].oh * ops[i].ow * ops[i].oc;
		n = run;
	}
	for (size_t k = 0; k < n; k++)
		a->layer_of[i + k] = (uint32_t)a->count;
	a->count++;
	return n;
}

/* ---- transfers ---- */

static void add_copy(struct account *a, size_t i)
{
	const struct npu_op *copy = &a->program->ops[i];
	bool table = copy->dma_dst_space == NPU_SPACE_INTERNAL;
	struct layer *layer = NULL;

	for (size_t k = i + 1; k < a->program->count && k < i + MAX_AHEAD && !layer; k++) {
		const struct npu_op *op = &a->program->ops[k];

		if (op->kind != NPU_KIND_DMA && (table ? op->lut : reads_copy(op, copy)))
			layer = &a->layers[a->layer_of[k]];
	}
	if (!layer)
		return;
	if (table) {
		if (is_table_pass(&a->program->ops[layer->head]))
			layer->table += copy->dma_len;
		return;
	}
	layer->copied += copy->dma_len;
	if (!layer->first_copy)
		layer->first_copy = copy->dma_len;
	layer->source = copy->dma_src_space < NPU_REGIONS ? a->target->region[copy->dma_src_space]
							  : COST_SRAM;
}

/* ---- cycles ---- */

static uint64_t run_cycles(const struct cost_memory *m, unsigned int bytes_together, uint64_t bytes)
{
	unsigned int run = bytes_together < m->burst ? bytes_together : m->burst;

	return (uint64_t)((double)(bytes * m->burst / run) / m->bandwidth);
}

/* Read in runs of 32 bytes, written in runs of 16. */
static uint64_t move_cycles(const struct cost_target *t, const struct layer *layer)
{
	const struct cost_fm *in = &layer->whole.ifm[0], *out = &layer->whole.ofm;
	uint64_t read = run_cycles(&t->memory[in->memory], 32, layer->moved * in->bits / 8);
	uint64_t write = run_cycles(&t->memory[out->memory], 16, layer->moved * out->bits / 8);
	uint64_t both = in->memory == out->memory ? read + write : 0;

	return most(both, most(read + t->memory[in->memory].read_latency,
			       write + t->memory[out->memory].write_latency));
}

static uint64_t bytes_of(const struct cost_result *r, unsigned int memory)
{
	uint64_t bytes = r->write[memory];

	for (unsigned int i = 0; i < COST_TRAFFIC; i++)
		bytes += r->read[memory][i];
	return bytes;
}

/* Cycles with weights that are copied to where they are read, @hidden of them for nothing. */
static uint64_t staged_cycles(const struct cost_target *t, struct layer *layer, uint64_t hidden,
			      struct cost_result *r, uint64_t last)
{
	unsigned int staged = layer->whole.weight_memory, source = layer->source;
	uint64_t copy = cost_copy_cycles(t, source, staged, layer->copied);
	uint64_t first = cost_copy_cycles(t, source, staged, layer->first_copy);
	uint64_t late = layer->copied - layer->first_copy;
	uint64_t cycles = most(less(copy + last, hidden), r->npu_cycles + less(first, hidden));

	/* Scales count where they came from, each time they are read again. */
	layer->whole.scale_memory = (uint8_t)source;
	cost_op(t, &layer->whole, r);
	cycles = most(cycles, (uint64_t)((double)(bytes_of(r, source) + late) /
					 t->memory[source].bandwidth));
	cycles = most(cycles, (uint64_t)((double)(bytes_of(r, staged) + late) /
					 t->memory[staged].bandwidth));
	return most(cycles, less(cost_copy_cycles(t, source, COST_MEMORIES, late),
				 t->memory[source].read_latency));
}

/* Vela's result of a layer; *@slack becomes what the next one's transfers can hide behind. */
static uint64_t layer_cycles(const struct cost_target *t, struct layer *layer, uint64_t *slack)
{
	uint64_t hidden = *slack, cycles;
	struct cost_result r, last;

	if (layer->moved)
		return *slack = move_cycles(t, layer);
	if (layer->table)
		layer->whole.activation = layer->last.activation = COST_ACT_NONE;
	cost_op(t, &layer->last, &last);
	cost_op(t, &layer->whole, &r);
	cycles = r.npu_cycles;
	*slack = last.npu_cycles;
	if (layer->copied && layer->source != layer->whole.weight_memory)
		cycles = staged_cycles(t, layer, hidden, &r, last.npu_cycles);
	else if (layer->table)
		cycles += less(cost_copy_cycles(t, t->region[0], COST_MEMORIES, layer->table),
			       hidden);
	for (unsigned int m = 0; m < COST_MEMORIES; m++)
		cycles = most(cycles, r.memory_cycles[m]);
	return cycles;
}

int cost_stream_vela(const struct cost_target *target, const struct npu_program *program,
		     uint64_t *layers, size_t *layer_count, uint64_t *cycles)
{
	struct account a = { .target = target, .program = program };
	uint64_t slack = 0, own;
	int rc = -ENOMEM;
	size_t i = 0;

	a.layers = calloc(program->count + 1, sizeof(*a.layers));
	a.layer_of = calloc(program->count + 1, sizeof(*a.layer_of));
	if (!a.layers || !a.layer_of)
		goto out;
	while (i < program->count)
		i += program->ops[i].kind == NPU_KIND_DMA ? 1 : add_kernel(&a, i);
	for (i = 0; i < program->count; i++)
		if (program->ops[i].kind == NPU_KIND_DMA)
			add_copy(&a, i);
	*cycles = 0;
	for (i = 0; i < a.count; i++) {
		own = layer_cycles(target, &a.layers[i], &slack);
		*cycles += own;
		if (layers)
			layers[i] = own;
	}
	*layer_count = a.count;
	rc = 0;
out:
	free(a.layers);
	free(a.layer_of);
	return rc;
}
