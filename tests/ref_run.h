/* SPDX-License-Identifier: MIT */
/*
 * Tests: single operations on the reference engine, in memory of the test's own. Weight streams are stood in
 * for by arrays (link-time mock), so that one source of a program includes this.
 */
#ifndef ACCEL_TESTS_REF_RUN_H
#define ACCEL_TESTS_REF_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sim/engine.h"
#include "sim/weights.h"

/* --- What npu_weights_decode() and npu_scales_decode() give to the operation under test. --- */

static const int16_t *mock_weights;
static const struct npu_bias *mock_biases;

size_t npu_weights_count(const struct npu_op *op)
{
	size_t depth = op->kind == NPU_KIND_CONV ? op->a.depth : 1;

	return (size_t)op->oc * op->kernel_h * op->kernel_w * depth;
}

int npu_weights_decode(const struct npu_config *config, const struct npu_op *op,
		       const struct npu_stream streams[NPU_MAX_CORES], int16_t *out, size_t count)
{
	(void)config;
	(void)streams;
	assert_int_equal(count, npu_weights_count(op));
	if (!mock_weights)
		return -EINVAL;
	memcpy(out, mock_weights, count * sizeof(*out));
	return 0;
}

int npu_scales_decode(const struct npu_config *config, const struct npu_op *op,
		      const struct npu_stream streams[NPU_MAX_CORES], struct npu_bias *out)
{
	(void)config;
	(void)streams;
	memcpy(out, mock_biases, op->oc * sizeof(*out));
	return 0;
}

/* --- Memory and running. --- */

enum { IN = 0, IN2 = 1, OUT = 2, MEM = 4096 };

static uint8_t memory[NPU_SPACES][MEM];
static const struct npu_config *config;

static inline int run_limited(const struct npu_op *op, int64_t hi, int stop)
{
	struct npu_space_map maps[NPU_SPACES];
	struct npu_engine *engine;
	struct npu_plan *plan;
	size_t failed = 99;
	int err;

	for (int i = 0; i < NPU_SPACES; i++)
		maps[i] = (struct npu_space_map){ .base = memory[i], .hi = hi };
	assert_int_equal(npu_engine_reference.create(&engine, config, NULL, NULL, 0), 0);
	assert_int_equal(npu_engine_reference.prepare(engine, &plan, op, 1, maps), 0);
	err = npu_engine_reference.run(engine, plan, 0, 1, maps, &stop, &failed);
	if (err)
		assert_int_equal(failed, 0);
	npu_engine_reference.release(engine, plan);
	npu_engine_reference.destroy(engine);
	return err;
}

static inline int run(const struct npu_op *op)
{
	return run_limited(op, MEM, 0);
}

/* A dense NHWC feature map of one tile. */
static inline struct npu_fm fm(unsigned int space, uint32_t h, uint32_t w, uint32_t c, unsigned int elem_log2,
			bool is_signed)
{
	return (struct npu_fm){
		.stride_y = (int64_t)w * c << elem_log2, .stride_x = (int64_t)c << elem_log2,
		.stride_c = INT64_C(1) << elem_log2, .width0 = w, .height0 = h, .height1 = h,
		.height = h, .width = w, .depth = c, .space = (uint8_t)space,
		.elem_log2 = (uint8_t)elem_log2, .is_signed = is_signed,
	};
}

static const struct npu_scale unit = { .scale = 1, .round = NPU_ROUND_NATURAL };

static inline struct npu_op new_op(unsigned int kind, unsigned int mode, struct npu_fm a, struct npu_fm ofm)
{
	memset(memory[OUT], 0xee, MEM);
	return (struct npu_op){
		.kind = (uint8_t)kind, .mode = (uint8_t)mode, .a = a, .ofm = ofm, .oh = ofm.height,
		.ow = ofm.width, .oc = ofm.depth, .a_scale = unit, .b_scale = unit, .ofm_scale = unit,
		.kernel_h = 1, .kernel_w = 1, .stride_y = 1, .stride_x = 1, .dilation_y = 1,
		.dilation_x = 1, .cores = 1, .weight_len = { 16 }, .scale_len = { 16 },
		.resize_n_y = 1, .resize_n_x = 1, .resize_step_y = 1, .resize_step_x = 1,
		.dma_rows = 1, .dma_planes = 1,
	};
}

static inline void put8(unsigned int space, const int8_t *values, size_t n)
{
	memcpy(memory[space], values, n);
}

static inline void put32(unsigned int space, const int32_t *values, size_t n)
{
	memcpy(memory[space], values, n * 4);
}

static inline void expect8(const int8_t *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((int8_t)memory[OUT][i] != want[i])
			fail_msg("byte %zu: %d, not %d", i, (int8_t)memory[OUT][i], want[i]);
	assert_int_equal(memory[OUT][n], 0xee);
}

static inline int32_t out32(size_t i)
{
	int32_t v;

	memcpy(&v, memory[OUT] + 4 * i, 4);
	return v;
}

#define RUN8(op, ...)									\
	do {										\
		const int8_t want_[] = { __VA_ARGS__ };					\
											\
		assert_int_equal(run(&(op)), 0);					\
		expect8(want_, sizeof(want_));						\
	} while (0)

#define PUT8(space, ...)								\
	do {										\
		const int8_t values_[] = { __VA_ARGS__ };				\
											\
		put8(space, values_, sizeof(values_));					\
	} while (0)

static uint64_t seed = 1;

static inline uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

#endif
