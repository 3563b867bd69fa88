/* SPDX-License-Identifier: MIT */
/* A profile as a Chrome trace: for chrome://tracing, Perfetto and speedscope. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "runtime/cost/estimate.h"
#include "runtime/file.h"

enum { THREAD_KERNELS = 1, THREAD_DMA = 2 };

static json_t *thread_name(int thread, const char *name)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "name", "thread_name", "ph", "M", "pid", 1,
			 "tid", thread, "args", "name", name);
}

static json_t *event(const struct profile *p, const struct profile_op *op)
{
	const struct cost_result *r = &op->step.result;
	char text[64];

	return json_pack("{s:s, s:s, s:i, s:i, s:f, s:f, s:{s:I, s:I, s:s, s:I, s:I, s:I}}", "name",
			 profile_op_text(op, text, sizeof(text)), "ph", "X", "pid", 1, "tid",
			 op->op.kind == NPU_KIND_DMA ? THREAD_DMA : THREAD_KERNELS, "ts",
			 target_us(p->target, op->step.start), "dur",
			 target_us(p->target, op->step.end - op->step.start), "args", "offset",
			 (json_int_t)op->op.offset, "cycles", (json_int_t)r->cycles, "bound",
			 estimate_bound_name(p->target, r->bound), "macs", (json_int_t)r->macs,
			 "sram_bytes", (json_int_t)profile_op_bytes(op, COST_SRAM),
			 "external_bytes", (json_int_t)profile_op_bytes(op, COST_EXT));
}

int profile_write_trace(const struct profile *p, const char *model, const char *path,
			struct error *err)
{
	json_t *events = json_array(), *all;
	struct file_out out;
	int rc;

	json_array_append_new(events, thread_name(THREAD_KERNELS, "kernels"));
	json_array_append_new(events, thread_name(THREAD_DMA, "DMA"));
	for (size_t i = 0; i < p->count; i++)
		if (!p->ops[i].chained)
			json_array_append_new(events, event(p, &p->ops[i]));
	all = json_pack("{s:o, s:s, s:{s:s?, s:s, s:s, s:s}}", "traceEvents", events,
			"displayTimeUnit", "ms", "otherData", "model", model, "npu",
			p->target->cost.arch->name, "system", p->target->system.name,
			"memory_mode", p->target->mode.name);
	if (!all)
		return error_set(err, -EINVAL, "%s: no JSON can be made of its name", model);
	rc = file_create(path, &out, err);
	if (!rc) {
		if (json_dumpf(all, out.stream, JSON_INDENT(1))) {
			file_abandon(&out);
			rc = error_set(err, -EIO, "%s: cannot be written", path);
		} else {
			rc = file_commit(&out, err);
		}
	}
	json_decref(all);
	return rc;
}
