/* SPDX-License-Identifier: MIT */
/*
 * Lowering: RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR. U85 has an operation for both, with
 * fractions of up to 11 bits, which hold TFLite's 10. U55 and U65 do not: outputs that lie evenly
 * between evenly spaced inputs are a copy, or a depthwise convolution with the fractions as weights.
 */
#include "runtime/compile/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRACTION	1024	/* TFLite's 10 bits */
#define STEP_MAX	15	/* whole inputs from output to output that U85's registers hold */
#define OFFSET_MAX	2047
#define SCALE_N_MAX	2048
#define PARTS_MAX	64	/* operations that one resize may become */

/*
 * struct axis - how the outputs of an axis come about
 * @step, @offset: position of output x: x * step + offset, in 1/1024 of an input
 */
struct axis {
	int32_t in, out;
	int32_t step, offset;
	bool half, corners, nearest;
};

static struct axis axis_of(int32_t in, int32_t out, const struct ir_options *o, bool nearest)
{
	struct axis a = { in, out, 0, 0, o->half_pixel, o->align_corners && out > 1, nearest };

	a.step = a.corners ? (FRACTION * (in - 1) + (out - 1) / 2) / (out - 1)
			   : (FRACTION * in + out / 2) / out;
	if (a.half)
		a.offset = a.step / 2 - FRACTION / 2;
	return a;
}

/* The input nearest to output @x, as TFLite's float arithmetic says. */
static int32_t nearest_input(const struct axis *a, int32_t x)
{
	float scale = a->corners ? (float)(a->in - 1) / (float)(a->out - 1)
				 : (float)a->in / (float)a->out;
	float at = ((float)x + (a->half ? 0.5f : 0.0f)) * scale;
	int32_t i = (int32_t)(a->corners ? roundf(at) : floorf(at));

	i = i < a->in - 1 ? i : a->in - 1;
	return a->half && i < 0 ? 0 : i;
}

/* The two inputs round output @x, and the second's share of 1024. */
static void linear_inputs(const struct axis *a, int32_t x, int32_t *low, int32_t *high, int32_t *share)
{
	int32_t p = x * a->step + a->offset;

	*low = p / FRACTION > 0 ? p / FRACTION : 0;
	*low = *low < a->in - 1 ? *low : a->in - 1;
	*high = (p + FRACTION - 1) / FRACTION;
	*high = *high < a->in - 1 ? *high : a->in - 1;
	*share = *high == *low ? 0 : p - FRACTION * *low;
}

/* U85: register values of an axis, NEAREST: verified against TFLite for every output. */
static bool nearest_registers(const struct axis *a, uint32_t *n, uint32_t *d, int32_t *offset)
{
	int64_t from = a->corners ? a->in - 1 : a->in, to = a->corners ? a->out - 1 : a->out;
	int64_t g = from, r = to;

	while (r) {
		int64_t rest = g % r;

		g = r;
		r = rest;
	}
	g = g ? g : 1;
	*n = (uint32_t)(2 * (to / g));
	*d = (uint32_t)(2 * (from / g));
	/* The operation takes the nearest; what is to be cut off is moved down by half. */
	*offset = a->corners ? 0 : a->half ? (int32_t)(*d / 2) - (int32_t)(*n / 2)
					   : -(int32_t)(*n / 2);
	if (*n > SCALE_N_MAX || *offset < -OFFSET_MAX || *offset > OFFSET_MAX ||
	    *d / *n > STEP_MAX)
		return false;
	for (int32_t x = 0; x < a->out; x++) {
		int64_t p = (int64_t)x * *d + *offset + *n / 2;
		int64_t i = p >= 0 ? p / *n : -((-p + *n - 1) / *n);

		i = i < 0 ? 0 : i < a->in ? i : a->in - 1;
		if (i != nearest_input(a, x))
			return false;
	}
	return true;
}

