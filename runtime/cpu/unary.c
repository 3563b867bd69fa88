/* SPDX-License-Identifier: MIT */
/*
 * Functions of one operand. Of 8 bits they are a table, made when the operator is; of 16 bits some
 * are the interpolation of one.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"
#include "runtime/cpu/real.h"
#include "runtime/cpu/unary.h"
#include "sim/ref_arith.h"

#define TABLE_STEPS	512	/* of a 16-bit table: 128 values each */
#define SIGMOID_HALF	256	/* points of the sigmoid table for positive arguments */
#define SIGMOID_ZERO	32768	/* sigmoid(0) */
#define RSQRT_SHIFT	20

/**
 * struct unary - a function with its numbers
 * @kind, @type: operation, and of what elements
 * @in, @out: scales
 * @of: of one value
 * @zero, @out_zero: zero points
 * @factor: input scale to output scale; [1]: another one, for negative values
 * @real: the function of real numbers, if it is a table of that
 * @multiplier, @shift: 16-bit LOGISTIC and TANH: to units of 1/12288
 * @table: 8 bits: results by the value's bits; 16 bits: TABLE_STEPS + 1 points
 */
struct unary {
	unsigned int kind;
	int type;
	float in, out;
	int32_t (*of)(const struct unary *u, int32_t x);
	int32_t zero, out_zero, low, high;
	struct fixed_factor factor[2];
	float (*real)(float x);
	int32_t multiplier;
	int shift;
	int32_t hires, reluish;
	int hires_exponent, reluish_exponent;
	int32_t table[TABLE_STEPS + 1];
};

/* --- Functions of integers --- */

static int32_t rescaled(const struct unary *u, int64_t value)
{
	return fixed_clamp(value + u->out_zero, u->low, u->high);
}

static int32_t rectify(const struct unary *u, int32_t x)
{
	return rescaled(u, fixed_scale(x - u->zero, u->factor[0]));
}

static int32_t leaky(const struct unary *u, int32_t x)
{
	x -= u->zero;
	return rescaled(u, fixed_scale(x, u->factor[x < 0]));
}

static int32_t absolute(const struct unary *u, int32_t x)
{
	x = abs(x - u->zero);
	return rescaled(u, u->factor[0].multiplier ? fixed_scale(x, u->factor[0]) : x);
}

static int32_t inverse_sqrt(const struct unary *u, int32_t x)
{
	struct fixed_factor inner, outer = u->factor[0];

	x -= u->zero;
	if (x <= 0)
		return u->high;
	inner = fixed_inverse_sqrt(x);
	inner.shift += RSQRT_SHIFT;
	outer.shift -= RSQRT_SHIFT;
	if (outer.shift < -31)
		return rescaled(u, 0);
	return rescaled(u, fixed_scale(fixed_scale(1, inner), outer));
}

/* a * b / 2^15 of 16 bits. */
static int32_t high_mul_16(int32_t a, int32_t b, bool round)
{
	int32_t product = a * b, half = 1 << 14;

	if (a == INT16_MIN && b == INT16_MIN)
		return INT16_MAX;
	return (product + (!round ? 0 : product >= 0 ? half : 1 - half)) / (1 << 15);
}

static int32_t hard_swish(const struct unary *u, int32_t x)
{
	int32_t hires = (int16_t)((x - u->zero) * 128), preshift, r = hires;

	preshift = high_mul_16(hires, u->hires, true);
	if (u->reluish_exponent > 0)
		r = fixed_clamp(r * (INT64_C(1) << (u->reluish_exponent - 1)), INT16_MIN, INT16_MAX);
	r = high_mul_16(r, u->reluish, true);
	if (u->reluish_exponent > 0)
		r = fixed_clamp(2 * (int64_t)r, INT16_MIN, INT16_MAX);
	if (u->reluish_exponent < 0)
		r = fixed_divide_pot(r, -u->reluish_exponent);
	r = (r + (1 << 15)) >> 1;
	r = high_mul_16(r, preshift, false);
	return rescaled(u, fixed_divide_pot(r, -u->hires_exponent));
}

/* Point @i of TFLite's table of sigmoid(i / 24), which is also the one in the U55 and U65. */
static int32_t sigmoid_point(uint32_t i)
{
	return (int16_t)(uint16_t)ref_builtin_table(true, SIGMOID_HALF + i) + SIGMOID_ZERO;
}

