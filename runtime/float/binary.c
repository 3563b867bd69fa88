/* SPDX-License-Identifier: MIT */
/* Arithmetic and comparisons of two operands. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/cpu/broadcast.h"
#include "runtime/float/float.h"

/* @count elements of the output; @a_step, @b_step: 1, or 0 for an operand that stays the same. */
typedef void binary_row(const float *a, size_t a_step, const float *b, size_t b_step, void *out,
			size_t count);

#define ROW(name, type, expression) \
	static void name(const float *a, size_t a_step, const float *b, size_t b_step, void *to, \
			 size_t count) \
	{ \
		type *restrict out = to; \
\
		if (a_step && b_step) { \
			for (size_t i = 0; i < count; i++) { \
				const float x = a[i], y = b[i]; \
\
				out[i] = (expression); \
			} \
		} else if (a_step) { \
			const float y = *b; \
\
			for (size_t i = 0; i < count; i++) { \
				const float x = a[i]; \
\
				out[i] = (expression); \
			} \
		} else { \
			const float x = *a; \
\
			for (size_t i = 0; i < count; i++) { \
				const float y = b[i * b_step]; \
\
				out[i] = (expression); \
			} \
		} \
	}

/* The remainder has the divisor's sign. */
static inline float floor_mod(float x, float y)
{
	float rest = fmodf(x, y);

	return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

ROW(add, float, x + y)
ROW(sub, float, x - y)
ROW(mul, float, x * y)
ROW(divide, float, x / y)
ROW(floor_divide, float, floorf(x / y))
ROW(modulo, float, floor_mod(x, y))
ROW(modulo_c, float, fmodf(x, y))
ROW(power, float, powf(x, y))
ROW(square_difference, float, (x - y) * (x - y))
ROW(prelu, float, x >= 0 ? x : x * y)
/* What is not a number stays, whichever operand it is. */
ROW(maximum, float, x > y || x != x ? x : y)
ROW(minimum, float, x < y || x != x ? x : y)
ROW(equal, uint8_t, x == y)
ROW(not_equal, uint8_t, x != y)
ROW(less, uint8_t, x < y)
ROW(less_equal, uint8_t, x <= y)
ROW(greater, uint8_t, x > y)
ROW(greater_equal, uint8_t, x >= y)

static binary_row *const rows[IR_KIND_COUNT] = {
	[IR_ADD] = add,
	[IR_DIV] = divide,
	[IR_EQUAL] = equal,
	[IR_FLOOR_DIV] = floor_divide,
	[IR_FLOOR_MOD] = modulo,
	[IR_FMOD] = modulo_c,
	[IR_GREATER] = greater,
	[IR_GREATER_EQUAL] = greater_equal,
	[IR_LESS] = less,
	[IR_LESS_EQUAL] = less_equal,
	[IR_MAXIMUM] = maximum,
	[IR_MINIMUM] = minimum,
	[IR_MUL] = mul,
	[IR_NOT_EQUAL] = not_equal,
	[IR_POW] = power,
	[IR_PRELU] = prelu,
	[IR_SQUARED_DIFFERENCE] = square_difference,
	[IR_SUB] = sub,
};

struct binary {
	struct broadcast broadcast;
	struct float_range range;
};

static int prepare_operands(struct cpu_op *op, unsigned int out, struct error *err)
{
	struct binary *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check(op, 1, CPU_F32, err)) ||
	    (ret = cpu_check(op, 2, out, err)) || (ret = float_activation(op, &p->range, err)))
		return ret;
	return broadcast_plan(op, 2, &p->broadcast, err);
}

static int prepare_binary(struct cpu_op *op, struct error *err)
{
	return prepare_operands(op, CPU_F32, err);
}

static int prepare_compare(struct cpu_op *op, struct error *err)
{
	return prepare_operands(op, CPU_BOOL, err);
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct binary *p = op->plan;
	const struct broadcast *b = &p->broadcast;
	const struct cpu_tensor *out = &op->outputs[0];
	uint32_t last = b->ndim - 1;
	size_t width = (size_t)b->shape[last], total = cpu_elements(out), size = elem_size(out->type);
	int32_t index[CPU_MAX_DIMS] = { 0 };

	(void)err;
	for (size_t done = 0; done < total; done += width) {
		size_t at[2] = { 0, 0 };

		for (uint32_t k = 0; k < last; k++) {
			at[0] += (size_t)index[k] * b->step[0][k];
			at[1] += (size_t)index[k] * b->step[1][k];
		}
		rows[op->kind]((const float *)op->inputs[0].data + at[0], b->step[0][last],
			       (const float *)op->inputs[1].data + at[1], b->step[1][last],
			       (uint8_t *)out->data + done * size, width);
		if (op->options.activation && out->type == ELEM_FLOAT32)
			float_clamp((float *)out->data + done, width, p->range);
		for (uint32_t k = last; k-- > 0;) {
			if (++index[k] < b->shape[k])
				break;
			index[k] = 0;
		}
	}
	return 0;
}

const struct cpu_kernel float_binary = { prepare_binary, run };
const struct cpu_kernel float_compare = { prepare_compare, run };
