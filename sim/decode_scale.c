/* SPDX-License-Identifier: MIT */
/* Scaling, rounding, activation: what happens to a value between the accumulator and the OFM. */
#include <limits.h>

#include "sim/decode_internal.h"

/* LUT memory of U55 and U65: the last 2 KiB of SHRAM, tables at multiples of 256 bytes. */
#define SHRAM_LUT_BYTES 2048
#define SHRAM_LUT_SLOT	256

/* K of the two-step scaling of ADD and SUB: bits that the input of 8 or 16 bits is moved up by. */
#define INPUT_SHIFT_8  20
#define INPUT_SHIFT_16 15

static uint8_t round_u65(unsigned int mode)
{
	static const uint8_t modes[4] = {
		[ETHOSU_U65_ROUND_MODE_DBL] = NPU_ROUND_TFL,
		[ETHOSU_U65_ROUND_MODE_TRUNCATE] = NPU_ROUND_TO_ZERO,
		[ETHOSU_U65_ROUND_MODE_NATURAL] = NPU_ROUND_NATURAL,
	};

	return modes[mode & 3];
}

static int round_u85(struct decoder *d, unsigned int mode, uint8_t *round)
{
	static const uint8_t modes[] = {
		[ETHOSU_U85_ROUND_MODE_OFM_DOUBLE_SYMMETRIC] = NPU_ROUND_TFL,
		[ETHOSU_U85_ROUND_MODE_OFM_NATURAL] = NPU_ROUND_NATURAL,
		[ETHOSU_U85_ROUND_MODE_OFM_DOUBLE_ASYMMETRIC] = NPU_ROUND_DOUBLE_ASYMMETRIC,
		[ETHOSU_U85_ROUND_MODE_OFM_SYMMETRIC] = NPU_ROUND_SYMMETRIC,
		[ETHOSU_U85_ROUND_MODE_OFM_TRUNCATE_TO_ZERO] = NPU_ROUND_TO_ZERO,
		[ETHOSU_U85_ROUND_MODE_OFM_TRUNCATE_TO_LOWER] = NPU_ROUND_TO_LOWER,
	};

	if (mode >= sizeof(modes))
		return decode_error(d, "OFM round mode %u", mode);
	*round = modes[mode];
	return 0;
}

static int32_t boundary(const struct npu_op *op, uint16_t v)
{
	return op->ofm.is_signed ? (int16_t)v : v;
}

/* The function says which table it is, and with it how wide. */
static int activation_u85(struct decoder *d, struct npu_op *op)
{
	static const struct {
		uint8_t lut;
		uint16_t size;
	} functions[] = {
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_U8_U8] = { NPU_LUT_U8_U8, 256 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S8] = { NPU_LUT_S8_S8, 256 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S16] = { NPU_LUT_S8_S16, 512 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S32] = { NPU_LUT_S8_S32, 1024 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S16_S16] = { NPU_LUT_S16_S16, 2048 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S16_S32] = { NPU_LUT_S16_S32, 2048 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_TANH] = { NPU_LUT_TANH, 2048 },
		[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_SIGMOID] = { NPU_LUT_SIGMOID, 2048 },
	};
	const struct npu_state *s = &d->program->state;
	unsigned int function = STATE0(s, SET_ACTIVATION, FUNCTION_U85);

	op->clamp =
		STATE0(s, SET_ACTIVATION, CLIP_RANGE_U85) == ETHOSU_U85_ACTIVATION_CLIP_RANGE_B16;
	if (!function)
		return 0;
	if (function >= sizeof(functions) / sizeof(functions[0]) || !functions[function].size)
		return decode_error(d, "activation function %u", function);
	op->lut = functions[function].lut;
	op->lut_offset = STATE0(s, SET_ACTIVATION, TABLE) * functions[function].size;
	return 0;
}