static int32_t in_table_units(const struct unary *u, int32_t x)
{
	int64_t round = u->shift > 0 ? INT64_C(1) << (u->shift - 1) : 0;

	return (int32_t)((x * (int64_t)u->multiplier + round) >> u->shift);
}

static int32_t sigmoid_16(const struct unary *u, int32_t x)
{
	int32_t v = in_table_units(u, x), result = 0x7fff << 10;
	uint32_t magnitude = (uint32_t)abs(v), i = magnitude >> 9;

	if (i < 255)
		result = (sigmoid_point(i) << 9) + (int32_t)(magnitude & 511) *
			(sigmoid_point(i + 1) - sigmoid_point(i));
	if (v < 0)
		result = (1 << 25) - result - 1;
	return (result + (1 << 9)) >> 10;
}

static int32_t tanh_16(const struct unary *u, int32_t x)
{
	int32_t v = in_table_units(u, x), result = 0xffff << 8;
	uint32_t magnitude = (uint32_t)abs(v), i = magnitude >> 8;

	if (i < 255)
		result = (sigmoid_point(i) << 8) + (int32_t)(magnitude & 255) *
			(sigmoid_point(i + 1) - sigmoid_point(i));
	result -= 1 << 23;
	if (v < 0)
		result = -result - 1;
	return (result + (1 << 7)) >> 8;
}

static int32_t interpolate(const struct unary *u, int32_t x)
{
	uint32_t i = (uint32_t)(256 + (x >> 7));

	return (int16_t)(u->table[i] + (((u->table[i + 1] - u->table[i]) * (x & 127) + 64) >> 7));
}

static int32_t look_up(const struct unary *u, int32_t x)
{
	return u->table[(uint8_t)x];
}

/* --- Functions of real numbers --- */

/* Those that are tables: of 8 bits all, of 16 where @wide is. */
static const struct {
	float (*real)(float x);
	bool wide;
} functions[IR_KIND_COUNT] = {
	[IR_ELU] = { real_elu, false },
	[IR_EXP] = { expf, true },
	[IR_GELU] = { real_gelu, true },
	[IR_LOG] = { logf, true },
	[IR_LOGISTIC] = { real_logistic, false },
	[IR_SQRT] = { sqrtf, true },
	[IR_TANH] = { tanhf, false },
};

static int32_t to_table(float value, int32_t zero, int32_t low, int32_t high)
{
	if (isnan(value))
		return low;
	value = value > 1e9f ? 1e9f : value < -1e9f ? -1e9f : value;
	return fixed_clamp((int64_t)value + zero, low, high);
}

static void fill_table_8(struct unary *u)
{
	float inverse = 1 / u->out;
	int32_t low, high;

	cpu_limits(u->type, &low, &high);
	for (int32_t x = low; x <= high; x++) {
		float real = u->real(u->in * (float)(x - u->zero)) * inverse;

		/* A newer reference's SQRT: 2.14 has none of 8 bits. It cuts off. */
		real = u->kind == IR_SQRT ? truncf(real) : roundf(real);
		u->table[(uint8_t)x] = to_table(real, u->out_zero, u->low, u->high);
	}
	u->of = look_up;
}

/* The function where there is one; of numbers that have no logarithm the least result. */
static float real_or_least(const struct unary *u, float x)
{
	return u->kind == IR_LOG && x <= 0 ? u->out * (float)(INT16_MIN - u->out_zero) : u->real(x);
}

/* 513 points; where the curve leaves the straight line they are moved by half the distance. */
static void fill_table_16(struct unary *u)
{
	float low = u->in * (float)(INT16_MIN - u->zero), high = u->in * (float)(INT16_MAX - u->zero);
	float out_low = u->out * (float)(INT16_MIN - u->out_zero);
	float out_high = u->out * (float)(INT16_MAX - u->out_zero);
	float step = (high - low) / TABLE_STEPS, half = step / 2;
	float inverse = 65536.0f / (out_high - out_low);

	for (int i = 0; i < TABLE_STEPS; i++) {
		float at = low + (float)i * step;
		float here = roundf(real_or_least(u, at) * inverse);
		float next = real_or_least(u, low + (float)(i + 1) * step) * inverse;
		float middle = roundf(real_or_least(u, at + half) * inverse);
		float line = roundf((next + here) / 2);

		u->table[i] = to_table(here - roundf((line - middle) / 2), 0, INT16_MIN, INT16_MAX);
	}
	u->table[TABLE_STEPS] = to_table(roundf(real_or_least(u, high) * inverse), 0, INT16_MIN,
					 INT16_MAX);
	u->of = interpolate;
}

