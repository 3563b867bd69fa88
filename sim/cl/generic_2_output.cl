/* SPDX-License-Identifier: MIT */
/*
 * Portable OpenCL C, part 2: from accumulators to stored values: scale and round, zero point,
 * clamp, table.
 */

/* All of these take products below 2^62. Half toward plus infinity: */
static long gen_natural(long p, uint shift)
{
	return ((p * 2 >> shift) + 1) >> 1;
}

static long gen_half_away(long p, uint shift)
{
	long sign = p >> 63;

	return (gen_natural((p ^ sign) - sign, shift) ^ sign) - sign;
}

/*
 * TFLite's two steps: a doubling high multiply, which keeps shift 31 with halves up, then a divide
 * by a power of two with halves away from zero. Shifts below first need one step only.
 */
static long gen_two_step(long p, uint shift, uint first)
{
	uint one = min(shift, first);

	return gen_half_away(gen_natural(p, one), shift - one);
}

static long gen_round(long p, uint shift, uint round)
{
	switch (round) {
	case NPU_ROUND_NATURAL:
		return gen_natural(p, shift);
	case NPU_ROUND_DOUBLE_ASYMMETRIC:
		if (shift <= 31)
			return gen_natural(p, shift);
		return gen_natural(gen_natural(p, 31), shift - 31);
	case NPU_ROUND_SYMMETRIC:
		return gen_half_away(p, shift);
	case NPU_ROUND_TO_ZERO:
		return p < 0 ? -(-p >> shift) : p >> shift;
	case NPU_ROUND_TO_LOWER:
		return p >> shift;
	default:
		return gen_two_step(p, shift, 31);
	}
}

/*
 * The same on products of more than 64 bits, which no sensible stream makes. Results end at +-2^62,
 * out of reach of every element type.
 */
struct gen_wide {
	ulong lo;
	long hi;
};

static struct gen_wide gen_wide_neg(struct gen_wide p)
{
	struct gen_wide r = { -p.lo, ~p.hi + (p.lo ? 0 : 1) };

	return r;
}

/* Toward minus infinity, plus up (0 or 1). */
static struct gen_wide gen_wide_shift(struct gen_wide p, uint shift, uint up)
{
	struct gen_wide r = p;

	if (shift) {
		r.lo = p.lo >> shift | (ulong)p.hi << (64 - shift);
		r.hi = p.hi >> shift;
	}
	r.lo += up;
	if (up && !r.lo)
		r.hi++;
	return r;
}

static struct gen_wide gen_wide_natural(struct gen_wide p, uint shift)
{
	return gen_wide_shift(p, shift, shift ? (uint)(p.lo >> (shift - 1)) & 1 : 0);
}

static struct gen_wide gen_wide_half_away(struct gen_wide p, uint shift)
{
	if (p.hi >= 0)
		return gen_wide_natural(p, shift);
	return gen_wide_neg(gen_wide_natural(gen_wide_neg(p), shift));
}

static long gen_round_wide(struct gen_wide p, uint shift, uint round, uint first)
{
	const long limit = 1L << 62;
	uint rest = shift > first ? shift - first : 0;

	switch (round) {
	case NPU_ROUND_SYMMETRIC:
		p = gen_wide_half_away(p, shift);
		break;
	case NPU_ROUND_TO_ZERO:
		p = p.hi < 0 ? gen_wide_neg(gen_wide_shift(gen_wide_neg(p), shift, 0))
			     : gen_wide_shift(p, shift, 0);
		break;
	case NPU_ROUND_TO_LOWER:
		p = gen_wide_shift(p, shift, 0);
		break;
	case NPU_ROUND_NATURAL:
		p = gen_wide_natural(p, shift);
		break;
	default:
		p = gen_wide_natural(p, shift - rest);
		p = round == NPU_ROUND_TFL ? gen_wide_half_away(p, rest)
					   : gen_wide_natural(p, rest);
	}
	if (p.hi != (long)p.lo >> 63)
		return p.hi < 0 ? -limit : limit;
	return clamp((long)p.lo, -limit, limit);
}

