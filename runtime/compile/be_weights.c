/* SPDX-License-Identifier: MIT */
/* Weights and scales, encoded for the block and order that each operation got. */
#include "runtime/compile/be.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "runtime/encode/swd.h"

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

static int encode(struct be *be, struct be_op *op)
{
	struct wenc_scale *scales = NULL;
	uint32_t *starts;
	struct wenc_layer layer;
	struct error why = { "" };
	int rc;

	rc = be_layer(be, op, &layer);
	if (!rc)
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
	rc = be_encode(be, op, &layer, scales, starts, &op->blob, &why);
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
	/* That there is none only takes longer. */
	own.search = swd_search_new();
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
	swd_search_free(own.search);
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
