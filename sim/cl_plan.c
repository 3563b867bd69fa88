/* SPDX-License-Identifier: MIT */
/* Chooses how each operation runs and lays out its weights for the kernel that will run it. */
#include "sim/cl_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cl_plan_fast.h"

const uint8_t *npu_map_at(const struct npu_space_map *map, int64_t offset, uint64_t len)
{
	if (!map->base || offset < map->lo || offset > map->hi || len > (uint64_t)(map->hi - offset))
		return NULL;
	return map->base + (offset - map->lo);
}

size_t npu_blob_add(struct npu_blob *blob, size_t len)
{
	size_t at = (blob->size + 63) & ~(size_t)63;
	size_t capacity = blob->capacity;
	uint8_t *data;

	if (len > SIZE_MAX / 4 || at > SIZE_MAX / 4)
		return SIZE_MAX;
	if (at + len > capacity) {
		/* Whole pages and then some: the device reads panels a vector at a time. */
		capacity = (2 * (at + len) + 4095) & ~(size_t)4095;
		data = aligned_alloc(4096, capacity);
		if (!data)
			return SIZE_MAX;
		if (blob->size)
			memcpy(data, blob->data, blob->size);
		free(blob->data);
		blob->data = data;
		blob->capacity = capacity;
	}
	memset(blob->data + blob->size, 0, at + len - blob->size);
	blob->size = at + len;
	return at;
}

static int read_streams(const struct npu_config *config, const struct npu_op *op,
			const struct npu_found *found, const struct npu_space_map maps[NPU_SPACES],
			struct npu_decoded *out)
{
	struct npu_stream weights[NPU_MAX_CORES] = { 0 }, scales[NPU_MAX_CORES] = { 0 };
	int rc = -ENOMEM;

	for (unsigned int core = 0; core < op->cores; core++) {
		const struct npu_source *w = &found->weights[core], *s = &found->scales[core];

		weights[core].data = npu_map_at(&maps[w->space], w->offset, w->len);
		weights[core].len = w->len;
		scales[core].data = npu_map_at(&maps[s->space], s->offset, s->len);
		scales[core].len = s->len;
		if ((w->len && !weights[core].data) || (op->per_channel && s->len && !scales[core].data))
			return -EINVAL;
	}
	out->count = npu_weights_count(op);
	out->weights = calloc(out->count ? out->count : 1, sizeof(*out->weights));
	out->bias = calloc(op->oc, sizeof(*out->bias));
	if (!out->weights || !out->bias)
		goto fail;
	rc = npu_weights_decode(config, op, weights, out->weights, out->count);
	if (rc)
		goto fail;
	if (op->per_channel)
		rc = npu_scales_decode(config, op, scales, out->bias);
	else
		for (uint32_t c = 0; c < op->oc; c++)
			out->bias[c] = (struct npu_bias){ .scale = op->ofm_scale.scale,
							  .shift = op->ofm_scale.shift };
	if (!rc)
		return 0;
fail:
	free(out->weights);
	free(out->bias);
	return rc;
}

static int plan_generic(const struct npu_op *op, const struct npu_decoded *d, struct npu_blob *blob,
			struct npu_task *t)
{
	size_t panel = npu_blob_add(blob, d->count * sizeof(int16_t));
	size_t channels = npu_blob_add(blob, op->oc * sizeof(struct cl_bias));
	struct cl_bias *bias;

	if (panel == SIZE_MAX || channels == SIZE_MAX)
		return -ENOMEM;
	memcpy(blob->data + panel, d->weights, d->count * sizeof(int16_t));
	bias = (struct cl_bias *)(blob->data + channels);
	for (uint32_t c = 0; c < op->oc; c++)
		bias[c] = (struct cl_bias){ d->bias[c].bias, d->bias[c].scale, d->bias[c].shift };
	t->panel = panel;
	t->channels = channels;
	return 0;
}

int npu_plan_task(const struct npu_config *config, const struct npu_op *op, const struct npu_found *found,
		  const struct npu_space_map maps[NPU_SPACES], unsigned int threads, struct npu_blob *blob,
		  struct npu_task *task)
{
	struct npu_decoded decoded;
	struct npu_blob before;
	uint32_t index = task->op;
	int rc;

	task->impl = NPU_IMPL_GENERIC;
	task->tiles = 0;
	if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE) {
		if (!npu_plan_add(op, threads, blob, task) && !npu_plan_map(op, threads, blob, task) &&
		    !npu_plan_pool(op, threads, task) && !npu_plan_word(op, task)) {
			memset(task, 0, sizeof(*task));
			task->op = index;
		}
		return 0;
	}
	rc = read_streams(config, op, found, maps, &decoded);
	if (rc)
		return rc;
	before = *blob;
	if (!npu_plan_conv(op, &decoded, threads, blob, task)) {
		memset(task, 0, sizeof(*task));
		task->op = index;
		blob->size = before.size;
		rc = plan_generic(op, &decoded, blob, task);
	}
	free(decoded.weights);
	free(decoded.bias);
	return rc;
}
