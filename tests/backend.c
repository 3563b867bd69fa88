/* SPDX-License-Identifier: MIT */
/*
 * The back end on random graphs: what its streams compute on the simulated NPU against what the
 * graph says, for every configuration and memory mode.
 *
 *	backend [--seed N] [--count N] [--config NAME]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/target/target.h"
#include "sim/decode.h"
#include "sim/engine.h"
#include "sim/strict.h"
#include "tests/backend.h"
#include "tests/validate_accepts.h"

#define U85_LUT_BYTES 2048
#define REGION_SHIFT 28

struct run {
	const struct npu_config *config;
	struct npu_space_map maps[NPU_SPACES];
	uint64_t input_region, input, input_size;
	char why[256];
};

static void map_space(struct run *r, unsigned int space, uint64_t size)
{
	struct npu_space_map *map = &r->maps[space];

	map->base = malloc(size ? size : 1);
	map->hi = (int64_t)size;
	/* Not zeros: a stream must not count on what memory holds. */
	memset(map->base, 0xa5, size);
	map->window = (struct npu_window){ .host = map->base, .size = size,
					   .id = space < NPU_REGIONS ? space + 1 : 0,
					   .access = NPU_ACCESS_READ | NPU_ACCESS_WRITE };
}

/* The driver must take what the compiler makes. */
static int validate(struct run *r, const struct program_step *step)
{
	uint64_t size[NPU_REGIONS];

	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		size[i] = (uint64_t)r->maps[i].hi;
	return validate_accepts(r->config, step->stream, step->words, size, r->why,
				sizeof(r->why));
}

/* Constants and the input are what holds data when a stream starts. */
static bool is_defined(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad)
{
	const struct run *r = ctx;
	uint64_t region = addr >> REGION_SHIFT, at = addr - (region << REGION_SHIFT);

	if (region == PROGRAM_CONSTANTS && at + len <= (uint64_t)r->maps[region].hi)
		return true;
	*bad = addr;
	return region == r->input_region && at >= r->input && at + len <= r->input + r->input_size;
}

/* Run one stream on the plain C engine. */
static int run_stream(struct run *r, const struct program_step *step)
{
	static const struct npu_state power_on;
	static const int keep_going;
	const struct npu_engine_ops *ops = &npu_engine_reference;
	struct npu_engine *engine = NULL;
	struct npu_program program;
	struct npu_plan *plan = NULL;
	struct npu_strict_memory memory = { .base = { 0 }, .defined = is_defined, .ctx = r };
	struct npu_strict_fault fault;
	size_t failed = 0;
	int rc = -1;

	if (validate(r, step) ||
	    npu_decode(r->config, &power_on, step->stream, step->words, &program))
		return -1;
	/* Regions far from each other. */
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		memory.base[i] = (uint64_t)i << REGION_SHIFT;
	snprintf(r->why, sizeof(r->why), "stream stops at byte %u: %.150s", program.end_offset,
		 program.why);
	if (program.end != NPU_STOP_END)
		goto out;
	if (npu_strict_stream(r->config, &program, &fault) ||
	    npu_strict_memory_check(r->config, &program, program.count, &memory, &fault)) {
		snprintf(r->why, sizeof(r->why), "strict: operation %zu: %s", fault.op, fault.text);
		goto out;
	}
	free(r->maps[NPU_SPACE_CHAIN].base);
	map_space(r, NPU_SPACE_CHAIN, program.chain_size);
	snprintf(r->why, sizeof(r->why), "the engine refuses");
	if (ops->create(&engine, r->config, NULL, r->why, sizeof(r->why)) ||
	    ops->prepare(engine, &plan, program.ops, program.count, r->maps))
		goto out;
	rc = ops->run(engine, plan, 0, program.count, r->maps, &keep_going, &failed);
	if (rc)
		snprintf(r->why, sizeof(r->why), "operation %zu fails", failed);
out:
	if (plan)
		ops->release(engine, plan);
	if (engine)
		ops->destroy(engine);
	npu_program_free(&program);
	return rc;
}