static int16_t point(double x)
{
	return (int16_t)fmax(fmin(x, INT16_MAX), INT16_MIN);
}

void unary_points16(double (*function)(double x), double low, double high, double out_low,
		    double out_high, int16_t out[TABLE_STEPS + 1])
{
	double step = (high - low) / TABLE_STEPS, inverse = 65536 / (out_high - out_low);

	for (int i = 0; i < TABLE_STEPS; i++) {
		double here = round(function(low + i * step) * inverse);
		double next = function(low + (i + 1) * step) * inverse;
		double middle = round(function(low + i * step + step / 2) * inverse);

		out[i] = point(here - round((round((next + here) / 2) - middle) / 2));
	}
	out[TABLE_STEPS] = point(round(function(high) * inverse));
}

/* --- Operators --- */

/* 16-bit LOGISTIC and TANH: the multiplier as large as 16 bits hold, and the shift that goes with it. */
static const char *scale_to_table(struct unary *u)
{
	double multiplier = (double)u->in * 4096.0 * 3.0;
	int exponent;
	double fraction = frexp(u->in, &exponent);

	/* Scales of 2^-12 and 2^-11 are exact, no matter how they are written. */
	if (fraction == 0.5 && exponent - 1 + 12 >= 0 && exponent - 1 + 12 <= 1) {
		u->multiplier = 3 << (exponent - 1 + 12);
		return NULL;
	}
	if (multiplier > INT16_MAX)
		return "its scale is too large";
	while (multiplier <= 32767.0 / 2.0 && u->shift <= 30) {
		u->shift++;
		multiplier *= 2.0;
	}
	u->multiplier = (int16_t)multiplier;
	return NULL;
}

static int16_t down_to_16(int32_t multiplier)
{
	if (multiplier >= INT32_MAX - (1 << 15))
		return INT16_MAX;
	return (int16_t)((multiplier + (1 << 15)) >> 16);
}

static const char *make_hard_swish(struct unary *u)
{
	float hires_scale = 1.0f / 128.0f * u->in;
	struct fixed_factor out = fixed_factor(hires_scale / u->out);
	struct fixed_factor reluish = fixed_factor(hires_scale / (3.0f / 32768.0f));

	if (out.shift > 0 || reluish.shift > 15)
		return "its scale is too large against the output's";
	u->hires = down_to_16(out.multiplier);
	u->hires_exponent = out.shift;
	u->reluish = down_to_16(reluish.multiplier);
	u->reluish_exponent = reluish.shift;
	u->of = hard_swish;
	return NULL;
}

/* RELU and the like: limits in the output's quantisation. */
static void make_rectifier(struct unary *u)
{
	static const struct {
		float low, high;
	} ranges[IR_KIND_COUNT] = {
		[IR_RELU] = { 0, INFINITY }, [IR_RELU6] = { 0, 6 },
		[IR_RELU_N1_TO_1] = { -1, 1 }, [IR_RELU_0_TO_1] = { 0, 1 },
	};
	int32_t low = u->low, high = u->high;

	u->low = to_table(roundf(ranges[u->kind].low / u->out), u->out_zero, low, high);
	if (isfinite(ranges[u->kind].high))
		u->high = to_table(roundf(ranges[u->kind].high / u->out), u->out_zero, low, high);
	u->of = rectify;
}

/* The function of an operation. Returns NULL, or why there is none. */
static const char *choose(struct unary *u, const struct ir_options *options)
{
	bool wide = u->type == ELEM_INT16;

	u->factor[0] = fixed_factor(u->in / u->out);
	switch (u->kind) {
	case IR_RELU:
	case IR_RELU6:
	case IR_RELU_N1_TO_1:
	case IR_RELU_0_TO_1:
		make_rectifier(u);
		return NULL;
	case IR_LEAKY_RELU:
		u->factor[1] = fixed_factor(u->in * options->alpha / u->out);
		u->of = leaky;
		return NULL;
	case IR_ABS:
		if (u->in == u->out)
			u->factor[0].multiplier = 0;
		u->of = absolute;
		return NULL;
	case IR_RSQRT:
		u->factor[0] = fixed_factor(1.0 / (double)(sqrtf(u->in) * u->out));
		u->of = inverse_sqrt;
		return wide ? "no kernel of 16 bits" : NULL;
	case IR_HARD_SWISH:
		return wide ? "no kernel of 16 bits" : make_hard_swish(u);
	case IR_LOGISTIC:
	case IR_TANH:
		if (!wide)
			break;
		u->of = u->kind == IR_TANH ? tanh_16 : sigmoid_16;
		return scale_to_table(u);
	}
	if (!functions[u->kind].real || (wide && !functions[u->kind].wide))
		return "no function of one variable of this type";
	u->real = functions[u->kind].real;
	if (u->kind == IR_GELU && options->approximate)
		u->real = real_gelu_tanh;
	if (wide)
		fill_table_16(u);
	else
		fill_table_8(u);
	return NULL;
}