/* first: where the first of two steps ends. */
GEN_CALL long gen_scale_wide(long v, uint factor, uint shift, uint round, uint first)
{
	struct gen_wide p = { (ulong)v * factor, mul_hi(v, (long)factor) };

	return gen_round_wide(p, shift, round, first);
}

/* Do all products stay below 2^62? */
static uint gen_fits(const long *v, uint n, uint factor)
{
	ulong bits = 0;

	for (uint i = 0; i < n; i++)
		bits |= (ulong)(v[i] ^ (v[i] >> 63));
	return !(bits >> (30 + clz(factor)));
}

GEN_CALL void gen_scale_line(long *v, uint n, uint factor, uint shift, uint round)
{
	if (factor == 1 && !shift)
		return;
	if (!gen_fits(v, n, factor)) {
		for (uint i = 0; i < n; i++)
			v[i] = gen_scale_wide(v[i], factor, shift, round, 31);
		return;
	}
	if (factor != 1) {
		for (uint i = 0; i < n; i++)
			v[i] *= factor;
	}
	if (!shift)
		return;
	if (round == NPU_ROUND_NATURAL || (round == NPU_ROUND_TFL && shift <= 31)) {
		for (uint i = 0; i < n; i++)
			v[i] = gen_natural(v[i], shift);
		return;
	}
	if (round == NPU_ROUND_TFL) {
		for (uint i = 0; i < n; i++)
			v[i] = gen_two_step(v[i], shift, 31);
		return;
	}
	for (uint i = 0; i < n; i++)
		v[i] = gen_round(v[i], shift, round);
}

/* The input scaling of ADD and its like. With dbl = K the first step ends at 31 - K bits. */
GEN_CALL void gen_scale_input(long *v, uint n, __global const struct npu_scale *s)
{
	uint factor = s->scale, shift = s->shift, dbl = s->dbl, round = s->round;

	if (!dbl || dbl >= 31 || round != NPU_ROUND_TFL || (factor == 1 && !shift)) {
		gen_scale_line(v, n, factor, shift, round);
		return;
	}
	if (!gen_fits(v, n, factor)) {
		for (uint i = 0; i < n; i++)
			v[i] = gen_scale_wide(v[i], factor, shift, round, 31 - dbl);
		return;
	}
	for (uint i = 0; i < n; i++)
		v[i] = gen_two_step(v[i] * factor, shift, 31 - dbl);
}

/* 65536 * sigmoid(i / 24) as TFLite's 16-bit kernels have it. */
__constant ushort gen_sigmoid[256] = {
	32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794,
	41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443,
	48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374,
	54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433, 57724, 58007, 58280, 58544,
	58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279,
	61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990,
	63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030,
	64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652,
	64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019,
	65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234,
	65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360,
	65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433,
	65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476,
	65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498, 65500, 65501,
	65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
	65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
	65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529,
	65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532,
	65532, 65532, 65532, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65534, 65534,
	65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
};

/*
 * Tanh and sigmoid of 1/12288 units by linear interpolation between points 1 << bits apart, 256
 * each side of 0. Without a table in LUT memory the points are the built-in ones.
 */
GEN_CALL long gen_interpolate(long v, __global const uchar *table, uint sigmoid)
{
	uint bits = sigmoid ? 9 : 8;
	long limit = (256L << bits) - 1;
	long neg = v < 0;
	long base, slope, frac;
	int index;

	v = clamp(v, -limit, limit);
	index = (int)(v >> bits);
	frac = v & ((1 << bits) - 1);
	if (table) {
		int word = ((__global const gen_s32 *)table)[index + 256];

		base = (short)word;
		slope = word >> 16;
	} else if (index >= 0) {
		base = (long)gen_sigmoid[index] - 32768;
		slope = (long)gen_sigmoid[min(index + 1, 255)] - gen_sigmoid[index];
	} else {
		int j = min(-index, 255);

		base = 32768 - (long)gen_sigmoid[j];
		slope = (long)gen_sigmoid[j] - gen_sigmoid[j - 1];
		/* The outermost point: the table of tanh is level there. */
		if (index == -256 && !sigmoid)
			slope = 0;
	}
	if (sigmoid)
		v = ((base + 32768) * 512 + frac * slope + 512 - neg) >> 10;
	else
		v = (base * 256 + frac * slope + 128 - neg) >> 8;
	return clamp(v, (long)SHRT_MIN, (long)SHRT_MAX);
}

