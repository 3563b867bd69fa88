/* SPDX-License-Identifier: MIT */
/*
 * Formats of weights on the U85. Weights of which two in four neighbouring input channels are zero can
 * be coded as such: the array skips the zeros. And they can be coded plainly, in the fast format: more
 * bytes most times, but decoded four times as quickly. Both are chosen by measured sizes and the cost
 * model; which blocks go with them is for be_block.c.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUP		4	/* 2:4: of so many input channels */
#define GROUP_NONZERO	2	/* so many may be other than zero */
#define SPARSE_MOST	127	/* and be as large as this */

/* Most different weights that take 2 and 4 bits in the fast format, and the bytes of its header. */
#define FAST_SMALL	4
#define FAST_TABLE	16
#define FAST_HEADER	32

int be_layer(struct be *be, const struct be_op *op, struct wenc_layer *layer)
{
	const struct ir_npu *npu = op->npu;
	const struct ir_tensor *t = &be->g->tensors[npu->weights];
	bool depthwise = npu->kind == IR_NPU_DEPTHWISE;
	uint64_t n = (uint64_t)npu->ofm.c * (uint64_t)npu->kernel_h * (uint64_t)npu->kernel_w *
		     (depthwise ? 1 : (uint64_t)npu->ifm.c);

	/* What stands in for them was checked when it was made. */
	if (!op->weights && (t->size < n || !t->data))
		return be_error(be, op->index, -EINVAL, "weights %s are no constant as large as it needs",
				t->name);
	if (t->type != ELEM_INT8 && t->type != ELEM_UINT8)
		return be_error(be, op->index, -EINVAL, "weights %s are not 8-bit numbers", t->name);
	*layer = (struct wenc_layer){
		.weights = op->weights ? op->weights : t->data,
		.type = t->type == ELEM_INT8 ? WENC_S8 : WENC_U8,
		.oc = (uint32_t)npu->ofm.c,
		.kh = (uint32_t)npu->kernel_h,
		.kw = (uint32_t)npu->kernel_w,
		.ic = depthwise ? 1 : (uint32_t)npu->ifm.c,
		.stride_y = (uint32_t)npu->stride_y,
		.stride_x = (uint32_t)npu->stride_x,
		.dilation_y = (uint32_t)npu->dilation_y,
		.dilation_x = (uint32_t)npu->dilation_x,
		.depthwise = depthwise,
		.zero_points = npu->weight_zero_points,
		.zero_point_count = npu->weight_zero_points ? (uint32_t)npu->ofm.c : 0,
	};
	if (depthwise)
		wenc_layer_hwo(layer);
	else
		wenc_layer_ohwi(layer);
	return 0;
}

void be_encoding(const struct be *be, const struct be_op *op, struct wenc_config *config)
{
	const struct ethosu_arch *arch = be->arch;

	*config = (struct wenc_config){
		.arch = arch->family,
		.macs = arch->macs,
		.cores = arch->family == 85 ? 0 : arch->cores,
		.ifm_bits = op->desc.ifm[0].bits,
		.ofm_block_depth = op->desc.block.d,
		.part_kernel = op->desc.part_kernel,
		.microblock = op->desc.microblock,
		.acc48 = op->npu->acc48,
		.format = op->desc.sparse ? WENC_SPARSE : WENC_STANDARD,
		.search = be->search,
	};
}

static int weight_at(const struct wenc_layer *layer, size_t at, int32_t zero)
{
	return layer->type == WENC_S8 ? ((const int8_t *)layer->weights)[at] - zero
				      : ((const uint8_t *)layer->weights)[at] - zero;
}

/* Groups of weights that are zero where their bytes are: a word each. */
static bool is_two_four_words(const uint8_t *weights, size_t count)
{
	for (size_t i = 0; i < count; i += GROUP) {
		uint32_t w, nonzero;

		memcpy(&w, weights + i, sizeof(w));
		/* The high bit of each byte that is not zero, and of each that is no more than that. */
		nonzero = (((w & 0x7f7f7f7f) + 0x7f7f7f7f) | w) & 0x80808080;
		if ((nonzero >> 7) * 0x01010101 >> 24 > GROUP_NONZERO ||
		    (nonzero & w & ~((w & 0x7f7f7f7f) + 0x7f7f7f7f)))
			return false;
	}
	return true;
}

