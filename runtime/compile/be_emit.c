/* SPDX-License-Identifier: MIT */
/* Command streams: each command's registers, what it has to wait for, and tables where they are used. */
#include "runtime/compile/be_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LUT_SLOTS	(ETHOSU_LUT_SIZE / ETHOSU_LUT_SLOT)

/**
 * struct tables - what table memory holds
 * @lut: by slot, BE_NONE: nothing
 * @used: by slot, when it was last
 */
struct tables {
	uint32_t lut[LUT_SLOTS];
	uint32_t used[LUT_SLOTS];
	uint32_t now;
};

struct emitter {
	struct be *be;
	struct be_stream stream;
	struct be_deps deps;
	struct tables tables;
};

static void forget_tables(struct tables *t)
{
	for (unsigned int i = 0; i < LUT_SLOTS; i++)
		t->lut[i] = BE_NONE;
}

/* @slots of them side by side, where nothing was for longest. */
static unsigned int oldest_place(const struct tables *t, unsigned int slots)
{
	unsigned int best = 0;
	uint32_t age = UINT32_MAX;

	for (unsigned int at = 0; at + slots <= LUT_SLOTS; at += slots) {
		uint32_t last = 0;

		for (unsigned int i = at; i < at + slots; i++)
			if (t->used[i] > last)
				last = t->used[i];
		if (last < age) {
			age = last;
			best = at;
		}
	}
	return best;
}

static void put_waits(struct be_stream *s, const struct be_waits *w)
{
	if (w->dma >= 0)
		be_put(s, ETHOSU_OP_DMA_WAIT, (unsigned int)w->dma);
	if (w->kernel >= 0)
		be_put(s, ETHOSU_OP_KERNEL_WAIT, (unsigned int)w->kernel);
}

static void put_dma(struct emitter *e, const struct npu_op *op)
{
	struct be_waits waits;

	be_dma_registers(&e->stream, op);
	be_deps_dma(&e->deps, op, &waits);
	put_waits(&e->stream, &waits);
	be_put(&e->stream, ETHOSU_OP_DMA_START, 0);
}

/* See to it that a table is in its memory. Return: the slot. */
static unsigned int want_table(struct emitter *e, uint32_t lut)
{
	const struct be_lut *image = &e->be->luts[lut];
	unsigned int slots = (image->size + ETHOSU_LUT_SLOT - 1) / ETHOSU_LUT_SLOT;
	struct tables *t = &e->tables;
	struct npu_op dma = { .kind = NPU_KIND_DMA, .dma_src_space = PROGRAM_CONSTANTS,
			      .dma_dst_space = NPU_SPACE_INTERNAL };
	unsigned int at = 0;

	while (at < LUT_SLOTS && t->lut[at] != lut)
		at++;
	if (at == LUT_SLOTS) {
		at = oldest_place(t, slots);
		dma.dma_src = (uint64_t)image->constant;
		dma.dma_dst = e->be->arch->lut_offset + at * ETHOSU_LUT_SLOT;
		dma.dma_len = be_align(image->size, BE_ALIGN);
		put_dma(e, &dma);
		/* What a larger table leaves of others is none of theirs. */
		for (unsigned int i = 0; i < LUT_SLOTS; i++)
			for (unsigned int j = at; j < at + slots; j++)
				if (i != j && t->lut[i] == t->lut[j])
					t->lut[i] = BE_NONE;
		for (unsigned int i = at; i < at + slots; i++)
			t->lut[i] = lut;
	}
	t->now++;
	for (unsigned int i = at; i < at + slots; i++)
		t->used[i] = t->now;
	return at;
}

static void put_kernel(struct emitter *e, struct be_kernel *k)
{
	struct be_stream *s = &e->stream;
	const struct ethosu_arch *arch = e->be->arch;
	struct be_waits waits;

	if (k->lut != BE_NONE)
		k->lut_slot = want_table(e, k->lut);
	else if (arch->family != 85 && !arch->lut_banks)
		forget_tables(&e->tables);
	be_kernel_registers(s, k);
	be_deps_kernel(&e->deps, k, &waits);
	be_set(s, ETHOSU_SET_BLOCKDEP, waits.blockdep);
	put_waits(s, &waits);
	be_kernel_start(s, k);
}

