/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D and MAX_POOL_2D. Input and output have the same quantisation. */
#include <errno.h>
#include <stdlib.h>

#include "runtime/cpu/window.h"

struct pool {
	struct window window;
	int32_t low, high;
};

static int prepare(struct cpu_op *op, struct error *err)
{
	struct pool *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	if ((ret = cpu_check(op, 0, CPU_QUANTISED, err)) || (ret = cpu_check_same(op, 1, 0, err)) ||
	    (ret = window_init(op, 0, 1, op->options.filter_h, op->options.filter_w, &p->window,
			       err)))
		return ret;
	if (p->window.in_c != p->window.out_c)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than the input", err);
	return cpu_activation(op, &op->outputs[0], &p->low, &p->high, err);
}

static int32_t average(int64_t sum, int32_t count)
{
	return (int32_t)(sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count);
}

/* One element of the output. */
static int32_t pool(const struct cpu_op *op, const struct window *v, int32_t b, int32_t y, int32_t x,
		    int32_t c)
{
	bool max = op->kind == IR_MAX_POOL_2D;
	int32_t y_from, y_to, x_from, x_to, high = INT32_MIN;
	int64_t sum = 0;

	window_taps(y, v->stride_y, 1, v->pad_y, v->h, v->in_h, &y_from, &y_to);
	window_taps(x, v->stride_x, 1, v->pad_x, v->w, v->in_w, &x_from, &x_to);
	if (y_from == y_to || x_from == x_to)
		return max ? INT32_MIN : 0;
	for (int32_t ky = y_from; ky < y_to; ky++)
		for (int32_t kx = x_from; kx < x_to; kx++) {
			size_t row = (size_t)b * (size_t)v->in_h +
				(size_t)(y * v->stride_y - v->pad_y + ky);
			size_t place = row * (size_t)v->in_w +
				(size_t)(x * v->stride_x - v->pad_x + kx);
			int32_t value;

			cpu_load(&op->inputs[0], place * (size_t)v->in_c + (size_t)c, 1, &value);
			sum += value;
			high = value > high ? value : high;
		}
	return max ? high : average(sum, (y_to - y_from) * (x_to - x_from));
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct pool *p = op->plan;
	const struct window *v = &p->window;
	size_t at = 0;

	(void)err;
	for (int32_t b = 0; b < v->batches; b++)
		for (int32_t y = 0; y < v->out_h; y++)
			for (int32_t x = 0; x < v->out_w; x++)
				for (int32_t c = 0; c < v->out_c; c++) {
					int32_t value = fixed_clamp(pool(op, v, b, y, x, c), p->low, p->high);

					cpu_store(&op->outputs[0], at++, 1, &value);
				}
	return 0;
}

const struct cpu_kernel cpu_average_pool = { prepare, run };
const struct cpu_kernel cpu_max_pool = { prepare, run };
