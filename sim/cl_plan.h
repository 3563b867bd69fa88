/* SPDX-License-Identifier: MIT */
/* What the OpenCL engine prepares for a list of operations: tasks and panels. Host side, no OpenCL. */
#ifndef ACCEL_SIM_CL_PLAN_H
#define ACCEL_SIM_CL_PLAN_H

#include <stdbool.h>

#include "sim/cl_task.h"
#include "sim/engine.h"
#include "sim/hash.h"
#include "sim/weights.h"

/* As generic_tile() reads it. */
struct cl_bias {
	int64_t bias;
	uint32_t scale;
	uint32_t shift;
};

/**
 * struct npu_source - a stretch of memory that panels were made from
 * @hash: of its bytes when they were
 * @window: id of the window it lay in, if the bus vouched for its contents, else 0
 */
struct npu_source {
	unsigned int space;
	int64_t offset;
	uint32_t len;
	uint64_t window;
	XXH128_hash_t hash;
};

/**
 * struct npu_blob - panels and channel records, one growing allocation
 */
struct npu_blob {
	uint8_t *data;
	size_t size;
	size_t capacity;
};

/**
 * struct npu_plan - see engine.h
 * @ops, @count: owned by the caller of prepare
 * @tasks: one an operation
 * @late: operation's weights are written by the job itself in a way that cannot be traced to their
 *	source: its panel is made anew each time, just before it runs
 * @sources: what the other panels depend on
 * @blob: panels
 */
struct npu_plan {
	const struct npu_op *ops;
	size_t count;
	struct npu_task *tasks;
	bool *late;
	bool any_late;
	struct npu_source *sources;
	size_t source_count;
	struct npu_blob blob;
	void *device;	/* the engine's buffers for it */
};

/* Where the streams of a CONV or DEPTHWISE were found. */
struct npu_found {
	struct npu_source weights[NPU_MAX_CORES];
	struct npu_source scales[NPU_MAX_CORES];
};

/* Host address of [offset, offset + len) of a space, or NULL if the map does not hold it. */
const uint8_t *npu_map_at(const struct npu_space_map *map, int64_t offset, uint64_t len);

/**
 * npu_trace_streams - for each operation with weights, where their bytes are when the job starts
 * @maps: where the spaces lie in relation to each other: two may cover the same memory
 * @found: one an operation
 * @late: set where that cannot be told
 *
 * Return: 0 or -ENOMEM.
 */
int npu_trace_streams(const struct npu_config *config, const struct npu_op *ops, size_t count,
		      const struct npu_space_map maps[NPU_SPACES], struct npu_found *found, bool *late);

/**
 * npu_plan_task - fill the task of one operation and append its panels to the blob
 * @threads: work-groups that will share it
 *
 * Return: 0, -EINVAL (the streams are bad), -ENOMEM.
 */
int npu_plan_task(const struct npu_config *config, const struct npu_op *op, const struct npu_found *found,
		  const struct npu_space_map maps[NPU_SPACES], unsigned int threads, struct npu_blob *blob,
		  struct npu_task *task);

/* Fill what the tasks need to know of each other where several work-groups share a job. */
void npu_schedule(const struct npu_config *config, const struct npu_op *ops, size_t count,
		  const struct npu_space_map maps[NPU_SPACES], struct npu_task *tasks);

/* Room for @len bytes at a multiple of 64; its offset, or SIZE_MAX. */
size_t npu_blob_add(struct npu_blob *blob, size_t len);

#endif
