/* SPDX-License-Identifier: MIT */
/* Weights and scales, encoded for the block and order that each operation got. */
#include "runtime/compile/be.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define MAX_THREADS	63

static int make_scales(struct be *be, const struct be_op *op, struct wenc_scale **out)
{
	const struct ir_npu *npu = op->npu;
	uint32_t n = (uint32_t)npu->ofm.c;
	struct wenc_scale *s = calloc(n, sizeof(*s));

	if (!s)
		return error_set(be->err, -ENOMEM, "out of memory");
	if ((npu->bias || npu->channel_scale) && npu->channels != n) {
		free(s);
		return be_error(be, op->index, -EINVAL, "%u scales for %u channels", npu->channels,
				n);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct ir_scale *scale =
			npu->channel_scale ? &npu->channel_scale[i] : &npu->ofm_scale;

		s[i] = (struct wenc_scale){ .bias = npu->bias ? npu->bias[i] : 0,
					    .scale = scale->scale, .shift = scale->shift };
	}
	*out = s;
	return 0;
}

static int set_layer(struct be *be, const struct be_op *op, struct wenc_layer *layer)
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

static void set_config(const struct be *be, const struct be_op *op, struct wenc_config *config)
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
		.format = WENC_STANDARD,
	};
}

static int encode(struct be *be, struct be_op *op)
{
	struct wenc_scale *scales = NULL;
	uint32_t *starts;
	struct wenc_config config;
	struct wenc_layer layer;
	struct error why;
	int rc;

	rc = set_layer(be, op, &layer);
	if (rc)
		return rc;
	rc = make_scales(be, op, &scales);
	if (rc)
		return rc;
	starts = calloc(op->slice_count, sizeof(*starts));
	if (!starts) {
		free(scales);
		return error_set(be->err, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < op->slice_count; i++)
		starts[i] = op->slices[i].first;
	set_config(be, op, &config);
	rc = wenc_encode(&layer, &config, scales, starts, op->slice_count, &op->blob, &why);
	free(starts);
	free(scales);
	if (rc)
		return be_error(be, op->index, rc, "weights: %s", why.text);
	op->encoded = true;
	return 0;
}

/**
 * struct crew - threads that take one operation after the other
 * @lock: of what follows
 * @next: operation to be looked at next
 * @rc, @failed, @why: of the first operation, in their order, that failed
 */
struct crew {
	struct be *be;
	pthread_mutex_t lock;
	uint32_t next;
	int rc;
	uint32_t failed;
	struct error why;
};

static void *work(void *ctx)
{
	struct crew *c = ctx;
	struct error why = { "" };
	/* Each thread words its errors by itself. */
	struct be own = *c->be;

	own.err = &why;
	pthread_mutex_lock(&c->lock);
	while (c->next < own.op_count) {
		uint32_t i = c->next++;
		struct be_op *op = &own.ops[i];
		int rc;

		if (!be_has_streams(op->npu) || op->same != BE_NONE || i > c->failed)
			continue;
		pthread_mutex_unlock(&c->lock);
		rc = encode(&own, op);
		pthread_mutex_lock(&c->lock);
		if (rc && i < c->failed) {
			c->rc = rc;
			c->failed = i;
			c->why = why;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

int be_weights(struct be *be)
{
	struct crew c = { .be = be, .lock = PTHREAD_MUTEX_INITIALIZER, .failed = BE_NONE };
	pthread_t threads[MAX_THREADS];
	unsigned int count = 0;

	/* This thread is one of them. That others do not start only takes longer. */
	while (count < MAX_THREADS && count + 1 < be->opt->jobs &&
	       !pthread_create(&threads[count], NULL, work, &c))
		count++;
	work(&c);
	while (count)
		pthread_join(threads[--count], NULL);
	if (c.rc) {
		if (be->err)
			*be->err = c.why;
		return c.rc;
	}
	for (uint32_t i = 0; i < be->op_count; i++)
		if (be->ops[i].same != BE_NONE) {
			be->ops[i].blob = be->ops[be->ops[i].same].blob;
			be->ops[i].encoded = true;
		}
	return 0;
}
