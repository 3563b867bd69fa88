/* SPDX-License-Identifier: MIT */
/*
 * BLOCKDEP: how far a kernel may run ahead.
 *
 * With BLOCKDEP b the i-th block of a kernel starts while the last b - i blocks of the kernel before
 * it may not be written yet. So input block i must not read a byte of output block j, counted from
 * the last, where i + j < b. Blocks go in depth first, then along the row, then down.
 */
#include "sim/strict_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cost_stream.h"
#include "sim/strict_bytes.h"

#define NOT_WRITTEN	0xff	/* above any BLOCKDEP */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t div_up(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

/* The @n-th box of @extent in steps of @step; false if there are not so many. */
static bool nth_box(const uint32_t extent[3], const uint32_t step[3], uint64_t n, uint32_t lo[3])
{
	uint64_t d = div_up(extent[2], step[2]), w = div_up(extent[1], step[1]);

	if (n >= d * w * div_up(extent[0], step[0]))
		return false;
	lo[2] = (uint32_t)(n % d) * step[2];
	lo[1] = (uint32_t)(n / d % w) * step[1];
	lo[0] = (uint32_t)(n / d / w) * step[0];
	return true;
}

static uint64_t box_count(const uint32_t extent[3], const uint32_t step[3])
{
	return (uint64_t)div_up(extent[0], step[0]) * div_up(extent[1], step[1]) *
	       div_up(extent[2], step[2]);
}

/* Output block @j of @op, counted from the last, in the map as stored. */
static bool written_box(const struct npu_op *op, const struct npu_op_aux *aux, unsigned int j,
			struct strict_box *box)
{
	const uint32_t extent[3] = { op->oh, op->ow, op->oc };
	const uint32_t step[3] = { aux->block_h, aux->block_w, aux->block_d };
	uint64_t count = box_count(extent, step);
	uint32_t lo[3];

	if (j >= count || !nth_box(extent, step, count - 1 - j, lo))
		return false;
	*box = (struct strict_box){ { lo[0], lo[0] + step[0] },
				    { lo[1], lo[1] + step[1] },
				    { lo[2], lo[2] + step[2] } };
	return true;
}

/* What block rows or columns from @lo on read of an axis of the input, as stored. */
static void footprint(uint32_t lo, uint32_t block, uint32_t outputs, unsigned int stride,
		      unsigned int taps, unsigned int pad, unsigned int upscale, uint32_t out[2])
{
	int64_t first = (int64_t)lo * stride - pad;
	int64_t end = ((int64_t)least(lo + block, outputs) - 1) * stride - pad + taps;

	if (first < 0)
		first = 0;
	if (end < first)
		end = first;
	out[0] = (uint32_t)(upscale ? first / 2 : first);
	out[1] = (uint32_t)(upscale ? (end + 1) / 2 : end);
}

/* How a kernel walks its input. */
struct walk {
	const struct npu_op *op;
	const struct npu_op_aux *aux;
	uint32_t ifm_depth;
	bool channelwise;
};

/* What block @i reads of @fm. */
static bool read_box(const struct walk *k, const struct npu_fm *fm, unsigned int i,
		     struct strict_box *box)
{
	const struct npu_op *op = k->op;
	const uint32_t extent[3] = { op->oh, op->ow, k->channelwise ? op->oc : fm->depth };
	const uint32_t step[3] = { k->aux->block_h, k->aux->block_w, k->ifm_depth };
	uint32_t lo[3];

	if (!nth_box(extent, step, i, lo))
		return false;
	footprint(lo[0], step[0], op->oh, op->stride_y, (op->kernel_h - 1u) * op->dilation_y + 1,
		  op->pad_top, op->upscale, box->y);
	footprint(lo[1], step[1], op->ow, op->stride_x, (op->kernel_w - 1u) * op->dilation_x + 1,
		  op->pad_left, op->upscale, box->x);
	box->c[0] = lo[2];
	box->c[1] = lo[2] + step[2];
	/* What is broadcast is there for every block. */
	if (fm->broadcast & NPU_BROADCAST_H)
		box->y[0] = 0;
	if (fm->broadcast & NPU_BROADCAST_W)
		box->x[0] = 0;
	if (fm->broadcast & NPU_BROADCAST_C)
		box->c[0] = 0;
	return true;
}

