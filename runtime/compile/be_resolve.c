/* SPDX-License-Identifier: MIT */
/* From a command to registers' contents: addresses of operands and streams, as struct npu_op. */
#include "runtime/compile/be.h"

#include <errno.h>

static uint8_t elem_log2(int type)
{
	size_t size = elem_size(type);

	return size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0;
}

static bool is_signed(int type)
{
	return type != ELEM_UINT8 && type != ELEM_UINT16 && type != ELEM_UINT32 &&
	       type != ELEM_UINT64 && type != ELEM_BOOL;
}

static int64_t tensor_address(const struct be *be, uint32_t tensor)
{
	const struct be_tensor *t = &be->tensors[tensor];

	if (t->region == PROGRAM_CONSTANTS)
		return t->constant;
	return (int64_t)be->buffers[t->buffer].addr;
}

static void resolve_fm(const struct be *be, const struct ir_view *view, struct npu_fm *fm)
{
	const struct be_tensor *t = &be->tensors[view->tensor];
	const int32_t *hwc = be->g->tensors[view->tensor].hwc;
	int64_t es = t->esize, row = (int64_t)hwc[1] * hwc[2];
	int64_t bricks = (hwc[2] + ETHOSU_BRICK - 1) / ETHOSU_BRICK;

	fm->space = t->region;
	fm->elem_log2 = elem_log2(view->type);
	fm->is_signed = is_signed(view->type);
	fm->zero_point = view->zero_point;
	fm->brick = t->brick;
	fm->height = fm->height0 = fm->height1 = (uint32_t)view->h;
	fm->width = fm->width0 = (uint32_t)view->w;
	fm->depth = (uint32_t)view->c;
	fm->base[0] = tensor_address(be, view->tensor);
	if (!t->brick) {
		fm->base[0] += view->base * es;
		fm->stride_c = es;
		fm->stride_x = view->sx * es;
		fm->stride_y = view->sy * es;
		return;
	}
	fm->stride_x = ETHOSU_BRICK * es;
	fm->stride_c = hwc[1] * ETHOSU_BRICK * es;
	fm->base[0] += view->base / row * (bricks * fm->stride_c) +
		       view->base % row / hwc[2] * fm->stride_x +
		       view->base % hwc[2] / ETHOSU_BRICK * fm->stride_c;
	fm->stride_y = view->sy / row * (bricks * fm->stride_c);
}

/* Rows from @y on, of a tensor of which only some are kept: row y is in place y modulo their number. */
static void resolve_rows(const struct be *be, const struct ir_view *view, uint32_t y, uint32_t rows,
			 struct npu_fm *fm)
{
	uint32_t kept = be->tensors[view->tensor].rows;

	fm->height = fm->height0 = fm->height1 = rows;
	if (!kept) {
		fm->base[0] += y * fm->stride_y;
		return;
	}
	fm->base[2] = fm->base[0];
	fm->base[0] += y % kept * fm->stride_y;
	if (y % kept + rows > kept)
		fm->height0 = kept - y % kept;
	else
		fm->base[2] = 0;
	fm->height1 = fm->height0;
}

/* The same elements, read from a copy. */
static void move_map(const struct be *be, uint32_t tensor, uint32_t transfer, struct npu_fm *fm)
{
	const struct be_buffer *b = &be->buffers[be->transfers[transfer].buffer];

	fm->space = b->region;
	fm->base[0] += (int64_t)b->addr - tensor_address(be, tensor);
}

static void resolve_operand(const struct be *be, const struct ir_npu *npu,
			    const struct ir_view *view, struct npu_op *op, struct npu_fm *fm)
{
	if (view->scalar) {
		fm->broadcast = NPU_BROADCAST_SCALAR;
		fm->elem_log2 = elem_log2(view->type);
		fm->is_signed = is_signed(view->type);
		fm->zero_point = view->zero_point;
		op->scalar = view->value;
		return;
	}
	if (view->tensor == IR_NONE)
		return;
	resolve_fm(be, view, fm);
	if (npu->kind != IR_NPU_ELEMENTWISE)
		return;
	if (view->h == 1 && npu->ofm.h > 1)
		fm->broadcast |= NPU_BROADCAST_H;
	if (view->w == 1 && npu->ofm.w > 1)
		fm->broadcast |= NPU_BROADCAST_W;
	if (view->c == 1 && npu->ofm.c > 1)
		fm->broadcast |= NPU_BROADCAST_C;
}

