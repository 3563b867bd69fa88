/* SPDX-License-Identifier: MIT */
/*
 * What executes decoded operations. Two engines: plain C ("reference") and OpenCL.
 *
 * The machine (npu.c) decodes a stream to operations, has the engine prepare a plan for them once,
 * and runs the plan as often as the same stream comes back.
 */
#ifndef ACCEL_SIM_ENGINE_H
#define ACCEL_SIM_ENGINE_H

#include <stddef.h>

#include "sim/npu.h"
#include "sim/op.h"

struct npu_plan;
struct npu_engine;

/**
 * struct npu_space_map - where a memory space is for one run
 * @base: host address of the space's byte @lo; NULL if the job does not touch the space
 * @lo, @hi: extent that may be touched, byte offsets from BASEP
 * @window: the window it came from (host, size and id of the whole mapping); id 0 for the spaces
 *	the device owns
 */
struct npu_space_map {
	uint8_t *base;
	int64_t lo, hi;
	struct npu_window window;
};

/**
 * struct npu_engine_ops - an engine
 * @prepare: build whatever the engine wants to keep for @ops (the array lives as long as the plan).
 *	The maps are those of the first run; contents of a map may differ at the next run.
 * @run: execute ops [first, first + count) in order. Every operand was checked to lie in its map.
 *	@abort is polled between operations, with __atomic_load_n() since another thread sets it;
 *	nonzero: stop early. Returns 0, or -EIO with *@failed set to
 *	the operation whose data broke a rule only seen while running (weight stream ends early, index
 *	out of range): the machine reports a bus error there. Operations before *@failed have run.
 * @window_gone: drop what is kept for that window.
 */
struct npu_engine_ops {
	const char *name;
	int (*create)(struct npu_engine **out, const struct npu_config *config,
		      const struct npu_options *opt, char *err, size_t err_len);
	void (*destroy)(struct npu_engine *engine);
	int (*prepare)(struct npu_engine *engine, struct npu_plan **out, const struct npu_op *ops,
		       size_t count, const struct npu_space_map maps[NPU_SPACES]);
	void (*release)(struct npu_engine *engine, struct npu_plan *plan);
	int (*run)(struct npu_engine *engine, struct npu_plan *plan, size_t first, size_t count,
		   const struct npu_space_map maps[NPU_SPACES], const int *abort, size_t *failed);
	void (*window_gone)(struct npu_engine *engine, uint64_t id);
	void (*describe)(struct npu_engine *engine, char *text, size_t len);
};

extern const struct npu_engine_ops npu_engine_reference;
extern const struct npu_engine_ops npu_engine_opencl;

#endif
