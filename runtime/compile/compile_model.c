/* SPDX-License-Identifier: MIT */
/* Import, lower, emit, and what is said about it. */
#include "runtime/compile/compile_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/graph_open.h"
#include "runtime/compile/import.h"
#include "runtime/cpu/cpu.h"
#include "runtime/file.h"
#include "runtime/image/accel_file.h"
#include "runtime/image/program.h"
#include "runtime/ir/ir_ops.h"
#include "sim/npu.h"

static void count_left(struct compile_summary *s, const struct ir_op *op)
{
	const char *kind = ir_kind_info(op->kind)->name;
	uint32_t i = 0;

	s->cpu_ops++;
	while (i < s->left_count && strcmp(s->left[i].kind, kind))
		i++;
	if (i == COMPILE_LEFT_MAX)
		return;
	if (i == s->left_count) {
		s->left[i] = (struct compile_left){ .kind = kind, .why = op->why_cpu };
		s->left_count++;
	}
	s->left[i].count++;
}

/*
 * A model of floats would run, but not on the NPU: that is not what was asked for. One that takes integers
 * and has floats inside was made so, and is taken.
 */
static int look_for_floats(const struct ir_graph *g, struct error *err)
{
	bool floats = false;

	for (uint32_t i = 0; i < g->input_count; i++)
		floats |= g->tensors[g->inputs[i]].type == ELEM_FLOAT32;
	for (uint32_t i = 0; floats && i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];

		if (op->input_count && op->inputs[0] != IR_NONE &&
		    g->tensors[op->inputs[0]].type == ELEM_FLOAT32)
			return error_set(err, -ENOTSUP, "%s is of floats, and NPUs compute with integers; "
					 "`accel quantise' makes a model of integers of it",
					 op->origin < g->origin_count ? g->origins[op->origin] :
					 ir_kind_info(op->kind)->name);
	}
	return 0;
}

/* Everything that was left to the CPU must be something that it can do. */
static int look_at_left(const struct ir_graph *g, const struct compile_options *opt,
			struct compile_summary *s, struct error *err)
{
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];
		const char *kind = ir_kind_info(op->kind)->name;

		if (op->kind == IR_NPU) {
			s->npu_ops++;
			continue;
		}
		count_left(s, op);
		if (op->kind == IR_OTHER)
			return error_set(err, -ENOTSUP, "operator %u (%s) is of a kind that this does not know",
					 op->origin, op->origin < g->origin_count ?
					 g->origins[op->origin] : "?");
		if (opt->no_cpu)
			return error_set(err, -ENOTSUP, "%s (operator %u) would run on the CPU: %s", kind,
					 op->origin, op->why_cpu ? op->why_cpu : "not supported");
		if (!cpu_has(op->kind))
			return error_set(err, -ENOTSUP,
					 "%s (operator %u) can run neither on the NPU (%s) nor on the CPU (not implemented)",
					 kind, op->origin, op->why_cpu ? op->why_cpu : "not supported");
	}
	return s->npu_ops ? 0 : look_for_floats(g, err);
}

static void measure(const struct program *p, struct compile_summary *s)
{
	for (uint32_t i = 0; i < p->step_count; i++)
		if (p->steps[i].npu)
			s->stream_bytes += 4 * p->steps[i].words;
	s->constant_bytes = p->constants_size;
}

static int compile_parts(struct ir_graph *g, const char *name, const struct compile_options *opt,
			 struct image **out, struct compile_summary *s, struct error *err)
{
	const struct npu_config *npu = npu_config_find(opt->target->cost.arch->name);
	struct program program;
	int rc;

	if (!npu)
		return error_set(err, -EINVAL, "no NPU called %s", opt->target->cost.arch->name);
	rc = compile_lower(g, opt, err);
	if (!rc)
		rc = look_at_left(g, opt, s, err);
	if (rc)
		return rc;
	rc = compile_emit(g, opt, &program, err);
	if (rc)
		return rc;
	measure(&program, s);
	rc = image_from_program(g, &program, npu->config, npu->id, name, out, err);
	program_free(&program);
	return rc;
}

int compile_graph(struct ir_graph *g, const char *name, const struct compile_options *opt,
		  struct image **out, struct compile_summary *summary, struct error *err)
{
	struct compile_summary own;
	int rc;

	if (!summary)
		summary = &own;
	memset(summary, 0, sizeof(*summary));
	rc = compile_parts(g, name, opt, out, summary, err);
	return rc ? error_prefix(err, rc, name) : 0;
}

int compile_model(struct tflite *file, const char *name, const struct compile_options *opt,
		  struct image **out, struct compile_summary *summary, struct error *err)
{
	struct ir_graph *g;
	int rc = import_tflite(file, name, &g, err);

	tflite_free(file);
	if (rc)
		return error_prefix(err, rc, name);
	rc = compile_graph(g, name, opt, out, summary, err);
	ir_free(g);
	return rc;
}

int model_file_open(void *file, size_t size, const char *name, struct image **image,
		    struct ir_graph **graph, struct error *err)
{
	struct tflite model;
	int rc;

	*image = NULL;
	*graph = NULL;
	if (image_is_accel_file(file, size))
		return image_parse(file, size, name, image, err);
	if (!graph_is_tflite(file, size))
		return graph_open_bytes(file, size, name, NULL, graph, err);
	rc = tflite_parse(file, size, &model, err);
	if (rc)
		return error_prefix(err, rc, name);
	if (image_tflite_is_compiled(&model))
		return image_from_tflite(&model, name, image, err);
	rc = import_tflite(&model, name, graph, err);
	tflite_free(&model);
	return rc ? error_prefix(err, rc, name) : 0;
}

int compile_bytes_for_device(void *file, size_t size, const char *name, const char *npu, bool own_io,
			     struct image **out, struct error *err)
{
	struct compile_options opt = { .jobs = 1, .own_io = own_io };
	struct target_set set;
	struct target target;
	struct ir_graph *g;
	int rc = model_file_open(file, size, name, out, &g, err);

	if (rc || *out)
		return rc;
	rc = target_set_load(&set, err);
	if (!rc) {
		rc = target_find(&set, npu, NULL, NULL, &target, err);
		target_set_free(&set);
	}
	opt.target = &target;
	if (!rc)
		rc = compile_graph(g, name, &opt, out, NULL, err);
	ir_free(g);
	return rc;
}

int compile_for_device(const char *path, const char *npu, struct image **out, struct error *err)
{
	size_t size;
	void *file;
	int rc = file_read(path, &file, &size, err);

	return rc ? rc : compile_bytes_for_device(file, size, path, npu, false, out, err);
}