static int resize_u85(struct lower *l, const struct axis *y,
		      const struct axis *x, struct nd ifm, struct nd ofm)
{
	struct ir_npu npu = lower_npu(IR_NPU_RESIZE, y->nearest ? IR_RESIZE_MODE_NEAREST
								: IR_RESIZE_MODE_BILINEAR, ofm.type);

	npu.round = IR_ROUND_SYMMETRIC;
	npu.kernel_h = y->in;
	npu.kernel_w = x->in;
	if (y->nearest) {
		npu.ofm_scale = (struct ir_scale){ 1, 16 };
		if (!nearest_registers(y, &npu.resize_n_y, &npu.resize_d_y, &npu.resize_off_y) ||
		    !nearest_registers(x, &npu.resize_n_x, &npu.resize_d_x, &npu.resize_off_x))
			return LOWER_CPU;
	} else {
		if (y->step / FRACTION > STEP_MAX || x->step / FRACTION > STEP_MAX ||
		    abs(y->offset) > OFFSET_MAX || abs(x->offset) > OFFSET_MAX)
			return LOWER_CPU;
		npu.ofm_scale = (struct ir_scale){ 1, 16 + 20 };
		npu.acc48 = elem_size(ifm.type) == 2;
		npu.resize_n_y = npu.resize_n_x = FRACTION;
		npu.resize_d_y = (uint32_t)y->step;
		npu.resize_d_x = (uint32_t)x->step;
		npu.resize_off_y = y->offset;
		npu.resize_off_x = x->offset;
	}
	if (!nd_view(&ifm, &npu.ifm) || !nd_view(&ofm, &npu.ofm))
		return LOWER_CPU;
	return lower_emit(l, &npu);
}

/*
 * struct run - outputs @first, @first + @step, ... of an axis: @count of them, which take the inputs
 * @input, @input + @stride, ..., each @share / 1024 of the way to the next one
 */
struct run {
	int32_t first, step, count, input, stride, share;
};

static void input_of(const struct axis *a, int32_t x, int32_t *input, int32_t *share)
{
	int32_t high;

	if (a->nearest) {
		*input = nearest_input(a, x);
		*share = 0;
	} else {
		linear_inputs(a, x, input, &high, share);
	}
}

/* An axis in runs. Return: how many, or 0: more than PARTS_MAX. */
static unsigned int runs_of(const struct axis *a, struct run *runs)
{
	int32_t g = a->in, r = a->out, period;
	unsigned int n = 0;

	if (a->corners) {
		g = a->in - 1 ? a->in - 1 : 1;
		r = a->out - 1;
	}
	period = r;
	while (r) {
		int32_t rest = g % r;

		g = r;
		r = rest;
	}
	period = period / g ? period / g : 1;
	for (int32_t phase = 0; phase < period && phase < a->out; phase++) {
		int32_t x = phase;

		while (x < a->out) {
			struct run *run = &runs[n];
			int32_t input, share, next, last;

			if (n++ == PARTS_MAX)
				return 0;
			input_of(a, x, &input, &share);
			*run = (struct run){ x, period, 1, input, 1, share };
			last = input;
			for (x += period; x < a->out; x += period) {
				input_of(a, x, &next, &share);
				if (share != run->share || next <= last ||
				    (run->count > 1 && next - last != run->stride))
					break;
				run->stride = next - last;
				run->count++;
				last = next;
			}
		}
	}
	return n;
}

