/* SPDX-License-Identifier: MIT */
/*
 * checkops: does the OpenCL engine do to memory exactly what the reference engine does?
 *
 * Draws random legal operations, runs both engines on copies of the same memory and compares every
 * byte of it, so also those between rows and around feature maps. Nothing but elements of the OFM
 * may have changed.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/engine.h"
#include "tests/checkops.h"

#define STREAMS_SIZE	(512u << 10)
#define MAX_OPS		6
#define DRAW_ATTEMPTS	200
#define SHOWN_FAILURES	5
#define BENCH_OPS	20	/* of each class */
#define BENCH_REPEAT	100

/* An engine and its copy of the memory. */
struct side {
	const struct npu_engine_ops *ops;
	struct npu_engine *engine;
	char name[96];
	struct npu_space_map maps[NPU_SPACES];
	uint64_t ns;
};

struct check {
	const struct npu_config *config;
	struct check_mem mem;
	struct side reference, opencl;
	uint64_t seed;
	uint64_t next_window;
	unsigned long passed, failed;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *must(void *p)
{
	if (p)
		return p;
	fprintf(stderr, "checkops: out of memory\n");
	exit(1);
}

static void side_open(struct check *check, struct side *side, const struct npu_engine_ops *ops,
		      const struct npu_options *opt)
{
	char err[256] = "";

	side->ops = ops;
	if (ops->create(&side->engine, check->config, opt, err, sizeof(err))) {
		fprintf(stderr, "checkops: %s: %s\n", ops->name, err);
		exit(1);
	}
	snprintf(side->name, sizeof(side->name), "%s", ops->name);
	if (ops->describe)
		ops->describe(side->engine, side->name, sizeof(side->name));
	for (unsigned int s = 0; s < NPU_SPACES; s++) {
		struct arena *arena = &check->mem.space[s];
		struct npu_space_map *map = &side->maps[s];

		if (!arena->size)
			continue;
		map->base = must(aligned_alloc(64, arena->size));
		map->lo = arena->lo;
		map->hi = arena->lo + (int64_t)arena->size;
		if (s == NPU_SPACE_INTERNAL || s == NPU_SPACE_CHAIN)
			continue;
		map->window = (struct npu_window){
			.host = map->base, .addr = (uint64_t)s << 32, .size = arena->size,
			.id = ++check->next_window, .access = NPU_ACCESS_READ | NPU_ACCESS_WRITE,
		};
	}
}

static void side_close(struct side *side)
{
	side->ops->destroy(side->engine);
	for (unsigned int s = 0; s < NPU_SPACES; s++)
		free(side->maps[s].base);
}

static void make_arenas(struct check *check)
{
	for (unsigned int s = 0; s < NPU_SPACES; s++) {
		struct arena *arena = &check->mem.space[s];

		switch (s) {
		case NPU_SPACE_STREAMS:
			arena->size = STREAMS_SIZE;
			arena->lo = 4096;
			break;
		case NPU_SPACE_INTERNAL:
			arena->size = CHECK_LUT;
			break;
		case 1:
		case 2:
		case 5:
		case NPU_SPACE_CHAIN:
			arena->size = CHECK_ARENA;
			arena->lo = 256 * (int64_t)s;
			break;
		}
		if (!arena->size)
			continue;
		arena->data = must(malloc(arena->size));
		arena->writable = must(malloc(arena->size));
	}
}

/* Random bytes, sometimes such that elements are extremes or near zero. */
static void fill_arenas(struct check *check, struct rng *rng)
{
	static const uint8_t extremes[] = { 0x00, 0x7f, 0x80, 0xff, 0x01, 0x81, 0xff, 0x7f };
	unsigned int style = (unsigned int)rng_range(rng, 0, 5);

	for (unsigned int s = 0; s < NPU_SPACES; s++) {
		struct arena *arena = &check->mem.space[s];

		if (!arena->size)
			continue;
		memset(arena->writable, 0, arena->size);
		rng_fill(rng, arena->data, arena->size);
		if (style == 0) {
			for (size_t i = 0; i < arena->size; i++)
				arena->data[i] = extremes[arena->data[i] & 7];
		} else if (style == 1) {
			for (size_t i = 0; i < arena->size; i++)
				arena->data[i] = (uint8_t)((arena->data[i] & 7) - 4);
		}
	}
	check_mem_reset(&check->mem);
}

static void side_load(const struct check *check, struct side *side)
{
	for (unsigned int s = 0; s < NPU_SPACES; s++)
		if (check->mem.space[s].size)
			memcpy(side->maps[s].base, check->mem.space[s].data,
			       check->mem.space[s].size);
}

/* 0, or what the engine said. */
static int side_run(struct side *side, const struct npu_op *ops, size_t count, size_t *failed)
{
	const int abort_flag = 0;
	struct npu_plan *plan;
	uint64_t start;
	int rc;

	*failed = 0;
	rc = side->ops->prepare(side->engine, &plan, ops, count, side->maps);
	if (rc)
		return rc;
	start = now_ns();
	rc = side->ops->run(side->engine, plan, 0, count, side->maps, &abort_flag, failed);
	side->ns += now_ns() - start;
	side->ops->release(side->engine, plan);
	return rc;
}

/* Which element of the OFM a byte belongs to, in words. */
static void name_byte(const struct npu_op *ops, size_t count, unsigned int space, int64_t at,
		      char *text, size_t len)
{
	for (size_t i = count; i-- > 0;) {
		const struct npu_fm *fm = &ops[i].ofm;

		if (ops[i].kind == NPU_KIND_DMA || fm->space != space)
			continue;
		for (uint32_t y = 0; y < fm->height; y++) {
			for (uint32_t x = 0; x < fm->width; x++) {
				for (uint32_t c = 0; c < fm->depth; c++) {
					int64_t e = at - check_fm_address(fm, y, x, c);

					if (e < 0 || e >= 1 << fm->elem_log2)
						continue;
					snprintf(text, len, "operation %zu, OFM (y %u, x %u, c %u)",
						 i, y, x, c);
					return;
				}
			}
		}
	}
	snprintf(text, len, "no element of an OFM");
}

/* Compare all memory. Returns true if it is equal and only writable bytes have changed. */
static bool compare(const struct check *check, const struct npu_op *ops, size_t count)
{
	for (unsigned int s = 0; s < NPU_SPACES; s++) {
		const struct arena *arena = &check->mem.space[s];
		const uint8_t *want = check->reference.maps[s].base,
			      *got = check->opencl.maps[s].base;
		unsigned int shown = 0;
		char what[96];

		if (!arena->size)
			continue;
		for (size_t i = 0; i < arena->size && shown < 8; i++) {
			bool stray = !arena->writable[i] && want[i] != arena->data[i];

			if ((want[i] == got[i] && !stray) || arena->writable[i] == CHECK_UNDEFINED)
				continue;
			name_byte(ops, count, s, arena->lo + (int64_t)i, what, sizeof(what));
			printf("  space %u offset 0x%llx: was %02x, reference %02x, opencl %02x%s: "
			       "%s\n",
			       s, (unsigned long long)arena->lo + i, arena->data[i], want[i],
			       got[i], arena->writable[i] ? "" : " (must not be written)", what);
			shown++;
		}
		if (shown)
			return false;
	}
	return true;
}

/* Draw a case into fresh memory. Returns how many operations; @fails: the last is to fail. */
static size_t draw_case(struct check *check, struct rng *rng, unsigned int number, int only,
			struct npu_op ops[MAX_OPS], unsigned int kinds, bool *fails)
{
	size_t count, n = 0;

