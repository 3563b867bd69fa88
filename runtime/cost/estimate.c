/* SPDX-License-Identifier: MIT */
/* Estimates of images: their command streams decoded and costed one after the other. */
#include "runtime/cost/estimate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"

double target_us(const struct target *target, uint64_t cycles)
{
	return (double)cycles / target->system.clock_hz * 1e6;
}

const char *estimate_bound_name(const struct target *target, unsigned int bound)
{
	switch (bound) {
	case COST_BOUND_MAC:
		return "MAC array";
	case COST_BOUND_OUTPUT:
		return "output";
	case COST_BOUND_ISSUE:
		return "issue";
	case COST_BOUND_SRAM:
		return "SRAM";
	case COST_BOUND_EXT:
		return target->system.flash ? "flash" : "DRAM";
	}
	return "DMA";
}

static const struct npu_config *config_of(const struct image *image)
{
	for (const struct npu_config *c = npu_configs; c->name; c++)
		if (c->config == image->config)
			return c;
	return NULL;
}

int estimate_fits(const struct image *image, const struct target *target, struct error *err)
{
	const struct npu_config *config = config_of(image);
	const struct target_mode *mode = &target->mode;
	char npu[32];

	if (!config || strcmp(config->name, target->cost.arch->name))
		return error_set(err, -ENOEXEC, "%s: compiled for %s, not %s", image->name,
				 container_npu(image->config, npu, sizeof(npu)),
				 target->cost.arch->name);
	for (uint32_t i = 0; i < image->run_count; i++)
		if (image->runs[i].fast_is_arena && mode->arena != mode->staging)
			return error_set(err, -ENOTSUP,
					 "%s: compiled with one memory for arena and staging, "
					 "%s has two", image->name, mode->name);
	if (mode->staging_size && mode->arena != mode->staging &&
	    image->fast_size > mode->staging_size)
		return error_set(err, -ENOTSUP, "%s: %llu bytes of staging memory, %s has %llu",
				 image->name, (unsigned long long)image->fast_size, mode->name,
				 (unsigned long long)mode->staging_size);
	return 0;
}

static void add_total(struct cost_total *sum, const struct cost_total *t)
{
	sum->cycles += t->cycles;
	sum->npu_cycles += t->npu_cycles;
	sum->macs += t->macs;
	sum->mac_cycles += t->mac_cycles;
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		for (unsigned int k = 0; k < COST_TRAFFIC; k++)
			sum->read[m][k] += t->read[m][k];
		sum->write[m] += t->write[m];
	}
	sum->copied += t->copied;
	sum->kernels += t->kernels;
	sum->chained += t->chained;
	sum->copies += t->copies;
	for (unsigned int k = 0; k <= COST_BOUND_DMA; k++)
		sum->bound[k] += t->bound[k];
}

/* Append the operations of one run, which begins at @start. */
static int append(struct profile *p, uint32_t run, const struct npu_program *program,
		  const struct cost_step *steps, uint64_t start)
{
	struct profile_op *ops = realloc(p->ops, (p->count + program->count + 1) * sizeof(*ops));

	if (!ops)
		return -ENOMEM;
	p->ops = ops;
	for (size_t i = 0; i < program->count; i++) {
		struct profile_op *op = &ops[p->count + i];

		*op = (struct profile_op){
			.run = run, .op = program->ops[i], .aux = program->aux[i], .step = steps[i],
			.chained = steps[i].first != i,
		};
		op->step.start += start;
		op->step.end += start;
		op->step.first += (uint32_t)p->count;
	}
	p->count += program->count;
	return 0;
}

static int add_run(struct profile *p, const struct image *image, uint32_t run, struct error *err)
{
	const struct npu_state reset = { .cmd0 = { 0 } };
	const struct image_npu *npu = &image->runs[run];
	struct cost_step *steps = NULL;
	struct npu_program program;
	struct cost_total total;
	int rc = npu_decode(config_of(image), &reset, npu->stream, npu->words, &program);

	if (rc)
		return error_set(err, rc, "out of memory");
	if (program.end != NPU_STOP_END) {
		rc = error_set(err, -EINVAL, "%s: command stream %u at 0x%x: %s", image->name, run,
			       program.end_offset, program.why);
		goto out;
	}
	steps = calloc(program.count + 1, sizeof(*steps));
	if (!steps) {
		rc = error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	cost_stream(&p->target->cost, &program, program.count, steps, &total);
	rc = append(p, run, &program, steps, p->estimate.total.cycles);
	if (rc)
		error_set(err, rc, "out of memory");
	else
		add_total(&p->estimate.total, &total);
out:
	free(steps);
	npu_program_free(&program);
	return rc;
}

/* Runs may share their constants: count each address once. */
static uint64_t constant_bytes(const struct image *image)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < image->run_count; i++) {
		uint32_t k = 0;

		while (k < i && image->runs[k].constants != image->runs[i].constants)
			k++;
		if (k == i)
			bytes += image->runs[i].constants_size;
	}
	return bytes;
}

static void count_memory(const struct image *image, struct profile *p)
{
	uint64_t constants = constant_bytes(image), in[COST_MEMORIES] = { 0 };
	const struct target_mode *mode = &p->target->mode;
	struct estimate *e = &p->estimate;

	in[mode->arena] += image->arena_size + image->inputs_size + image->outputs_size +
			   image_own_size(image);
	in[mode->staging] += image->fast_size;
	if (mode->constants == COST_SRAM || !p->target->system.flash)
		in[mode->constants] += constants;
	e->sram = in[COST_SRAM];
	e->ram = in[COST_EXT];
	e->flash = constants;
	for (uint32_t i = 0; i < image->run_count; i++)
		e->flash += image->runs[i].words * sizeof(uint32_t);
}