/* Weights that are a feature map, or an input that is resized: any of it, any time. */
static bool reads_all(const struct npu_op *op, const struct npu_fm *fm)
{
	return op->kind == NPU_KIND_RESIZE || (op->kind == NPU_KIND_MATMUL && fm == &op->b);
}

/* By byte of [lo, hi): the last output block, counted from the end, that writes it. */
struct picture {
	int64_t lo, hi;
	uint8_t *block;
	uint8_t now;		/* block that is being drawn */
	uint8_t found;		/* least block met */
};

/* The bytes that the last blocks cover. */
static int bound(void *ctx, int64_t lo, int64_t hi)
{
	struct picture *p = ctx;

	p->lo = lo < p->lo ? lo : p->lo;
	p->hi = hi > p->hi ? hi : p->hi;
	return 0;
}

static int draw(void *ctx, int64_t lo, int64_t hi)
{
	struct picture *p = ctx;

	lo = lo < p->lo ? p->lo : lo;
	hi = hi > p->hi ? p->hi : hi;
	if (lo < hi)
		memset(p->block + (lo - p->lo), p->now, (size_t)(hi - lo));
	return 0;
}

static int look(void *ctx, int64_t lo, int64_t hi)
{
	static const uint8_t nothing[8] = { NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN,
					    NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN };
	struct picture *p = ctx;

	lo = lo < p->lo ? p->lo : lo;
	hi = hi > p->hi ? p->hi : hi;
	for (; lo < hi; lo++) {
		/* Most of it nobody wrote. */
		while (lo + 8 <= hi && !memcmp(p->block + (lo - p->lo), nothing, 8))
			lo += 8;
		if (lo < hi && p->block[lo - p->lo] < p->found)
			p->found = p->block[lo - p->lo];
	}
	return 0;
}

/* Most that BLOCKDEP may be for @fm of the kernel, up to @limit. Negative: -ENOMEM. */
static int largest(const struct walk *k, const struct npu_fm *fm, const struct npu_op *prev,
		   const struct npu_op_aux *prev_aux, struct picture *p, int limit)
{
	struct strict_box box;

	memset(p->block, NOT_WRITTEN, (size_t)(p->hi - p->lo));
	/* The last block of all wins where blocks overlap: from the first to the last. */
	for (int j = limit; j-- > 0;) {
		p->now = (uint8_t)j;
		if (written_box(prev, prev_aux, (unsigned int)j, &box))
			strict_box_bytes(&prev->ofm, &box, draw, p);
	}
	for (int i = 0; i < limit; i++) {
		p->found = NOT_WRITTEN;
		if (reads_all(k->op, fm))
			look(p, p->lo, p->hi);
		else if (read_box(k, fm, (unsigned int)i, &box))
			strict_box_bytes(fm, &box, look, p);
		if (p->found != NOT_WRITTEN && i + p->found < limit)
			limit = i + p->found;
	}
	return limit;
}

static bool is_read(const struct npu_fm *fm)
{
	return fm->space < NPU_REGIONS && fm->height && !(fm->broadcast & NPU_BROADCAST_SCALAR);
}

