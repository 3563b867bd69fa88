/* SPDX-License-Identifier: MIT */
/*
 * Vectors of 16 accumulators: the dot product, the output stage and its stores, for AVX-512 VNNI, for AVX2
 * and in plain OpenCL C. All give the same bytes.
 *
 * PoCL turns vloadn/vstoren of bytes into single bytes, so unaligned vector types are dereferenced
 * instead.
 */

typedef uchar bytes16 __attribute__((ext_vector_type(16), aligned(1)));
typedef int ints4 __attribute__((ext_vector_type(4), aligned(1)));
typedef int ints16 __attribute__((ext_vector_type(16), aligned(1)));
typedef int int_unaligned __attribute__((aligned(1)));

#define PIXELS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#if NPU_AVX2
/*
 * The same for 8 lanes with AVX2. Its multiply of unsigned by signed bytes adds pairs within 16 bits, for
 * which 255 * 127 twice is too much: the top bit of the unsigned bytes goes by itself.
 */
static inline int8 dot4_half(int8 acc, int8 x, int8 w)
{
	typedef char c32 __attribute__((vector_size(32)));
	typedef short h16 __attribute__((vector_size(32)));
	const h16 ones = (h16)(int8)(0x00010001);
	h16 low = __builtin_ia32_pmaddubsw256((c32)(x & 0x7f7f7f7f), (c32)w);
	h16 high = __builtin_ia32_pmaddubsw256((c32)(x & (int)0x80808080), (c32)w);

	return acc + as_int8(__builtin_ia32_pmaddwd256(low, ones)) +
	       as_int8(__builtin_ia32_pmaddwd256(high, ones));
}
#endif

/* acc[l] += sum of the 4 unsigned bytes of x[l] times the 4 signed bytes of w[l] */
static inline int16 dot4(int16 acc, int16 x, int16 w)
{
#if NPU_VNNI
	__asm__("vpdpbusd %2,%1,%0" : "+v"(acc) : "v"(x), "v"(w));
	return acc;
#elif NPU_AVX2
	return (int16)(dot4_half(acc.lo, x.lo, w.lo), dot4_half(acc.hi, x.hi, w.hi));
#else
	acc += (x & 255) * ((w << 24) >> 24);
	acc += ((x >> 8) & 255) * ((w << 16) >> 24);
	acc += ((x >> 16) & 255) * ((w << 8) >> 24);
	return acc + ((x >> 24) & 255) * (w >> 24);
#endif
}

/*
 * 4 bytes in every lane. Left to itself the compiler takes vbroadcastss for it, which on Zen 4 keeps a
 * multiplier busy besides the load: three dot products in the time of four.
 */
static inline int16 splat4(__global const uchar *p)
{
#if NPU_VNNI
	int16 v;

	__asm__("vpbroadcastd %1,%0" : "=v"(v) : "m"(*(__global const int_unaligned *)p));
	return v;
#else
	return (int16)(*(__global const int_unaligned *)p);
#endif
}

/* The output stage of one value in 64-bit integers. */
static int requant_one(int acc, uint scale, int shift, uint rounding)
{
	long product = (long)acc * (long)scale;
	long nudge = shift ? 1L << (shift - 1) : 0;
	long v;

	if (rounding == NPU_ROUND_TFL && shift > 31) {
		long high = (product + (1L << 30)) >> 31;
		long mask = (1L << (shift - 31)) - 1;

		v = (high >> (shift - 31)) + ((high & mask) > (mask >> 1) + (high < 0));
	} else if (rounding == NPU_ROUND_SYMMETRIC) {
		v = product < 0 ? -((nudge - product) >> shift) : (product + nudge) >> shift;
	} else if (rounding == NPU_ROUND_TO_ZERO) {
		v = product < 0 ? -(-product >> shift) : product >> shift;
	} else if (rounding == NPU_ROUND_TO_LOWER) {
		v = product >> shift;
	} else {
		v = (product + nudge) >> shift;
	}
	return (int)clamp(v, -32768L, 32767L);
}

#define ROUND_MAGIC 12582912.0f	/* 1.5 * 2^23: adding it leaves the integer part in the low bits */

