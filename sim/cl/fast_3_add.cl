/* SPDX-License-Identifier: MIT */
/*
 * ADD and SUB of bytes. The value before rounding is within @limit's distance of the float expression
 * a * ma + b * mb + c; only where that is too near a tie are the integers done.
 */

/* One operand's scaling as the hardware does it. */
static long add_operand(long v, __global const struct npu_scale *s)
{
	long product = v * (long)s->scale, high, mask;
	int first;

	if (s->scale == 1 && !s->shift)
		return v;
	if (!s->dbl)
		return s->shift ? (product + (1L << (s->shift - 1))) >> s->shift : product;
	first = 31 - s->dbl;
	high = (product + (1L << (first - 1))) >> first;
	mask = (1L << (s->shift - first)) - 1;
	return (high >> (s->shift - first)) + ((high & mask) > (mask >> 1) + (high < 0));
}

static uchar add_exact(__global const struct npu_op *op, __global const struct npu_task *t, int a, int b)
{
	long x = add_operand(a, &op->a_scale), y = add_operand(b, &op->b_scale);
	long product = (op->mode == NPU_ELT_SUB ? x - y : x + y) * (long)op->ofm_scale.scale;
	int shift = op->ofm_scale.shift;
	long v;

	if (op->ofm_scale.round == NPU_ROUND_TFL && shift > 31) {
		long high = (product + (1L << 30)) >> 31, mask = (1L << (shift - 31)) - 1;

		v = (high >> (shift - 31)) + ((high & mask) > (mask >> 1) + (high < 0));
	} else {
		v = shift ? (product + (1L << (shift - 1))) >> shift : product;
	}
	return (uchar)((int)clamp(v + t->zero_point, (long)t->lo, (long)t->hi) ^ (int)t->flip_out);
}

static inline int16 widen(__global const uchar *p, uint flip)
{
	return __builtin_convertvector(as_char16(*(__global const bytes16 *)p ^ (bytes16)((uchar)flip)), int16);
}

/* One byte in integers. */
static uchar add_byte(__global const uchar *a, __global const uchar *b, __global const struct npu_op *op,
		      __global const struct npu_task *t, __global const struct npu_add *k)
{
	return add_exact(op, t, (char)(*a ^ (uchar)t->flip_in) - k->zero_a,
			 (k->scalar_b ? k->value_b : (char)(*b ^ (uchar)k->flip_b)) - k->zero_b);
}

/* 16 values before rounding. */
static inline float16 add_values(__global const uchar *a, __global const uchar *b,
				 __global const struct npu_task *t, __global const struct npu_add *k)
{
	int16 x = widen(a, t->flip_in), y = k->scalar_b ? (int16)(k->value_b) : widen(b, k->flip_b);

	return fma(__builtin_convertvector(x, float16), (float16)(k->ma),
		   fma(__builtin_convertvector(y, float16), (float16)(k->mb), (float16)(k->c)));
}

/* @v with those of its 64 bytes that are too near to a tie done in integers. */
__attribute__((noinline)) static int16 add_ties(__global const uchar *a, __global const uchar *b, int16 v,
						__global const struct npu_op *op,
						__global const struct npu_task *t,
						__global const struct npu_add *k)
{
	uchar byte[64] __attribute__((aligned(64)));
	float rest[16] __attribute__((aligned(64)));

	*(int16 *)byte = v;
	for (int i = 0; i < 64; i += 16) {
		float16 worst = (float16)(0);

		round_near(add_values(a + i, b + i, t, k), &worst);
		*(float16 *)rest = worst;
		for (int l = 0; l < 16; l++)
			if (rest[l] > k->limit)
				byte[i + l] = add_byte(a + i + l, b + i + l, op, t, k);
	}
	return *(int16 *)byte;
}

