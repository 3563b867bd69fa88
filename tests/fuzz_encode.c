/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the weight encoder on weights and parameters of any kind. Input: struct input, then
 * weights, again from their start when they are used up. What is encoded must be decoded as it was;
 * what is not must be refused with a reason.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encode/weights.h"
#include "sim/weights.h"

#define MAX_WEIGHTS (1u << 12)

struct input {
	uint8_t config, flags;	/* flags: depthwise, part kernel, wide, one core, speed, zero point */
	uint8_t format, type, microblock;
	uint8_t kh, kw, dilation_y, dilation_x, stride_y, stride_x;
	uint8_t slice;		/* channels of a depth slice, 0: one slice */
	uint16_t oc, ic, ofm_block_depth;
} __attribute__((packed));

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct npu_config *npu, const struct wenc_layer *layer,
		  const struct wenc_config *config, const struct wenc_blob *blob,
		  const struct wenc_slice *slice, const int32_t *zero_point)
{
	struct npu_op op = {
		.kind = layer->depthwise ? NPU_KIND_DEPTHWISE : NPU_KIND_CONV,
		.part_kernel = config->part_kernel, .kernel_h = (op_u16)layer->kh,
		.kernel_w = (op_u16)layer->kw, .dilation_y = (op_u8)layer->dilation_y,
		.dilation_x = (op_u8)layer->dilation_x, .stride_y = (op_u8)layer->stride_y,
		.stride_x = (op_u8)layer->stride_x, .oc = slice->channels,
		.cores = (op_u8)(npu->arch == 85 ? npu->cores : config->cores),
		.ofm_block_depth = config->ofm_block_depth,
		.microblock = (op_u8)config->microblock,
		.weight_fwd = WENC_IS_FAST(blob->format),
		.weight_sparse = WENC_IS_SPARSE(blob->format),
		.a = { .depth = layer->ic, .elem_log2 = config->ifm_bits == 16 },
	};
	struct npu_stream streams[NPU_MAX_CORES];
	size_t count = npu_weights_count(&op);
	size_t per_channel = (size_t)layer->kh * layer->kw * layer->ic;
	int16_t *got = malloc((count + !count) * sizeof(*got));

	for (unsigned int s = 0; s < NPU_MAX_CORES; s++)
		streams[s] = (struct npu_stream){
			blob->data + slice->weights[s].offset, slice->weights[s].length,
		};
	if (!got || count != slice->channels * per_channel ||
	    npu_weights_decode(npu, &op, streams, got, count))
		abort();
	for (size_t i = 0; i < count; i++) {
		size_t at = slice->first * per_channel + i;
		int want;

		if (layer->type == WENC_S16)
			want = ((const int16_t *)layer->weights)[at];
		else if (layer->type == WENC_S8)
			want = ((const int8_t *)layer->weights)[at];
		else
			want = ((const uint8_t *)layer->weights)[at];
		if (got[i] != want - *zero_point)
			abort();
	}
	free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	uint32_t starts[256], count = 0;
	int32_t zero_point = 0;
	const struct npu_config *npu;
	struct wenc_config config;
	struct wenc_layer layer;
	struct wenc_blob blob;
	struct error err = { "" };
	size_t bytes;
	uint8_t *w;
	int ret;

	if (size <= sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	size -= sizeof(in);
	npu = &npu_configs[in.config % 11];
	config = (struct wenc_config){
		.arch = npu->arch, .macs = npu->macs, .cores = in.flags & 8 ? 1 : npu->cores,
		.ifm_bits = in.flags & 4 ? 16 : 8, .ofm_block_depth = in.ofm_block_depth,
		.part_kernel = in.flags >> 1 & 1, .microblock = in.microblock,
		.format = (enum wenc_format)(in.format % 5), .goal = (enum wenc_goal)(in.flags >> 4 & 1),
		.bytes_per_cycle = 4, .latency = 100,
	};
	layer = (struct wenc_layer){
		.oc = in.oc, .kh = in.kh, .kw = in.kw, .ic = in.flags & 1 ? 1 : in.ic,
		.stride_y = in.stride_y, .stride_x = in.stride_x, .dilation_y = in.dilation_y,
		.dilation_x = in.dilation_x, .depthwise = in.flags & 1,
		.type = (enum wenc_type)(in.type % 3), .zero_points = &zero_point,
		.zero_point_count = in.flags >> 5 & 1,
	};
	wenc_layer_ohwi(&layer);
	if (layer.zero_point_count)
		zero_point = (int8_t)in.type;
	bytes = (size_t)layer.oc * layer.kh * layer.kw * layer.ic;
	if (bytes > MAX_WEIGHTS)
		return 0;
	bytes *= layer.type == WENC_S16 ? 2 : 1;
	w = malloc(bytes + !bytes);
	if (!w)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		w[i] = data[i % size];
	for (size_t i = 0; layer.type == WENC_S16 && i < bytes / 2; i++)
		if (in.flags & 64)
			((int16_t *)w)[i] = (int16_t)(((int16_t *)w)[i] % 256);
	layer.weights = w;
	for (uint32_t at = 0; in.slice && at < layer.oc && count < 256; at += in.slice)
		starts[count++] = at;
	ret = wenc_encode(&layer, &config, NULL, count ? starts : NULL, count, &blob, &err);
	if (ret != 0 && ret != -EINVAL && ret != -ERANGE)
		abort();
	if (ret && (!err.text[0] || blob.data || blob.slices))
		abort();
	for (uint32_t i = 0; !ret && i < blob.slice_count; i++)
		check(npu, &layer, &config, &blob, &blob.slices[i], &zero_point);
	if (!ret)
		wenc_blob_free(&blob);
	free(w);
	return 0;
}