/*
 * Padding after the last row: what the windows want beyond what there is. The IFM's extent follows
 * from it, so it has to be exact whatever the model says.
 */
static int32_t pad_after(int32_t out, int32_t stride, int32_t taps, int32_t before, int32_t in,
			 bool upscaled)
{
	int64_t want = (int64_t)(out - 1) * stride + taps - before;
	int64_t have = upscaled ? 2ll * in : in;

	return want > have ? (int32_t)(want - have) : 0;
}

static int resolve_window(struct be *be, const struct ir_npu *npu, uint32_t index, uint32_t y0,
			  struct npu_op *op)
{
	int32_t th = (npu->kernel_h - 1) * npu->dilation_y + 1;
	int32_t tw = (npu->kernel_w - 1) * npu->dilation_x + 1;
	int64_t above = npu->pad_top - (int64_t)y0 * npu->stride_y;
	int32_t top = above < 0 ? 0 : (int32_t)above;
	int32_t bottom = pad_after((int32_t)op->oh, npu->stride_y, th, top, (int32_t)op->a.height,
				   npu->upscale);
	int32_t right = pad_after(npu->ofm.w, npu->stride_x, tw, npu->pad_left, npu->ifm.w,
				  npu->upscale);

	if (top > 127 || npu->pad_left > 127 || bottom > 255 || right > 255 || npu->pad_left < 0 ||
	    npu->pad_top < 0)
		return be_error(be, index, -ERANGE,
				"padding of %d, %d, %d, %d does not fit the registers", top,
				npu->pad_left, bottom, right);
	op->kernel_h = (uint16_t)npu->kernel_h;
	op->kernel_w = (uint16_t)npu->kernel_w;
	op->stride_y = (uint8_t)npu->stride_y;
	op->stride_x = (uint8_t)npu->stride_x;
	op->dilation_y = (uint8_t)npu->dilation_y;
	op->dilation_x = (uint8_t)npu->dilation_x;
	op->pad_top = (uint8_t)top;
	op->pad_left = (uint8_t)npu->pad_left;
	op->pad_bottom = (uint8_t)bottom;
	op->pad_right = (uint8_t)right;
	op->upscale = npu->upscale;
	return 0;
}

static struct npu_scale scale_of(const struct ir_scale *s, uint8_t round, uint8_t dbl)
{
	return (struct npu_scale){ .scale = s->scale, .shift = s->shift, .round = round,
				   .dbl = dbl };
}

static void resolve_scales(const struct ir_npu *npu, struct npu_op *op)
{
	/* K of the two-step input scaling: bits that the narrow operand is moved up by. */
	uint8_t dbl = !npu->ifm_dbl ? 0 : elem_log2(npu->ifm.type) ? 15 : 20;
	bool leaky = npu->kind == IR_NPU_ELEMENTWISE && npu->mode == IR_ELT_LRELU;
	/* What LRELU gives is rounded where it is scaled: on its way in. */
	uint8_t round = npu->ifm_dbl ? NPU_ROUND_TFL : leaky ? npu->round : NPU_ROUND_NATURAL;

	op->round = npu->round;
	op->ofm_scale = scale_of(&npu->ofm_scale, npu->round, 0);
	op->a_scale = scale_of(&npu->ifm_scale, round, dbl);
	op->b_scale = scale_of(&npu->ifm2_scale, round, dbl);
	if (!op->a_scale.scale && !op->a_scale.shift)
		op->a_scale.scale = 1;
	if (!op->b_scale.scale && !op->b_scale.shift)
		op->b_scale.scale = 1;
	op->acc48 = npu->acc48;
}