/* Round to nearest, and in *worst how near any of the values so far is to a tie. */
static inline int16 round_near(float16 y, float16 *worst)
{
#if NPU_VNNI
	typedef float f16 __attribute__((vector_size(64)));
	typedef int i16 __attribute__((vector_size(64)));
	f16 rest = __builtin_ia32_reduceps512_mask((f16)y, 0, (f16)y, -1, 4);

	*worst = as_float16(__builtin_ia32_rangeps512_mask((f16)*worst, rest, 11, rest, -1, 4));
	return as_int16(__builtin_ia32_cvtps2dq512_mask((f16)y, (i16)y, -1, 4));
#else
	float16 whole;

	y = clamp(y, -32768.0f, 32767.0f);
	whole = (y + ROUND_MAGIC) - ROUND_MAGIC;
	*worst = fmax(*worst, fabs(y - whole));
	return __builtin_convertvector(whole, int16);
#endif
}

/* Round to nearest. */
static inline int16 round_plain(float16 y)
{
#if NPU_VNNI
	typedef float f16 __attribute__((vector_size(64)));
	typedef int i16 __attribute__((vector_size(64)));

	return as_int16(__builtin_ia32_cvtps2dq512_mask((f16)y, (i16)y, -1, 4));
#else
	y = clamp(y, -32768.0f, 32767.0f);
	return __builtin_convertvector((y + ROUND_MAGIC) - ROUND_MAGIC, int16);
#endif
}

/* The one accumulator of a channel that its float expression is wrong for, moved to its neighbour. */
static inline int16 move_odd(int16 acc, int16 odd, int16 by)
{
	return acc == odd ? acc + by : acc;
}

/* Output stage of a convolution before rounding; see cl_requant.h for why single precision is enough. */
static inline float16 scaled(int16 acc, float16 m, float16 c, int16 flip)
{
	float16 x = __builtin_convertvector(acc, float16);

	return fma(x, m, as_float16(as_int16(c) ^ (as_int16(x) & flip)));
}

static inline int16 requant(int16 acc, float16 m, float16 c, int16 flip, float16 *worst)
{
	return round_near(scaled(acc, m, c, flip), worst);
}

/* The same, for a vector of which some values may be too near to a tie: those are done in integers. */
__attribute__((noinline)) static int16 requant_again(int16 acc, __global const struct npu_channels *ch,
						     __global const struct npu_task *t)
{
	int in[16] __attribute__((aligned(64)));
	int out[16] __attribute__((aligned(64)));
	float rest[16] __attribute__((aligned(64)));
	float16 worst = (float16)(0);

	*(int16 *)in = acc;
	*(int16 *)out = requant(acc, *(__global const float16 *)ch->m, *(__global const float16 *)ch->c,
				(int16)((int)ch->flip), &worst);
	*(float16 *)rest = worst;
	for (int i = 0; i < 16; i++)
		if (rest[i] > ch->limit[i])
			out[i] = requant_one(in[i] + ch->base[i], ch->scale[i], (int)ch->shift[i], t->rounding) -
				 t->center;
	return *(int16 *)out;
}

/* A bit for each lane that is above its limit. */
static inline uint lanes_above(float16 worst, float16 limit)
{
#if NPU_VNNI
	typedef float f16 __attribute__((vector_size(64)));

	return (ushort)__builtin_ia32_cmpps512_mask((f16)worst, (f16)limit, 14, -1, 4); /* 14: greater */
#else
	union {
		int16 all;
		int lane[16];
	} above;
	uint lanes = 0;

	above.all = worst > limit;
	for (int i = 0; i < 16; i++)
		lanes |= (uint)(above.lane[i] & 1) << i;
	return lanes;
#endif
}

static inline int above_limit(float16 worst, float16 limit)
{
#if NPU_VNNI
	return lanes_above(worst, limit) != 0;
#else
	return any(worst > limit);
#endif
}

/*
 * 4 vectors of values to 64 bytes: add the zero point, clamp as signed bytes, flip to unsigned ones if
 * the OFM has those.
 */
