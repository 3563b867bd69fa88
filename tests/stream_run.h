/* SPDX-License-Identifier: MIT */
/* Tests: run a Vela stream on an engine directly, without registers, jobs or a bus. */
#ifndef ACCEL_TESTS_STREAM_RUN_H
#define ACCEL_TESTS_STREAM_RUN_H

#include "sim/decode.h"
#include "sim/engine.h"
#include "tests/vela_file.h"

/**
 * struct stream_run - a model loaded on an engine
 * @file: the model; its inputs and outputs say where they are in region 1
 * @maps: the memory; every one is exactly as large as the file says, so that ASan sees what leaves it
 */
struct stream_run {
	struct vela_file file;
	struct npu_program program;
	const struct npu_engine_ops *ops;
	struct npu_engine *engine;
	struct npu_plan *plan;
	struct npu_space_map maps[NPU_SPACES];
};

/**
 * stream_open - load a model
 * @why: receives the reason on failure
 *
 * Return: 0 or -1. stream_close() in both cases.
 */
int stream_open(struct stream_run *run, const char *path, const struct npu_config *config,
		const struct npu_engine_ops *ops, const struct npu_options *opt, char *why, size_t why_len);
void stream_close(struct stream_run *run);

/* Put memory and variables in the state before the first inference. */
void stream_reset(struct stream_run *run);

/* Run once. Return: 0 or -1 with @why. */
int stream_infer(struct stream_run *run, char *why, size_t why_len);

/* Where a tensor's bytes are, NULL if it lies outside the arena. */
uint8_t *stream_tensor(struct stream_run *run, const struct vela_tensor *tensor);

#endif
