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
	if (be->buffer_count < be->hint_count)
		buffers[be->buffer_count].hint = be->hints[be->buffer_count];
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

static int touch_view(struct be *be, const struct ir_view *view, uint32_t time)
{
	return view->scalar ? 0 : touch(be, view->tensor, time);
}

/* Where transfers of a unit begin, by unit. */
static int by_unit(const void *pa, const void *pb, void *ctx)
{
	const struct be_transfer *transfers = ctx;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	if (transfers[a].unit != transfers[b].unit)
		return transfers[a].unit < transfers[b].unit ? -1 : 1;
	return a < b ? -1 : a > b;
}

/**
 * struct clock - units and transfers being put in order
 * @time: of the next command
 * @unit: next
 * @order, @next: transfers by the unit they stand before, and the next of them
 * @kernel: time of the last kernel command
 */
struct clock {
	uint32_t time, unit, kernel;
	uint32_t *order;
	uint32_t next;
};

static int schedule_transfer(struct be *be, struct clock *c)
{
	uint32_t index = c->order[c->next++];
	struct be_transfer *t = &be->transfers[index];
	struct be_cmd cmd = { .kind = BE_TRANSFER, .transfer = index,
			      .step = be->out->step_count - 1 };
	/* It is to run beside the kernel before: what that uses is not to be had yet. */
	struct be_buffer b = { .size = t->size, .first = c->kernel ? c->kernel : c->time,
			       .last = c->time, .region = be->copy_region };
	int rc;

	t->buffer = BE_NONE;
	if (!t->size)
		return 0;
	rc = add_buffer(be, &b, &t->buffer);
	if (!rc && t->tensor != BE_NONE)
		rc = touch(be, t->tensor, c->time);
	c->time++;
	return rc ? rc : add_cmd(be, &cmd);
}

static void use_transfer(struct be *be, const struct be_op *op, uint32_t slice, uint32_t time)
{
	const struct be_slice *s;

	if (!op->slices)
		return;
	s = &op->slices[slice];
	if (s->staged)
		be->buffers[be->transfers[s->transfer].buffer].last = time;
	if (s->map != BE_NONE)
		be->buffers[be->transfers[s->map].buffer].last = time;
}

static int schedule_unit(struct be *be, const struct be_unit *u, struct clock *c)
{
	const struct be_op *op = &be->ops[u->op];
	struct be_cmd cmd = { .kind = BE_KERNEL, .unit = *u };
	const struct ir_npu *npu = op->npu;
	int rc = 0;

	while (!rc && c->next < be->transfer_count &&
	       be->transfers[c->order[c->next]].unit <= c->unit)
		rc = schedule_transfer(be, c);
	if (!rc)
		rc = touch_view(be, &npu->ifm, c->time);
	if (!rc)
		rc = touch_view(be, &npu->ifm2, c->time);
	if (!rc)
		rc = touch_view(be, &npu->ofm, c->time);
	if (rc)
		return rc;
	use_transfer(be, op, u->slice, c->time);
	cmd.step = be->out->step_count - 1;
	c->kernel = c->time++;
	c->unit++;
	return add_cmd(be, &cmd);
}

/* All units that are due with operation @index: those of a cascade with its last. */
static int schedule_npu(struct be *be, uint32_t index, struct clock *c)
{
	uint32_t cascade = be->ops[index].cascade;
	int rc = add_step(be, true, 0);

	if (cascade != BE_NONE && be->cascades[cascade].last != index)
		return rc;
	while (!rc && c->unit < be->unit_count &&
	       (be->units[c->unit].op == index ||
		(cascade != BE_NONE && be->ops[be->units[c->unit].op].cascade == cascade)))
		rc = schedule_unit(be, &be->units[c->unit], c);
	return rc;
}

static int schedule_all(struct be *be, struct clock *c)
{
	const struct ir_graph *g = be->g;
	int rc = touch_all(be, g->inputs, g->input_count, 0);

	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		const struct ir_op *op = &g->ops[i];

		if (be->op_of[i] != BE_NONE) {
			rc = schedule_npu(be, be->op_of[i], c);
			continue;
		}
		rc = add_step(be, false, i);
		if (!rc)
			rc = touch_all(be, op->inputs, op->input_count, c->time);
		if (!rc)
			rc = touch_all(be, op->outputs, op->output_count, c->time);
		c->time++;
		c->kernel = 0;
	}
	if (!rc)
		rc = touch_all(be, g->outputs, g->output_count, c->time);
	for (uint32_t i = 0; i < g->tensor_count && !rc; i++) {
		if (!g->tensors[i].variable)
			continue;
		rc = touch(be, i, 0);
		if (!rc)
			rc = touch(be, i, c->time);
	}
	return rc;
}

int be_schedule(struct be *be)
{
	struct clock c = { .time = 1 };
	int rc = -ENOMEM;

	c.order = calloc(be->transfer_count + 1, sizeof(*c.order));
	if (c.order) {
		for (uint32_t i = 0; i < be->transfer_count; i++)
			c.order[i] = i;
		qsort_r(c.order, be->transfer_count, sizeof(*c.order), by_unit, be->transfers);
		rc = schedule_all(be, &c);
	}
	free(c.order);
	return rc ? error_set(be->err, rc, "out of memory") : 0;
}
