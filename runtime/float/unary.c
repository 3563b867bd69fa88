/* SPDX-License-Identifier: MIT */
/* Functions of one operand. */
#include <errno.h>
#include <math.h>

#include "runtime/cpu/real.h"
#include "runtime/float/float.h"

typedef void unary_row(const struct ir_options *o, const float *in, void *out, size_t count);

#define ROW(name, type, expression) \
	static void name(const struct ir_options *o, const float *in, void *to, size_t count) \
	{ \
		type *restrict out = to; \
\
		(void)o; \
		for (size_t i = 0; i < count; i++) { \
			const float x = in[i]; \
\
			out[i] = (expression); \
		} \
	}

static inline float clamped(float x, float low, float high)
{
	x = x < low ? low : x;
	return x > high ? high : x;
}

/* log(1 + exp(x)) that does not overflow. */
static inline float softplus(float x)
{
	return (x > 0 ? x : 0) + log1pf(expf(-fabsf(x)));
}

static inline float sign_of(float x)
{
	return x > 0 ? 1 : x < 0 ? -1 : x;
}

ROW(absolute, float, fabsf(x))
ROW(arc_cosine, float, acosf(x))
ROW(arc_cosine_h, float, acoshf(x))
ROW(arc_sine, float, asinf(x))
ROW(arc_sine_h, float, asinhf(x))
ROW(arc_tangent, float, atanf(x))
ROW(arc_tangent_h, float, atanhf(x))
ROW(ceiling, float, ceilf(x))
ROW(celu, float, x > 0 ? x : o->alpha * expm1f(x / o->alpha))
ROW(cosine, float, cosf(x))
ROW(cosine_h, float, coshf(x))
ROW(elu, float, real_elu(x))
ROW(error_function, float, erff(x))
ROW(exponential, float, expf(x))
ROW(floor_of, float, floorf(x))
ROW(gelu, float, o->approximate ? real_gelu_tanh(x) : real_gelu(x))
ROW(hard_sigmoid, float, clamped(o->alpha * x + o->beta, 0, 1))
ROW(hard_swish, float, x * clamped(x + 3, 0, 6) / 6)
ROW(is_infinite, uint8_t, x == INFINITY || x == -INFINITY)
ROW(is_no_number, uint8_t, x != x)
ROW(leaky_relu, float, x > 0 ? x : x * o->alpha)
ROW(logarithm, float, logf(x))
ROW(logistic, float, real_logistic(x))
ROW(mish, float, x * tanhf(softplus(x)))
ROW(negative, float, -x)
ROW(reciprocal, float, 1 / x)
ROW(relu, float, x < 0 ? 0 : x)
ROW(relu_6, float, clamped(x, 0, 6))
ROW(relu_0_to_1, float, clamped(x, 0, 1))
ROW(relu_n1_to_1, float, clamped(x, -1, 1))
ROW(round_half_even, float, rintf(x))
ROW(rsqrt, float, 1 / sqrtf(x))
ROW(selu, float, o->beta * (x > 0 ? x : o->alpha * expm1f(x)))
ROW(sign, float, sign_of(x))
ROW(sine, float, sinf(x))
ROW(sine_h, float, sinhf(x))
ROW(softplus_of, float, softplus(x))
ROW(softsign, float, x / (1 + fabsf(x)))
ROW(square, float, x * x)
ROW(square_root, float, sqrtf(x))
ROW(tangent, float, tanf(x))
ROW(tangent_h, float, tanhf(x))
ROW(thresholded_relu, float, x > o->alpha ? x : 0)

static unary_row *const rows[IR_KIND_COUNT] = {
	[IR_ABS] = absolute,
	[IR_ACOS] = arc_cosine,
	[IR_ACOSH] = arc_cosine_h,
	[IR_ASIN] = arc_sine,
	[IR_ASINH] = arc_sine_h,
	[IR_ATAN] = arc_tangent,
	[IR_ATANH] = arc_tangent_h,
	[IR_CEIL] = ceiling,
	[IR_CELU] = celu,
	[IR_COS] = cosine,
	[IR_COSH] = cosine_h,
	[IR_ELU] = elu,
	[IR_ERF] = error_function,
	[IR_EXP] = exponential,
	[IR_FLOOR] = floor_of,
	[IR_GELU] = gelu,
	[IR_HARD_SIGMOID] = hard_sigmoid,
	[IR_HARD_SWISH] = hard_swish,
	[IR_IS_INF] = is_infinite,
	[IR_IS_NAN] = is_no_number,
	[IR_LEAKY_RELU] = leaky_relu,
	[IR_LOG] = logarithm,
	[IR_LOGISTIC] = logistic,
	[IR_MISH] = mish,
	[IR_NEG] = negative,
	[IR_RECIPROCAL] = reciprocal,
	[IR_RELU] = relu,
	[IR_RELU6] = relu_6,
	[IR_RELU_0_TO_1] = relu_0_to_1,
	[IR_RELU_N1_TO_1] = relu_n1_to_1,
	[IR_ROUND] = round_half_even,
	[IR_RSQRT] = rsqrt,
	[IR_SELU] = selu,
	[IR_SIGN] = sign,
	[IR_SIN] = sine,
	[IR_SINH] = sine_h,
	[IR_SOFTPLUS] = softplus_of,
	[IR_SOFTSIGN] = softsign,
	[IR_SQRT] = square_root,
	[IR_SQUARE] = square,
	[IR_TAN] = tangent,
	[IR_TANH] = tangent_h,
	[IR_THRESHOLDED_RELU] = thresholded_relu,
};

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	bool truth = op->kind == IR_IS_NAN || op->kind == IR_IS_INF;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) ||
	    (ret = cpu_check(op, 1, truth ? CPU_BOOL : CPU_F32, err)))
		return ret;
	return cpu_check_shape(op, 1, in->ndim, in->shape, err);
}

static int run(const struct cpu_op *op, struct error *err)
{
	(void)err;
	rows[op->kind](&op->options, op->inputs[0].data, op->outputs[0].data,
		       cpu_elements(&op->inputs[0]));
	return 0;
}

const struct cpu_kernel float_unary = { prepare, run };
