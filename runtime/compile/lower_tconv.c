/* SPDX-License-Identifier: MIT */
/*
 * Lowering: transposed convolution. With a stride of s, output rows of each of s phases are an
 * ordinary convolution with every s-th row of the kernel, turned round: s * s convolutions, each
 * writing every s-th row and column. U55 and U65 can also put zeros between the inputs as they read
 * them: four times the products, but one operation, which is the better one for small tensors.
 */
#include "runtime/compile/lower_conv.h"

#include <stdlib.h>

/*
 * struct phase - outputs @first, @first + stride, ... of one axis
 * @count: of them
 * @tap, @taps: kernel positions @tap, @tap + stride, ...; none: taps 0
 * @skip: leading inputs that no window reaches
 * @before, @after: padding
 */
struct phase {
	int32_t first, count, tap, taps, skip, before, after;
};

static struct phase phase_of(int32_t first, int32_t in, int32_t out, int32_t kernel, int32_t stride,
			     int32_t pad)
{
	struct phase p = { .first = first, .count = (out - first + stride - 1) / stride };
	int32_t shift, last;

	p.tap = (first + pad) % stride;
	p.taps = p.tap < kernel ? (kernel - p.tap + stride - 1) / stride : 0;
	shift = (first + pad - p.tap) / stride;
	/* Window of output j: inputs j + shift - (taps - 1) .. j + shift. */
	p.before = (p.taps ? p.taps - 1 : 0) - shift;
	if (p.before < 0) {
		p.skip = -p.before < in ? -p.before : in - 1;
		p.before = 0;
	}
	last = p.count - 1 + shift;
	p.after = last > in - 1 ? last - (in - 1) : 0;
	return p;
}

/* The taps of two phases out of the kernel [oc][kh][kw][ic], turned round. */
static uint32_t phase_weights(struct lower *l, uint32_t weights, const struct phase *y,
			      const struct phase *x, int32_t sy, int32_t sx, int32_t zero)
{
	const struct ir_tensor *w = lower_tensor(l, weights);
	int32_t th = y->taps ? y->taps : 1, tw = x->taps ? x->taps : 1;
	int32_t shape[4] = { w->shape[0], th, tw, w->shape[3] };
	size_t n = (size_t)shape[0] * (size_t)th * (size_t)tw * (size_t)shape[3], at = 0;
	const unsigned char *from = w->data;
	unsigned char *to = malloc(n);
	uint32_t t;

	if (!to)
		return IR_NONE;
	for (int32_t o = 0; o < shape[0]; o++)
		for (int32_t ky = th - 1; ky >= 0; ky--)
			for (int32_t kx = tw - 1; kx >= 0; kx--)
				for (int32_t i = 0; i < shape[3]; i++) {
					int64_t row = (int64_t)o * w->shape[1] + y->tap + ky * sy;
					int64_t element = (row * w->shape[2] + x->tap + kx * sx) *
							  shape[3] + i;

					/* A phase that no tap reaches is bias alone. */
					to[at++] = y->taps && x->taps ? from[element]
								      : (unsigned char)zero;
				}
	t = lower_constant(l, w->type, 4, shape, to);
	free(to);
	return t;
}

struct geometry {
	int32_t sy, sx, pad_y, pad_x;
};

static int emit_phase(struct lower *l, const struct ir_npu *npu, struct nd ifm, struct nd ofm,
		      const struct geometry *g, const struct phase *y, const struct phase *x)
{
	struct ir_npu part = *npu;
	int32_t zero = npu->weight_zero_points ? npu->weight_zero_points[0] : 0;

	part.weights = phase_weights(l, npu->weights, y, x, g->sy, g->sx, zero);
	if (part.weights == IR_NONE)
		return lower_no_memory(l);
	part.kernel_h = lower_tensor(l, part.weights)->shape[1];
	part.kernel_w = lower_tensor(l, part.weights)->shape[2];
	nd_slice(&ifm, 0, y->skip, ifm.shape[0] - y->skip, 1);
	nd_slice(&ifm, 1, x->skip, ifm.shape[1] - x->skip, 1);
	nd_slice(&ofm, 0, y->first, y->count, g->sy);
	nd_slice(&ofm, 1, x->first, x->count, g->sx);
	part.pad_top = y->before;
	part.pad_left = x->before;
	part.pad_bottom = y->after;
	part.pad_right = x->after;
	if (!nd_view(&ifm, &part.ifm) || !nd_view(&ofm, &part.ofm))
		return lower_cpu(l, "channels do not follow each other in memory");
	return lower_emit(l, &part);
}

/* Padding before, as TFLite takes it from the convolution the other way. */
static int32_t pad_before(int padding, int32_t out, int32_t kernel, int32_t stride)
{
	int64_t need;

	if (padding != IR_PADDING_SAME)
		return 0;
	need = (int64_t)((out + stride - 1) / stride - 1) * stride + kernel - out;
	return need > 0 ? (int32_t)(need / 2) : 0;
}

/* Products that are not worth three operations more, each with scales of its own. */
#define SMALL_PRODUCTS	(3 << 17)