	*fails = false;
	rng->state = check->seed + (uint64_t)number * 0x9e3779b97f4a7c15u;
	rng_next(rng);
	fill_arenas(check, rng);
	count = rng_one_in(rng, 4) ? (size_t)rng_range(rng, 2, MAX_OPS) : 1;
	while (n < count) {
		unsigned int kind = only >= 0 ? (unsigned int)only :
				    n ? (unsigned int)rng_range(rng, 0, kinds - 1) : number % kinds;
		int attempt = 0;

		/* Nothing runs behind an operation that fails. */
		if (check_class_fails(kind)) {
			if (n && n + 1 < count)
				continue;
			count = n + 1;
			*fails = true;
		}

		while (!check_draw(&check->mem, rng, check->config, kind, &ops[n])) {
			if (++attempt < DRAW_ATTEMPTS)
				continue;
			fprintf(stderr, "checkops: cannot draw %s\n", check_class_name(kind));
			exit(1);
		}
		n++;
	}
	return n;
}

/* Sometimes the streams are constants of a loaded program, which an engine may keep. */
static void swap_streams(struct check *check, bool constant)
{
	struct side *sides[] = { &check->reference, &check->opencl };

	for (int i = 0; i < 2; i++) {
		struct npu_window *w = &sides[i]->maps[NPU_SPACE_STREAMS].window;

		if (sides[i]->ops->window_gone)
			sides[i]->ops->window_gone(sides[i]->engine, w->id);
		w->id = ++check->next_window;
		w->constant = constant;
		w->access = constant ? NPU_ACCESS_READ : NPU_ACCESS_READ | NPU_ACCESS_WRITE;
	}
}

static bool run_case(struct check *check, unsigned int number, int only, unsigned int kinds)
{
	bool fails;
	struct npu_op ops[MAX_OPS];
	struct rng rng = { 0 };
	size_t count, failed_a, failed_b;
	int a, b;
	bool ok;

	count = draw_case(check, &rng, number, only, ops, kinds, &fails);
	if (number % 16 == 0)
		swap_streams(check, false);
	else if (number % 16 == 15)
		swap_streams(check, true);
	if (check->opencl.maps[NPU_SPACE_STREAMS].window.constant)
		swap_streams(check, true);
	side_load(check, &check->reference);
	side_load(check, &check->opencl);
	a = side_run(&check->reference, ops, count, &failed_a);
	b = side_run(&check->opencl, ops, count, &failed_b);
	ok = a == b && a == (fails ? -EIO : 0) && (!a || failed_a == failed_b);
	if (!ok)
		printf("  reference: %d at operation %zu, opencl: %d at %zu\n", a, failed_a, b,
		       failed_b);
	ok = compare(check, ops, count) && ok;
	if (ok) {
		check->passed++;
		return true;
	}
	check->failed++;
	printf("FAILED: --seed %llu --case %u", (unsigned long long)check->seed, number);
	if (only >= 0)
		printf(" --only %s", check_class_name((unsigned int)only));
	printf("\n");
	for (size_t i = 0; i < count; i++)
		check_print_op(&ops[i]);
	return false;
}

/* Elements written: what a time is put in relation to. */
static double outputs(const struct npu_op *op)
{
	if (op->kind == NPU_KIND_DMA)
		return (double)op->dma_len * op->dma_rows * op->dma_planes;
	return (double)op->oh * op->ow * op->oc;
}

/* Each operation many times over in one job, so that the launch of a job does not count. */
static void bench(struct check *check, unsigned int kinds, int only)
{
	struct npu_op *many = must(calloc(BENCH_REPEAT, sizeof(*many)));
	bool warm = false;	/* kernels may be compiled when they are first launched */

	printf("%-14s %13s %13s %13s %13s\n", "class", "reference ns", "an output", "opencl ns",
	       "an output");
	for (unsigned int kind = 0; kind < kinds; kind++) {
		double elements = 0, a, b;

		if ((only >= 0 && kind != (unsigned int)only) || check_class_fails(kind))
			continue;
		check->reference.ns = check->opencl.ns = 0;
		for (unsigned int i = 0; i < BENCH_OPS; i++) {
			struct npu_op ops[MAX_OPS];
			struct rng rng = { 0 };
			size_t failed;
			bool fails;

			draw_case(check, &rng, i, (int)kind, ops, kinds, &fails);
			for (unsigned int k = 0; k < BENCH_REPEAT; k++)
				many[k] = ops[0];
			elements += outputs(&ops[0]);
			side_load(check, &check->reference);
			side_load(check, &check->opencl);
			if (!warm && side_run(&check->opencl, ops, 1, &failed))
				exit(1);
			if (!warm)
				check->opencl.ns = 0;
			warm = true;
			if (side_run(&check->reference, ops, 1, &failed) ||
			    side_run(&check->opencl, many, BENCH_REPEAT, &failed))
				exit(1);
		}
		a = (double)check->reference.ns;
		b = (double)check->opencl.ns / BENCH_REPEAT;
		printf("%-14s %13.0f %13.2f %13.0f %13.2f\n", check_class_name(kind), a / BENCH_OPS,
		       a / elements, b / BENCH_OPS, b / elements);
	}
	free(many);
}

static int find_class(const char *name)
{
	for (unsigned int i = 0; check_class_name(i); i++)
		if (!strcmp(check_class_name(i), name))
			return (int)i;
	fprintf(stderr, "checkops: no class \"%s\"; there are:", name);
	for (unsigned int i = 0; check_class_name(i); i++)
		fprintf(stderr, " %s", check_class_name(i));
	fprintf(stderr, "\n");
	exit(2);
}

static void usage(void)
{
	printf("usage: checkops [--seed N] [--count CASES] [--case N] [--only CLASS] [--path "
	       "CL_PATH]\n"
	       "                [--threads N] [--bench]\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'n'},
		{"case", required_argument, NULL, 'c'},
		{"only", required_argument, NULL, 'o'},
		{"path", required_argument, NULL, 'p'},
		{"threads", required_argument, NULL, 't'},
		{"bench", no_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct npu_options opt = { .size = sizeof(opt) };
	struct check check = { .seed = 1 };
	unsigned int count = 2000, first = 0, kinds = 0;
	bool benching = false;
	int only = -1, c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			check.seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			count = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'c':
			first = (unsigned int)strtoul(optarg, NULL, 0);
			count = 1;
			break;
		case 'o':
			only = find_class(optarg);
			break;
		case 'p':
			opt.cl_path = optarg;
			break;
		case 't':
			opt.threads = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'b':
			benching = true;
			break;
		default:
			usage();
			return c == 'h' ? 0 : 2;
		}
	}
	while (check_class_name(kinds))
		kinds++;
	check.config = npu_config_find("ethos-u65-256");
	make_arenas(&check);
	side_open(&check, &check.reference, &npu_engine_reference, &opt);
	side_open(&check, &check.opencl, &npu_engine_opencl, &opt);
	printf("checkops: %s against %s, seed %llu\n", check.opencl.name, check.reference.name,
	       (unsigned long long)check.seed);
	if (benching)
		bench(&check, kinds, only);
	for (unsigned int i = first;
	     !benching && i < first + count && check.failed < SHOWN_FAILURES; i++)
		run_case(&check, i, only, kinds);
	side_close(&check.reference);
	side_close(&check.opencl);
	for (unsigned int s = 0; s < NPU_SPACES; s++) {
		free(check.mem.space[s].data);
		free(check.mem.space[s].writable);
	}
	if (!benching)
		printf("%lu passed, %lu failed\n", check.passed, check.failed);
	return check.failed != 0;
}