/* The table of a U55 or U65 depends on what goes in, by the clip range, and on what comes out. */
static int table_u65(struct decoder *d, struct npu_op *op, unsigned int clip)
{
	unsigned int out = op->ofm.elem_log2;
	bool wide = clip == ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT16 ||
		    (clip == ETHOSU_U65_ACTIVATION_CLIP_RANGE_OFM_PRECISION && out == 1);
	bool is_unsigned =
		clip == ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_UINT8 ||
		(clip == ETHOSU_U65_ACTIVATION_CLIP_RANGE_OFM_PRECISION && !op->ofm.is_signed);
	static const uint8_t narrow_tables[3] = { NPU_LUT_S8_S8, NPU_LUT_S8_S16, NPU_LUT_S8_S32 };
	static const uint8_t wide_tables[3] = { NPU_LUT_NONE, NPU_LUT_S16_S16, NPU_LUT_S16_S32 };

	op->lut = wide ? wide_tables[out] : narrow_tables[out];
	if (!wide && is_unsigned)
		op->lut = out == 0 ? NPU_LUT_U8_U8 : NPU_LUT_NONE;
	if (op->lut == NPU_LUT_NONE ||
	    (clip == ETHOSU_U65_ACTIVATION_CLIP_RANGE_OFM_PRECISION && out == 2))
		return decode_error(
			d, "table lookup with clip range %u to a %u-bit OFM is not modelled", clip,
			8u << out);
	return 0;
}

static int activation_u65(struct decoder *d, struct npu_op *op)
{
	static const struct {
		int32_t min, max;
	} forced[] = {
		[ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_UINT8] = { 0, UINT8_MAX },
		[ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT8] = { INT8_MIN, INT8_MAX },
		[ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT16] = { INT16_MIN, INT16_MAX },
	};
	const struct npu_state *s = &d->program->state;
	unsigned int function = STATE0(s, SET_ACTIVATION, FUNCTION);
	unsigned int clip = STATE0(s, SET_ACTIVATION, CLIP_RANGE);

	/* A 32-bit OFM is not clamped unless it is made to be. */
	op->clamp = clip || op->ofm.elem_log2 < 2;
	if (clip) {
		if (clip >= sizeof(forced) / sizeof(forced[0]) || !forced[clip].max)
			return decode_error(d, "activation clip range %u", clip);
		if (op->act_min < forced[clip].min)
			op->act_min = forced[clip].min;
		if (op->act_max > forced[clip].max)
			op->act_max = forced[clip].max;
	}
	switch (function) {
	case ETHOSU_U65_ACTIVATION_FUNCTION_RELU:
		return 0;
	case ETHOSU_U65_ACTIVATION_FUNCTION_TANH:
		op->lut = NPU_LUT_TANH_BUILTIN;
		return 0;
	case ETHOSU_U65_ACTIVATION_FUNCTION_SIGMOID:
		op->lut = NPU_LUT_SIGMOID_BUILTIN;
		return 0;
	}
	if (function < ETHOSU_U65_ACTIVATION_FUNCTION_TABLE_0 ||
	    function > ETHOSU_U65_ACTIVATION_FUNCTION_TABLE_7)
		return decode_error(d, "activation function %u", function);
	op->lut_offset = d->config->shram_kib * 1024 - SHRAM_LUT_BYTES +
			 (function - ETHOSU_U65_ACTIVATION_FUNCTION_TABLE_0) * SHRAM_LUT_SLOT;
	return table_u65(d, op, clip);
}

int decode_output(struct decoder *d, struct npu_op *op)
{
	const struct npu_state *s = &d->program->state;
	bool u85 = d->config->arch == 85;
	int rc;

	op->per_channel =
		STATE0(s, SET_OFM_PRECISION, SCALE_MODE) == ETHOSU_OFM_SCALE_MODE_PER_CHANNEL;
	if (op->kind == NPU_KIND_MATMUL && op->per_channel)
		return decode_error(
			d, "matrix product with scales per channel: it has no scale stream");
	op->acc48 = (u85 ? STATE0(s, SET_ACC_FORMAT, ACC_FORMAT_U85)
			 : STATE0(s, SET_ACC_FORMAT, ACC_FORMAT)) == 1;
	op->ofm_scale.shift = (uint8_t)PARAM1(s, SET_OFM_SCALE, SHIFT);
	if (u85) {
		op->ofm_scale.scale = PAYLOAD1(s, SET_OFM_SCALE, SCALE_U85);
		rc = round_u85(d, PARAM1(s, SET_OFM_SCALE, ROUND_MODE), &op->round);
		if (rc)
			return rc;
	} else {
		op->ofm_scale.scale = PAYLOAD1(s, SET_OFM_SCALE, SCALE);
		op->round = round_u65(STATE0(s, SET_OFM_PRECISION, ROUND_MODE));
	}
	op->ofm_scale.round = op->round;
	op->act_min = boundary(op, s->cmd0[ETHOSU_SET_ACTIVATION_MIN & 0xff]);
	op->act_max = boundary(op, s->cmd0[ETHOSU_SET_ACTIVATION_MAX & 0xff]);
	rc = u85 ? activation_u85(d, op) : activation_u65(d, op);
	if (rc)
		return rc;
	/* The register keeps what an earlier operation left there. */
	if (op->ofm.elem_log2 == 2 && op->lut == NPU_LUT_NONE)
		op->ofm.zero_point = 0;
	return 0;
}