static inline int16 pack4(int16 a, int16 b, int16 c, int16 d, __global const struct npu_task *t)
{
#if NPU_VNNI
	typedef int i16 __attribute__((vector_size(64)));
	typedef short h32 __attribute__((vector_size(64)));
	typedef char c64 __attribute__((vector_size(64)));
	h32 zero = (h32)(int16)((int)t->zero2);
	c64 low = (c64)(int16)((int)t->lo4);
	c64 high = (c64)(int16)((int)t->hi4);
	h32 ab = __builtin_ia32_packssdw512((i16)a, (i16)b);
	h32 cd = __builtin_ia32_packssdw512((i16)c, (i16)d);
	c64 v = __builtin_ia32_packsswb512(__builtin_elementwise_add_sat(ab, zero),
					   __builtin_elementwise_add_sat(cd, zero));

	v = v > low ? v : low;
	v = v < high ? v : high;
	v ^= (c64)(int16)((int)t->flip4);
	/* The packs work within 128 bits: put the 4-channel pieces of each pixel together. */
	return as_int16(__builtin_ia32_permvarsi512(
		(i16)v, (i16)(int16)(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
#else
	int16 v[4] = { a, b, c, d };
	union {
		uchar16 bytes[4];
		int16 all;
	} r;

	for (int p = 0; p < 4; p++)
		r.bytes[p] = __builtin_convertvector(as_uint16(clamp(v[p] + (short)t->zero2, (int16)(t->lo),
								     (int16)(t->hi)) ^ (int)t->flip_out),
						     uchar16);
	return r.all;
#endif
}

#if NPU_VNNI
typedef char c16v __attribute__((vector_size(16)));
#endif

/* 16 bytes of which only the first @n are there to be read; the others are 0. */
static inline int4 load_part(__global const uchar *p, int n)
{
#if NPU_VNNI
	return as_int4(__builtin_ia32_loaddquqi128_mask((c16v *)(size_t)p, (c16v)(int4)(0), (ushort)((1 << n) - 1)));
#else
	union {
		int4 all;
		uchar byte[16];
	} v;

	v.all = (int4)(0);
	for (int i = 0; i < n; i++)
		v.byte[i] = p[i];
	return v.all;
#endif
}

/* The first @n of 16 bytes. */
static inline void store_part(__global uchar *p, int4 v, int n)
{
#if NPU_VNNI
	__builtin_ia32_storedquqi128_mask((c16v *)(size_t)p, (c16v)v, (ushort)((1 << n) - 1));
#else
	union {
		int4 all;
		uchar byte[16];
	} u;

	u.all = v;
	for (int i = 0; i < n; i++)
		p[i] = u.byte[i];
#endif
}

/* Store 4 pixels of @n <= 16 channels, each at its offset. Pixels of 16 bytes often lie side by side. */
static inline void store4(__global uchar *out, __global const int *at, int16 v, int n)
{
	if (n == 16 && at[1] - at[0] == 16 && at[2] - at[0] == 32 && at[3] - at[0] == 48) {
		*(__global ints16 *)(out + at[0]) = v;
		return;
	}
	if (n != 16) {
		store_part(out + at[0], v.s0123, n);
		store_part(out + at[1], v.s4567, n);
		store_part(out + at[2], v.s89ab, n);
		store_part(out + at[3], v.scdef, n);
		return;
	}
	*(__global ints4 *)(out + at[0]) = v.s0123;
	*(__global ints4 *)(out + at[1]) = v.s4567;
	*(__global ints4 *)(out + at[2]) = v.s89ab;
	*(__global ints4 *)(out + at[3]) = v.scdef;
}

/* For loops of a few rounds: the compiler's own vector versions cost more than they save. */
#define PLAIN_LOOP _Pragma("clang loop vectorize(disable) unroll(disable)")

/* Copy @n bytes, each with @flip applied. */
static inline void copy_flip(__global uchar *to, __global const uchar *from, int n, uint flip)
{
	int word = (int)(flip * 0x01010101u);
	int i = 0;

	PLAIN_LOOP
	for (; i + 64 <= n; i += 64)
		*(__global ints16 *)(to + i) = *(__global const ints16 *)(from + i) ^ word;
	PLAIN_LOOP
	for (; i + 16 <= n; i += 16)
		*(__global ints4 *)(to + i) = *(__global const ints4 *)(from + i) ^ word;
	PLAIN_LOOP
	for (; i + 4 <= n; i += 4)
		*(__global int_unaligned *)(to + i) = *(__global const int_unaligned *)(from + i) ^ word;
	PLAIN_LOOP
	for (; i < n; i++)
		to[i] = from[i] ^ (uchar)flip;
}

/* Copy @n pixels of 16 bytes. */
static inline void copy_bricks(__global uchar *to, __global const uchar *from, int n, int word)
{
	int i = 0;

	PLAIN_LOOP
	for (; i + 4 <= n; i += 4)
		*(__global ints16 *)(to + 16 * i) = *(__global const ints16 *)(from + 16 * i) ^ word;
	PLAIN_LOOP
	for (; i < n; i++)
		*(__global ints4 *)(to + 16 * i) = *(__global const ints4 *)(from + 16 * i) ^ word;
}

static inline void fill_bytes(__global uchar *to, int n, int value)
{
	int word = (int)(0x01010101u * (uchar)value);
	int i = 0;

	PLAIN_LOOP
	for (; i + 64 <= n; i += 64)
		*(__global ints16 *)(to + i) = (int16)(word);
	PLAIN_LOOP
	for (; i + 16 <= n; i += 16)
		*(__global ints4 *)(to + i) = (int4)(word);
	PLAIN_LOOP
	for (; i < n; i++)
		to[i] = (uchar)value;
}

static inline __global uchar *mem_at(const struct npu_mem *mem, uint space, long offset)
{
	return mem->space[space] + (offset - mem->lo[space]);
}

/* to[i] = start + i * step. Writes up to 15 entries too many: the caller fills upwards and has room. */
static inline void ramp(__global int *to, int start, int step, int n)
{
	int16 v = (int16)(start) + (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) * step;

	PLAIN_LOOP
	for (int i = 0; i < n; i += 16, v += 16 * step)
		*(__global ints16 *)(to + i) = v;
}

/* Fill up to a multiple of NPU_PIXELS with the last entry: that pixel is then just done again. */
static inline void repeat_last(__global int *table, int n)
{
	PLAIN_LOOP
	for (int i = n; i & (NPU_PIXELS - 1); i++)
		table[i] = table[n - 1];
}

/* Bytes from pixel to pixel in a row. */
static inline int fm_step(__global const struct npu_fm *fm)
{
	return fm->brick ? 16 << fm->elem_log2 : (int)fm->stride_x;
}

/* Where pixel (y, x) of a feature map starts: tiles resolved, channels left to the caller. */
static inline long fm_pixel(__global const struct npu_fm *fm, uint y, uint x)
{
	uint tile = 0;

	if (x >= fm->width0) {
		x -= fm->width0;
		tile = 1;
	}
	if (y >= (tile ? fm->height1 : fm->height0)) {
		y -= tile ? fm->height1 : fm->height0;
		tile += 2;
	}
	return fm->base[tile] + (long)y * fm->stride_y + (long)x * fm_step(fm);
}

/* Do rows of @ow pixels, taken @step bytes apart, follow each other without a gap? */
static inline int rows_join(__global const struct npu_fm *fm, int ow, int step)
{
	return fm->stride_y == (long)ow * step && fm->height0 >= fm->height;
}

/* Where the pixels of OFM rows [y0, y0 + rows) start, from the first one. */
static inline void ofm_table(__global int *at, __global const struct npu_fm *ofm, int y0, int rows, int ow)
{
	int step = fm_step(ofm);
	long origin;

	if (rows_join(ofm, ow, step)) {
		ramp(at, 0, step, rows * ow);
		return;
	}
	origin = fm_pixel(ofm, (uint)y0, 0);
	for (int y = 0; y < rows; y++)
		ramp(at + y * ow, (int)(fm_pixel(ofm, (uint)(y0 + y), 0) - origin), step, ow);
}

/* Bytes from one group of 16 channels to the next. */
static inline long fm_group(__global const struct npu_fm *fm)
{
	return fm->brick ? fm->stride_c : 16L << fm->elem_log2;
}
