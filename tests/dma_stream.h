/* SPDX-License-Identifier: MIT */
/* Streams that do nothing but DMA, encoded by hand from the public command tables, for any NPU. */
#ifndef TESTS_DMA_STREAM_H
#define TESTS_DMA_STREAM_H

#include "tests/libaccel_must.h"

/* cmd0: opcode and parameter. cmd1: bit 14 set, bits 39:32 as parameter, a second word. */
#define CMD0(opcode, param) ((uint32_t)(param) << 16 | (opcode))
#define CMD1(opcode, value) CMD0(0x4000 | (opcode), (uint64_t)(value) >> 32), (uint32_t)(value)
#define DMA(from, src, to, dst, len) \
	CMD0(0x130, from), CMD0(0x131, to), CMD1(0x030, src), CMD1(0x031, dst), CMD1(0x032, len), \
	CMD0(0x010, 0)
#define STOP CMD0(0x000, 0xffff)

/* What programs of them bring with them. */
static const char weights[64] = "sixty-four bytes of constants that the program brings with it";

static inline struct accel_program *dma_program(struct accel_device *device, const uint32_t *stream,
						size_t size)
{
	struct accel_program_options opt = { .size = sizeof(opt), .constants = weights,
					     .constants_size = sizeof(weights) };
	struct accel_program *program;

	must(accel_program_create(device, stream, size, &opt, &program, &err));
	return program;
}

#endif
