/* SPDX-License-Identifier: MIT */
/* Tests: run a Vela stream on an engine directly, without registers, jobs or a bus. */
#include "tests/stream_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Regions as Vela numbers them. */
enum { REGION_CONSTANTS, REGION_ARENA, REGION_FAST };

#define U85_LUT_BYTES 2048

static int map_space(struct stream_run *run, unsigned int space, uint64_t size)
{
	struct npu_space_map *map = &run->maps[space];

	if (!size)
		return 0;
	map->base = malloc(size);
	if (!map->base)
		return -1;
	map->hi = (int64_t)size;
	map->window = (struct npu_window){ .host = map->base, .size = size,
					   .id = space < NPU_REGIONS ? space + 1 : 0,
					   .access = NPU_ACCESS_READ | NPU_ACCESS_WRITE };
	return 0;
}

static int map_memory(struct stream_run *run, const struct npu_config *config)
{
	const struct vela_file *file = &run->file;
	size_t internal = config->shram_kib ? (size_t)config->shram_kib * 1024 : U85_LUT_BYTES;

	if (map_space(run, REGION_CONSTANTS, file->constants_size) ||
	    map_space(run, REGION_ARENA, file->arena_size) ||
	    map_space(run, NPU_SPACE_INTERNAL, internal) ||
	    map_space(run, NPU_SPACE_CHAIN, run->program.chain_size))
		return -1;
	if (file->fast_is_arena)
		run->maps[REGION_FAST] = run->maps[REGION_ARENA];
	else if (map_space(run, REGION_FAST, file->fast_size))
		return -1;
	if (file->constants_size)
		memcpy(run->maps[REGION_CONSTANTS].base, file->constants, file->constants_size);
	run->maps[REGION_CONSTANTS].window.access = NPU_ACCESS_READ;
	run->maps[REGION_CONSTANTS].window.constant = true;
	return 0;
}

int stream_open(struct stream_run *run, const char *path, const struct npu_config *config,
		const struct npu_engine_ops *ops, const struct npu_options *opt, char *why, size_t why_len)
{
	static const struct npu_state power_on;

	memset(run, 0, sizeof(*run));
	if (vela_file_read(path, &run->file, why, why_len))
		return -1;
	if (npu_decode(config, &power_on, run->file.words, run->file.count, &run->program)) {
		snprintf(why, why_len, "npu_decode: out of memory");
		return -1;
	}
	if (run->program.end != NPU_STOP_END) {
		snprintf(why, why_len, "stream stops at byte %u: %.150s", run->program.end_offset,
			 run->program.why);
		return -1;
	}
	if (map_memory(run, config)) {
		snprintf(why, why_len, "out of memory");
		return -1;
	}
	if (ops->create(&run->engine, config, opt, why, why_len))
		return -1;
	run->ops = ops;
	stream_reset(run);
	if (ops->prepare(run->engine, &run->plan, run->program.ops, run->program.count, run->maps)) {
		snprintf(why, why_len, "prepare failed");
		return -1;
	}
	return 0;
}

void stream_close(struct stream_run *run)
{
	if (run->plan)
		run->ops->release(run->engine, run->plan);
	if (run->engine)
		run->ops->destroy(run->engine);
	npu_program_free(&run->program);
	if (run->file.fast_is_arena)
		run->maps[REGION_FAST].base = NULL;
	for (unsigned int i = 0; i < NPU_SPACES; i++)
		free(run->maps[i].base);
	vela_file_free(&run->file);
}

uint8_t *stream_tensor(struct stream_run *run, const struct vela_tensor *tensor)
{
	const struct npu_space_map *arena = &run->maps[REGION_ARENA];

	if (tensor->offset < 0 || tensor->offset > arena->hi ||
	    tensor->size > (uint64_t)(arena->hi - tensor->offset))
		return NULL;
	return arena->base + tensor->offset;
}

void stream_reset(struct stream_run *run)
{
	/* Not zeros: a stream must not count on what memory holds. */
	for (unsigned int i = 0; i < NPU_SPACES; i++)
		if (i != REGION_CONSTANTS && run->maps[i].base)
			memset(run->maps[i].base, 0xa5, (size_t)run->maps[i].hi);
	for (size_t i = 0; i < run->file.variable_count; i++) {
		const struct vela_tensor *t = &run->file.variables[i];
		uint8_t *p = stream_tensor(run, t);

		for (size_t at = 0; p && t->elem_size && at < t->size; at++)
			p[at] = (uint8_t)((uint64_t)t->zero_point >> (8 * (at % t->elem_size)));
	}
}

int stream_infer(struct stream_run *run, char *why, size_t why_len)
{
	static const int keep_going;
	size_t failed = 0;
	int err = run->ops->run(run->engine, run->plan, 0, run->program.count, run->maps, &keep_going,
				&failed);

	if (!err)
		return 0;
	snprintf(why, why_len, "operation %zu (kind %u, byte %u) failed: %s", failed,
		 run->program.ops[failed].kind, run->program.ops[failed].offset, strerror(-err));
	return -1;
}
