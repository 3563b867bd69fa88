/* SPDX-License-Identifier: MIT */
/* Reference engine: convolution, depthwise convolution and matrix product. */
#include <errno.h>
#include <stdlib.h>

#include "sim/ref_arith.h"
#include "sim/ref_ops.h"
#include "sim/weights.h"

/*
 * struct params - what the streams of an operation say
 * @weights: [oc][ky][kx][ic], depthwise [oc][ky][kx]
 * @biases: one an output channel, NULL if the operation has one scale and no bias
 * @patch: room for the IFM elements under the kernel, [ky][kx][channel], zero point subtracted
 */
struct params {
	int16_t *weights;
	struct npu_bias *biases;
	int64_t *patch;
};

/* A weight takes an eighth of a bit or more: zeros in runs, of which one unary bit counts up to 8. */
#define WEIGHTS_PER_BYTE 64

static bool find_streams(struct ref_job *job, const struct npu_op *op, unsigned int space,
			 const uint64_t *base, const uint32_t *len, struct npu_stream *streams)
{
	for (unsigned int i = 0; i < op->cores && i < NPU_MAX_CORES; i++) {
		streams[i].len = len[i];
		if (!len[i])
			continue;
		streams[i].data = ref_bytes(job, space, (int64_t)base[i], len[i]);
		if (!streams[i].data)
			return false;
	}
	return true;
}

static void params_free(struct params *p)
{
	free(p->weights);
	free(p->biases);
	free(p->patch);
}

static int params_load(struct ref_job *job, const struct npu_op *op, size_t depth, struct params *p)
{
	struct npu_stream weights[NPU_MAX_CORES] = { 0 };
	struct npu_stream scales[NPU_MAX_CORES] = { 0 };
	size_t taps = (size_t)op->kernel_h * op->kernel_w;
	size_t count = npu_weights_count(op);
	size_t bytes = 0;

	if (!find_streams(job, op, op->weight_space, op->weight_base, op->weight_len, weights))
		return -EIO;
	for (unsigned int i = 0; i < NPU_MAX_CORES; i++)
		bytes += weights[i].len;
	/* Before any memory is asked for: a few words can claim more weights than a stream can hold. */
	if (count / WEIGHTS_PER_BYTE > bytes)
		return -EIO;
	p->weights = calloc(count, sizeof(*p->weights));
	p->patch = calloc(taps * depth, sizeof(*p->patch));
	if (!p->weights || !p->patch)
		return -ENOMEM;
	if (npu_weights_decode(job->config, op, weights, p->weights, count))
		return -EIO;
	if (!op->per_channel)
		return 0;
	if (!find_streams(job, op, op->scale_space, op->scale_base, op->scale_len, scales))
		return -EIO;
	p->biases = calloc(op->oc, sizeof(*p->biases));
	if (!p->biases)
		return -ENOMEM;
	return npu_scales_decode(job->config, op, scales, p->biases) ? -EIO : 0;
}

/* Padding and upscaling's zeros count as the zero point, that is as 0. */
static void load_patch(struct ref_job *job, const struct ref_window *win, uint32_t oy, uint32_t ox,
		       uint32_t depth, int64_t *patch)
{
	const struct npu_op *op = win->op;
	const struct npu_fm *ifm = &op->a;
	uint32_t y, x;
	bool zero;

	for (unsigned int ky = 0; ky < op->kernel_h; ky++) {
		for (unsigned int kx = 0; kx < op->kernel_w; kx++, patch += depth) {
			bool inside = ref_window_tap(win, oy, ox, ky, kx, &y, &x, &zero);

			for (uint32_t c = 0; c < depth; c++)
				patch[c] = inside && !zero ? ref_value(job, ifm, y, x, c) : 0;
		}
	}
}

static void finish(struct ref_job *job, const struct npu_op *op, const struct npu_bias *biases,
		   uint32_t y, uint32_t x, uint32_t c, int64_t acc)
{
	if (!biases) {
		ref_output_scaled(job, op, y, x, c, acc);
		return;
	}
	acc = ref_add(acc, biases[c].bias);
	ref_output(job, op, y, x, c, ref_scale(acc, biases[c].scale, biases[c].shift, op->round));
}

void ref_conv(struct ref_job *job, const struct npu_op *op)
{
	size_t dot = (size_t)op->kernel_h * op->kernel_w * op->a.depth;
	struct params p = { 0 };
	struct ref_window win;

	ref_window_init(&win, op);
	job->err = params_load(job, op, op->a.depth, &p);
	for (uint32_t y = 0; y < op->oh; y++) {
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++) {
			load_patch(job, &win, y, x, op->a.depth, p.patch);
			for (uint32_t c = 0; c < op->oc; c++) {
				const int16_t *w = p.weights + c * dot;
				int64_t acc = 0;

				for (size_t i = 0; i < dot; i++)
					acc = ref_add(acc, ref_mul(p.patch[i], w[i]));
				finish(job, op, p.biases, y, x, c, acc);
			}
		}
	}
	params_free(&p);
}

/* Output channel c sees input channel c only. */
void ref_depthwise(struct ref_job *job, const struct npu_op *op)
{
	size_t taps = (size_t)op->kernel_h * op->kernel_w;
	struct params p = { 0 };
	struct ref_window win;

	ref_window_init(&win, op);
	job->err = params_load(job, op, op->oc, &p);
	for (uint32_t y = 0; y < op->oh; y++) {
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++) {
			load_patch(job, &win, y, x, op->oc, p.patch);
			for (uint32_t c = 0; c < op->oc; c++) {
				const int16_t *w = p.weights + c * taps;
				int64_t acc = 0;

				for (size_t i = 0; i < taps; i++)
					acc = ref_add(acc, ref_mul(p.patch[i * op->oc + c], w[i]));
				finish(job, op, p.biases, y, x, c, acc);
			}
		}
	}
	params_free(&p);
}

/* Every IFM column is a vector of the reduced axis, every row of @b the weights of an output channel. */
void ref_matmul(struct ref_job *job, const struct npu_op *op)
{
	const struct npu_fm *a = &op->a, *b = &op->b;

	for (uint32_t y = 0; y < op->oh; y++) {
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++) {
			for (uint32_t c = 0; c < op->oc && !ref_stopped(job); c++) {
				int64_t acc = 0;

				for (uint32_t i = 0; i < a->depth; i++) {
					int64_t u = ref_value(job, a, y, x, i);
					int64_t v = ref_value(job, b, 0, c, i);

					acc = ref_add(acc, ref_mul(u, v));
				}
				ref_output_scaled(job, op, y, x, c, acc);
			}
		}
	}
}
