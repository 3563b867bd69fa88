/* SPDX-License-Identifier: MIT */
/*
 * What a model costs as this compiler makes it, and as somebody else's compiled file has it.
 *
 * usage: bench_compile [-v] NPU MODEL.tflite [COMPILED.tflite]
 *
 * Prints one line for each: cycles, bytes read and written in the external memory, bytes of constants and
 * stream, bytes of on-chip memory, kernels, transfers. Ours also: milliseconds, operations on the CPU. The
 * estimate is cost_stream()'s for both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/compile/compile.h"
#include "runtime/compile/import.h"
#include "runtime/container.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/target/target.h"
#include "sim/cost_stream.h"

struct figures {
	unsigned long long cycles, external, constants, stream, sram, kernels, copies, macs;
};

static void print_steps(const struct npu_program *program, const struct cost_step *steps)
{
	static const char *const kinds[] = { "conv", "dw", "matmul", "pool", "elt", "resize", "dma" };

	for (size_t i = 0; i < program->count; i++) {
		const struct npu_op *op = &program->ops[i];
		const struct npu_op_aux *aux = &program->aux[i];
		const struct cost_step *s = &steps[i];

		printf("%4zu %-6s %2d %8lu %7lu adv %7lu npu %7lu mac %7lu out %6lu sram %6lu ext %6lu b%d "
		       "%ux%ux%u%s<-%ux%ux%u%s k%ux%u s%u blk %ux%ux%u pk%d w%u@%u s%u@%u len %lu act%d\n",
		       i, kinds[op->kind], op->mode, s->start, s->end - s->start, s->advance,
		       s->result.npu_cycles, s->result.mac_cycles, s->result.out_cycles,
		       s->result.memory_cycles[0], s->result.memory_cycles[1], s->result.bound, op->oh, op->ow,
		       op->oc, op->ofm.brick ? "b" : "", op->a.height, op->a.width, op->a.depth,
		       op->a.brick ? "b" : "", op->kernel_h, op->kernel_w, op->stride_y, aux->block_h,
		       aux->block_w, aux->block_d, op->part_kernel, op->weight_len[0], op->weight_space,
		       op->scale_len[0], op->scale_space, op->dma_len, op->lut);
	}
}

static int add_stream(const struct target *target, const uint32_t *words, size_t count, bool verbose,
		      struct figures *f)
{
	const struct npu_config *config = npu_config_find(target->cost.arch->name);
	static const struct npu_state power_on;
	struct npu_program program;
	struct cost_total total;
	struct cost_step *steps;

	if (npu_decode(config, &power_on, words, count, &program))
		return -1;
	if (program.end != NPU_STOP_END) {
		fprintf(stderr, "stream: %s\n", program.why);
		return -1;
	}
	steps = calloc(program.count + 1, sizeof(*steps));
	cost_stream(&target->cost, &program, program.count, steps, &total);
	if (verbose)
		print_steps(&program, steps);
	f->cycles += total.cycles;
	f->macs += total.macs;
	f->kernels += total.kernels + total.chained;
	f->copies += total.copies;
	f->stream += 4 * count;
	for (unsigned int i = 0; i < COST_TRAFFIC; i++)
		f->external += total.read[COST_EXT][i];
	f->external += total.write[COST_EXT];
	free(steps);
	npu_program_free(&program);
	return 0;
}

static void print_figures(const char *who, const struct figures *f)
{
	printf("%s cycles %llu external %llu constants %llu stream %llu sram %llu kernels %llu copies %llu macs %llu",
	       who, f->cycles, f->external, f->constants, f->stream, f->sram, f->kernels, f->copies, f->macs);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ours(const struct target *target, const char *path, bool verbose)
{
	const struct compile_options opt = { .target = target };
	double start = now_ms(), lowered, end;
	struct figures f = { 0 };
	struct ir_graph *g = NULL;
	struct program p = { 0 };
	struct tflite model;
	unsigned int cpu = 0;
	struct error err;
	int rc;

	if (tflite_read(path, &model, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	rc = import_tflite(&model, path, &g, &err);
	if (!rc)
		rc = compile_lower(g, &opt, &err);
	lowered = now_ms();
	if (!rc)
		rc = compile_emit(g, &opt, &p, &err);
	end = now_ms();
	if (rc) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		goto out;
	}
	f.constants = p.constants_size;
	f.sram = target->cost.region[TARGET_ARENA] == COST_SRAM ? p.arena_size : p.staging_size;
	for (uint32_t i = 0; i < p.step_count && !rc; i++) {
		if (p.steps[i].npu)
			rc = add_stream(target, p.steps[i].stream, p.steps[i].words, verbose, &f);
		else
			cpu++;
	}
	print_figures("ours", &f);
	printf(" cpu %u arena %llu ms %.2f emit %.2f\n", cpu, (unsigned long long)p.arena_size, end - start,
	       end - lowered);
	program_free(&p);
out:
	ir_free(g);
	tflite_free(&model);
	return rc != 0;
}

static unsigned long long tensor_bytes(const struct tflite_tensor *t)
{
	unsigned long long n = 1;

	for (uint32_t i = 0; i < t->ndim; i++)
		n *= (unsigned long long)t->shape[i];
	return n;
}

static int theirs(const struct target *target, const char *path, bool verbose)
{
	struct figures f = { 0 };
	struct tflite file;
	struct error err;
	int rc = 0;

	if (tflite_read(path, &file, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (uint32_t i = 0; i < file.operator_count && !rc; i++) {
		const struct tflite_operator *op = &file.operators[i];
		struct container c;
		uint32_t *words;
		bool arena = target->cost.region[TARGET_ARENA] == COST_SRAM;

		if (op->builtin != TFLITE_BUILTIN_CUSTOM || op->input_count < 4 || op->inputs[0] < 0 ||
		    container_parse(file.tensors[op->inputs[0]].data.data,
				    file.tensors[op->inputs[0]].data.len, &c, &err))
			continue;
		words = malloc(4 * c.words + 1);
		memcpy(words, c.stream, 4 * c.words);
		rc = add_stream(target, words, c.words, verbose, &f);
		free(words);
		f.constants += file.tensors[op->inputs[1]].data.len;
		if (tensor_bytes(&file.tensors[op->inputs[arena ? 2 : 3]]) > f.sram)
			f.sram = tensor_bytes(&file.tensors[op->inputs[arena ? 2 : 3]]);
	}
	print_figures("theirs", &f);
	printf("\n");
	tflite_free(&file);
	return rc != 0;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && !strcmp(argv[1], "-v");
	struct target_set set;
	struct target target;
	struct error err;
	int rc;

	argv += verbose;
	argc -= verbose;
	if (argc < 3) {
		fprintf(stderr, "usage: bench_compile [-v] NPU MODEL.tflite [COMPILED.tflite]\n");
		return 2;
	}
	if (target_set_load(&set, &err) || target_find(&set, argv[1], NULL, NULL, &target, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	rc = ours(&target, argv[2], verbose);
	if (argc > 3)
		rc |= theirs(&target, argv[3], verbose);
	target_set_free(&set);
	return rc;
}
