/* SPDX-License-Identifier: MIT */
/* The back end: its passes one after another, and what they share. */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int be_error(struct be *be, uint32_t op, int code, const char *fmt, ...)
{
	const struct ir_graph *g = be->g;
	const struct ir_op *o = &g->ops[op];
	uint32_t out = o->npu ? o->npu->ofm.tensor : IR_NONE;
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(be->err, code, "operation %u (%s, makes %s): %s", op,
			 o->origin < g->origin_count && g->origins[o->origin] ? g->origins[o->origin]
									     : "of the compiler's own",
			 out < g->tensor_count ? g->tensors[out].name : "nothing", text);
}

bool be_has_streams(const struct ir_npu *npu)
{
	return npu->kind == IR_NPU_CONV || npu->kind == IR_NPU_DEPTHWISE;
}

uint32_t be_slice_channels(const struct be_op *op, uint32_t i)
{
	uint32_t end = i + 1 < op->slice_count ? op->slices[i + 1].first : (uint32_t)op->npu->ofm.c;

	return end - op->slices[i].first;
}

void *be_grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t want;
	void *grown;

	if (count < *room)
		return array;
	want = *room ? 2 * *room : 64;
	grown = realloc(array, want * size);
	if (grown)
		*room = want;
	return grown;
}

/* Number of an operation's table, equal ones being one. */
static int add_lut(struct be *be, struct be_op *op)
{
	const struct ir_tensor *t;

	op->lut = BE_NONE;
	if (op->npu->lut == IR_LUT_NONE || op->npu->lut_data == IR_NONE)
		return 0;
	t = &be->g->tensors[op->npu->lut_data];
	if (!t->data || !t->size || t->size > ETHOSU_LUT_SIZE)
		return be_error(be, op->index, -EINVAL,
				"table %s is not a constant of up to %d bytes", t->name,
				ETHOSU_LUT_SIZE);
	for (uint32_t i = 0; i < be->lut_count; i++)
		if (be->luts[i].size == t->size && !memcmp(be->luts[i].data, t->data, t->size)) {
			op->lut = i;
			return 0;
		}
	op->lut = be->lut_count++;
	be->luts[op->lut] = (struct be_lut){ .data = t->data, .size = (uint32_t)t->size };
	return 0;
}

static int set_up(struct be *be)
{
	const struct ir_graph *g = be->g;
	int rc = 0;

	/* Never an array of nothing. */
	be->tensors = calloc(g->tensor_count + 1, sizeof(*be->tensors));
	be->ops = calloc(g->op_count + 1, sizeof(*be->ops));
	be->op_of = calloc(g->op_count + 1, sizeof(*be->op_of));
	be->luts = calloc(g->op_count + 1, sizeof(*be->luts));
	be->out->offset = calloc(g->tensor_count + 1, sizeof(*be->out->offset));
	be->out->region = calloc(g->tensor_count + 1, sizeof(*be->out->region));
	be->out->op_offset = calloc(g->op_count + 1, sizeof(*be->out->op_offset));
	if (!be->tensors || !be->ops || !be->op_of || !be->luts || !be->out->offset ||
	    !be->out->region || !be->out->op_offset)
		return error_set(be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		be->tensors[i].buffer = BE_NONE;
		be->tensors[i].constant = -1;
	}
	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		struct be_op *op = &be->ops[be->op_count];

		be->out->op_offset[i] = -1;
		be->op_of[i] = BE_NONE;
		if (!g->ops[i].npu)
			continue;
		op->npu = g->ops[i].npu;
		op->index = i;
		op->same = op->cascade = BE_NONE;
		be->op_of[i] = be->op_count++;
		rc = add_lut(be, op);
	}
	return rc;
}

static void tear_down(struct be *be)
{
	for (uint32_t i = 0; i < be->op_count; i++) {
		if (be->ops[i].same == BE_NONE)
			wenc_blob_free(&be->ops[i].blob);
		free(be->ops[i].slices);
		free(be->ops[i].own);
		free(be->ops[i].weights);
	}
	free(be->tensors);
	free(be->ops);
	free(be->op_of);
	free(be->cmds);
	free(be->buffers);
	free(be->luts);
	for (uint32_t i = 0; i < be->cascade_count; i++)
		free(be->cascades[i].ends);
	free(be->cascades);
	free(be->units);
	free(be->transfers);
	free(be->maps);
	free(be->known);
	free(be->hints);
}

int compile_emit(const struct ir_graph *g, const struct compile_options *opt, struct program *out,
		 struct error *err)
{
	static int (*const passes[])(struct be *) = {
		be_layout, be_regions, be_copy, be_fold, be_sparse, be_cascade, be_block, be_twins,
		be_fit, be_weights, be_constants, be_schedule, be_place, be_emit,
	};
	const struct target *target = opt->target;
	struct be be = { .g = g, .opt = opt, .target = target, .arch = target->cost.arch,
			 .err = err, .out = out };
	int rc;

	memset(out, 0, sizeof(*out));
	be.staging = target->mode.staging != target->mode.arena;
	be.limit = be.staging && target->mode.staging_size ? target->mode.staging_size : UINT64_MAX;
	be.copies = target->mode.constants != target->mode.staging;
	be.copy_region = be.staging ? PROGRAM_STAGING : PROGRAM_ARENA;
	rc = set_up(&be);
	for (unsigned int i = 0; i < sizeof(passes) / sizeof(passes[0]) && !rc; i++)
		rc = passes[i](&be);
	tear_down(&be);
	if (rc)
		program_free(out);
	return rc;
}

void program_free(struct program *p)
{
	for (uint32_t i = 0; i < p->step_count; i++)
		free(p->steps[i].stream);
	free(p->steps);
	free(p->constants);
	free(p->offset);
	free(p->region);
	free(p->op_offset);
	memset(p, 0, sizeof(*p));
}
