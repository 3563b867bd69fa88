/* SPDX-License-Identifier: MIT */
/* Takes over from the compiler what the device and the CPU need. */
#include "runtime/image/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct maker {
	const struct ir_graph *g;
	const struct program *program;
	struct image *image;
	uint32_t *number;	/* of each of the graph's tensors in the image, or IR_NONE */
	struct error *err;
};

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

static void *copy(struct image *image, const void *data, size_t size)
{
	void *to = image_alloc(image, size, 1);

	if (to && size)
		memcpy(to, data, size);
	return to;
}

static int add_tensor(struct maker *m, uint32_t tensor)
{
	const struct ir_tensor *from = &m->g->tensors[tensor];
	int64_t at = m->program->offset[tensor];
	uint8_t region = m->program->region[tensor];
	struct image *image = m->image;
	struct image_tensor *to;

	if (m->number[tensor] != IR_NONE)
		return 0;
	if (at < 0 && !from->data)
		return error_set(m->err, -EINVAL, "tensor %s has no place", from->name);
	m->number[tensor] = image->tensor_count;
	to = &image->tensors[image->tensor_count++];
	*to = (struct image_tensor){
		.name = copy(image, from->name, strlen(from->name) + 1),
		.type = from->type,
		.ndim = from->ndim,
		.scale_count = from->quant.count,
		.axis = from->quant.axis,
		.scales = copy(image, from->quant.scale, from->quant.count * sizeof(float)),
		.zero_points = copy(image, from->quant.zero_point,
				    from->quant.count * sizeof(int32_t)),
		.variable = from->variable,
		.place = at < 0 ? IMAGE_CONSTANT : region >= PROGRAM_OWN ? IMAGE_OWN : IMAGE_ARENA,
		.offset = at >= 0 ? (uint64_t)at : 0,
		.region = at >= 0 && region >= PROGRAM_OWN ? region : 0,
		.data = at >= 0 ? NULL : copy(image, from->data, from->size),
	};
	memcpy(to->shape, from->shape, sizeof(to->shape));
	if (!to->name || !to->scales || !to->zero_points || (at < 0 && !to->data))
		return no_memory(m->err);
	return 0;
}

static int add_list(struct maker *m, const uint32_t *list, uint32_t count, uint32_t **out)
{
	int rc = 0;

	*out = image_list(m->image, list, count);
	if (!*out)
		return no_memory(m->err);
	for (uint32_t i = 0; i < count && !rc; i++) {
		if (list[i] == IR_NONE)
			continue;
		rc = add_tensor(m, list[i]);
		(*out)[i] = m->number[list[i]];
	}
	return rc;
}

static int add_op(struct maker *m, const struct ir_op *from)
{
	struct image_op *to = &m->image->ops[m->image->op_count++];
	int rc;

	to->kind = from->kind;
	to->input_count = from->input_count;
	to->output_count = from->output_count;
	if (from->options)
		to->options = *from->options;
	rc = add_list(m, from->inputs, from->input_count, &to->inputs);
	return rc ? rc : add_list(m, from->outputs, from->output_count, &to->outputs);
}

static int add_run(struct maker *m, const struct program_step *step, const uint8_t *constants)
{
	struct image_npu *run = &m->image->runs[m->image->run_count++];

	*run = (struct image_npu){
		.stream = copy(m->image, step->stream, 4 * step->words),
		.words = step->words,
		.constants = m->program->constants_size ? constants : NULL,
		.constants_size = m->program->constants_size,
		.fast_is_arena = !m->program->staging_size,
	};
	return run->stream ? 0 : no_memory(m->err);
}

static int add_steps(struct maker *m)
{
	const struct program *p = m->program;
	struct image *image = m->image;
	const uint8_t *constants = copy(image, p->constants, p->constants_size);
	int rc = 0;

	image->runs = image_alloc(image, p->step_count, sizeof(*image->runs));
	image->ops = image_alloc(image, p->step_count, sizeof(*image->ops));
	image->steps = image_alloc(image, p->step_count, sizeof(*image->steps));
	if (!constants || !image->runs || !image->ops || !image->steps)
		return no_memory(m->err);
	for (uint32_t i = 0; i < p->step_count && !rc; i++) {
		const struct program_step *step = &p->steps[i];

		image->steps[image->step_count++] = (struct image_step){
			.npu = step->npu,
			.index = step->npu ? image->run_count : image->op_count,
		};
		rc = step->npu ? add_run(m, step, constants) : add_op(m, &m->g->ops[step->op]);
	}
	return rc;
}

/* Everything that lives on: a variable may be the NPU's alone. */
static int add_variables(struct maker *m)
{
	int rc = 0;

	for (uint32_t t = 0; t < m->g->tensor_count && !rc; t++)
		if (m->g->tensors[t].variable && m->program->offset[t] >= 0)
			rc = add_tensor(m, t);
	return rc;
}

int image_from_program(const struct ir_graph *g, const struct program *program, uint32_t config,
		       uint32_t id, const char *name, struct image **out, struct error *err)
{
	struct maker m = { .g = g, .program = program, .image = image_new(name), .err = err };
	int rc;

	m.number = malloc((g->tensor_count + 1) * sizeof(*m.number));
	if (!m.image || !m.number) {
		rc = no_memory(err);
		goto out;
	}
	for (uint32_t t = 0; t < g->tensor_count; t++)
		m.number[t] = IR_NONE;
	m.image->config = config;
	m.image->id = id;
	m.image->arena_size = program->arena_size;
	m.image->fast_size = program->staging_size;
	m.image->tensors = image_alloc(m.image, g->tensor_count, sizeof(*m.image->tensors));
	m.image->input_count = g->input_count;
	m.image->output_count = g->output_count;
	rc = m.image->tensors ? 0 : no_memory(err);
	if (!rc)
		rc = add_list(&m, g->inputs, g->input_count, &m.image->inputs);
	if (!rc)
		rc = add_list(&m, g->outputs, g->output_count, &m.image->outputs);
	if (!rc)
		rc = add_steps(&m);
	if (!rc)
		rc = add_variables(&m);
out:
	free(m.number);
	if (rc)
		image_free(m.image);
	else
		*out = m.image;
	return rc;
}
