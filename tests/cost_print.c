/* SPDX-License-Identifier: MIT */
/*
 * Tests: what a compiled model costs, by our account and added up in Vela's way.
 *
 * usage: cost_print NPU MODEL.tflite...
 * One line a model: cycles, cycles in Vela's way, multiply-accumulates, operations, path. With -v
 * lines before it for each operation, and for each layer's cycles in Vela's way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/target/target.h"
#include "runtime/tflite.h"
#include "sim/cost_stream.h"

static const char *const kinds[] = { "conv", "dw", "matmul", "pool", "elt", "resize", "dma" };

static void print_steps(const struct npu_program *program, const struct cost_step *steps)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct npu_op *op = &program->ops[i];
		const struct npu_op_aux *aux = &program->aux[i];
		const struct cost_step *s = &steps[i];

		printf("%5zu %-6s mode %d start %lu end %lu adv %lu npu %lu mac %lu out %lu "
		       "sram %lu ext %lu bound %d ofm %ux%ux%u k %ux%u blk %ux%ux%u len %lu first %u\n",
		       i, kinds[op->kind], op->mode, s->start, s->end, s->advance,
		       s->result.npu_cycles, s->result.mac_cycles, s->result.out_cycles,
		       s->result.memory_cycles[0], s->result.memory_cycles[1], s->result.bound,
		       op->oh, op->ow, op->oc, op->kernel_h, op->kernel_w, aux->block_h,
		       aux->block_w, aux->block_d, op->dma_len, s->first);
	}
}

static int print_model(const struct target *target, const char *path, int verbose)
{
	const struct npu_config *config = npu_config_find(target->cost.arch->name);
	const struct npu_state reset = { .cmd0 = { 0 } };
	unsigned long long cycles = 0, vela = 0, macs = 0, ops = 0;
	struct tflite file;
	struct error err;

	if (tflite_read(path, &file, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (uint32_t i = 0; i < file.operator_count; i++) {
		const struct tflite_operator *op = &file.operators[i];
		struct npu_program program;
		struct cost_total total;
		struct cost_step *steps;
		struct container c;
		uint64_t as_vela, *layers;
		size_t layer_count;
		uint32_t *words;

		if (op->builtin != TFLITE_BUILTIN_CUSTOM || !op->input_count || op->inputs[0] < 0 ||
		    container_parse(file.tensors[op->inputs[0]].data.data,
				    file.tensors[op->inputs[0]].data.len, &c, &err))
			continue;
		if (c.config != config->config)
			fprintf(stderr, "%s: is for another NPU\n", path);
		words = malloc(4 * c.words + 1);
		memcpy(words, c.stream, 4 * c.words);
		if (npu_decode(config, &reset, words, c.words, &program))
			abort();
		steps = calloc(program.count + 1, sizeof(*steps));
		cost_stream(&target->cost, &program, program.count, steps, &total);
		if (verbose)
			print_steps(&program, steps);
		cycles += total.cycles;
		macs += total.macs;
		ops += total.kernels;
		layers = calloc(program.count + 1, sizeof(*layers));
		if (cost_stream_vela(&target->cost, &program, layers, &layer_count, &as_vela))
			abort();
		for (size_t k = 0; verbose && k < layer_count; k++)
			printf("layer %llu\n", (unsigned long long)layers[k]);
		free(layers);
		vela += as_vela;
		npu_program_free(&program);
		free(words);
		free(steps);
	}
	printf("%llu %llu %llu %llu %s\n", cycles, vela, macs, ops, path);
	tflite_free(&file);
	return 0;
}

int main(int argc, char **argv)
{
	int verbose = argc > 1 && !strcmp(argv[1], "-v"), failed = 0;
	struct target_set set;
	struct target target;
	struct error err;

	argv += verbose;
	argc -= verbose;
	if (argc < 3) {
		fprintf(stderr, "usage: cost_print [-v] NPU MODEL.tflite...\n");
		return 2;
	}
	if (target_set_load(&set, &err) || target_find(&set, argv[1], NULL, NULL, &target, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (int i = 2; i < argc; i++)
		failed |= print_model(&target, argv[i], verbose);
	target_set_free(&set);
	return failed;
}
