/* SPDX-License-Identifier: MIT */
/* Weight and scale streams: bytes in memory to weights[oc][ky][kx][ic] and scale records. */
#ifndef ACCEL_SIM_WEIGHTS_H
#define ACCEL_SIM_WEIGHTS_H

#include "sim/npu.h"
#include "sim/op.h"

/* One stream in host memory. */
struct npu_stream {
	const uint8_t *data;
	size_t len;
};

/**
 * struct npu_bias - one output channel's record of the scale stream
 * @bias: 32, 40 or 48-bit signed, extended
 * @scale: factor
 * @shift: right shift
 */
struct npu_bias {
	int64_t bias;
	uint32_t scale;
	uint8_t shift;
};

/*
 * Number of weights that npu_weights_decode() gives: oc * kh * kw * ic (depthwise: ic is 1). 0,
 * which npu_weights_decode() refuses, if streams of op->weight_len cannot hold that many, whatever
 * is in them: so the job bounds what the caller allocates. Lengths of 0 stand for unknown.
 */
size_t npu_weights_count(const struct npu_op *op);

/**
 * npu_weights_decode - decode the weight streams of a CONV or DEPTHWISE operation
 * @config: the device
 * @op: the operation: shape, kernel, order, format
 * @streams: op->cores streams (one in all for U85's fast format)
 * @out: npu_weights_count() weights, [oc][ky][kx][ic], depthwise [oc][ky][kx]
 * @count: size of @out, checked
 *
 * Time and memory are bounded by @count and the stream lengths, whatever the bytes.
 *
 * Return: 0, -EINVAL if a stream ends before its last weight or is malformed, -ENOMEM.
 */
int npu_weights_decode(const struct npu_config *config, const struct npu_op *op,
		       const struct npu_stream streams[NPU_MAX_CORES], int16_t *out, size_t count);

/**
 * npu_scales_decode - decode the scale streams
 * @out: op->oc records
 *
 * Return: 0 or -EINVAL if a stream is too short.
 */
int npu_scales_decode(const struct npu_config *config, const struct npu_op *op,
		      const struct npu_stream streams[NPU_MAX_CORES], struct npu_bias *out);

/**
 * npu_mlw_decode - decode a whole SWD bit stream
 * @out: *@out is malloc'ed, the caller frees it; @max: refuse streams of more weights than this
 *
 * Return: number of weights, -EINVAL, -ENOMEM, -E2BIG.
 */
long npu_mlw_decode(const uint8_t *data, size_t len, size_t max, int16_t **out);

#endif
