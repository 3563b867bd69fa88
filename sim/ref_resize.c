/* SPDX-License-Identifier: MIT */
/* Reference engine: U85 RESIZE. */
#include "sim/ref_arith.h"
#include "sim/ref_ops.h"

/* Results carry 16 fraction bits that OFM_SCALE's shift takes away. */
#define RESIZE_FRACTION (INT64_C(1) << 16)

/*
 * struct place - where an output row or column lies between input rows or columns
 * @index: the one before it, not yet limited to the IFM
 * @part: distance from it, in 1/@whole
 */
struct place {
	int64_t index;
	int64_t part, whole;
	int64_t last;
};

static void locate(struct place *place, uint32_t i, uint32_t step, int32_t off, uint32_t n, uint32_t size)
{
	int64_t p = (int64_t)i * step + off;
	int64_t rest = p % n;

	if (rest < 0)
		rest += n;
	*place = (struct place){ .index = (p - rest) / n, .part = rest, .whole = n,
				 .last = (int64_t)size - 1 };
}

static uint32_t limited(const struct place *place, int64_t index)
{
	if (index < 0)
		return 0;
	return (uint32_t)(index > place->last ? place->last : index);
}

/* The nearer neighbour, the later one of two equally near. */
static int64_t nearest(const struct place *place)
{
	return place->index + (2 * place->part >= place->whole);
}

static int64_t source(struct ref_job *job, const struct npu_op *op, const struct place *py, int64_t y,
		      const struct place *px, int64_t x, uint32_t c)
{
	return ref_value(job, &op->a, limited(py, y), limited(px, x), c);
}

static int64_t bilinear(struct ref_job *job, const struct npu_op *op, const struct place *py,
			const struct place *px, uint32_t c)
{
	int64_t sum = 0;

	for (unsigned int down = 0; down < 2; down++) {
		for (unsigned int right = 0; right < 2; right++) {
			int64_t wy = down ? py->part : py->whole - py->part;
			int64_t wx = right ? px->part : px->whole - px->part;

			int64_t v = source(job, op, py, py->index + down, px, px->index + right, c);

			sum = ref_add(sum, ref_mul(v, wy * wx));
		}
	}
	return sum;
}

static int64_t sample(struct ref_job *job, const struct npu_op *op, const struct place *py,
		      const struct place *px, uint32_t c)
{
	switch (op->mode) {
	case NPU_RESIZE_BILINEAR:
		return bilinear(job, op, py, px, c);
	case NPU_RESIZE_NEAREST:
		return source(job, op, py, nearest(py), px, nearest(px), c);
	default:
		/* REPLICATE: no stream with it was seen; that it repeats the element before is a guess. */
		return source(job, op, py, py->index, px, px->index, c);
	}
}

void ref_resize(struct ref_job *job, const struct npu_op *op)
{
	struct place py, px;

	for (uint32_t y = 0; y < op->oh; y++) {
		locate(&py, y, op->resize_step_y, op->resize_off_y, op->resize_n_y, op->a.height);
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++) {
			locate(&px, x, op->resize_step_x, op->resize_off_x, op->resize_n_x, op->a.width);
			for (uint32_t c = 0; c < op->oc && !ref_stopped(job); c++)
				ref_output_scaled(job, op, y, x, c,
						  ref_mul(sample(job, op, &py, &px, c), RESIZE_FRACTION));
		}
	}
}
