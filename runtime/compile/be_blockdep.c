/* SPDX-License-Identifier: MIT */
/*
 * BLOCKDEP: how many blocks of one kernel operation may be unfinished when the next begins.
 *
 * With BLOCKDEP b, the last b - i blocks of the operation before may still be at work when block i
 * of the next begins. So b is the least i + j for which block i reads what the last but j-th block
 * writes. Blocks are counted depth first, then along the width, then down.
 */
#include "runtime/compile/be_stream.h"

/* Elements of a feature map, ends excluded. */
struct box {
	int64_t y0, y1, x0, x1, c0, c1;
};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_empty(const struct box *b)
{
	return b->y0 >= b->y1 || b->x0 >= b->x1 || b->c0 >= b->c1;
}

/* The bytes from a box's first to its last. One tile: what has more is not asked about. */
static void box_span(const struct npu_fm *fm, const struct box *b, int64_t *lo, int64_t *hi)
{
	int64_t es = 1 << fm->elem_log2;
	int64_t sx = fm->brick ? ETHOSU_BRICK * es : fm->stride_x;
	int64_t first[3], last[3];

	first[0] = fm->stride_y * b->y0;
	last[0] = fm->stride_y * (b->y1 - 1);
	first[1] = sx * b->x0;
	last[1] = sx * (b->x1 - 1);
	first[2] = fm->brick ? fm->stride_c * (b->c0 / ETHOSU_BRICK) : b->c0 * es;
	last[2] = fm->brick ? fm->stride_c * ((b->c1 - 1) / ETHOSU_BRICK) : (b->c1 - 1) * es;
	*lo = *hi = fm->base[0];
	for (unsigned int i = 0; i < 3; i++) {
		*lo += least(first[i], last[i]);
		*hi += most(first[i], last[i]);
	}
	*hi += fm->brick ? ETHOSU_BRICK * es : es;
}

static bool spans_meet(const struct npu_fm *fa, const struct box *a, const struct npu_fm *fb,
		       const struct box *b)
{
	int64_t lo_a, hi_a, lo_b, hi_b;

	box_span(fa, a, &lo_a, &hi_a);
	box_span(fb, b, &lo_b, &hi_b);
	return lo_a < hi_b && lo_b < hi_a;
}

/* Element (y, x, c) of one is element (y, x, c) of the other. */
static bool same_grid(const struct npu_fm *a, const struct npu_fm *b)
{
	return a->base[0] == b->base[0] && a->stride_y == b->stride_y && a->brick == b->brick &&
	       a->elem_log2 == b->elem_log2 &&
	       (a->brick ? a->stride_c == b->stride_c : a->stride_x == b->stride_x);
}

static bool boxes_meet(const struct npu_fm *fa, const struct box *a, const struct npu_fm *fb,
		       const struct box *b)
{
	if (is_empty(a) || is_empty(b))
		return false;
	if (!same_grid(fa, fb))
		return spans_meet(fa, a, fb, b);
	return a->y0 < b->y1 && b->y0 < a->y1 && a->x0 < b->x1 && b->x0 < a->x1 && a->c0 < b->c1 &&
	       b->c0 < a->c1;
}

/* Blocks of an operation: how many each way. */
struct grid {
	int64_t h, w, d;
};

static struct grid grid_of(const struct be_kernel *k)
{
	return (struct grid){ .h = be_div_up(k->op.oh, k->block.h),
			      .w = be_div_up(k->op.ow, k->block.w),
			      .d = be_div_up(k->op.oc, k->block.d) };
}

static struct box ofm_block(const struct be_kernel *k, const struct grid *g, int64_t i)
{
	int64_t d = i % g->d, x = i / g->d % g->w, y = i / g->d / g->w;

	return (struct box){ .y0 = y * k->block.h, .y1 = least((y + 1) * k->block.h, k->op.oh),
			     .x0 = x * k->block.w, .x1 = least((x + 1) * k->block.w, k->op.ow),
			     .c0 = d * k->block.d, .c1 = least((d + 1) * k->block.d, k->op.oc) };
}

/* What of an axis of the IFM outputs from @from to @to need. */
static void window(int64_t from, int64_t to, int64_t stride, int64_t taps, int64_t pad,
		   bool upscaled, int64_t size, int64_t *lo, int64_t *hi)
{
	int64_t a = from * stride - pad, b = (to - 1) * stride - pad + taps;

	a = most(a, 0);
	if (upscaled) {
		a /= 2;
		b = (b + 1) / 2;
	}
	*lo = a;
	*hi = least(b, size);
}

static bool channelwise(const struct npu_op *op)
{
	return op->kind == NPU_KIND_DEPTHWISE || op->kind == NPU_KIND_ELEMENTWISE ||
	       (op->kind == NPU_KIND_POOL && op->mode != NPU_POOL_REDUCE_SUM);
}

/* What of @fm an OFM block is made of: of a convolution, all channels. */
static struct box ifm_block(const struct be_kernel *k, const struct npu_fm *fm, const struct box *ofm)
{
	const struct npu_op *op = &k->op;
	struct box b = { .c1 = fm->depth };

