/* SPDX-License-Identifier: MIT */
/* Portable OpenCL C, part 3: elementwise operations on lines. */

static uint gen_scalar(__global const struct npu_fm *fm)
{
	return fm->broadcast & NPU_BROADCAST_SCALAR;
}

static void gen_fill(long *v, uint n, long value)
{
	for (uint i = 0; i < n; i++)
		v[i] = value;
}

/* Which operations have both inputs, or the output, scaled. */
static uint gen_elt_scales_inputs(uint mode)
{
	return (mode >= NPU_ELT_ADD && mode <= NPU_ELT_MAX) ||
	       (mode >= NPU_ELT_CMP_EQ && mode <= NPU_ELT_CMP_GT);
}

static uint gen_elt_scales_output(uint mode)
{
	return mode <= NPU_ELT_SUB || mode == NPU_ELT_LRELU || mode == NPU_ELT_ABS;
}

static uint gen_elt_unary(uint mode)
{
	return mode == NPU_ELT_LRELU || mode == NPU_ELT_ABS || mode == NPU_ELT_CLZ ||
	       mode == NPU_ELT_NOT;
}

/* A 32-bit product is only shifted: softmax streams leave a factor that must not count. */
static uint gen_elt_wide_mul(__global const struct npu_op *op)
{
	return op->mode == NPU_ELT_MUL && ((op->a.elem_log2 == 2 && !gen_scalar(&op->a)) ||
					   (op->b.elem_log2 == 2 && !gen_scalar(&op->b)));
}

static long gen_shift_right(long a, long b, uint round)
{
	uint shift = (uint)clamp(b, 0L, 63L);

	return round == NPU_ROUND_NATURAL ? gen_natural(a, shift) : a >> shift;
}

#define GEN_EACH(expr_)                                                                            \
	do {                                                                                       \
		for (uint i = 0; i < n; i++) {                                                     \
			long x = a[i], y = b[i];                                                   \
                                                                                                   \
			(void)y;                                                                   \
			a[i] = (expr_);                                                            \
		}                                                                                  \
	} while (0)

/* a = a op b; the inputs are scaled already. */
GEN_CALL void gen_elt_line(uint mode, uint round, long *a, const long *b, uint n)
{
	switch (mode) {
	case NPU_ELT_MUL:
		GEN_EACH(x * y);
		break;
	case NPU_ELT_ADD:
		GEN_EACH(x + y);
		break;
	case NPU_ELT_SUB:
		GEN_EACH(x - y);
		break;
	case NPU_ELT_MIN:
		GEN_EACH(x < y ? x : y);
		break;
	case NPU_ELT_MAX:
		GEN_EACH(x > y ? x : y);
		break;
	case NPU_ELT_ABS:
		GEN_EACH(x < 0 ? -x : x);
		break;
	case NPU_ELT_CLZ:
		GEN_EACH((long)clz((uint)x));
		break;
	case NPU_ELT_SHR:
		GEN_EACH(gen_shift_right(x, y, round));
		break;
	case NPU_ELT_SHL:
		GEN_EACH((ulong)y > 31 ? 0 : (long)(int)((uint)x << y));
		break;
	case NPU_ELT_LSR:
		GEN_EACH((ulong)y > 31 ? 0 : (long)((uint)x >> y));
		break;
	case NPU_ELT_DIV:
		GEN_EACH(y ? x / y : 0);
		break;
	case NPU_ELT_CMP_EQ:
		GEN_EACH(-(long)(x == y));
		break;
	case NPU_ELT_CMP_NE:
		GEN_EACH(-(long)(x != y));
		break;
	case NPU_ELT_CMP_GE:
		GEN_EACH(-(long)(x >= y));
		break;
	case NPU_ELT_CMP_GT:
		GEN_EACH(-(long)(x > y));
		break;
	case NPU_ELT_AND:
		GEN_EACH(x & y);
		break;
	case NPU_ELT_OR:
		GEN_EACH(x | y);
		break;
	case NPU_ELT_XOR:
		GEN_EACH(x ^ y);
		break;
	case NPU_ELT_NOT:
		GEN_EACH(~x);
		break;
	case NPU_ELT_AND_NOT:
		GEN_EACH(x & ~y);
		break;
	}
}

/* One row of an elementwise operation, or of a pooling that leaves every element to itself. */
GEN_CALL void gen_flat_row(const struct npu_mem *mem, __global const struct npu_op *op, uint y)
{
	uint width = op->ow, depth = op->oc, mode = op->mode;
	uint elt = op->kind == NPU_KIND_ELEMENTWISE;
	uint binary = elt && !gen_elt_unary(mode);
	uint scalar_a = elt && gen_scalar(&op->a), scalar_b = binary && gen_scalar(&op->b);
	uint scaled_inputs = elt && gen_elt_scales_inputs(mode);
	uint slab = op->a.brick || op->ofm.brick || (binary && op->b.brick) ? 16 : depth;
	struct gen_fm fa, fb;
	struct gen_output out;
	struct gen_ofm ofm;
	long a[GEN_LINE], b[GEN_LINE];

	gen_fm_open(&fa, mem, &op->a, op->oh, width, depth);
	if (binary)
		gen_fm_open(&fb, mem, &op->b, op->oh, width, depth);
	gen_ofm_open(&ofm, mem, op);
	gen_output_open(&out, mem, op,
			elt ? gen_elt_scales_output(mode)
			    : !op->per_channel && !(mode == NPU_POOL_AVERAGE && op->hw_divide));
	if (elt && gen_elt_wide_mul(op))
		out.factor = 1;

	gen_fill(b, (uint)min((ulong)GEN_LINE, (ulong)width * depth), 0);
	if (scalar_b) {
		gen_fill(b, GEN_LINE, (long)op->scalar - op->b.zero_point);
		if (scaled_inputs)
			gen_scale_input(b, GEN_LINE, &op->b_scale);
	}

	for (uint c0 = 0; c0 < depth; c0 += slab) {
		uint channels = min(slab, depth - c0);
		ulong count = (ulong)width * channels;

		for (ulong q = 0; q < count; q += GEN_LINE) {
			uint n = (uint)min((ulong)GEN_LINE, count - q);
			uint x = (uint)(q / channels), c = (uint)(q % channels);

			if (scalar_a)
				gen_fill(a, n, (long)op->scalar - op->a.zero_point);
			else
				gen_load(&fa, y, x, c0, c, channels, n, a);
			if (binary && !scalar_b) {
				gen_load(&fb, y, x, c0, c, channels, n, b);
				if (scaled_inputs)
					gen_scale_input(b, n, &op->b_scale);
			}
			if (scaled_inputs)
				gen_scale_input(a, n, &op->a_scale);
			if (elt && mode == NPU_ELT_LRELU) {
				/* Both slopes, then the one that the sign asks for. */
				for (uint i = 0; i < n; i++)
					b[i] = a[i] < 0 ? a[i] : 0;
				for (uint i = 0; i < n; i++)
					a[i] = a[i] < 0 ? 0 : a[i];
				gen_scale_input(a, n, &op->a_scale);
				gen_scale_input(b, n, &op->b_scale);
				for (uint i = 0; i < n; i++)
					a[i] += b[i];
			} else if (elt) {
				gen_elt_line(mode, out.round, a, b, n);
			}
			gen_finish(&out, a, n);
			gen_store(&ofm, y, x, c0, c, channels, n, a);
		}
	}
}
