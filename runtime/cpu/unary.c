/* SPDX-License-Identifier: MIT */
/* Functions of one variable: tables as TFLite's reference kernels make them, and the operators. */
#include "runtime/cpu/unary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"
#include "runtime/cpu/fixed.h"

/*
 * struct unary - a table being made
 * @low, @high: of the type
 */
struct unary {
	struct unary_quant in, to;
	const struct ir_options *options;
	int32_t low, high;
};

static float f_logistic(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

static float f_elu(float x)
{
	return x < 0.0f ? expm1f(x) : x;
}

static float f_gelu(float x)
{
	return 0.5f * x * erfcf(x * (float)-M_SQRT1_2);
}

static float f_gelu_tanh(float x)
{
	return 0.5f * x * (1.0f + tanhf(0.7978845608028654f * (x + 0.044715f * x * x * x)));
}

static float f_exp(float x)
{
	return expf(x);
}

/* Functions that are computed as float for every value. */
static float (*float_function(unsigned int kind, const struct ir_options *options))(float x)
{
	switch (kind) {
	case IR_LOGISTIC:
		return f_logistic;
	case IR_TANH:
		return tanhf;
	case IR_ELU:
		return f_elu;
	case IR_EXP:
		return f_exp;
	case IR_GELU:
		return options->approximate ? f_gelu_tanh : f_gelu;
	default:
		return NULL;
	}
}

static int32_t clamp(const struct unary *u, int64_t v)
{
	return v < u->low ? u->low : v > u->high ? u->high : (int32_t)v;
}

static int32_t by_float(const struct unary *u, float (*function)(float x), int32_t q)
{
	float inverse = 1.0f / u->to.scale;
	float y = roundf(function(u->in.scale * (float)(q - u->in.zero_point)) * inverse);

	/* What does not fit an int32 is as far out as any. */
	if (!(y > -1e9f))
		return u->low;
	return y > 1e9f ? u->high : clamp(u, (int64_t)(y + (float)u->to.zero_point));
}

static int32_t log_of(const struct unary *u, int32_t q)
{
	float x = u->in.scale * (float)(q - u->in.zero_point);
	float y = x <= 0.0f ? (float)(u->low - u->to.zero_point) * u->to.scale : logf(x);

	return clamp(u, (int64_t)roundf(y * (1.0f / u->to.scale)) + u->to.zero_point);
}

static int32_t leaky_relu(const struct unary *u, int32_t q)
{
	int32_t multiplier, x = q - u->in.zero_point;
	int shift;

	if (x >= 0)
		fixed_multiplier((double)(u->in.scale / u->to.scale), &multiplier, &shift);
	else
		fixed_multiplier((double)(u->in.scale * u->options->alpha / u->to.scale),
				 &multiplier, &shift);
	return clamp(u, (int64_t)u->to.zero_point + fixed_multiply(x, multiplier, shift));
}

static int16_t saturate16(int32_t v)
{
	return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : (int16_t)v;
}

static int16_t high_product16(int16_t a, int16_t b)
{
	int32_t ab = a * b, nudge = ab >= 0 ? 1 << 14 : 1 - (1 << 14);

	return saturate16((ab + nudge) / (1 << 15));
}

static int16_t half_of(int32_t multiplier)
{
	return multiplier >= INT32_MAX - (1 << 15) ? INT16_MAX
						   : (int16_t)((multiplier + (1 << 15)) >> 16);
}

/* x * relu6(x + 3) / 6 on 16-bit numbers: the input at 128 times its resolution. */
static int32_t hard_swish(const struct unary *u, int32_t q)
{
	int16_t fine = (int16_t)((q - u->in.zero_point) * 128), relu, scaled;
	float fine_scale = (1.0f / 128.0f) * u->in.scale;
	int32_t out_multiplier, relu_multiplier;
	int out_shift, relu_shift;

	fixed_multiplier((double)(fine_scale / u->to.scale), &out_multiplier, &out_shift);
	fixed_multiplier((double)(fine_scale / (3.0f / 32768.0f)), &relu_multiplier, &relu_shift);
	scaled = high_product16(fine, half_of(out_multiplier));
	relu = fine;
	if (relu_shift > 0)
		relu = saturate16(relu * (1 << (relu_shift - 1 < 16 ? relu_shift - 1 : 16)));
	relu = high_product16(relu, half_of(relu_multiplier));
	if (relu_shift > 0)
		relu = saturate16(relu * 2);
	if (relu_shift < 0)
		relu = (int16_t)fixed_divide_pot(relu, -relu_shift);
	relu = (int16_t)((relu + (1 << 15)) >> 1);
	return clamp(u, (int64_t)fixed_divide_pot(saturate16(relu * scaled / (1 << 15)),
						  out_shift < 0 ? -out_shift : 0) +
				u->to.zero_point);
}

/*
 * 1/sqrt(@x) as multiplier and shift to the left, by Newton's method on numbers of 3 integer bits:
 * TFLite's GetInvSqrtQuantizedMultiplierExp(). @x at least 2.
 */
static void inverse_sqrt(int32_t x, int32_t *multiplier, int *shift)
{
	const int32_t three_halves = (1 << 28) + (1 << 27);
	const int32_t half_sqrt2 = 1518500250;
	int32_t y = 1 << 28, half;
	int right = 11, pairs;

	while (x >= 1 << 29) {
		x /= 4;
		right++;
	}
	pairs = (__builtin_clz((uint32_t)x) - 1) / 2 - 1;
	right -= pairs;
	x <<= 2 * pairs;
	x >>= 1;
	half = fixed_divide_pot(x, 1);
	for (int i = 0; i < 5; i++) {
		int32_t y3 = fixed_multiply_pot(fixed_high_product(fixed_high_product(y, y), y), 6);

		y = fixed_multiply_pot(fixed_high_product(three_halves, y) -
				       fixed_high_product(half, y3), 3);
	}
	y = fixed_high_product(y, half_sqrt2);
	if (right < 0) {
		y = (int32_t)((uint32_t)y << -right);
		right = 0;
	}
	*multiplier = y;
	*shift = -right;
}

static int32_t rsqrt(const struct unary *u, int32_t q)
{
	int32_t x = q - u->in.zero_point, inverse, multiplier, data;
	int inverse_shift, shift;

	/* 0 counts as the smallest number there is; below is an error in TFLite. */
	if (x <= 0)
		return u->high;
	fixed_multiplier(1.0 / (double)(sqrtf(u->in.scale) * u->to.scale), &multiplier, &shift);
	if (x == 1) {
		inverse = INT32_MAX;
		inverse_shift = 0;
	} else {
		inverse_sqrt(x, &inverse, &inverse_shift);
	}
	data = fixed_multiply(1, inverse, inverse_shift + 20);
	return clamp(u, (int64_t)fixed_multiply(data, multiplier, shift - 20) + u->to.zero_point);
}

static int32_t (*own_function(unsigned int kind))(const struct unary *u, int32_t q)
{
	switch (kind) {
	case IR_HARD_SWISH:
		return hard_swish;
	case IR_LEAKY_RELU:
		return leaky_relu;
	case IR_LOG:
		return log_of;
	case IR_RSQRT:
		return rsqrt;
	default:
		return NULL;
	}
}

const char *unary_table8(unsigned int kind, int type, const struct ir_options *options,
			 struct unary_quant in, struct unary_quant to, uint8_t out[256])
{
	float (*real)(float x) = float_function(kind, options);
	int32_t (*own)(const struct unary *u, int32_t q) = own_function(kind);
	struct unary u = { in, to, options, type == ELEM_INT8 ? INT8_MIN : 0,
			   type == ELEM_INT8 ? INT8_MAX : UINT8_MAX };

	if (!real && !own)
		return "not a function of one variable";
	if (type != ELEM_INT8 && type != ELEM_UINT8)
		return "not of 8 bits";
	if (!(in.scale > 0) || !(to.scale > 0) || in.zero_point < u.low || in.zero_point > u.high ||
	    to.zero_point < u.low || to.zero_point > u.high)
		return "a scale or zero point is out of range";
	for (int32_t q = u.low; q <= u.high; q++)
		out[q - u.low] = (uint8_t)(real ? by_float(&u, real, q) : own(&u, q));
	return NULL;
}

void unary_points16(double (*function)(double x), double low, double high, double out_low,
		    double out_high, int16_t out[513])
{
	double step = (high - low) / 512, inverse = 65536 / (out_high - out_low);

	for (int i = 0; i < 512; i++) {
		double v = round(function(low + i * step) * inverse);
		double between = round((function(low + (i + 1) * step) * inverse + v) / 2);
		double middle = round(function(low + i * step + step / 2) * inverse);
		double y = v - round((between - middle) / 2);

		out[i] = (int16_t)(y < INT16_MIN ? INT16_MIN : y > INT16_MAX ? INT16_MAX : y);
	}
	step = round(function(high) * inverse);
	out[512] = (int16_t)(step < INT16_MIN ? INT16_MIN : step > INT16_MAX ? INT16_MAX : step);
}

/* As unary_points16(), in float: so TFLite has it for its operators. */
static void points16(float (*function)(float x, float low), struct unary_quant in,
		     struct unary_quant to, int16_t out[513])
{
	float low = in.scale * (float)(INT16_MIN - in.zero_point);
	float high = in.scale * (float)(INT16_MAX - in.zero_point);
	float out_low = to.scale * (float)(INT16_MIN - to.zero_point);
	float out_high = to.scale * (float)(INT16_MAX - to.zero_point);
	float step = (high - low) / 512, half = step / 2, inverse = 65536 / (out_high - out_low);

	for (int i = 0; i < 512; i++) {
		float v = roundf(function(low + (float)i * step, out_low) * inverse);
		float next = function(low + (float)(i + 1) * step, out_low) * inverse;
		float between = roundf((next + v) / 2);
		float middle = roundf(function(low + (float)i * step + half, out_low) * inverse);
		float y = v - roundf((between - middle) / 2);

		out[i] = (int16_t)(y < INT16_MIN ? INT16_MIN : y > INT16_MAX ? INT16_MAX : y);
	}
	high = roundf(function(high, out_low) * inverse);
	out[512] = (int16_t)(high < INT16_MIN ? INT16_MIN : high > INT16_MAX ? INT16_MAX : high);
}

static float f16_exp(float x, float low)
{
	(void)low;
	return expf(x);
}

static float f16_log(float x, float low)
{
	return x <= 0.0f ? low : logf(x);
}

const char *unary_table16(unsigned int kind, struct unary_quant in, struct unary_quant to,
			  int16_t out[513])
{
	if (!(in.scale > 0) || !(to.scale > 0) || in.zero_point || to.zero_point)
		return "a scale or zero point is out of range";
	if (kind != IR_EXP && kind != IR_LOG)
		return "not a function that has a table of 16 bits";
	points16(kind == IR_EXP ? f16_exp : f16_log, in, to, out);
	return NULL;
}

/* The table as a plan of the operator: 256 bytes or 513 points. */
static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	struct unary_quant from, to;
	const char *why;

	if (!in->data || in->type != out->type || cpu_elements(in) != cpu_elements(out))
		return cpu_refuse(op, 0, -EINVAL, "differs from the output in type or size", err);
	if (in->scale_count != 1 || out->scale_count != 1)
		return cpu_refuse(op, 0, -ENOTSUP, "has no quantisation for the whole tensor", err);
	from = (struct unary_quant){ in->scales[0], in->zero_points[0] };
	to = (struct unary_quant){ out->scales[0], out->zero_points[0] };
	op->plan = malloc(513 * sizeof(int16_t));
	if (!op->plan)
		return error_set(err, -ENOMEM, "out of memory");
	why = in->type == ELEM_INT16 ? unary_table16(op->kind, from, to, op->plan)
				     : unary_table8(op->kind, in->type, &op->options, from, to,
						    op->plan);
	return why ? cpu_refuse(op, 0, -ENOTSUP, why, err) : 0;
}

static int16_t interpolate(const int16_t *points, int16_t v)
{
	int32_t index = (v >> 7) + 256, slope = points[index + 1] - points[index];

	return (int16_t)(points[index] + ((slope * (v & 127) + 64) >> 7));
}

static int run(const struct cpu_op *op, struct error *err)
{
	size_t n = cpu_elements(&op->outputs[0]);
	const uint8_t *in = op->inputs[0].data, *table = op->plan;
	uint8_t *out = op->outputs[0].data;
	uint8_t flip = op->inputs[0].type == ELEM_INT8 ? 0x80 : 0;

	(void)err;
	if (op->inputs[0].type != ELEM_INT16) {
		for (size_t i = 0; i < n; i++)
			out[i] = table[in[i] ^ flip];
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		((int16_t *)op->outputs[0].data)[i] =
			interpolate(op->plan, ((const int16_t *)op->inputs[0].data)[i]);
	return 0;
}

const struct cpu_kernel cpu_unary = { prepare, run };