static void summarise(const struct image *image, struct profile *p)
{
	struct estimate *e = &p->estimate;
	const struct cost_total *t = &e->total;

	e->seconds = target_us(p->target, t->cycles) / 1e6;
	if (t->cycles)
		e->utilisation = (double)t->macs / (double)t->cycles / p->target->cost.arch->macs;
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		e->traffic[m] = t->write[m];
		for (unsigned int k = 0; k < COST_TRAFFIC; k++)
			e->traffic[m] += t->read[m][k];
	}
	for (unsigned int k = 0; k <= COST_BOUND_DMA; k++)
		if (t->bound[k] > t->bound[e->bound])
			e->bound = k;
	e->npu_ops = t->kernels + t->chained;
	e->cpu_ops = image->op_count;
	count_memory(image, p);
}

int estimate_image(const struct image *image, const struct target *target, struct profile *out,
		   struct error *err)
{
	int rc = estimate_fits(image, target, err);

	memset(out, 0, sizeof(*out));
	out->target = target;
	for (uint32_t i = 0; i < image->run_count && !rc; i++)
		rc = add_run(out, image, i, err);
	if (rc)
		profile_free(out);
	else
		summarise(image, out);
	return rc;
}

void profile_free(struct profile *profile)
{
	free(profile->ops);
	memset(profile, 0, sizeof(*profile));
}

/* ---- one operation ---- */

uint64_t profile_op_bytes(const struct profile_op *op, unsigned int memory)
{
	const struct cost_result *r = &op->step.result;
	uint64_t bytes = r->write[memory];

	for (unsigned int k = 0; k < COST_TRAFFIC; k++)
		bytes += r->read[memory][k];
	return bytes;
}

static const char *pool_name(unsigned int mode)
{
	static const char *const names[] = {
		[NPU_POOL_MAX] = "max pool",	     [NPU_POOL_AVERAGE] = "average pool",
		[NPU_POOL_REDUCE_SUM] = "reduce sum", [NPU_POOL_SUM] = "sum pool",
		[NPU_POOL_NONE] = "copy",	     [NPU_POOL_MIN] = "min pool",
		[NPU_POOL_ARGMAX_X] = "argmax x",    [NPU_POOL_ARGMAX_Y] = "argmax y",
	};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "pool";
}

static const char *elementwise_name(unsigned int mode)
{
	static const char *const names[] = {
		[NPU_ELT_MUL] = "mul",
		[NPU_ELT_ADD] = "add",
		[NPU_ELT_SUB] = "sub",
		[NPU_ELT_MIN] = "min",
		[NPU_ELT_MAX] = "max",
		[NPU_ELT_LRELU] = "leaky relu",
		[NPU_ELT_ABS] = "abs",
		[NPU_ELT_CLZ] = "clz",
		[NPU_ELT_SHR] = "shr",
		[NPU_ELT_SHL] = "shl",
		[NPU_ELT_LSR] = "lsr",
		[NPU_ELT_DIV] = "div",
		[NPU_ELT_CMP_EQ] = "equal",
		[NPU_ELT_CMP_NE] = "not equal",
		[NPU_ELT_CMP_GE] = "greater or equal",
		[NPU_ELT_CMP_GT] = "greater",
		[NPU_ELT_AND] = "and",
		[NPU_ELT_OR] = "or",
		[NPU_ELT_XOR] = "xor",
		[NPU_ELT_NOT] = "not",
		[NPU_ELT_AND_NOT] = "and not",
	};

	return mode < sizeof(names) / sizeof(names[0]) && names[mode] ? names[mode] : "elementwise";
}

static const char *base_name(const struct npu_op *op)
{
	switch (op->kind) {
	case NPU_KIND_CONV:
		return "conv";
	case NPU_KIND_DEPTHWISE:
		return "depthwise";
	case NPU_KIND_MATMUL:
		return "matmul";
	case NPU_KIND_POOL:
		/* One element at a time, averaged or added up: a copy, with a table or a scale. */
		if (op->kernel_h * op->kernel_w == 1 &&
		    (op->mode == NPU_POOL_AVERAGE || op->mode == NPU_POOL_SUM))
			return op->lut ? "table" : "copy";
		return pool_name(op->mode);
	case NPU_KIND_ELEMENTWISE:
		return elementwise_name(op->mode);
	case NPU_KIND_RESIZE:
		return "resize";
	}
	return op->dma_dst_space == NPU_SPACE_INTERNAL ? "DMA of a table" : "DMA";
}

const char *profile_op_text(const struct profile_op *p, char *text, size_t len)
{
	const struct npu_op *op = &p->op;
	unsigned int stride = op->stride_y > op->stride_x ? op->stride_y : op->stride_x;
	int n = snprintf(text, len, "%s", base_name(op));

	if (op->kind == NPU_KIND_DMA || op->kernel_h * op->kernel_w * stride <= 1)
		return text;
	n += snprintf(text + n, len - (size_t)n, " %ux%u", op->kernel_h, op->kernel_w);
	if (stride > 1)
		snprintf(text + n, len - (size_t)n, "/%u", stride);
	return text;
}
