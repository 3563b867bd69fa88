/* SPDX-License-Identifier: MIT */
/* MAX, AVERAGE and SUM pooling of bytes, 16 channels at a time. */

/* Output stage of a sum in integers: pooling has few outputs for what it reads. */
static int pool_out(int acc, int count, __global const struct npu_op *op)
{
	if (op->hw_divide)
		return acc < 0 ? -((count - 2 * acc) / (2 * count)) : (2 * acc + count) / (2 * count);
	return requant_one((int)acc, op->ofm_scale.scale, op->ofm_scale.shift, op->ofm_scale.round);
}

/* A vector of the IFM in the signed byte domain; @n channels, of which no byte more may be read. */
static inline int16 pool_load(__global const uchar *p, uint flip, int n)
{
	return __builtin_convertvector(as_char16(load_part(p, n) ^ (int)(flip * 0x01010101u)), int16);
}

static void pool_pixel(const struct npu_mem *mem, __global const struct npu_op *op,
		       __global const struct npu_task *t, int y, int x, int c, int n, __global uchar *out)
{
	int y0 = y * op->stride_y - op->pad_top, x0 = x * op->stride_x - op->pad_left;
	int top = max(y0, 0), bottom = min(y0 + (int)op->kernel_h, (int)op->a.height);
	int left = max(x0, 0), right = min(x0 + (int)op->kernel_w, (int)op->a.width);
	int zero = op->a.zero_point - (op->a.is_signed ? 0 : 128);
	int largest = op->mode == NPU_POOL_MAX;
	int16 acc = (int16)(largest ? -128 : 0);
	int count = max(bottom - top, 0) * max(right - left, 0);
	int v[16] __attribute__((aligned(64)));

	for (int iy = top; iy < bottom; iy++) {
		__global const uchar *p = mem_at(mem, op->a.space, fm_pixel(&op->a, (uint)iy, (uint)left) +
								   c / 16 * fm_group(&op->a));

		for (int ix = left; ix < right; ix++, p += fm_step(&op->a)) {
			int16 e = pool_load(p, t->flip_in, n);

			acc = largest ? max(acc, e) : acc + e;
		}
	}
	acc -= largest ? zero : zero * count;
	if (!op->per_channel && (op->hw_divide ? count != 1 : op->ofm_scale.scale != 1 || op->ofm_scale.shift)) {
		*(int16 *)v = acc;
		PLAIN_LOOP
		for (int i = 0; i < n; i++)
			v[i] = pool_out(v[i], count, op);
		acc = *(int16 *)v;
	}
	store_part(out, pack4(acc, acc, acc, acc, t).s0123, n);
}

/* One tile: rows [tile * rows, ...). */
static void pool_tile(const struct npu_mem *mem, __global const struct npu_op *op,
		      __global const struct npu_task *t, uint tile)
{
	int end = min((int)((tile + 1) * t->rows), (int)op->oh);

	for (int y = (int)(tile * t->rows); y < end; y++)
		for (int x = 0; x < (int)op->ow; x++) {
			__global uchar *out = mem_at(mem, op->ofm.space, fm_pixel(&op->ofm, (uint)y, (uint)x));

			for (int c = 0; c < (int)op->oc; c += 16)
				pool_pixel(mem, op, t, y, x, c, min((int)op->oc - c, 16),
					   out + c / 16 * fm_group(&op->ofm));
		}
}
