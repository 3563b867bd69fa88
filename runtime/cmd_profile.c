/* SPDX-License-Identifier: MIT */
/* `accel profile`: where a model's time goes, operation by operation. */
#include <stdio.h>
#include <string.h>

#include "runtime/cmd.h"
#include "runtime/cmd_target.h"

enum { OPT_TRACE = 0x200, OPT_HTML };

struct profile_args {
	struct cmd_common common;
	struct cmd_target target;
	const char *model;
	const char *trace, *html;
};

static const char doc[] =
	"Show where the time of a model goes on an NPU, operation by operation: an estimate of Arm's "
	"public performance model.\v"
	"MAC is the share of the NPU's multipliers that an operation keeps busy. A model is compiled "
	"for the NPU, ethos-u65-256 unless another is named; a file that is compiled is profiled on "
	"its own.\n\n"
	"Examples:\n"
	"  accel profile model.tflite -t ethos-u85-256\n"
	"  accel profile model_vela.tflite\n"
	"  accel profile model_vela.tflite -m Sram_Only --html profile.html\n"
	"  accel profile model_vela.tflite --trace trace.json   (for Perfetto)\n";

static const struct argp_option options[] = {
	{ "trace", OPT_TRACE, "FILE", 0, "write a Chrome trace", 0 },
	{ "html", OPT_HTML, "FILE", 0, "write a page with a line of time and a roofline", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct profile_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->target;
		state->child_inputs[1] = &args->common;
		state->child_inputs[2] = &args->model;
		return 0;
	case OPT_TRACE:
		args->trace = arg;
		return 0;
	case OPT_HTML:
		args->html = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static double mac_share(const struct profile *p, const struct profile_op *op)
{
	const struct cost_result *r = &op->step.result;

	return r->cycles ? (double)r->macs / (double)r->cycles / p->target->cost.arch->macs : 0;
}

static double time_share(const struct profile *p, const struct profile_op *op)
{
	uint64_t all = p->estimate.total.cycles;

	return all ? (double)op->step.advance / (double)all : 0;
}

static void print_op(const struct profile *p, size_t i)
{
	const struct profile_op *op = &p->ops[i];
	char text[64], shape[48], block[32] = "";

	if (op->op.kind == NPU_KIND_DMA)
		snprintf(shape, sizeof(shape), "%llu bytes",
			 (unsigned long long)(op->op.dma_len * op->op.dma_rows * op->op.dma_planes));
	else
		snprintf(shape, sizeof(shape), "%ux%ux%u", op->op.oh, op->op.ow, op->op.oc);
	if (op->op.kind != NPU_KIND_DMA)
		snprintf(block, sizeof(block), "%ux%ux%u", op->aux.block_h, op->aux.block_w,
			 op->aux.block_d);
	printf("%5zu  %08x  %-18s %-16s %-11s ", i, op->op.offset,
	       profile_op_text(op, text, sizeof(text)), shape, block);
	if (op->chained) {
		printf("with %u\n", op->step.first);
		return;
	}
	printf("%10.2f %10.2f %6.1f %6.1f %10llu %10llu  %s\n", target_us(p->target, op->step.start),
	       target_us(p->target, op->step.end - op->step.start), 100 * time_share(p, op),
	       100 * mac_share(p, op), (unsigned long long)profile_op_bytes(op, COST_SRAM),
	       (unsigned long long)profile_op_bytes(op, COST_EXT),
	       estimate_bound_name(p->target, op->step.result.bound));
}

static void print_text(const struct profile *p, const char *model)
{
	const struct estimate *e = &p->estimate;

	printf("%s on %s, %s, %s\n", model, p->target->cost.arch->name, p->target->system.name,
	       p->target->mode.name);
	printf("%5s  %-8s  %-18s %-16s %-11s %10s %10s %6s %6s %10s %10s  %s\n", "", "offset",
	       "operation", "output", "block", "start us", "us", "%", "MAC %", "SRAM B",
	       p->target->system.flash ? "flash B" : "DRAM B", "waits for");
	for (size_t i = 0; i < p->count; i++)
		print_op(p, i);
	printf("%.3f ms, %llu cycles, %.1f %% of the multipliers, %llu bytes of SRAM traffic, %llu of "
	       "%s\n", e->seconds * 1e3, (unsigned long long)e->total.cycles, 100 * e->utilisation,
	       (unsigned long long)e->traffic[COST_SRAM], (unsigned long long)e->traffic[COST_EXT],
	       p->target->system.flash ? "flash" : "DRAM");
	if (e->cpu_ops)
		printf("%u operators on the CPU are not counted\n", e->cpu_ops);
}

static json_t *op_json(const struct profile *p, const struct profile_op *op)
{
	const struct cost_result *r = &op->step.result;
	char text[64];

	return json_pack("{s:I, s:I, s:s, s:[I,I,I], s:[i,i,i], s:b, s:I, s:f, s:f, s:f, s:f, s:I, s:I, "
			 "s:I, s:I, s:I, s:I, s:s}",
			 "run", (json_int_t)op->run, "offset", (json_int_t)op->op.offset,
			 "operation", profile_op_text(op, text, sizeof(text)), "output",
			 (json_int_t)op->op.oh, (json_int_t)op->op.ow, (json_int_t)op->op.oc, "block",
			 op->aux.block_h, op->aux.block_w, op->aux.block_d, "chained", op->chained,
			 "cycles", (json_int_t)r->cycles, "start_us",
			 target_us(p->target, op->step.start), "us",
			 target_us(p->target, op->step.end - op->step.start), "time_share",
			 time_share(p, op), "mac_share", mac_share(p, op), "mac_cycles",
			 (json_int_t)r->mac_cycles, "output_cycles", (json_int_t)r->out_cycles, "npu_cycles",
			 (json_int_t)r->npu_cycles, "macs", (json_int_t)r->macs, "sram_bytes",
			 (json_int_t)profile_op_bytes(op, COST_SRAM), "external_bytes",
			 (json_int_t)profile_op_bytes(op, COST_EXT), "bound",
			 estimate_bound_name(p->target, r->bound));
}

static int print_json(const struct profile *p, const char *model)
{
	const struct estimate *e = &p->estimate;
	json_t *ops = json_array();

	for (size_t i = 0; i < p->count; i++)
		json_array_append_new(ops, op_json(p, &p->ops[i]));
	return cmd_print_json(json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:f, s:f, s:I, s:I, s:I, s:o}", "model", model, "npu",
		p->target->cost.arch->name, "system", p->target->system.name, "memory_mode",
		p->target->mode.name, "cycles", (json_int_t)e->total.cycles, "latency_ms",
		e->seconds * 1e3, "utilisation", e->utilisation, "sram_traffic_bytes",
		(json_int_t)e->traffic[COST_SRAM], "external_traffic_bytes",
		(json_int_t)e->traffic[COST_EXT], "cpu_operators", (json_int_t)e->cpu_ops,
		"operations", ops));
}

