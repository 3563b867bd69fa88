/* SPDX-License-Identifier: MIT */
/* Tests: command streams put together by hand, and what the decoder makes of them. */
#ifndef ACCEL_TESTS_DECODE_STREAM_H
#define ACCEL_TESTS_DECODE_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/decode.h"
#include "uapi/ethosu_isa.h"

#define STREAM_WORDS 512

struct stream {
	uint32_t words[STREAM_WORDS];
	size_t count;
};

static inline void stream_word(struct stream *s, uint32_t word)
{
	assert_true(s->count < STREAM_WORDS);
	s->words[s->count++] = word;
}

/* A command of one word, of two words, and an address of 40 bits. */
#define SET(s, name, param) stream_word(s, ETHOSU_CMD0(name, param))
#define SET2(s, name, param, payload)                                                              \
	do {                                                                                       \
		stream_word(s, ETHOSU_CMD1(name, param));                                          \
		stream_word(s, (uint32_t)(payload));                                               \
	} while (0)
#define SET_ADDRESS(s, name, address)                                                              \
	SET2(s, name, (uint64_t)(address) >> 32 & 0xff, (uint64_t)(address))

/* Decode it on a device, from the state after reset. Free with npu_program_free(). */
static inline void stream_decode(const struct stream *s, const char *device,
				 struct npu_program *out)
{
	const struct npu_state reset = { .cmd0 = { 0 } };
	const struct npu_config *config = npu_config_find(device);

	assert_non_null(config);
	assert_int_equal(npu_decode(config, &reset, s->words, s->count, out), 0);
}

/* The same with a STOP behind, which must be reached. */
static inline void stream_finish(struct stream *s, const char *device, struct npu_program *out)
{
	SET(s, OP_STOP, 0xffff);
	stream_decode(s, device, out);
	if (out->end != NPU_STOP_END)
		fail_msg("%s: stopped at 0x%x: %s", device, out->end_offset, out->why);
	assert_int_equal(out->end_offset, 4 * s->count);
	assert_int_equal(out->stop_mask, 0xffff);
}

/* An OFM of @height x @width x @depth in region 1 at @base, dense NHWC, of signed bytes. */
static inline void stream_ofm(struct stream *s, unsigned int height, unsigned int width,
			      unsigned int depth, uint64_t base)
{
	SET(s, SET_OFM_HEIGHT_M1, height - 1);
	SET(s, SET_OFM_WIDTH_M1, width - 1);
	SET(s, SET_OFM_DEPTH_M1, depth - 1);
	SET(s, SET_OFM_WIDTH0_M1, width - 1);
	SET(s, SET_OFM_HEIGHT0_M1, height - 1);
	SET(s, SET_OFM_HEIGHT1_M1, height - 1);
	SET(s, SET_OFM_REGION, 1);
	SET(s, SET_OFM_PRECISION, 0x101);
	SET_ADDRESS(s, SET_OFM_BASE0, base);
	SET_ADDRESS(s, SET_OFM_STRIDE_X, depth);
	SET_ADDRESS(s, SET_OFM_STRIDE_Y, width * depth);
	SET2(s, SET_OFM_SCALE, 0, 1);
	SET(s, SET_ACTIVATION_MIN, (uint16_t)-128);
	SET(s, SET_ACTIVATION_MAX, 127);
}

/* The IFM likewise. */
static inline void stream_ifm(struct stream *s, unsigned int height, unsigned int width,
			      unsigned int depth, uint64_t base)
{
	SET(s, SET_IFM_DEPTH_M1, depth - 1);
	SET(s, SET_IFM_WIDTH0_M1, width - 1);
	SET(s, SET_IFM_HEIGHT0_M1, height - 1);
	SET(s, SET_IFM_HEIGHT1_M1, height - 1);
	SET(s, SET_IFM_REGION, 1);
	SET(s, SET_IFM_PRECISION, 0x1);
	SET_ADDRESS(s, SET_IFM_BASE0, base);
	SET_ADDRESS(s, SET_IFM_STRIDE_X, depth);
	SET_ADDRESS(s, SET_IFM_STRIDE_Y, width * depth);
}

static inline void stream_ifm2(struct stream *s, unsigned int height, unsigned int width,
			       unsigned int depth, uint64_t base)
{
	SET(s, SET_IFM2_WIDTH0_M1, width - 1);
	SET(s, SET_IFM2_HEIGHT0_M1, height - 1);
	SET(s, SET_IFM2_HEIGHT1_M1, height - 1);
	SET(s, SET_IFM2_REGION, 1);
	SET(s, SET_IFM2_PRECISION, 0x1);
	SET_ADDRESS(s, SET_IFM2_BASE0, base);
	SET_ADDRESS(s, SET_IFM2_STRIDE_X, depth);
	SET_ADDRESS(s, SET_IFM2_STRIDE_Y, width * depth);
}

#endif