/* A register that was never written scales by one. */
static struct npu_scale or_one(struct npu_scale s)
{
	if (!s.scale && !s.shift)
		s.scale = 1;
	return s;
}

static void input_scales_u85(const struct npu_state *s, struct npu_op *op)
{
	static const uint8_t modes[2] = { NPU_ROUND_TFL, NPU_ROUND_NATURAL };

	op->a_scale = or_one((struct npu_scale){
		.scale = PAYLOAD1(s, SET_IFM_SCALE, SCALE),
		.shift = (uint8_t)PARAM1(s, SET_IFM_SCALE, SHIFT),
		.round = modes[PARAM1(s, SET_IFM_SCALE, ROUND_MODE)],
		.dbl = (uint8_t)PARAM1(s, SET_IFM_SCALE, DBL_RND),
	});
	op->b_scale = or_one((struct npu_scale){
		.scale = PAYLOAD1(s, SET_IFM2_SCALE, SCALE),
		.shift = (uint8_t)PARAM1(s, SET_IFM2_SCALE, SHIFT),
		.round = modes[PARAM1(s, SET_IFM2_SCALE, ROUND_MODE)],
		.dbl = (uint8_t)PARAM1(s, SET_IFM2_SCALE, DBL_RND),
	});
}

/*
 * OPA is the first operand, whichever register set it came from. Either both are multiplied with 16
 * bits, or one in two steps with 32 bits while the other is moved up to match.
 */
static void input_scales_u65(const struct npu_state *s, struct npu_op *op)
{
	uint8_t k = STATE0(s, SET_IFM_PRECISION, PRECISION) == ETHOSU_ACTIVATION_PRECISION_B8
			    ? INPUT_SHIFT_8
			    : INPUT_SHIFT_16;
	struct npu_scale scaled = {
		.scale = PAYLOAD1(s, SET_OPA_SCALE, SCALE),
		.shift = (uint8_t)PARAM1(s, SET_OPA_SCALE, SHIFT),
		.round = round_u65(STATE0(s, SET_IFM_PRECISION, ROUND_MODE)),
		.dbl = k,
	};
	struct npu_scale moved = { .scale = 1u << 30, .shift = (uint8_t)(31 - k), .dbl = k };

	switch (STATE0(s, SET_IFM_PRECISION, SCALE_MODE)) {
	case ETHOSU_IFM_SCALE_MODE_OPA_32:
		op->a_scale = scaled;
		op->b_scale = moved;
		break;
	case ETHOSU_IFM_SCALE_MODE_OPB_32:
		op->a_scale = moved;
		op->b_scale = scaled;
		break;
	default:
		op->a_scale = or_one((struct npu_scale){ .scale = scaled.scale & 0xffff,
							 .round = NPU_ROUND_NATURAL });
		op->b_scale = or_one((struct npu_scale){ .scale = PAYLOAD1(s, SET_OPB_SCALE, SCALE),
							 .round = NPU_ROUND_NATURAL });
		break;
	}
}

void decode_input_scales(struct decoder *d, struct npu_op *op)
{
	const struct npu_scale one = { .scale = 1, .round = NPU_ROUND_NATURAL };
	const struct npu_state *s = &d->program->state;

	op->a_scale = one;
	op->b_scale = one;
	if (d->config->arch == 85) {
		input_scales_u85(s, op);
	} else if (op->mode == NPU_ELT_ADD || op->mode == NPU_ELT_SUB) {
		input_scales_u65(s, op);
	} else if (op->mode == NPU_ELT_LRELU) {
		/* OFM_SCALE is the slope of what is negative, nothing else. */
		op->b_scale = op->ofm_scale;
		op->ofm_scale = one;
	}
}