/* Up to 16 bytes. */
static inline void add_part(__global const uchar *a, __global const uchar *b, __global uchar *out, int n,
			     __global const struct npu_op *op, __global const struct npu_task *t,
			     __global const struct npu_add *k)
{
	float16 worst = (float16)(0);
	int16 x = __builtin_convertvector(as_char16(load_part(a, n) ^ (int)(t->flip_in * 0x01010101u)), int16);
	int16 y = k->scalar_b ? (int16)(k->value_b) :
				__builtin_convertvector(as_char16(load_part(b, n) ^
								  (int)(k->flip_b * 0x01010101u)), int16);
	int16 r = round_near(fma(__builtin_convertvector(x, float16), (float16)(k->ma),
				 fma(__builtin_convertvector(y, float16), (float16)(k->mb),
				     (float16)(k->c))), &worst);
	int4 v = pack4(r, r, r, r, t).s0123;

	if (above_limit(worst, (float16)(k->limit))) {
		union {
			int4 all;
			uchar byte[16];
		} u;

		for (int i = 0; i < n; i++)
			u.byte[i] = add_byte(a + i, b + i, op, t, k);
		v = u.all;
	}
	store_part(out, v, n);
}

/* @n bytes that lie one after the other in all maps. The OFM may be one of the IFMs. */
static void add_run(__global const uchar *a, __global const uchar *b, __global uchar *out, int n,
		    __global const struct npu_op *op, __global const struct npu_task *t,
		    __global const struct npu_add *k)
{
	int i = 0;

	for (; i + 64 <= n; i += 64) {
		float16 worst = (float16)(0);
		int16 r0 = round_near(add_values(a + i, b + i, t, k), &worst);
		int16 r1 = round_near(add_values(a + i + 16, b + i + 16, t, k), &worst);
		int16 r2 = round_near(add_values(a + i + 32, b + i + 32, t, k), &worst);
		int16 r3 = round_near(add_values(a + i + 48, b + i + 48, t, k), &worst);
		int16 v = pack4(r0, r1, r2, r3, t);

		if (above_limit(worst, (float16)(k->limit)))
			v = add_ties(a + i, b + i, v, op, t, k);
		*(__global ints16 *)(out + i) = v;
	}
	for (; i < n; i += 16)
		add_part(a + i, b + i, out + i, min(n - i, 16), op, t, k);
}

/* One tile: rows [tile * rows, ...). A group is 16 channels, or all of them where pixels are dense. */
static void add_tile(const struct npu_mem *mem, __global const struct npu_op *op,
		     __global const struct npu_task *t, __global const uchar *blob, uint tile)
{
	__global const struct npu_add *k = (__global const struct npu_add *)(blob + t->panel);
	int end = min((int)((tile + 1) * t->rows), (int)op->oh);

	for (int y = (int)(tile * t->rows); y < end; y++) {
		__global const uchar *a = mem_at(mem, op->a.space, fm_pixel(&op->a, (uint)y, 0));
		__global const uchar *b = k->scalar_b ? a : mem_at(mem, op->b.space, fm_pixel(&op->b, (uint)y, 0));
		__global uchar *out = mem_at(mem, op->ofm.space, fm_pixel(&op->ofm, (uint)y, 0));

		if (k->dense) {
			add_run(a, b, out, (int)(op->ow * op->oc), op, t, k);
			continue;
		}
		for (int c = 0; c < (int)op->oc; c += 16) {
			long ga = c / 16 * fm_group(&op->a), gb = k->scalar_b ? 0 : c / 16 * fm_group(&op->b);
			long go = c / 16 * fm_group(&op->ofm);
			int n = min((int)op->oc - c, 16);

			if (k->bricks && n == 16) {
				add_run(a + ga, b + gb, out + go, 16 * (int)op->ow, op, t, k);
				continue;
			}
			for (int x = 0; x < (int)op->ow; x++)
				add_part(a + ga + x * fm_step(&op->a),
					  k->scalar_b ? b : b + gb + x * fm_step(&op->b),
					  out + go + x * fm_step(&op->ofm), n, op, t, k);
		}
	}
}
