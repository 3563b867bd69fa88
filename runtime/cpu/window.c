/* SPDX-License-Identifier: MIT */
/* Kernels that slide over rows and columns of NHWC tensors. */
#include <errno.h>
#include <math.h>

#include "runtime/cpu/window.h"

#define EXTENT_MAX (1 << 24)	/* of taps, strides and paddings, so that products fit */

/* Output extent and padding before the input along one axis. */
static bool axis(const struct cpu_op *op, int32_t in, int32_t taps, int32_t stride, int32_t dilation,
		 int32_t before, int32_t after, int32_t out, int32_t *pad)
{
	int64_t size = (int64_t)(taps - 1) * dilation + 1, want, total;

	if (op->options.padding == IR_PADDING_SAME) {
		want = (in + (int64_t)stride - 1) / stride;
		total = (want - 1) * stride + size - in;
		*pad = total > 0 ? (int32_t)(total / 2) : 0;
	} else {
		total = in + (int64_t)before + after - size;
		want = total < 0 ? 0 : total / stride + 1;
		*pad = before;
	}
	return want == out;
}

int window_init(const struct cpu_op *op, uint32_t in, uint32_t out, int32_t h, int32_t w,
		struct window *x, struct error *err)
{
	const struct cpu_tensor *i = cpu_operand(op, in), *o = cpu_operand(op, out);
	const struct ir_options *opt = &op->options;

	if (i->ndim != 4)
		return cpu_refuse(op, in, -EINVAL, "has not 4 axes", err);
	if (o->ndim != 4 || o->shape[0] != i->shape[0])
		return cpu_refuse(op, out, -EINVAL, "has another shape than the operator gives it",
				  err);
	*x = (struct window){
		.batches = i->shape[0], .in_h = i->shape[1], .in_w = i->shape[2],
		.in_c = i->shape[3], .out_h = o->shape[1], .out_w = o->shape[2],
		.out_c = o->shape[3], .h = h, .w = w, .stride_y = opt->stride_h,
		.stride_x = opt->stride_w,
		.dilation_y = opt->dilation_h ? opt->dilation_h : 1,
		.dilation_x = opt->dilation_w ? opt->dilation_w : 1,
	};
	if (x->stride_y < 1 || x->stride_x < 1 || x->dilation_y < 1 || x->dilation_x < 1 || h < 1 ||
	    w < 1 || opt->pad_top < 0 || opt->pad_left < 0 || opt->pad_bottom < 0 ||
	    opt->pad_right < 0 || x->stride_y > EXTENT_MAX || x->stride_x > EXTENT_MAX ||
	    (int64_t)h * x->dilation_y > EXTENT_MAX || (int64_t)w * x->dilation_x > EXTENT_MAX ||
	    opt->pad_top > EXTENT_MAX || opt->pad_left > EXTENT_MAX ||
	    opt->pad_bottom > EXTENT_MAX || opt->pad_right > EXTENT_MAX)
		return error_set(err, -EINVAL, "%s on the CPU: kernel, stride, dilation or padding",
				 ir_kind_info(op->kind)->name);
	if (op->kind == IR_TRANSPOSE_CONV)
		return 0;
	if (!axis(op, x->in_h, h, x->stride_y, x->dilation_y, opt->pad_top, opt->pad_bottom,
		  x->out_h, &x->pad_y) ||
	    !axis(op, x->in_w, w, x->stride_x, x->dilation_x, opt->pad_left, opt->pad_right,
		  x->out_w, &x->pad_x))
		return cpu_refuse(op, out, -EINVAL, "has another shape than the operator gives it",
				  err);
	return 0;
}

int window_factors(const struct cpu_op *op, uint32_t in, uint32_t weights, uint32_t out,
		   uint32_t count, bool each_exact, struct fixed_factor *factors, struct error *err)
{
	const struct cpu_tensor *w = cpu_operand(op, weights);
	float in_scale, out_scale;
	int ret;

	if ((ret = cpu_check_scale(op, in, err)) || (ret = cpu_check_scale(op, out, err)))
		return ret;
	if (w->scale_count != 1 && w->scale_count != count)
		return cpu_refuse(op, weights, -EINVAL, "has a wrong number of scales", err);
	in_scale = cpu_scale_of(cpu_operand(op, in));
	out_scale = cpu_scale_of(cpu_operand(op, out));
	for (uint32_t i = 0; i < count; i++) {
		float scale = w->scales[w->scale_count > 1 ? i : 0];

		if (!(scale > 0) || !isfinite(scale))
			return cpu_refuse(op, weights, -EINVAL, "has a scale that is not above 0",
					  err);
		/* One scale for all is multiplied as float32, one a channel as double. */
		if (each_exact || w->scale_count > 1)
			factors[i] = fixed_factor((double)in_scale * scale / out_scale);
		else
			factors[i] = fixed_factor((double)(in_scale * scale) / out_scale);
	}
	return 0;
}