static int check_operand(struct strict *s, const struct walk *k, const struct npu_fm *fm,
			 size_t before, unsigned int blockdep)
{
	const struct npu_op *prev = &s->program->ops[before];
	struct picture p = { .lo = INT64_MAX, .hi = INT64_MIN };
	struct strict_box box;
	int64_t lo, hi;
	int most;

	if (!is_read(fm) || fm->space != prev->ofm.space ||
	    npu_fm_extent(s->config, &prev->ofm, &lo, &hi) ||
	    npu_fm_extent(s->config, fm, &p.lo, &p.hi) || lo >= p.hi || p.lo >= hi)
		return 0;
	lo = p.lo;
	hi = p.hi;
	if (prev->transpose || prev->reverse)
		return strict_fail(s, "blockdep", "%u after an output that was turned around",
				   blockdep);
	p.lo = INT64_MAX;
	p.hi = INT64_MIN;
	for (unsigned int j = 0; j < blockdep; j++)
		if (written_box(prev, &s->program->aux[before], j, &box))
			strict_box_bytes(&prev->ofm, &box, bound, &p);
	p.lo = lo > p.lo ? lo : p.lo;
	p.hi = hi < p.hi ? hi : p.hi;
	if (p.lo >= p.hi)
		return 0;
	if ((uint64_t)(p.hi - p.lo) > STRICT_MAX_PICTURE)
		return strict_fail(s, "size", "too large a map to look at");
	if (strict_spend(s, (uint64_t)(p.hi - p.lo) * STRICT_BYTE))
		return -EINVAL;
	p.block = malloc((size_t)(p.hi - p.lo));
	if (!p.block)
		return -ENOMEM;
	most = largest(k, fm, prev, &s->program->aux[before], &p, (int)blockdep);
	free(p.block);
	if (most < (int)blockdep)
		return strict_fail(s, "blockdep", "%u, but the output at 0x%llx allows %d", blockdep,
				   (unsigned long long)prev->ofm.base[0], most);
	return 0;
}

/* IFM blocks of a kernel in depth. */
static void set_walk(struct strict *s, size_t first, size_t i, struct walk *k)
{
	const struct cost_target target = { .arch = s->arch };
	const struct npu_op *op = &s->program->ops[i];
	struct cost_op_desc desc;

	*k = (struct walk){ .op = op, .aux = &s->program->aux[first] };
	k->channelwise = op->kind == NPU_KIND_DEPTHWISE || op->kind == NPU_KIND_ELEMENTWISE ||
			 op->kind == NPU_KIND_RESIZE ||
			 (op->kind == NPU_KIND_POOL && op->mode != NPU_POOL_REDUCE_SUM);
	cost_describe(&target, s->program, i, i + 1, &desc);
	/* What is chained goes by the block of what it is chained to. */
	desc.block = (struct ethosu_block){ k->aux->block_h, k->aux->block_w, k->aux->block_d };
	k->ifm_depth = cost_ifm_block(s->arch, &desc).d;
	if (!k->ifm_depth)
		k->ifm_depth = 1;
}

int strict_blockdep(struct strict *s, size_t before, size_t end)
{
	size_t first = s->op;
	const struct npu_op *op = &s->program->ops[first];
	unsigned int blockdep = s->program->aux[first].blockdep;
	bool shared = s->config->arch != 85 && !s->arch->lut_banks;
	struct walk k;
	int rc = 0;

	if (!blockdep)
		return 0;
	if (shared && strict_table_bytes(&s->program->ops[before]) && !strict_table_bytes(op))
		return strict_fail(s, "blockdep",
				   "%u, but the operation before may still read its table",
				   blockdep);
	if (s->config->arch == 85 && s->program->aux[first].branched)
		return strict_fail(s, "blockdep", "%u after a branch", blockdep);
	for (size_t i = first; i < end && !rc; i++) {
		op = &s->program->ops[i];
		set_walk(s, first, i, &k);
		rc = check_operand(s, &k, &op->a, before, blockdep);
		if (!rc && (op->kind == NPU_KIND_ELEMENTWISE || op->kind == NPU_KIND_MATMUL))
			rc = check_operand(s, &k, &op->b, before, blockdep);
	}
	return rc;
}
