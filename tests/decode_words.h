/* SPDX-License-Identifier: MIT */
/*
 * Tests: streams written as numbers, so that a wrong number in the ISA's lists is found too, and what the
 * decoder makes of them.
 */
#ifndef ACCEL_TESTS_DECODE_WORDS_H
#define ACCEL_TESTS_DECODE_WORDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/decode.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One word: parameter above the opcode. Two words: bit 14, upper address byte or shift, payload. */
#define W1(opcode, param)	((uint32_t)(param) << 16 | (opcode))
#define W2(opcode, param, data) ((uint32_t)(param) << 16 | 0x4000u | (opcode)), ((uint32_t)(data))
#define STOP			W1(0x000, 0xffff)

/* int8 NHWC maps of h x w x d in region 1 and 2, in one tile, packed. */
#define IFM(h, w, d, base)                                                                         \
	W1(0x104, (d)-1), W1(0x105, 0x0001), W1(0x10a, (w)-1), W1(0x10b, (h)-1), W1(0x10c, (h)-1), \
		W1(0x10f, 1), W2(0x000, 0, base), W2(0x004, 0, d), W2(0x005, 0, (w) * (d)),        \
		W2(0x006, 0, 1)
#define IFM2(h, w, d, base)                                                                        \
	W1(0x185, 0x0001), W1(0x18a, (w)-1), W1(0x18b, (h)-1), W1(0x18c, (h)-1), W1(0x18f, 1),     \
		W2(0x080, 0, base), W2(0x084, 0, d), W2(0x085, 0, (w) * (d)), W2(0x086, 0, 1)
#define OFM(h, w, d, base)                                                                         \
	W1(0x111, (w)-1), W1(0x112, (h)-1), W1(0x113, (d)-1), W1(0x114, 0x0101), W1(0x11a, (w)-1), \
		W1(0x11b, (h)-1), W1(0x11c, (h)-1), W1(0x11f, 2), W2(0x010, 0, base),              \
		W2(0x014, 0, d), W2(0x015, 0, (w) * (d)), W2(0x016, 0, 1)

static inline struct npu_program decode(const char *device, const uint32_t *words, size_t count)
{
	static const struct npu_state zero;
	struct npu_program program;

	assert_non_null(npu_config_find(device));
	assert_int_equal(npu_decode(npu_config_find(device), &zero, words, count, &program), 0);
	return program;
}

/* A stream without a fault that means @count operations. */
static inline struct npu_program decode_good(const char *device, const uint32_t *words,
					     size_t words_count, size_t count)
{
	struct npu_program program = decode(device, words, words_count);

	if (program.end != NPU_STOP_END)
		fail_msg("%s: at 0x%x: %s", device, program.end_offset, program.why);
	assert_int_equal(program.end_offset, 4 * words_count);
	assert_int_equal(program.stop_mask, 0xffff);
	assert_int_equal(program.count, count);
	return program;
}

#endif