	window(ofm->y0, ofm->y1, op->stride_y, (op->kernel_h - 1) * op->dilation_y + 1,
	       op->pad_top, op->upscale, fm->height, &b.y0, &b.y1);
	window(ofm->x0, ofm->x1, op->stride_x, (op->kernel_w - 1) * op->dilation_x + 1,
	       op->pad_left, op->upscale, fm->width, &b.x0, &b.x1);
	if (channelwise(op)) {
		b.c0 = ofm->c0;
		b.c1 = least(ofm->c1, fm->depth);
	}
	if (fm->broadcast & NPU_BROADCAST_H) {
		b.y0 = 0;
		b.y1 = 1;
	}
	if (fm->broadcast & NPU_BROADCAST_W) {
		b.x0 = 0;
		b.x1 = 1;
	}
	if (fm->broadcast & NPU_BROADCAST_C) {
		b.c0 = 0;
		b.c1 = 1;
	}
	return b;
}

static bool one_tile(const struct npu_fm *fm)
{
	return fm->height0 >= fm->height;
}

/* The part of a map that one tile holds. */
static bool tile_of(const struct npu_fm *fm, unsigned int tile, struct npu_fm *part, struct box *box)
{
	uint32_t first = (uint32_t)least(fm->height, fm->height0);

	*part = *fm;
	part->base[0] = fm->base[tile];
	*box = (struct box){ .y1 = tile ? fm->height - first : first, .x1 = fm->width,
			     .c1 = fm->depth };
	return !is_empty(box);
}

static bool maps_meet(const struct npu_fm *a, const struct npu_fm *b)
{
	struct npu_fm pa, pb;
	struct box ba, bb;

	for (unsigned int i = 0; i < 4; i += 2)
		for (unsigned int j = 0; j < 4; j += 2)
			if (tile_of(a, i, &pa, &ba) && tile_of(b, j, &pb, &bb) &&
			    spans_meet(&pa, &ba, &pb, &bb))
				return true;
	return false;
}

/* Least i + j of blocks that meet. @depth: of parts of the IFM that @gk counts, 0: it counts OFM blocks. */
static unsigned int least_meeting(unsigned int limit, const struct be_kernel *before,
				  const struct be_kernel *k, const struct npu_fm *fm, struct grid gk,
				  int64_t depth)
{
	struct grid gb = grid_of(before);
	int64_t blocks_b = gb.h * gb.w * gb.d, blocks_k = gk.h * gk.w * gk.d;

	/* Fewer blocks than may be under way: the rest counts as done, or as not to come. */
	for (int64_t i = 0; i < limit && i < blocks_k; i++) {
		struct box out = ofm_block(k, &gk, i), in = ifm_block(k, fm, &out);

		if (depth) {
			in.c0 = i % gk.d * depth;
			in.c1 = least(in.c0 + depth, fm->depth);
		}
		for (int64_t j = 0; i + j < limit && j < blocks_b; j++) {
			struct box written = ofm_block(before, &gb, blocks_b - 1 - j);

			if (boxes_meet(fm, &in, &before->op.ofm, &written)) {
				limit = (unsigned int)(i + j);
				break;
			}
		}
	}
	return limit;
}

static unsigned int limit_of(unsigned int limit, const struct be_kernel *before,
			     const struct be_kernel *k, const struct npu_fm *fm)
{
	const struct npu_fm *ofm = &before->op.ofm;
	struct grid gk = grid_of(k);

	if (fm->broadcast & NPU_BROADCAST_SCALAR || !fm->depth || fm->space != ofm->space ||
	    fm->space == NPU_SPACE_CHAIN)
		return limit;
	if (!maps_meet(fm, ofm))
		return limit;
	if (!one_tile(fm) || !one_tile(ofm) || before->op.transpose || before->op.reverse ||
	    k->op.kind == NPU_KIND_RESIZE || k->op.kind == NPU_KIND_MATMUL ||
	    (k->op.kind == NPU_KIND_POOL && k->op.mode > NPU_POOL_NONE))
		return 0;
	limit = least_meeting(limit, before, k, fm, gk, 0);
	/*
	 * A convolution's input comes in parts in depth. Whether the NPU counts those, or OFM blocks, is
	 * not known; what is right for both is right.
	 */
	if (!channelwise(&k->op)) {
		gk.d = be_div_up(fm->depth, k->ifm_depth);
		limit = least_meeting(limit, before, k, fm, gk, k->ifm_depth);
	}
	return limit;
}

unsigned int be_blockdep(const struct ethosu_arch *arch, const struct be_kernel *before,
			 const struct be_kernel *k)
{
	unsigned int limit = arch->max_blockdep;

	/* Tables that accumulators may overwrite. */
	if (arch->family != 85 && !arch->lut_banks && before->lut != BE_NONE && k->lut == BE_NONE)
		return 0;
	limit = limit_of(limit, before, k, &k->op.a);
	return limit_of(limit, before, k, &k->op.b);
}