/* enum npu_lut of an IR table, for what goes in and comes out. */
static uint8_t lut_kind(const struct be *be, const struct ir_npu *npu)
{
	bool builtin = npu->lut_data == IR_NONE && be->arch->family != 85;

	switch (npu->lut) {
	case IR_LUT_8_8:
		return is_signed(npu->ofm.type) ? NPU_LUT_S8_S8 : NPU_LUT_U8_U8;
	case IR_LUT_8_16:
		return NPU_LUT_S8_S16;
	case IR_LUT_8_32:
		return NPU_LUT_S8_S32;
	case IR_LUT_16_16:
		return NPU_LUT_S16_S16;
	case IR_LUT_16_32:
		return NPU_LUT_S16_S32;
	case IR_LUT_TANH:
		return builtin ? NPU_LUT_TANH_BUILTIN : NPU_LUT_TANH;
	case IR_LUT_SIGMOID:
		return builtin ? NPU_LUT_SIGMOID_BUILTIN : NPU_LUT_SIGMOID;
	default:
		return NPU_LUT_NONE;
	}
}

static int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* The clamp stands before the table: its range is that of the index. */
static void resolve_activation(const struct be *be, const struct ir_npu *npu, struct npu_op *op)
{
	static const struct { int32_t min, max; } ranges[2][2] = {
		{ { 0, UINT8_MAX }, { INT8_MIN, INT8_MAX } },
		{ { 0, UINT16_MAX }, { INT16_MIN, INT16_MAX } },
	};
	unsigned int width = op->ofm.elem_log2;

	op->lut = lut_kind(be, npu);
	if (npu->lut == IR_LUT_8_16 || npu->lut == IR_LUT_8_32)
		width = 0;
	else if (npu->lut == IR_LUT_16_32)
		width = 1;
	op->clamp = width < 2;
	op->act_min = npu->act_min;
	op->act_max = npu->act_max;
	if (!op->clamp)
		return;
	op->act_min = most(op->act_min, ranges[width][op->ofm.is_signed].min);
	op->act_max = least(op->act_max, ranges[width][op->ofm.is_signed].max);
}

/* A stream lies in region 0, or where a transfer has put it. */
static uint64_t stream_address(const struct be *be, const struct be_slice *s, uint64_t at,
			       unsigned int part, uint8_t *space)
{
	const struct be_transfer *t;

	*space = PROGRAM_CONSTANTS;
	if (!(s->staged & part))
		return at;
	t = &be->transfers[s->transfer];
	*space = be->buffers[t->buffer].region;
	return be->buffers[t->buffer].addr + (at - t->at);
}

static void resolve_streams(const struct be *be, const struct be_cmd *cmd, struct npu_op *op)
{
	const struct be_op *o = &be->ops[cmd->unit.op];
	const struct be_slice *s = &o->slices[cmd->unit.slice];
	const struct wenc_slice *coded = &o->blob.slices[cmd->unit.slice];

	op->per_channel = 1;
	op->part_kernel = o->desc.part_kernel;
	op->weight_fwd = WENC_IS_FAST(o->blob.format);
	op->weight_sparse = WENC_IS_SPARSE(o->blob.format);
	op->cores = op->weight_fwd ? 1 : be->arch->cores;
	for (unsigned int i = 0; i < WENC_MAX_STREAMS; i++) {
		op->weight_base[i] = stream_address(be, s, s->weights[i], BE_STAGE_WEIGHTS,
						    &op->weight_space);
		op->weight_len[i] = coded->weights[i].length;
	}
	for (unsigned int i = 0; i < 2; i++) {
		op->scale_base[i] = stream_address(be, s, s->scales[i], BE_STAGE_SCALES,
						   &op->scale_space);
		op->scale_len[i] = coded->scales[i].length;
	}
}

