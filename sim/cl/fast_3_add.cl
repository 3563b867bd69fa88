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

#if NPU_VNNI
typedef ushort ushort32_v __attribute__((vector_size(64)));
#endif

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

#if NPU_VNNI
/* 16 values plus a half, zero point and @near included, as fixed point numbers with 16 bits of fraction. */
static inline uint16 add_fixed(__global const uchar *a, __global const uchar *b, uint flip_a, uint flip_b,
			       int scalar, float16 y_scalar, float16 ma, float16 mb, float16 c)
{
	typedef float f16 __attribute__((vector_size(64)));
	typedef int i16 __attribute__((vector_size(64)));
	float16 x = __builtin_convertvector(widen(a, flip_a), float16);
	float16 y = scalar ? y_scalar : __builtin_convertvector(widen(b, flip_b), float16);

	y = fma(x, ma, fma(y, mb, c));
	return as_uint16(__builtin_ia32_cvtps2dq512_mask((f16)y, (i16)y, -1, 4));
}

/* The integer parts of 4 vectors to 64 bytes, clamped and flipped; false if a fraction is below @band. */
static inline int add_pack(uint16 y0, uint16 y1, uint16 y2, uint16 y3, ushort32_v band, int16 lo, int16 hi,
			   int16 flip, int16 *out)
{
	typedef int i16 __attribute__((vector_size(64)));
	typedef short h32 __attribute__((vector_size(64)));
	typedef char c64 __attribute__((vector_size(64)));
	const c64 order = (c64)(int16)(0x06040200, 0x07050301, 0x0e0c0a08, 0x0f0d0b09, 0x06040200, 0x07050301,
				       0x0e0c0a08, 0x0f0d0b09, 0x06040200, 0x07050301, 0x0e0c0a08, 0x0f0d0b09,
				       0x06040200, 0x07050301, 0x0e0c0a08, 0x0f0d0b09);
	ushort32_v f0 = (ushort32_v)(y0 & 0xffff | y1 << 16), f1 = (ushort32_v)(y2 & 0xffff | y3 << 16);
	c64 v = __builtin_ia32_packsswb512((h32)(y0 >> 16 | y1 & 0xffff0000), (h32)(y2 >> 16 | y3 & 0xffff0000));
	c64 low = (c64)lo, high = (c64)hi;

	v = __builtin_ia32_pshufb512(v, order);
	v = v > low ? v : low;
	v = v < high ? v : high;
	v ^= (c64)flip;
	*out = as_int16(__builtin_ia32_permvarsi512(
		(i16)v, (i16)(int16)(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
	f0 = f0 < f1 ? f0 : f1;
	return !__builtin_ia32_ucmpw512_mask((h32)f0, (h32)band, 1, -1);
}
#endif

/* @v with those of its 64 bytes that are too near to a tie done in integers. */
__attribute__((noinline)) static int16 add_ties(__global const uchar *a, __global const uchar *b, int16 v,
						__global const struct npu_op *op,
						__global const struct npu_task *t,
						__global const struct npu_add *k)
{
	uchar byte[64] __attribute__((aligned(64)));

	*(int16 *)byte = v;
	for (int i = 0; i < 64; i += 16) {
		float16 worst = (float16)(0);
		uint near;

		round_near(add_values(a + i, b + i, t, k), &worst);
		for (near = lanes_above(worst, (float16)(k->limit)); near; near &= near - 1) {
			int l = i + (int)__builtin_ctz(near);

			byte[l] = add_byte(a + l, b + l, op, t, k);
		}
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

#if NPU_VNNI
	ushort32_v band = (ushort32_v)(uint16)(k->band * 0x00010001u);
	float16 y = __builtin_convertvector((int16)(k->value_b), float16), c = (float16)(k->fixed_c);
	int16 lo = (int16)((int)t->lo4), hi = (int16)((int)t->hi4), flip = (int16)((int)t->flip4);
	uint flip_a = t->flip_in, flip_b = k->flip_b, scalar = k->scalar_b;
	int whole = k->band ? n & ~63 : 0;
	float16 ma = (float16)(k->ma * 65536.0f), mb = (float16)(k->mb * 65536.0f);

	for (; i < whole; i += 64) {
		uint16 y0 = add_fixed(a + i, b + i, flip_a, flip_b, scalar, y, ma, mb, c);
		uint16 y1 = add_fixed(a + i + 16, b + i + 16, flip_a, flip_b, scalar, y, ma, mb, c);
		uint16 y2 = add_fixed(a + i + 32, b + i + 32, flip_a, flip_b, scalar, y, ma, mb, c);
		uint16 y3 = add_fixed(a + i + 48, b + i + 48, flip_a, flip_b, scalar, y, ma, mb, c);
		int16 v;

		if (!add_pack(y0, y1, y2, y3, band, lo, hi, flip, &v))
			v = add_ties(a + i, b + i, v, op, t, k);
		*(__global ints16 *)(out + i) = v;
	}
#endif
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
