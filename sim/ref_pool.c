/* SPDX-License-Identifier: MIT */
/* Reference engine: pooling, reduction and argmax. */
#include "sim/ref_arith.h"
#include "sim/ref_ops.h"

/* How far up the index of an ARGMAX lies; the streams shift it down again with OFM_SCALE (1, 16). */
#define ARGMAX_INDEX_SHIFT 16

/*
 * struct seen - what a window has shown so far
 * @count: elements that are not padding
 * @sum: of them, zero points subtracted
 * @lowest, @highest: as stored; those of an empty window are the ends of the type the wrong way
 *	round (what hardware gives for one is not known)
 * @index: position along X or Y of the first @highest
 */
struct seen {
	int64_t count, sum;
	int64_t lowest, highest;
	unsigned int index;
};

static void look(struct seen *seen, const struct npu_fm *ifm, int64_t value, unsigned int index)
{
	if (!seen->count || value > seen->highest) {
		seen->highest = value;
		seen->index = index;
	}
	if (value < seen->lowest)
		seen->lowest = value;
	seen->sum = ref_add(seen->sum, ref_sub(value, ifm->zero_point));
	seen->count++;
}

static void look_at_window(struct ref_job *job, const struct ref_window *win, uint32_t y, uint32_t x,
			   uint32_t c, struct seen *seen)
{
	const struct npu_op *op = win->op;
	uint32_t iy, ix;
	bool zero;

	*seen = (struct seen){ .lowest = ref_fm_highest(&op->a), .highest = ref_fm_lowest(&op->a) };
	for (unsigned int ky = 0; ky < op->kernel_h; ky++) {
		for (unsigned int kx = 0; kx < op->kernel_w; kx++) {
			unsigned int index = op->mode == NPU_POOL_ARGMAX_Y ? ky : kx;

			if (!ref_window_tap(win, y, x, ky, kx, &iy, &ix, &zero))
				continue;
			look(seen, &op->a, zero ? op->a.zero_point : ref_fm_load(job, &op->a, iy, ix, c),
			     index);
		}
	}
}

static int64_t result(const struct npu_op *op, const struct seen *seen)
{
	switch (op->mode) {
	case NPU_POOL_MAX:
		return ref_sub(seen->highest, op->a.zero_point);
	case NPU_POOL_MIN:
		return ref_sub(seen->lowest, op->a.zero_point);
	case NPU_POOL_ARGMAX_X:
	case NPU_POOL_ARGMAX_Y:
		/* What lies under the index is inferred: streams drop it. */
		return (int64_t)seen->index << ARGMAX_INDEX_SHIFT | (seen->highest & UINT16_MAX);
	default:
		return seen->sum;
	}
}

static int64_t reduce_depth(struct ref_job *job, const struct ref_window *win, uint32_t y, uint32_t x)
{
	struct seen seen;
	int64_t sum = 0;

	for (uint32_t c = 0; c < win->op->a.depth && !ref_stopped(job); c++) {
		look_at_window(job, win, y, x, c, &seen);
		sum = ref_add(sum, seen.sum);
	}
	return sum;
}

/* One output element, before scaling unless the hardware divides. */
static void pool_element(struct ref_job *job, const struct ref_window *win, uint32_t y, uint32_t x,
			 uint32_t c)
{
	const struct npu_op *op = win->op;
	struct seen seen;

	if (op->mode == NPU_POOL_REDUCE_SUM) {
		ref_output_scaled(job, op, y, x, c, reduce_depth(job, win, y, x));
		return;
	}
	look_at_window(job, win, y, x, c, &seen);
	if (op->mode == NPU_POOL_AVERAGE && op->hw_divide)
		ref_output(job, op, y, x, c, ref_divide(seen.sum, seen.count));
	else
		ref_output_scaled(job, op, y, x, c, result(op, &seen));
}

void ref_pool(struct ref_job *job, const struct npu_op *op)
{
	struct ref_window win;

	ref_window_init(&win, op);
	for (uint32_t y = 0; y < op->oh; y++)
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++)
			for (uint32_t c = 0; c < op->oc && !ref_stopped(job); c++)
				pool_element(job, &win, y, x, c);
}