static int32_t common_divisor(int32_t a, int32_t b)
{
	while (b) {
		int32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Two weights in proportion to the shares, their sum a power of two. */
static void weights_of(int32_t share, int32_t out[2])
{
	int32_t g = common_divisor(FRACTION, share);

	out[0] = (FRACTION - share) / g;
	out[1] = share / g;
}

/*
 * struct shared - constants of operations with the same fractions
 * @y, @x: the shares; @weights IR_NONE: none yet
 */
struct shared {
	int32_t y, x;
	uint32_t weights;
	struct ir_scale *scale;
};

/* Make @shared's constants those of shares @y and @x. */
static int share_constants(struct lower *l, struct shared *shared, int32_t y, int32_t x,
			   int32_t channels)
{
	int32_t wy[2], wx[2], kh = y ? 2 : 1, kw = x ? 2 : 1;
	size_t at = 0, bytes = (size_t)(kh * kw) * (size_t)channels;
	int32_t shape[4] = { 1, kh, kw, channels };
	unsigned char *weights;

	if (shared->weights != IR_NONE && shared->y == y && shared->x == x)
		return 0;
	*shared = (struct shared){ y, x, IR_NONE, ir_alloc(l->g, (size_t)channels *
							   sizeof(*shared->scale)) };
	weights_of(y, wy);
	weights_of(x, wx);
	if ((wy[0] > wy[1] ? wy[0] : wy[1]) * (wx[0] > wx[1] ? wx[0] : wx[1]) > UINT8_MAX)
		return lower_cpu(l, "fractions of more than 8 bits");
	weights = malloc(bytes);
	if (!weights || !shared->scale) {
		free(weights);
		return lower_no_memory(l);
	}
	for (int32_t i = 0; i < kh; i++)
		for (int32_t k = 0; k < kw; k++)
			for (int32_t c = 0; c < channels; c++)
				weights[at++] = (unsigned char)(wy[i] * wx[k]);
	shared->weights = lower_constant(l, ELEM_UINT8, 4, shape, weights);
	free(weights);
	if (shared->weights == IR_NONE)
		return lower_no_memory(l);
	for (int32_t c = 0; c < channels; c++)
		shared->scale[c] = quant_average((uint32_t)((wy[0] + wy[1]) * (wx[0] + wx[1])),
						 l->u85 ? 31 : 32);
	return 0;
}

/*
 * Outputs between inputs: a depthwise convolution. Its scale is a little too large, so that halves
 * are rounded away from zero on both sides, as TFLite does.
 */
static int emit_between(struct lower *l, const struct nd *in, const struct nd *out, const struct run *y,
			const struct run *x, struct shared *shared)
{
	struct ir_npu npu = lower_npu(IR_NPU_DEPTHWISE, 0, out->type);
	int32_t kh = y->share ? 2 : 1, kw = x->share ? 2 : 1, channels = out->shape[2];
	int rc = share_constants(l, shared, y->share, x->share, channels);

	if (rc)
		return rc;
	npu.weights = shared->weights;
	npu.channels = (uint32_t)channels;
	npu.channel_scale = shared->scale;
	npu.round = IR_ROUND_NATURAL;
	npu.kernel_h = kh;
	npu.kernel_w = kw;
	npu.stride_y = y->stride;
	npu.stride_x = x->stride;
	if (npu.stride_y > 3 || npu.stride_x > 3 || !nd_view(in, &npu.ifm) ||
	    !nd_view(out, &npu.ofm))
		return lower_cpu(l, "inputs lie too far apart");
	return lower_emit(l, &npu);
}

static int emit_runs(struct lower *l, struct nd ifm, struct nd ofm, const struct run *y,
		     const struct run *x, struct shared *shared)
{
	bool between = y->share || x->share;

	nd_slice(&ofm, 0, y->first, y->count, y->step);
	nd_slice(&ofm, 1, x->first, x->count, x->step);
	if (between) {
		/* All inputs from the first to what the last one's kernel reaches. */
		nd_slice(&ifm, 0, y->input, (y->count - 1) * y->stride + 1 + (y->share ? 1 : 0), 1);
		nd_slice(&ifm, 1, x->input, (x->count - 1) * x->stride + 1 + (x->share ? 1 : 0), 1);
		return emit_between(l, &ifm, &ofm, y, x, shared);
	}
	nd_slice(&ifm, 0, y->input, y->count, y->stride);
	nd_slice(&ifm, 1, x->input, x->count, x->stride);
	return lower_copy(l, ofm, ifm);
}

/* The entry for these shares, a new one if there is none. At most one a part is asked for. */
static struct shared *shared_of(struct shared *list, unsigned int *count, int32_t y, int32_t x)
{
	for (unsigned int i = 0; i < *count; i++)
		if (list[i].y == y && list[i].x == x)
			return &list[i];
	list[*count] = (struct shared){ y, x, IR_NONE, NULL };
	return &list[(*count)++];
}

static int resize_parts(struct lower *l, const struct axis *y, const struct axis *x, struct nd ifm,
			struct nd ofm)
{
	struct run ys[PARTS_MAX], xs[PARTS_MAX];
	unsigned int ny = runs_of(y, ys), nx = runs_of(x, xs), count = 0;
	struct shared shared[PARTS_MAX];
	int rc = 0;

	if (!ny || !nx || ny * nx > PARTS_MAX)
		return lower_cpu(l, "a scale that would take too many operations");
	for (unsigned int i = 0; i < ny && !rc; i++)
		for (unsigned int k = 0; k < nx && !rc; k++)
			rc = emit_runs(l, ifm, ofm, &ys[i], &xs[k],
				       shared_of(shared, &count, ys[i].share, xs[k].share));
	return rc;
}

/* U55 and U65: an operand twice as large, each element four times, and the mean of @window squared. */
static int emit_twice(struct lower *l, struct nd ifm, struct nd ofm, int32_t window)
{
	struct ir_npu npu = lower_copy_npu(l, ofm.type);

	npu.upscale = IR_UPSCALE_NEAREST;
	npu.round = IR_ROUND_NATURAL;
	if (window > 1) {
		/* What lies beyond the last row and column does not count. */
		npu.kernel_h = npu.kernel_w = window;
		npu.pad_bottom = npu.pad_right = window - 1;
		npu.hw_divide = true;
	}
	if (!nd_view(&ifm, &npu.ifm) || !nd_view(&ofm, &npu.ofm))
		return lower_cpu(l, "channels do not follow each other in memory");
	return lower_emit(l, &npu);
}

/* True if an axis is enlarged by a power of two, at least 2, in the plain way. */
static bool is_doubling(const struct axis *a, int32_t *factor)
{
	*factor = a->in ? a->out / a->in : 0;
	return a->out % a->in == 0 && *factor >= 2 && !(*factor & (*factor - 1)) && !a->corners &&
	       !(a->half && !a->nearest);
}

/* Doublings; what lies between inputs is the mean of as many of the enlarged ones. */
static int resize_doubling(struct lower *l, const struct axis *y, struct nd ifm, struct nd ofm,
			   int32_t factor)
{
	int32_t window = y->nearest ? 1 : factor;
	int rc = 0;

	while (factor > 2 && !rc) {
		int32_t shape[3] = { 2 * ifm.shape[0], 2 * ifm.shape[1], ifm.shape[2] };
		uint32_t t = lower_temp(l, ifm.type, 3, shape);
		struct nd next;

		if (t == IR_NONE)
			return lower_no_memory(l);
		next = lower_nd(l, t);
		next.zero_point = 0;
		rc = emit_twice(l, ifm, next, 1);
		ifm = next;
		factor /= 2;
	}
	return rc ? rc : emit_twice(l, ifm, ofm, window);
}

/* The form with the fewest operations. */
static int resize_u65(struct lower *l, const struct axis *y, const struct axis *x, struct nd ifm,
		      struct nd ofm)
{
	int32_t fy, fx;

	if (is_doubling(y, &fy) && is_doubling(x, &fx) && fy == fx && (y->nearest || fy <= 8))
		return resize_doubling(l, y, ifm, ofm, fy);
	return resize_parts(l, y, x, ifm, ofm);
}

int lower_resize(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	bool nearest = op->kind == IR_RESIZE_NEAREST_NEIGHBOR;
	struct axis y, x;
	int32_t batches;
	int rc = 0;

	if (in->type != out->type ||
	    (in->type != ELEM_INT8 && in->type != ELEM_UINT8 && in->type != ELEM_INT16))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (in->ndim != 4 || out->ndim != 4 || in->shape[0] != out->shape[0] ||
	    in->shape[3] != out->shape[3] || in->shape[3] > LOWER_AXIS_MAX || in->shape[1] > 4096 || in->shape[2] > 4096 ||
	    out->shape[1] > 65536 || out->shape[2] > 65536)
		return lower_cpu(l, "not four axes, or too large");
	if (!quant_same(in, out))
		return lower_cpu(l, "input and output are quantised differently");
	batches = in->shape[0];
	y = axis_of(in->shape[1], out->shape[1], op->options, nearest);
	x = axis_of(in->shape[2], out->shape[2], op->options, nearest);
	/* TFLite resizes uint8 in float: the same only where 10 bits hold the fractions. */
	if (!nearest && in->type == ELEM_UINT8 &&
	    (FRACTION * in->shape[1] % out->shape[1] || FRACTION * in->shape[2] % out->shape[2] ||
	     op->options->align_corners))
		return lower_cpu(l, "uint8 with a scale that TFLite rounds as float");
	for (int32_t b = 0; b < batches && !rc; b++) {
		struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);

		nd_slice(&ifm, 0, b, 1, 1);
		nd_drop(&ifm, 0);
		nd_slice(&ofm, 0, b, 1, 1);
		nd_drop(&ofm, 0);
		ifm.zero_point = ofm.zero_point = 0;
		if (y.in == 1 && x.in == 1) {
			/* One element, everywhere. */
			nd_broadcast(&ifm, &ofm);
			rc = lower_copy(l, ofm, ifm);
			continue;
		}
		rc = l->u85 ? resize_u85(l, &y, &x, ifm, ofm) : LOWER_CPU;
		if (rc == LOWER_CPU)
			rc = resize_u65(l, &y, &x, ifm, ofm);
	}
	return rc;
}
