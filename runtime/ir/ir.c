/* SPDX-License-Identifier: MIT */
/* The graph's memory: an arena, and arrays of tensors and operations that grow. */
#include "runtime/ir/ir.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/ir/ir_ops.h"

#define BLOCK_SIZE	65536u
#define ALIGN		16u

/* Memory that grows is taken anew: the old stays until ir_free(), at most as much again. */
struct ir_block {
	struct ir_block *next;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

void *ir_alloc(struct ir_graph *g, size_t size)
{
	struct ir_block *b = g->blocks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || size > b->size - b->used) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		/* Pieces are cleared when they are handed out: most of the last block never is. */
		b = malloc(sizeof(*b) + room);
		if (!b)
			return NULL;
		b->size = room;
		b->used = 0;
		/* One large piece shall not end the block that small ones still fit in. */
		if (g->blocks && size > BLOCK_SIZE) {
			b->next = g->blocks->next;
			g->blocks->next = b;
		} else {
			b->next = g->blocks;
			g->blocks = b;
		}
	}
	p = memset(b->data + b->used, 0, size);
	b->used += size;
	return p;
}

const char *ir_strdup(struct ir_graph *g, const char *s, size_t len)
{
	char *p = ir_alloc(g, len + 1);

	if (p)
		memcpy(p, s, len);
	return p;
}

struct ir_graph *ir_new(const char *name)
{
	struct ir_graph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->name = ir_strdup(g, name, strlen(name));
	if (!g->name) {
		ir_free(g);
		return NULL;
	}
	return g;
}

void ir_free(struct ir_graph *g)
{
	struct ir_block *next;

	if (!g)
		return;
	for (struct ir_block *b = g->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(g->tensors);
	free(g->ops);
	free(g->origins);
	free(g->file);
	free(g);
}

#ifdef __has_feature
#define SANITISED	__has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITISED	1
#else
#define SANITISED	0
#endif

static uint32_t more_than(uint32_t room)
{
	/* Small arrays grow by one, so that a pointer that is kept across is found at once. */
#if SANITISED
	if (room < 256)
		return room + 1;
#endif
	return room ? room * 2 : 64;
}

/* Room for one more of @count elements. */
static bool grow(void *array, uint32_t *room, uint32_t count, size_t size)
{
	void **p = array, *new;
	uint32_t want = more_than(*room);

	if (count < *room)
		return true;
	if (want <= *room || want > SIZE_MAX / size)
		return false;
	new = realloc(*p, want * size);
	if (!new)
		return false;
	*p = new;
	*room = want;
	return true;
}

uint32_t ir_tensor_new(struct ir_graph *g, const char *name, int type, uint32_t ndim,
		       const int32_t *shape)
{
	struct ir_tensor t = { .type = type, .ndim = ndim, .input = -1, .output = -1 };
	uint64_t elements = 1;

	if (ndim > IR_MAX_DIMS)
		return IR_NONE;
	for (uint32_t i = 0; i < ndim; i++) {
		if (shape[i] < 1)
			return IR_NONE;
		t.shape[i] = shape[i];
		elements *= (uint64_t)shape[i];
		if (elements > INT32_MAX)
			return IR_NONE;
	}
	t.hwc[2] = ndim ? shape[ndim - 1] : 1;
	t.hwc[1] = ndim > 1 ? shape[ndim - 2] : 1;
	t.hwc[0] = (int32_t)(elements / (uint64_t)t.hwc[2] / (uint64_t)t.hwc[1]);
	t.name = ir_strdup(g, name, strlen(name));
	/* Last: @shape may be that of a tensor, which moves when there is more room. */
	if (!t.name || !grow(&g->tensors, &g->tensor_room, g->tensor_count, sizeof(t)))
		return IR_NONE;
	g->tensors[g->tensor_count] = t;
	return g->tensor_count++;
}

static uint32_t *indices(struct ir_graph *g, const uint32_t *list, uint32_t count)
{
	uint32_t *p = ir_alloc(g, (count ? count : 1) * sizeof(*p));

	if (p && count)
		memcpy(p, list, count * sizeof(*p));
	return p;
}

struct ir_op *ir_op_new(struct ir_graph *g, unsigned int kind, const uint32_t *inputs,
			uint32_t input_count, const uint32_t *outputs, uint32_t output_count,
			const struct ir_options *options)
{
	struct ir_op op = { .kind = (uint16_t)kind, .input_count = (uint16_t)input_count,
			    .output_count = (uint16_t)output_count };

	if (input_count > UINT16_MAX || output_count > UINT16_MAX)
		return NULL;
	op.inputs = indices(g, inputs, input_count);
	op.outputs = indices(g, outputs, output_count);
	if (!op.inputs || !op.outputs)
		return NULL;
	if (options) {
		op.options = ir_alloc(g, sizeof(*options));
		if (!op.options)
			return NULL;
		*op.options = *options;
	}
	if (!grow(&g->ops, &g->op_room, g->op_count, sizeof(op)))
		return NULL;
	g->ops[g->op_count] = op;
	return &g->ops[g->op_count++];
}

void ir_npu_init(struct ir_npu *npu)
{
	const struct ir_view none = { .tensor = IR_NONE, .h = 1, .w = 1, .c = 1, .type = ELEM_INT8 };

	memset(npu, 0, sizeof(*npu));
	npu->ifm = npu->ifm2 = npu->ofm = none;
	npu->weights = IR_NONE;
	npu->lut_data = IR_NONE;
	npu->kernel_h = npu->kernel_w = 1;
	npu->stride_y = npu->stride_x = 1;
	npu->dilation_y = npu->dilation_x = 1;
	npu->ifm_scale.scale = npu->ifm2_scale.scale = npu->ofm_scale.scale = 1;
}

struct ir_op *ir_npu_new(struct ir_graph *g, struct ir_npu *npu)
{
	const uint32_t candidates[] = { npu->ifm.tensor, npu->ifm2.tensor, npu->weights,
					npu->lut_data };
	uint32_t inputs[4], count = 0;
	struct ir_op *op;

	for (unsigned int i = 0; i < 4; i++)
		if (candidates[i] != IR_NONE)
			inputs[count++] = candidates[i];
	op = ir_op_new(g, IR_NPU, inputs, count, &npu->ofm.tensor, 1, NULL);
	if (op)
		op->npu = npu;
	return op;
}

uint32_t ir_origin_new(struct ir_graph *g, const char *name)
{
	const char *copy = ir_strdup(g, name, strlen(name));

	if (!copy || !grow(&g->origins, &g->origin_room, g->origin_count, sizeof(copy)))
		return IR_NONE;
	g->origins[g->origin_count] = copy;
	return g->origin_count++;
}

size_t ir_tensor_elements(const struct ir_tensor *t)
{
	size_t n = 1;

	for (uint32_t i = 0; i < t->ndim; i++)
		n *= (size_t)t->shape[i];
	return n;
}

size_t ir_tensor_bytes(const struct ir_tensor *t)
{
	return ir_tensor_elements(t) * elem_size(t->type);
}