static bool is_small(const struct lower *l, const struct ir_op *op, const struct geometry *g)
{
	const struct ir_tensor *ofm = lower_tensor(l, op->outputs[0]);
	const struct ir_tensor *w = lower_tensor(l, op->inputs[1]);
	double depth = (double)((w->shape[3] + 15) / 16) * 16;

	return !l->u85 && g->sy == 2 && g->sx == 2 &&
	       (double)ofm->shape[1] * ofm->shape[2] * w->shape[1] * w->shape[2] * depth *
	       ((w->shape[0] + 7) / 8 * 8) < SMALL_PRODUCTS;
}

/* The whole kernel over inputs with zeros between them. */
static int emit_upscaled(struct lower *l, const struct ir_npu *npu, const struct nd *ifm,
			 const struct nd *ofm, const struct geometry *g)
{
	const struct ir_tensor *w = lower_tensor(l, npu->weights);
	const struct phase y = { .taps = w->shape[1] }, x = { .taps = w->shape[2] };
	struct ir_npu whole = *npu;
	int32_t bottom, right;

	whole.upscale = IR_UPSCALE_ZEROS;
	whole.kernel_h = y.taps;
	whole.kernel_w = x.taps;
	whole.pad_top = y.taps - 1 - g->pad_y;
	whole.pad_left = x.taps - 1 - g->pad_x;
	bottom = ofm->shape[0] - 1 + y.taps - whole.pad_top - 2 * ifm->shape[0];
	right = ofm->shape[1] - 1 + x.taps - whole.pad_left - 2 * ifm->shape[1];
	whole.pad_bottom = bottom > 0 ? bottom : 0;
	whole.pad_right = right > 0 ? right : 0;
	whole.weights = phase_weights(l, npu->weights, &y, &x, 1, 1, 0);
	if (whole.weights == IR_NONE)
		return lower_no_memory(l);
	if (!nd_view(ifm, &whole.ifm) || !nd_view(ofm, &whole.ofm))
		return lower_cpu(l, "channels do not follow each other in memory");
	return lower_emit(l, &whole);
}

int lower_transpose_conv(struct lower *l, const struct ir_op *op)
{
	const struct ir_options *o = op->options;
	struct conv c = { op->inputs[2], op->inputs[1],
			  op->input_count > 3 ? op->inputs[3] : IR_NONE, op->outputs[0],
			  o->activation, false };
	struct ir_npu npu = lower_npu(IR_NPU_CONV, 0, ELEM_INT8);
	const struct ir_tensor *ifm, *ofm, *w;
	struct geometry g = { o->stride_h, o->stride_w, 0, 0 };
	int32_t in_h, in_w, out_h, out_w, kernel_h, kernel_w, batches;
	const char *why;
	bool small;
	int rc;

	if (c.ifm == IR_NONE || c.weights == IR_NONE)
		return lower_cpu(l, "an input is left out");
	why = lower_conv_types(l, &c);
	if (why)
		return lower_cpu(l, why);
	ifm = lower_tensor(l, c.ifm);
	ofm = lower_tensor(l, c.ofm);
	w = lower_tensor(l, c.weights);
	if (ifm->ndim != 4 || ofm->ndim != 4 || w->ndim != 4 || ifm->shape[0] != ofm->shape[0] ||
	    w->shape[0] != ofm->shape[3] || w->shape[3] != ifm->shape[3])
		return lower_cpu(l, "weights do not fit input and output");
	if (g.sy < 1 || g.sx < 1 || g.sy > 8 || g.sx > 8 || w->shape[1] > 64 ||
	    (int64_t)w->shape[1] * w->shape[2] > 4096)
		return lower_cpu(l, "the stride or the kernel is too large");
	if (!lower_activation(ofm, c.activation, &npu.act_min, &npu.act_max))
		return lower_cpu(l, "unknown fused activation");
	in_h = ifm->shape[1];
	in_w = ifm->shape[2];
	out_h = ofm->shape[1];
	out_w = ofm->shape[2];
	kernel_h = w->shape[1];
	kernel_w = w->shape[2];
	batches = ifm->shape[0];
	g.pad_y = pad_before(o->padding, out_h, kernel_h, g.sy);
	g.pad_x = pad_before(o->padding, out_w, kernel_w, g.sx);
	/* Padding beyond the kernel would be rows that no window reaches. */
	small = is_small(l, op, &g) && g.pad_y < kernel_h && g.pad_x < kernel_w;
	npu.weights = c.weights;
	rc = lower_conv_channels(l, &c, (uint32_t)ofm->shape[3], &npu);
	for (int32_t b = 0; b < batches && !rc; b++) {
		struct nd in = lower_nd(l, c.ifm), out = lower_nd(l, c.ofm);

		nd_slice(&in, 0, b, 1, 1);
		nd_drop(&in, 0);
		nd_slice(&out, 0, b, 1, 1);
		nd_drop(&out, 0);
		if (small) {
			rc = emit_upscaled(l, &npu, &in, &out, &g);
			continue;
		}
		for (int32_t py = 0; py < g.sy && py < out_h && !rc; py++)
			for (int32_t px = 0; px < g.sx && px < out_w && !rc; px++) {
				struct phase y = phase_of(py, in_h, out_h, kernel_h, g.sy, g.pad_y);
				struct phase x = phase_of(px, in_w, out_w, kernel_w, g.sx, g.pad_x);

				rc = emit_phase(l, &npu, in, out, &g, &y, &x);
			}
	}
	return rc;
}
