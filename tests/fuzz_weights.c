/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the weight decoder on operations and streams of any kind. Input: 26 bytes of
 * parameters (struct input), then the streams. Nothing may be read or written out of range, and
 * every weight is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/weights.h"

#define MAX_WEIGHTS	(1u << 16)

struct input {
	uint8_t config;
	uint8_t flags;		/* depthwise, part kernel, fast, sparse, acc48, kernel high */
	uint8_t elem_log2;
	uint8_t microblock;
	uint8_t kernel_h, kernel_w;
	uint8_t dilation_y, dilation_x;
	uint8_t stride_y, stride_x;
	uint8_t cores;
	uint8_t pad;
	uint16_t ofm_block_depth;
	uint16_t oc, ic;
	uint16_t len[4];	/* streams but the last in use; the last takes the rest */
} __attribute__((packed));

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_op(const struct input *in, const struct npu_config *config, struct npu_op *op)
{
	unsigned int high = in->flags >> 5 & 1 ? 256 : 1;

	*op = (struct npu_op){
		.kind = in->flags & 1 ? NPU_KIND_DEPTHWISE : NPU_KIND_CONV,
		.part_kernel = in->flags >> 1 & 1,
		.weight_fwd = in->flags >> 2 & 1,
		.weight_sparse = in->flags >> 3 & 1,
		.acc48 = in->flags >> 4 & 1,
		.microblock = in->microblock,
		.kernel_h = (op_u16)(in->kernel_h * high), .kernel_w = in->kernel_w,
		.dilation_y = in->dilation_y, .dilation_x = in->dilation_x,
		.stride_y = in->stride_y, .stride_x = in->stride_x,
		.oc = in->oc, .cores = in->cores,
		.ofm_block_depth = in->ofm_block_depth,
		.a = { .depth = in->ic, .elem_log2 = in->elem_log2 },
	};
	if (config->arch != 85)
		op->weight_fwd = op->weight_sparse = 0;
}

static void raw(const uint8_t *data, size_t size)
{
	int16_t *out = NULL;
	int outside = 0;	/* negative: a weight is not -255..255 */
	long count = npu_mlw_decode(data, size, MAX_WEIGHTS, &out);

	if (count > (long)MAX_WEIGHTS)
		abort();
	for (long i = 0; i < count; i++)
		outside |= (out[i] + 255) | (255 - out[i]);
	if (outside < 0)
		abort();
	free(out);
}

static void weights(const struct npu_config *config, const struct npu_op *op,
		    const struct npu_stream *streams)
{
	size_t count = npu_weights_count(op);
	int16_t *first, *second;

	if (!count || count > MAX_WEIGHTS)
		return;
	first = malloc(count * sizeof(*first));
	second = malloc(count * sizeof(*second));
	if (!first || !second)
		abort();
	memset(first, 0x7f, count * sizeof(*first));
	memset(second, 0x80, count * sizeof(*second));
	if (!npu_weights_decode(config, op, streams, first, count) &&
	    (npu_weights_decode(config, op, streams, second, count) ||
	     memcmp(first, second, count * sizeof(*first))))
		abort();	/* also if a weight was left unwritten */
	free(first);
	free(second);
}

static void scales(const struct npu_config *config, const struct npu_op *op,
		   const struct npu_stream *streams)
{
	struct npu_bias *out = malloc((op->oc + !op->oc) * sizeof(*out));

	if (!out)
		abort();
	npu_scales_decode(config, op, streams, out);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_stream streams[NPU_MAX_CORES] = { 0 };
	uint8_t *copy[NPU_MAX_CORES] = { 0 };
	const struct npu_config *config;
	struct npu_op op;
	struct input in;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	size -= sizeof(in);
	config = &npu_configs[in.config % 11];
	make_op(&in, config, &op);
	for (unsigned int i = 0; i < NPU_MAX_CORES; i++) {
		size_t len = i == 3 || in.len[i] > size ? size : in.len[i];

		/* Each in memory of its own, so that a byte too far is seen. */
		copy[i] = malloc(len + !len);
		if (!copy[i])
			abort();
		memcpy(copy[i], data, len);
		streams[i] = (struct npu_stream){ copy[i], len };
		op.weight_len[i] = (op_u32)len;
		data += len;
		size -= len;
	}
	raw(copy[0], streams[0].len);
	weights(config, &op, streams);
	scales(config, &op, streams);
	for (unsigned int i = 0; i < NPU_MAX_CORES; i++)
		free(copy[i]);
	return 0;
}
