/* SPDX-License-Identifier: MIT */
/*
 * Where a graph's tensors lie in one block of memory: what always lives comes first; the rest takes
 * the first gap that is large enough, in execution order, and gives it back after its last use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/arena.h"

#define ALIGNMENT 64u	/* bytes: a cache line */

/**
 * struct arena - the state while operations are walked
 * @first, @last: operation that makes a tensor and the last one to use it
 * @live: tensors in the block, by offset
 */
struct arena {
	const struct ir_graph *g;
	uint32_t *first, *last;
	uint32_t *live, live_count;
	size_t *offsets, size;
};

static size_t room_of(const struct ir_tensor *t)
{
	return (ir_tensor_bytes(t) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
}

/* Of each tensor the operation that makes it, and the last that reads it. */
static void find_lifetimes(struct arena *a)
{
	for (uint32_t i = 0; i < a->g->tensor_count; i++)
		a->first[i] = a->last[i] = IR_NONE;
	for (uint32_t i = 0; i < a->g->op_count; i++) {
		const struct ir_op *op = &a->g->ops[i];

		for (uint32_t k = 0; k < op->output_count; k++) {
			if (op->outputs[k] == IR_NONE)
				continue;
			if (a->first[op->outputs[k]] == IR_NONE)
				a->first[op->outputs[k]] = i;
			a->last[op->outputs[k]] = i;
		}
		for (uint32_t k = 0; k < op->input_count; k++)
			if (op->inputs[k] != IR_NONE)
				a->last[op->inputs[k]] = i;
	}
}

/* Nothing makes it, reads it or hands it out: passes leave such tensors behind. */
static bool is_unused(const struct arena *a, uint32_t tensor)
{
	const struct ir_tensor *t = &a->g->tensors[tensor];

	return !t->variable && t->input < 0 && t->output < 0 && a->last[tensor] == IR_NONE;
}

static bool lives_always(const struct arena *a, uint32_t tensor)
{
	const struct ir_tensor *t = &a->g->tensors[tensor];

	return t->variable || t->input >= 0 || t->output >= 0 || a->first[tensor] == IR_NONE;
}

/* The first gap, above what lives always. */
static void place(struct arena *a, uint32_t tensor, size_t bottom)
{
	size_t need = room_of(&a->g->tensors[tensor]), at = bottom;
	uint32_t i;

	for (i = 0; i < a->live_count; i++) {
		size_t from = a->offsets[a->live[i]];

		if (from - at >= need)
			break;
		at = from + room_of(&a->g->tensors[a->live[i]]);
	}
	memmove(a->live + i + 1, a->live + i, (a->live_count - i) * sizeof(*a->live));
	a->live[i] = tensor;
	a->live_count++;
	a->offsets[tensor] = at;
	a->size = at + need > a->size ? at + need : a->size;
}

static void place_all(struct arena *a)
{
	size_t bottom = a->size;

	for (uint32_t i = 0; i < a->g->op_count; i++) {
		const struct ir_op *op = &a->g->ops[i];
		uint32_t kept = 0;

		for (uint32_t k = 0; k < op->output_count; k++)
			if (op->outputs[k] != IR_NONE && a->offsets[op->outputs[k]] == ARENA_APART &&
			    !a->g->tensors[op->outputs[k]].data)
				place(a, op->outputs[k], bottom);
		for (uint32_t k = 0; k < a->live_count; k++)
			if (a->last[a->live[k]] > i)
				a->live[kept++] = a->live[k];
		a->live_count = kept;
	}
}

int arena_plan(const struct ir_graph *g, bool keep, size_t *offsets, size_t *size,
	       struct error *err)
{
	uint32_t *memory = calloc((size_t)g->tensor_count * 3 + 1, sizeof(*memory));
	struct arena a = {
		.g = g, .first = memory, .last = memory + g->tensor_count,
		.live = memory + 2 * (size_t)g->tensor_count, .offsets = offsets,
	};
	size_t most = 0;

	if (!memory)
		return error_set(err, -ENOMEM, "out of memory");
	find_lifetimes(&a);
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		offsets[i] = ARENA_APART;
		if (g->tensors[i].data || is_unused(&a, i))
			continue;
		most += room_of(&g->tensors[i]);
		if (most > SIZE_MAX / 4 || ir_tensor_bytes(&g->tensors[i]) > SIZE_MAX / 4) {
			free(memory);
			return error_set(err, -ENOMEM, "tensor %s: too large", g->tensors[i].name);
		}
		if (!keep && !lives_always(&a, i))
			continue;
		offsets[i] = a.size;
		a.size += room_of(&g->tensors[i]);
	}
	place_all(&a);
	*size = a.size;
	free(memory);
	return 0;
}