static int compare(struct run *r, const struct backend_graph *b, const struct program *p)
{
	for (uint32_t i = 0; i < b->g.output_count; i++) {
		uint32_t t = b->outputs[i];
		const struct ir_tensor *tensor = &b->tensors[t];
		const struct npu_space_map *map = &r->maps[p->region[t]];
		const uint8_t *got = map->base + p->offset[t];
		size_t n = (size_t)tensor->hwc[0] * (size_t)tensor->hwc[1] * (size_t)tensor->hwc[2];

		if (p->offset[t] < 0 ||
		    p->offset[t] + (int64_t)(n * elem_size(tensor->type)) > map->hi) {
			snprintf(r->why, sizeof(r->why), "output %s has no place", tensor->name);
			return -1;
		}
		for (size_t j = 0; j < n; j++) {
			int64_t v = backend_load(got, tensor->type, j);

			if (v == b->values[t][j])
				continue;
			snprintf(r->why, sizeof(r->why), "%s[%zu] of %dx%dx%d is %lld, should be %lld",
				 tensor->name, j, tensor->hwc[0], tensor->hwc[1], tensor->hwc[2],
				 (long long)v, (long long)b->values[t][j]);
			return -1;
		}
	}
	return 0;
}

/* The same bytes whatever the number of threads. */
static bool same_program(const struct program *a, const struct program *b)
{
	if (a->step_count != b->step_count || a->constants_size != b->constants_size ||
	    a->arena_size != b->arena_size || a->staging_size != b->staging_size ||
	    memcmp(a->constants, b->constants, a->constants_size))
		return false;
	for (uint32_t i = 0; i < a->step_count; i++)
		if (a->steps[i].words != b->steps[i].words ||
		    memcmp(a->steps[i].stream, b->steps[i].stream, 4 * a->steps[i].words))
			return false;
	return true;
}

static int check_threads(const struct backend_graph *b, const struct target *target, bool own_io,
			 const struct program *p, char *why, size_t len)
{
	const struct compile_options opt = { .target = target, .jobs = 3, .own_io = own_io };
	struct program other;
	struct error err;
	bool same;

	if (compile_emit(&b->g, &opt, &other, &err)) {
		snprintf(why, len, "compile_emit with threads: %s", err.text);
		return -1;
	}
	same = same_program(p, &other);
	program_free(&other);
	snprintf(why, len, "other bytes with threads");
	return same ? 0 : -1;
}

/* What has a region to itself gets no byte more. */
static void map_own(struct run *r, const struct backend_graph *b, const struct program *p)
{
	for (uint32_t t = 0; t < b->g.tensor_count; t++) {
		const int32_t *hwc = b->tensors[t].hwc;

		if (p->offset[t] >= 0 && p->region[t] >= PROGRAM_OWN)
			map_space(r, p->region[t], (uint64_t)hwc[0] * (uint64_t)hwc[1] *
				  (uint64_t)hwc[2] * elem_size(b->tensors[t].type));
	}
}