/* Bytes of a table have the type of the OFM. */
static long gen_lookup(long v, __global const uchar *table, uint lut, uint is_signed)
{
	uint byte = (uint)(clamp(v, (long)CHAR_MIN, (long)CHAR_MAX) + 128);
	int s16 = (int)clamp(v, (long)SHRT_MIN, (long)SHRT_MAX);
	int word;

	switch (lut) {
	case NPU_LUT_U8_U8:
		byte = (uint)clamp(v, 0L, (long)UCHAR_MAX);
		return is_signed ? ((__global const char *)table)[byte] : table[byte];
	case NPU_LUT_S8_S8:
		return is_signed ? ((__global const char *)table)[byte] : table[byte];
	case NPU_LUT_S8_S16:
		return ((__global const gen_s16 *)table)[byte];
	case NPU_LUT_S8_S32:
		return ((__global const gen_s32 *)table)[byte];
	case NPU_LUT_S16_S32:
		return ((__global const gen_s32 *)table)[(s16 >> 7) + 256];
	default:
		word = ((__global const gen_s32 *)table)[(s16 >> 7) + 256];
		return (short)word + (((word >> 16) * (s16 & 127) + 64) >> 7);
	}
}

/* What happens to an accumulator, the same for every line of an operation. */
struct gen_output {
	long lo, hi;
	__global const uchar *table;
	uint factor, shift, round;
	uint lut, is_signed;
	int zero_point;
};

GEN_CALL void gen_output_open(struct gen_output *out, const struct npu_mem *mem,
			      __global const struct npu_op *op, uint scaled)
{
	out->factor = scaled ? op->ofm_scale.scale : 1;
	out->shift = scaled ? op->ofm_scale.shift : 0;
	out->round = op->ofm_scale.round;
	out->zero_point = op->ofm.zero_point;
	out->lo = op->clamp ? op->act_min : LONG_MIN;
	out->hi = op->clamp ? op->act_max : LONG_MAX;
	out->lut = op->lut;
	out->is_signed = op->ofm.is_signed;
	out->table = 0;
	if (op->lut && op->lut != NPU_LUT_TANH_BUILTIN && op->lut != NPU_LUT_SIGMOID_BUILTIN)
		out->table = gen_space(mem, NPU_SPACE_INTERNAL, op->lut_offset);
}

GEN_CALL void gen_finish(const struct gen_output *out, long *v, uint n)
{
	long lo = out->lo, hi = out->hi;
	uint lut = out->lut;

	gen_scale_line(v, n, out->factor, out->shift, out->round);
	for (uint i = 0; i < n; i++)
		v[i] += out->zero_point;

	/* Tanh and sigmoid take more than 16 bits: they are clamped on the way out. */
	if (lut >= NPU_LUT_TANH) {
		uint sigmoid = lut == NPU_LUT_SIGMOID || lut == NPU_LUT_SIGMOID_BUILTIN;

		for (uint i = 0; i < n; i++)
			v[i] = gen_interpolate(v[i], out->table, sigmoid);
	}
	for (uint i = 0; i < n; i++)
		v[i] = min(max(v[i], lo), hi);
	if (lut && lut < NPU_LUT_TANH) {
		for (uint i = 0; i < n; i++)
			v[i] = gen_lookup(v[i], out->table, lut, out->is_signed);
	}
}