static bool is_two_four(const struct wenc_layer *layer)
{
	size_t taps = (size_t)layer->kh * layer->kw;

	if (layer->type == WENC_S8 && !layer->zero_points && layer->ic % GROUP == 0)
		return is_two_four_words(layer->weights, layer->oc * taps * layer->ic);
	for (size_t row = 0; row < layer->oc * taps; row++) {
		int32_t zero = layer->zero_points ? layer->zero_points[row / taps] : 0;
		unsigned int left = 0;

		for (uint32_t i = 0; i < layer->ic; i++) {
			int w = weight_at(layer, row * layer->ic + i, zero);

			if (i % GROUP == 0)
				left = GROUP_NONZERO;
			if ((w && !left) || abs(w) > SPARSE_MOST)
				return false;
			left -= w != 0;
		}
	}
	return true;
}

int be_sparse(struct be *be)
{
	int rc = 0;

	for (uint32_t i = 0; be->arch->family == 85 && i < be->op_count && !rc; i++) {
		struct wenc_layer layer;

		if (be->ops[i].npu->kind != IR_NPU_CONV)
			continue;
		rc = be_layer(be, &be->ops[i], &layer);
		be->ops[i].two_four = !rc && is_two_four(&layer);
	}
	return rc;
}

double be_format_price(const struct be *be, const struct be_op *op, uint64_t weight_bytes, bool fast)
{
	const struct cost_target *t = &be->target->cost;
	uint8_t from = t->region[PROGRAM_CONSTANTS];
	struct cost_op_desc desc = op->desc;
	struct cost_result cost;
	uint64_t copy;

	desc.weight_bytes = (uint32_t)weight_bytes;
	desc.fast = fast;
	cost_op(t, &desc, &cost);
	if (desc.weight_memory == from)
		return be_price(be, &cost);
	copy = cost_copy_cycles(t, from, desc.weight_memory, weight_bytes);
	if (copy > cost.cycles)
		cost.cycles = copy;
	cost.read[from][COST_WEIGHTS] += weight_bytes;
	return be_price(be, &cost);
}

static uint64_t stream_bytes(const struct wenc_blob *blob)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < blob->slice_count; i++)
		for (unsigned int s = 0; s < WENC_MAX_STREAMS; s++)
			bytes += blob->slices[i].weights[s].length;
	return bytes;
}

/* The least that the fast format can take: the weights without what fills up blocks. */
static uint64_t least_fast_bytes(const struct wenc_layer *layer, bool sparse)
{
	size_t count = (size_t)layer->oc * layer->kh * layer->kw * layer->ic;
	const uint8_t *w = layer->weights;
	unsigned int distinct = 0, bits = 8;
	bool seen[256] = { false };

	/* Zero points of its own for each channel make more of them, not fewer; that is rare. */
	for (size_t i = 0; i < count && distinct <= FAST_TABLE; i++) {
		distinct += !seen[w[i]];
		seen[w[i]] = true;
	}
	if (!sparse && distinct <= FAST_TABLE)
		bits = distinct <= FAST_SMALL ? 2 : 4;
	return FAST_HEADER + count * bits / 8;
}

static bool is_better(const struct be *be, const struct be_op *op, uint64_t fast, uint64_t standard)
{
	if (be->opt->optimise_size)
		return fast < standard;
	return be_format_price(be, op, fast, true) < be_format_price(be, op, standard, false);
}

int be_encode(const struct be *be, const struct be_op *op, const struct wenc_layer *layer,
	      const struct wenc_scale *scales, const uint32_t *starts, struct wenc_blob *out,
	      struct error *err)
{
	struct wenc_config config;
	struct wenc_blob fast;
	int rc;

	be_encoding(be, op, &config);
	rc = wenc_encode(layer, &config, scales, starts, op->slice_count, out, err);
	if (rc || config.arch != 85 || layer->depthwise ||
	    !is_better(be, op, least_fast_bytes(layer, op->desc.sparse), stream_bytes(out)))
		return rc;
	config.format = op->desc.sparse ? WENC_FAST_SPARSE : WENC_FAST;
	rc = wenc_encode(layer, &config, scales, starts, op->slice_count, &fast, NULL);
	/* Weights too far apart for it: then not. */
	if (rc == -ERANGE)
		return 0;
	if (rc) {
		wenc_blob_free(out);
		return error_set(err, rc, "out of memory");
	}
	if (!is_better(be, op, stream_bytes(&fast), stream_bytes(out))) {
		wenc_blob_free(&fast);
		return 0;
	}
	wenc_blob_free(out);
	*out = fast;
	return 0;
}