static int check(const struct backend_graph *b, const struct target *target, bool own_io, char *why,
		 size_t len)
{
	const struct compile_options opt = { .target = target, .own_io = own_io };
	struct run r = { .config = npu_config_find(target->cost.arch->name) };
	struct program p;
	struct error err;
	int rc = compile_emit(&b->g, &opt, &p, &err);

	if (rc) {
		snprintf(why, len, "compile_emit: %s", err.text);
		return -1;
	}
	map_space(&r, PROGRAM_CONSTANTS, p.constants_size);
	map_space(&r, PROGRAM_ARENA, p.arena_size);
	map_space(&r, PROGRAM_STAGING, p.staging_size);
	map_own(&r, b, &p);
	map_space(&r, NPU_SPACE_INTERNAL,
		  r.config->shram_kib ? r.config->shram_kib * 1024 : U85_LUT_BYTES);
	if (p.constants_size)
		memcpy(r.maps[PROGRAM_CONSTANTS].base, p.constants, p.constants_size);
	for (size_t i = 0; i < (size_t)b->tensors[0].hwc[0] * (size_t)b->tensors[0].hwc[1] * (size_t)b->tensors[0].hwc[2]; i++)
		backend_store(r.maps[p.region[0]].base + p.offset[0], b->tensors[0].type, i,
			      b->values[0][i]);
	r.input_region = p.region[0];
	r.input = (uint64_t)p.offset[0];
	r.input_size = (uint64_t)b->tensors[0].hwc[0] * (uint64_t)b->tensors[0].hwc[1] *
		       (uint64_t)b->tensors[0].hwc[2] * elem_size(b->tensors[0].type);
	for (uint32_t i = 0; i < p.step_count && !rc; i++)
		rc = run_stream(&r, &p.steps[i]);
	if (!rc)
		rc = compare(&r, b, &p);
	if (!rc && target->mode.staging_size && p.staging_size > target->mode.staging_size) {
		snprintf(r.why, sizeof(r.why), "%llu bytes of staging of %llu",
			 (unsigned long long)p.staging_size,
			 (unsigned long long)target->mode.staging_size);
		rc = -1;
	}
	snprintf(why, len, "%s", r.why);
	if (!rc)
		rc = check_threads(b, target, own_io, &p, why, len);
	for (unsigned int i = 0; i < NPU_SPACES; i++)
		free(r.maps[i].base);
	program_free(&p);
	return rc;
}

static void print_op(const struct ir_npu *n)
{
	printf("  kind %u mode %u: t%d %dx%dx%d, t%d %dx%dx%d%s -> t%d %dx%dx%d kernel %dx%d stride %dx%d "
	       "dilation %dx%d pad %d,%d up %u lut %u\n", n->kind, n->mode, (int)n->ifm.tensor, n->ifm.h,
	       n->ifm.w, n->ifm.c, (int)n->ifm2.tensor, n->ifm2.h, n->ifm2.w, n->ifm2.c,
	       n->ifm2.scalar ? " scalar" : "", (int)n->ofm.tensor, n->ofm.h, n->ofm.w, n->ofm.c,
	       n->kernel_h, n->kernel_w, n->stride_y, n->stride_x, n->dilation_y, n->dilation_x,
	       n->pad_top, n->pad_left, n->upscale, n->lut);
}

static int one(uint64_t seed, const struct target *target)
{
	struct rng rng = { .state = seed * 0x9e3779b97f4a7c15u + 1 };
	struct backend_graph *b = malloc(sizeof(*b));
	char why[600];
	int rc;

	backend_draw(b, &rng, target->cost.arch->family);
	backend_eval(b);
	rc = check(b, target, seed & 1, why, sizeof(why));
	if (rc) {
		printf("FAIL seed %llu, %s %s: %s\n", (unsigned long long)seed,
		       target->cost.arch->name, target->mode.name, why);
		for (uint32_t i = 0; i < b->g.op_count; i++)
			print_op(&b->npus[i]);
	}
	backend_free(b);
	free(b);
	return rc;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "Sram_Only", "Shared_Sram", "Dedicated_Sram_256KB" };
	unsigned long seed = 1, count = 200, failed = 0, ran = 0;
	const char *config = NULL;
	struct target_set set;
	struct error err;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--seed"))
			seed = strtoul(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--count"))
			count = strtoul(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--config"))
			config = argv[i + 1];
	}
	if (target_set_load(&set, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (unsigned long i = 0; i < count && failed < 5; i++) {
		const char *npu = config ? config : ethosu_archs[(seed + i) % ETHOSU_ARCHS].name;
		const char *system = NULL;
		struct target target;

		/* U55's default memory cannot be written, so that it cannot hold feature maps. */
		if (target_find(&set, npu, system, modes[(seed + i) / ETHOSU_ARCHS % 3], &target, &err) &&
		    target_find(&set, npu, NULL, NULL, &target, &err)) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		/* Little memory, so that there is never enough. */
		if (target.mode.staging_size)
			target.mode.staging_size = 1024 << (seed + i) % 8;
		failed += !!one(seed + i, &target);
		ran++;
	}
	target_set_free(&set);
	printf("back end: %lu random graphs, %lu failed\n", ran, failed);
	return failed != 0;
}
