/* SPDX-License-Identifier: MIT */
/*
 * Commands in order of execution, and how long each buffer has to live. Time is counted in commands
 * and CPU operations, from 1; inputs are there at 0, outputs are read after the last.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>

static int add_step(struct be *be, bool npu, uint32_t op)
{
	struct program *p = be->out;
	struct program_step *steps;

	/* A run of NPU operations is one step. */
	if (npu && p->step_count && p->steps[p->step_count - 1].npu)
		return 0;
	steps = realloc(p->steps, (p->step_count + 1) * sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	p->steps = steps;
	steps[p->step_count++] = (struct program_step){ .npu = npu, .op = op };
	return 0;
}

static int add_buffer(struct be *be, const struct be_buffer *buffer, uint32_t *index)
{
	struct be_buffer *buffers =
		be_grow(be->buffers, be->buffer_count, &be->buffer_room, sizeof(*buffers));

	if (!buffers)
		return -ENOMEM;
	be->buffers = buffers;
	buffers[be->buffer_count] = *buffer;
	*index = be->buffer_count++;
	return 0;
}

static int add_cmd(struct be *be, const struct be_cmd *cmd)
{
	struct be_cmd *cmds = be_grow(be->cmds, be->cmd_count, &be->cmd_room, sizeof(*cmds));

	if (!cmds)
		return -ENOMEM;
	be->cmds = cmds;
	cmds[be->cmd_count++] = *cmd;
	return 0;
}

/* A tensor is read or written at @time. */
static int touch(struct be *be, uint32_t tensor, uint32_t time)
{
	struct be_tensor *t;
	struct be_buffer *b;

	if (tensor == IR_NONE)
		return 0;
	t = &be->tensors[tensor];
	if (be->g->tensors[tensor].data)
		return 0;
	if (t->buffer == BE_NONE) {
		struct be_buffer fresh = { .size = be_tensor_size(be, tensor), .first = time,
					   .last = time, .region = t->region };

		return add_buffer(be, &fresh, &t->buffer);
	}
	b = &be->buffers[t->buffer];
	if (time < b->first)
		b->first = time;
	if (time > b->last)
		b->last = time;
	return 0;
}

static int touch_all(struct be *be, const uint32_t *tensors, uint32_t count, uint32_t time)
{
	int rc = 0;

	for (uint32_t i = 0; i < count && !rc; i++)
		rc = touch(be, tensors[i], time);
	return rc;
}

static int schedule_npu(struct be *be, uint32_t index, uint32_t time)
{
	struct be_op *op = &be->ops[index];
	struct be_cmd cmd = { .kind = BE_KERNEL, .op = index, .buffer = BE_NONE };
	const struct ir_npu *npu = op->npu;
	int rc = add_step(be, true, 0);

	if (!rc)
		rc = touch(be, npu->ifm.scalar ? IR_NONE : npu->ifm.tensor, time);
	if (!rc)
		rc = touch(be, npu->ifm2.scalar ? IR_NONE : npu->ifm2.tensor, time);
	if (!rc)
		rc = touch(be, npu->ofm.tensor, time);
	cmd.step = be->out->step_count - 1;
	return rc ? rc : add_cmd(be, &cmd);
}

int be_schedule(struct be *be)
{
	const struct ir_graph *g = be->g;
	uint32_t end = g->op_count + 1;
	int rc = touch_all(be, g->inputs, g->input_count, 0);

	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		const struct ir_op *op = &g->ops[i];

		if (be->op_of[i] != BE_NONE) {
			rc = schedule_npu(be, be->op_of[i], i + 1);
			continue;
		}
		rc = add_step(be, false, i);
		if (!rc)
			rc = touch_all(be, op->inputs, op->input_count, i + 1);
		if (!rc)
			rc = touch_all(be, op->outputs, op->output_count, i + 1);
	}
	if (!rc)
		rc = touch_all(be, g->outputs, g->output_count, end);
	for (uint32_t i = 0; i < g->tensor_count && !rc; i++) {
		if (!g->tensors[i].variable)
			continue;
		rc = touch(be, i, 0);
		if (!rc)
			rc = touch(be, i, end);
	}
	return rc ? error_set(be->err, rc, "out of memory") : 0;
}