static void put_copy(struct emitter *e, const struct be_kernel *k)
{
	const struct npu_fm *src = &k->op.a, *dst = &k->op.ofm;
	struct npu_op dma = { .kind = NPU_KIND_DMA };

	dma.dma_src_space = src->space;
	dma.dma_dst_space = dst->space;
	dma.dma_src = (uint64_t)src->base[0];
	dma.dma_dst = (uint64_t)dst->base[0];
	dma.dma_len = ((uint64_t)src->height * src->width * src->depth) << src->elem_log2;
	dma.dma_rows = 1;
	put_dma(e, &dma);
}

/* Rows picked by a list. */
static void put_gather(struct emitter *e, const struct be_kernel *k)
{
	const struct npu_fm *src = &k->op.a, *list = &k->op.b, *dst = &k->op.ofm;
	struct npu_op dma = { .kind = NPU_KIND_DMA, .dma_src_indexed = 1 };

	dma.dma_src_space = src->space;
	dma.dma_dst_space = dst->space;
	dma.dma_idx_space = list->space;
	dma.dma_src = (uint64_t)src->base[0];
	dma.dma_dst = (uint64_t)dst->base[0];
	dma.dma_idx = (uint64_t)list->base[0];
	dma.dma_idx_max = src->height - 1;
	dma.dma_len = ((uint64_t)src->width * src->depth) << src->elem_log2;
	dma.dma_rows = dst->height;
	dma.dma_src_step[0] = dma.dma_dst_step[0] = (int64_t)dma.dma_len;
	put_dma(e, &dma);
}

static void put_transfer(struct emitter *e, const struct be_transfer *t)
{
	const struct be_buffer *b;
	struct npu_op dma = { .kind = NPU_KIND_DMA, .dma_src_space = PROGRAM_CONSTANTS,
			      .dma_src = t->at, .dma_len = t->size };

	if (t->buffer == BE_NONE)
		return;
	b = &e->be->buffers[t->buffer];
	if (t->tensor != BE_NONE) {
		dma.dma_src_space = e->be->tensors[t->tensor].region;
		dma.dma_src = e->be->buffers[e->be->tensors[t->tensor].buffer].addr;
	}
	dma.dma_dst_space = b->region;
	dma.dma_dst = b->addr;
	put_dma(e, &dma);
}

static int put_cmd(struct emitter *e, const struct be_cmd *cmd)
{
	struct be *be = e->be;
	struct be_kernel k;
	int rc;

	if (cmd->kind == BE_TRANSFER) {
		put_transfer(e, &be->transfers[cmd->transfer]);
		return 0;
	}
	rc = be_resolve(be, cmd, &k);
	if (rc)
		return rc;
	if (be->ops[cmd->unit.op].npu->kind == IR_NPU_COPY)
		put_copy(e, &k);
	else if (be->ops[cmd->unit.op].npu->kind == IR_NPU_GATHER)
		put_gather(e, &k);
	else
		put_kernel(e, &k);
	return 0;
}

static void note_offset(struct emitter *e, uint32_t op)
{
	int64_t *at = &e->be->out->op_offset[e->be->ops[op].index];

	if (*at < 0)
		*at = (int64_t)(4 * e->stream.count);
}

static void begin(struct emitter *e)
{
	memset(&e->stream, 0, sizeof(e->stream));
	e->stream.arch = e->be->arch;
	be_deps_init(&e->deps, e->be->arch);
	memset(&e->tables, 0, sizeof(e->tables));
	forget_tables(&e->tables);
}

/* The stream so far becomes step @step. */
static int finish(struct emitter *e, uint32_t step)
{
	struct program_step *out = &e->be->out->steps[step];

	be_put(&e->stream, ETHOSU_OP_STOP, 0xffff);
	if (e->stream.failed) {
		free(e->stream.words);
		return error_set(e->be->err, -ENOMEM, "out of memory");
	}
	out->stream = e->stream.words;
	out->words = e->stream.count;
	return 0;
}

int be_emit(struct be *be)
{
	struct emitter e = { .be = be };
	uint32_t i = 0;
	int rc = 0;

	while (i < be->cmd_count && !rc) {
		uint32_t step = be->cmds[i].step;

		begin(&e);
		for (; i < be->cmd_count && be->cmds[i].step == step && !rc; i++) {
			if (be->cmds[i].kind == BE_KERNEL)
				note_offset(&e, be->cmds[i].unit.op);
			rc = put_cmd(&e, &be->cmds[i]);
		}
		if (rc)
			free(e.stream.words);
		else
			rc = finish(&e, step);
	}
	return rc;
}