/* The target that was asked for, or the usual one that the model can run on. */
static int find_target(const struct profile_args *args, const struct target_set *set,
		       const struct cmd_source *source, struct target *target, struct error *err)
{
	const struct cmd_target *t = &args->target;
	const char *npu = t->npu ? t->npu : source->npu ? source->npu->name : "ethos-u65-256";
	int rc = target_find(set, npu, t->system, t->mode, target, err);
	struct target other;
	struct error why;

	if (rc || t->mode || !source->image || !estimate_fits(source->image, target, &why))
		return rc;
	for (size_t i = 0; i < set->mode_count; i++)
		if (!target_find(set, npu, t->system, set->modes[i].name, &other, &why) &&
		    !estimate_fits(source->image, &other, &why)) {
			*target = other;
			return 0;
		}
	return 0;
}

/* Returns an exit status. */
static int report(const struct profile_args *args, const struct profile *p)
{
	struct error err;

	if (args->trace && profile_write_trace(p, args->model, args->trace, &err))
		return cmd_fail(&err);
	if (args->html && profile_write_html(p, args->model, args->html, &err))
		return cmd_fail(&err);
	if (args->common.json)
		return print_json(p, args->model);
	print_text(p, args->model);
	return CMD_OK;
}

int cmd_profile(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_target_argp, 0, NULL, 0 },
						      { &cmd_common_argp, 0, NULL, 0 },
						      { &cmd_model_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { options, parse, "MODEL", doc, children, NULL, NULL };
	struct profile_args args = { 0 };
	struct target_set set = { 0 };
	struct cmd_source source;
	struct target target;
	struct profile profile;
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (cmd_source_open(args.model, &args.target.shapes, &source, &err))
		return cmd_fail(&err);
	rc = target_set_load(&set, &err);
	if (!rc)
		rc = find_target(&args, &set, &source, &target, &err);
	if (!rc)
		rc = cmd_source_estimate(&source, &target, &profile, &err);
	if (rc) {
		rc = cmd_fail(&err);
	} else {
		rc = report(&args, &profile);
		profile_free(&profile);
	}
	target_set_free(&set);
	cmd_source_close(&source);
	return rc;
}
