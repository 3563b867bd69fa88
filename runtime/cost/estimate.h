/* SPDX-License-Identifier: MIT */
/* What a model costs on a target: time, memory, traffic; in all and operation by operation. */
#ifndef ACCEL_RUNTIME_ESTIMATE_H
#define ACCEL_RUNTIME_ESTIMATE_H

#include "runtime/image/image.h"
#include "runtime/target/target.h"
#include "sim/cost_stream.h"

/**
 * struct estimate - a model on a target
 * @total: cycles and bytes of all its streams
 * @seconds: of one inference on the NPU. Operators on the CPU do not count.
 * @utilisation: multiply-accumulates of those that the NPU could do in the time
 * @sram, @ram: bytes that must be there, on chip and external; constants that are read from flash
 *	are in neither
 * @flash: bytes of constants and command streams
 * @traffic: bytes moved, by enum cost_memory_index
 * @bound: enum cost_bound or COST_BOUND_DMA: what most of the time is spent on
 * @npu_ops, @cpu_ops: kernels of the NPU; operators on the CPU
 */
struct estimate {
	struct cost_total total;
	double seconds;
	double utilisation;
	uint64_t sram, ram, flash;
	uint64_t traffic[COST_MEMORIES];
	unsigned int bound;
	uint32_t npu_ops, cpu_ops;
};

/**
 * struct profile_op - an operation of the NPU
 * @run: index of image.runs
 * @op, @aux: as decoded
 * @step: cost and time; times are from the start of the inference
 * @chained: U85: runs as one with the operation before it
 */
struct profile_op {
	uint32_t run;
	struct npu_op op;
	struct npu_op_aux aux;
	struct cost_step step;
	bool chained;
};

/**
 * struct profile - a model on a target, operation by operation
 * @target: belongs to the caller
 */
struct profile {
	const struct target *target;
	struct estimate estimate;
	struct profile_op *ops;
	size_t count;
};

/**
 * estimate_image - estimate a compiled model
 * @target: of the NPU that the image is for; memories and mode may be others than it was compiled for
 * @out: free with profile_free()
 *
 * Return: 0; -ENOEXEC: compiled for another NPU; -EINVAL: a command stream that does not decode;
 * -ENOTSUP: the memory mode does not fit: two memories that the streams use as one, or one that is
 * too small; -ENOMEM.
 */
int estimate_image(const struct image *image, const struct target *target, struct profile *out,
		   struct error *err);
void profile_free(struct profile *profile);

/* Can the image run with the memory mode at all? As estimate_image(), without the work. */
int estimate_fits(const struct image *image, const struct target *target, struct error *err);

/* "MAC array", "DRAM" and so on of enum cost_bound or COST_BOUND_DMA. */
const char *estimate_bound_name(const struct target *target, unsigned int bound);

/**
 * profile_op_text - an operation in words, "conv 3x3/2"
 * @text: at least 64 bytes
 */
const char *profile_op_text(const struct profile_op *op, char *text, size_t len);

/* Bytes that an operation moves to and from @memory. */
uint64_t profile_op_bytes(const struct profile_op *op, unsigned int memory);

/* Milliseconds and microseconds of cycles on a target. */
double target_us(const struct target *target, uint64_t cycles);

/* profile_trace.c, profile_html.c: write @profile of @model. Return: 0, or what file_create() gives. */
int profile_write_trace(const struct profile *profile, const char *model, const char *path,
			struct error *err);
int profile_write_html(const struct profile *profile, const char *model, const char *path,
		       struct error *err);

#endif
