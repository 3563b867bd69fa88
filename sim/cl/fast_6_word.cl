/* SPDX-License-Identifier: MIT */
/*
 * Elementwise operations on 32-bit values without input scaling: the many small steps that a softmax is
 * made of. What counts here is how soon the first element is done.
 */

static inline long word_channel(__global const struct npu_fm *fm, int c)
{
	return fm->brick ? (c >> 4) * fm->stride_c + ((long)(c & 15) << fm->elem_log2) :
			   (long)c << fm->elem_log2;
}

/* (P + half) >> shift, with the high product rounded first beyond 31 if @rounding is TFLite's. */
static inline long word_round(long product, uint shift, uint rounding)
{
	if (rounding == NPU_ROUND_TFL && shift > 31) {
		long high = (product + (1L << 30)) >> 31, mask = (1L << (shift - 31)) - 1;

		return (high >> (shift - 31)) + ((high & mask) > (mask >> 1) + (high < 0));
	}
	return shift ? (product + (1L << (shift - 1))) >> shift : product;
}

static inline long word_op(__global const struct npu_op *op, int a, int b)
{
	switch (op->mode) {
	case NPU_ELT_MUL:
		return word_round((long)a * b, op->ofm_scale.shift, op->ofm_scale.round);
	case NPU_ELT_ADD:
		return (long)a + b;
	case NPU_ELT_SUB:
		return (long)a - b;
	case NPU_ELT_CLZ:
		return clz((uint)a);
	case NPU_ELT_SHL:
		return (uint)b > 31 ? 0 : (int)((uint)a << b);
	default:
		/* SHR with rounding. */
		return word_round(a, (uint)clamp(b, 0, 63), NPU_ROUND_NATURAL);
	}
}

/* One tile: row @y. */
static void word_tile(const struct npu_mem *mem, __global const struct npu_op *op, uint y)
{
	int fixed_b = op->b.broadcast & NPU_BROADCAST_SCALAR || op->mode == NPU_ELT_CLZ;
	int step_a = op->a.width > 1 ? fm_step(&op->a) : 0, step_b = op->b.width > 1 ? fm_step(&op->b) : 0;
	int wide_a = op->a.depth > 1, wide_b = op->b.depth > 1;
	__global const uchar *a = mem_at(mem, op->a.space, fm_pixel(&op->a, op->a.height > 1 ? y : 0, 0));
	__global const uchar *b = fixed_b ? a :
				  mem_at(mem, op->b.space, fm_pixel(&op->b, op->b.height > 1 ? y : 0, 0));
	__global uchar *out = mem_at(mem, op->ofm.space, fm_pixel(&op->ofm, y, 0));

	for (int x = 0; x < (int)op->ow; x++, a += step_a, b += step_b, out += fm_step(&op->ofm))
		for (int c = 0; c < (int)op->oc; c++) {
			int va = *(__global const int_unaligned *)(a + (wide_a ? word_channel(&op->a, c) : 0));
			int vb = fixed_b ? op->scalar :
				 *(__global const int_unaligned *)(b + (wide_b ? word_channel(&op->b, c) : 0));
			long v = word_op(op, va, vb) + op->ofm.zero_point;
			__global uchar *p = out + word_channel(&op->ofm, c);

			if (op->clamp)
				v = clamp(v, (long)op->act_min, (long)op->act_max);
			if (op->ofm.elem_log2 == 2)
				*(__global int_unaligned *)p = (int)clamp(v, (long)INT_MIN, (long)INT_MAX);
			else
				*p = (uchar)v;
		}
}