/* One slice in depth of the OFM. */
static struct ir_view slice_of(const struct be_op *o, uint32_t slice, const struct ir_view *ofm)
{
	struct ir_view view = *ofm;

	view.base += o->slices[slice].first;
	view.c = (int32_t)be_slice_channels(o, slice);
	return view;
}

/* Some rows of an operation. */
static void resolve_stripe(const struct be *be, const struct ir_npu *npu, const struct be_unit *u,
			   struct npu_op *op)
{
	uint32_t from, to;

	op->oh = u->y1 - u->y0;
	resolve_rows(be, &npu->ofm, u->y0, op->oh, &op->ofm);
	be_input_rows(npu, u->y0, u->y1, &from, &to);
	if (be_tensor_of(&npu->ifm) != IR_NONE && !(op->a.broadcast & NPU_BROADCAST_H))
		resolve_rows(be, &npu->ifm, from, to - from, &op->a);
	if (be_tensor_of(&npu->ifm2) != IR_NONE && !(op->b.broadcast & NPU_BROADCAST_H))
		resolve_rows(be, &npu->ifm2, from, to - from, &op->b);
}

int be_resolve(struct be *be, const struct be_cmd *cmd, struct be_kernel *out)
{
	const struct be_op *o = &be->ops[cmd->unit.op];
	const struct be_unit *u = &cmd->unit;
	const struct ir_npu *npu = o->npu;
	struct ir_view ofm = be_stored_ofm(npu), ifm = npu->ifm;
	struct npu_op *op = &out->op;
	int rc;

	*out = (struct be_kernel){ .block = o->desc.block, .ib_end = o->ib_end,
				   .ib2_start = o->ib2_start, .ab_start = o->ab_start,
				   .lut = o->lut };
	out->ifm_depth = o->desc.block.d ? cost_ifm_block(be->arch, &o->desc).d : 1;
	op->kind = be_is_transfer(npu) ? NPU_KIND_DMA : npu->kind;
	op->mode = npu->mode;
	op->oh = (uint32_t)npu->ofm.h;
	op->ow = (uint32_t)npu->ofm.w;
	op->oc = (uint32_t)npu->ofm.c;
	op->transpose = npu->transpose;
	op->reverse = npu->reverse;
	op->microblock = o->desc.microblock;
	op->ofm_block_depth = o->desc.block.d;
	if (be_has_streams(npu)) {
		if (o->slice_count > 1) {
			ofm = slice_of(o, u->slice, &ofm);
			op->oc = (uint32_t)ofm.c;
		}
		if (o->slice_count > 1 && npu->kind == IR_NPU_DEPTHWISE)
			ifm = slice_of(o, u->slice, &ifm);
		resolve_streams(be, cmd, op);
	}
	resolve_operand(be, npu, &ifm, op, &op->a);
	if (o->slices && o->slices[u->slice].map != BE_NONE)
		move_map(be, be_tensor_of(&ifm), o->slices[u->slice].map, &op->a);
	resolve_operand(be, npu, &npu->ifm2, op, &op->b);
	resolve_fm(be, &ofm, &op->ofm);
	if (u->y0 || u->y1 != (uint32_t)npu->ofm.h)
		resolve_stripe(be, npu, u, op);
	resolve_scales(npu, op);
	resolve_activation(be, npu, op);
	op->kernel_h = op->kernel_w = op->stride_y = op->stride_x = 1;
	op->dilation_y = op->dilation_x = 1;
	op->hw_divide = npu->hw_divide;
	op->resize_off_y = npu->resize_off_y;
	op->resize_off_x = npu->resize_off_x;
	op->resize_n_y = npu->resize_n_y;
	op->resize_n_x = npu->resize_n_x;
	op->resize_step_y = npu->resize_d_y;
	op->resize_step_x = npu->resize_d_x;
	if (npu->kind == IR_NPU_ELEMENTWISE || npu->kind == IR_NPU_RESIZE || be_is_transfer(npu))
		return 0;
	rc = resolve_window(be, npu, o->index, u->y0, op);
	return rc;
}