/* Whatever it is, of 8 bits it is a table. */
static void tabulate(struct unary *u)
{
	int32_t table[256], low, high;

	cpu_limits(u->type, &low, &high);
	for (int32_t x = low; x <= high; x++)
		table[(uint8_t)x] = u->of(u, x);
	memcpy(u->table, table, sizeof(table));
	u->of = look_up;
}

/* Everything about a quantised function. Returns NULL, or why there is none. */
static const char *make(struct unary *u, unsigned int kind, int type,
			const struct ir_options *options, struct unary_quant in,
			struct unary_quant out)
{
	const char *why;
	int32_t low, high;

	if (type != ELEM_INT8 && type != ELEM_UINT8 && type != ELEM_INT16)
		return "not of 8 or 16 bits";
	cpu_limits(type, &low, &high);
	if (!(in.scale > 0) || !(out.scale > 0) || !isfinite(in.scale) || !isfinite(out.scale) ||
	    in.zero_point < low || in.zero_point > high || out.zero_point < low ||
	    out.zero_point > high)
		return "a scale or zero point is out of range";
	*u = (struct unary){
		.kind = kind, .type = type, .in = in.scale, .out = out.scale,
		.zero = in.zero_point, .out_zero = out.zero_point, .low = low, .high = high,
	};
	why = choose(u, options);
	if (!why && type != ELEM_INT16 && u->of != look_up)
		tabulate(u);
	return why;
}

const char *unary_table8(unsigned int kind, int type, const struct ir_options *options,
			 struct unary_quant in, struct unary_quant to, uint8_t out[256])
{
	struct unary u;
	const char *why = type == ELEM_INT16 ? "not of 8 bits" : make(&u, kind, type, options, in, to);
	int32_t low, high;

	cpu_limits(type, &low, &high);
	for (int32_t x = low; x <= high && !why; x++)
		out[x - low] = (uint8_t)u.table[(uint8_t)x];
	return why;
}

const char *unary_table16(unsigned int kind, struct unary_quant in, struct unary_quant to,
			  int16_t out[TABLE_STEPS + 1])
{
	static const struct ir_options none;
	struct unary u;
	const char *why = make(&u, kind, ELEM_INT16, &none, in, to);

	if (!why && u.of != interpolate)
		why = "not a function that has a table of 16 bits";
	for (int i = 0; i <= TABLE_STEPS && !why; i++)
		out[i] = (int16_t)u.table[i];
	return why;
}

/* --- Operators --- */

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	struct unary *u = calloc(1, sizeof(*u));
	struct unary_quant from, to;
	const char *why;
	int ret;

	if (!u)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = u;
	if ((ret = cpu_check(op, 0, CPU_QUANTISED, err)) ||
	    (ret = cpu_check_same(op, 1, 0, err)) ||
	    (ret = cpu_check_shape(op, 1, in->ndim, in->shape, err)))
		return ret;
	if ((ret = cpu_check_scale(op, 0, err)) || (ret = cpu_check_scale(op, 1, err)))
		return ret;
	from = (struct unary_quant){ cpu_scale_of(in), cpu_zero_of(in) };
	to = (struct unary_quant){ cpu_scale_of(out), cpu_zero_of(out) };
	why = make(u, op->kind, in->type, &op->options, from, to);
	return why ? cpu_refuse(op, 0, -ENOTSUP, why, err) : 0;
}

#define ROW 512u

static int run(const struct cpu_op *op, struct error *err)
{
	const struct unary *u = op->plan;
	size_t total = cpu_elements(&op->inputs[0]);
	int32_t values[ROW];

	(void)err;
	for (size_t at = 0; at < total; at += ROW) {
		size_t n = total - at < ROW ? total - at : ROW;

		cpu_load(&op->inputs[0], at, n, values);
		for (size_t i = 0; i < n; i++)
			values[i] = u->of(u, values[i]);
		cpu_store(&op->outputs[0], at, n, values);
	}
	return 0;
}

const struct cpu_kernel cpu_unary = { prepare, run };
