/* SPDX-License-Identifier: MIT */
/*
 * What the OpenCL engine keeps beside each struct npu_op: how to run it and where its panels are.
 * Included by the host and, textually after op.h, by the kernels.
 */
#ifndef ACCEL_SIM_CL_TASK_H
#define ACCEL_SIM_CL_TASK_H

#ifndef __OPENCL_VERSION__
#include "sim/op.h"
#endif

enum npu_impl {
	NPU_IMPL_GENERIC,	/* any operation, scalar code */
	NPU_IMPL_CONV,		/* 8-bit convolution as an implicit matrix product */
	NPU_IMPL_DEPTHWISE,	/* 8-bit depthwise convolution */
	NPU_IMPL_ADD,		/* 8-bit ADD and SUB with two-step input scaling */
	NPU_IMPL_POOL,		/* MAX, AVERAGE and SUM pooling of bytes */
	NPU_IMPL_MAP,		/* byte to byte by a table */
	NPU_IMPL_WORD,		/* 32-bit elementwise without input scaling */
};

/* Output channels computed together: one vector of 32-bit accumulators. */
#define NPU_LANES	16
/* Pixels computed together. */
#define NPU_PIXELS	8
/* Bytes of a work-group's scratch, and where in it the pixel tables start. */
#define NPU_SCRATCH	(1u << 20)
#define NPU_SCRATCH_TABLE (NPU_SCRATCH - (1u << 18))
/* Work-groups of a job at most. */
#define NPU_MAX_GROUPS 64
/* Words from the counters of one task to those of the next: a cache line, as two threads write them. */
#define NPU_COUNTER_STRIDE 16
/* Entries of a pixel table, and the pixels of a tile that leave room for whole vectors at its end. */
#define NPU_TABLE	(1u << 14)
#define NPU_TILE_PIXELS	(NPU_TABLE - 32)

/**
 * struct npu_channels - output stage of 16 channels
 * @init: bias with the zero points of weights and IFM folded in, moved by @base: the accumulators start
 *	here
 * @m, @c, @base: see cl_requant.h
 * @flip: bits of c that change with the sign of the accumulator
 * @odd, @by: where the accumulator is @odd, @by is added to it first
 * @limit: a rounding remainder above it is computed anew in integers; 1: none is, negative: all are
 * @scale, @shift: for that
 * @checked: any @limit is below 1: otherwise rounding remainders need no look
 * @moved: any @by is not 0
 */
struct npu_channels {
	op_s32 init[NPU_LANES];
	float m[NPU_LANES];
	float c[NPU_LANES];
	op_s32 odd[NPU_LANES];
	op_s32 by[NPU_LANES];
	float limit[NPU_LANES];
	op_u32 scale[NPU_LANES];
	op_u32 shift[NPU_LANES];
	op_s32 base[NPU_LANES];
	op_u32 flip;
	op_u32 checked;
	op_u32 moved;
	op_u32 pad[NPU_LANES - 3];
};

/**
 * struct npu_add - constants of an ADD or SUB of bytes
 * @ma, @mb, @c: the value before rounding is near a * ma + b * mb + c, a and b as signed bytes
 * @limit: a rounding remainder above it is computed anew in integers
 * @zero_a, @zero_b: zero points in the signed byte domain
 * @value_b: second operand if @scalar_b
 * @flip_b: 0x80 to turn the second operand's unsigned bytes into signed ones, else 0
 * @fixed_c, @band: with a 2^16th for a unit: @c with half a unit, the zero point and half of @band added. A
 *	fraction below @band is computed anew, and so is a remainder above @limit, which then includes all
 *	those. @band 0: floats are not fit for that
 * @dense: the rows of all maps are without gaps: NHWC
 * @bricks: so are the rows of each 16 channels: NHCWB16
 */
struct npu_add {
	float ma, mb, c, limit;
	op_s32 zero_a, zero_b, value_b;
	op_u32 scalar_b;
	op_u32 flip_b;
	op_u32 dense;
	op_u32 bricks;
	op_u32 band;
	float fixed_c;
	op_u32 pad[3];
};

/**
 * struct npu_task - how one operation runs
 * @op: index of the operation
 * @impl: enum npu_impl
 * @tiles: independent pieces; 0: generic_tiles() tells
 * @wait: it may touch what a task since the last one with @wait writes, or write what that touches: with
 *	several groups, all of those have to be done first
 * @chain: this many tasks from here on are of one piece each and one group had better do them in a row
 * @tiles_oc: CONV: of which this many share the same pixels
 * @panel: offset in the plan's blob: weights in the order the kernel reads them; GENERIC: s16
 *	[oc][ky][kx][ic]
 * @channels: offset in the blob: struct npu_channels per vector; GENERIC: struct cl_bias per channel
 * @row_sums: CONV: offset in the blob: what a kernel row comes to where it lies outside the IFM,
 *	[ky][channel]: such rows are left out; 0: they are staged as padding
 * @rows: OFM rows of a tile
 * @k4: 4-byte steps of a kernel row
 * @skip: CONV, staged: bytes of a kernel row before the first of those
 * @width: pixels of a staged IFM row
 * @vectors: output channel vectors
 * @raw: DEPTHWISE to one pixel of 32 bits: accumulators are stored as they are
 * @direct: CONV: 1x1 without padding that reads the IFM where it is
 * @pad_value: staged byte outside the IFM
 * @flip_in: 0x80 to turn the IFM's bytes into the kind the kernel works on (convolutions unsigned,
 *	others signed), else 0
 * @flip_out: 0x80 to turn signed bytes into the OFM's, else 0
 * @rounding: enum npu_round of the output stage
 * @lo, @hi, @zero_point: clamp and offset in the signed byte domain
 * @center: what the values of the output stage are less than they should be: @zero2 has it added
 * @lo4, @hi4, @flip4: the byte four times over; @zero2: the 16-bit offset twice
 */
struct npu_task {
	op_u32 op;
	op_u32 impl;
	op_u32 tiles;
	op_u32 wait;
	op_u32 chain;
	op_u32 tiles_oc;
	op_u64 panel;
	op_u64 channels;
	op_u64 row_sums;
	op_u32 rows;
	op_u32 k4;
	op_u32 skip;
	op_u32 width;
	op_u32 vectors;
	op_s32 pad_value;
	op_u32 flip_in;
	op_u32 flip_out;
	op_u32 rounding;
	op_s32 lo;
	op_s32 hi;
	op_s32 zero_point;
	op_u32 lo4;
	op_u32 hi4;
	op_u32 flip4;
	op_u32 zero2;
	op_u32 direct;
	op_u32 raw;
	op_s32 center;
	op_u32 pad;
};

/**
 * struct npu_run_args - what changes from job to job
 * @offset: of each space in its buffer: the byte at region offset o is buffer[offset + o]
 * @first, @count: tasks to run
 * @groups: work-groups that share the job
 * @failed: index of the task whose data broke a rule, or ~0
 * @leave: a group that waits long for another's tile leaves the job; it may be sent in again
 * @left: for each group, that it did
 */
struct npu_run_args {
	op_s64 offset[NPU_SPACES];
	op_u32 first;
	op_u32 count;
	op_u32 groups;
	op_u32 failed;
	op_u32 leave;
	op_u32 left[NPU_MAX_GROUPS];
};

#endif
