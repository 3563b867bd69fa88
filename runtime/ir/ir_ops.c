/* SPDX-License-Identifier: MIT */
/* The tables of graph operations, their options and the fields of NPU operations. */
#include "runtime/ir/ir_ops.h"

#include <string.h>

#define FIELD_s32	IR_FIELD_S32
#define FIELD_f32	IR_FIELD_F32

/* Types of the options by name, for the per-kind lists below. */
#define ENUM_X(name, type) OPTION_TYPE_##name = FIELD_##type,
enum { IR_OPTIONS(ENUM_X) };

#define O(name, flat, bytes, dflt) \
	{ { #name, offsetof(struct ir_options, name), OPTION_TYPE_##name }, flat, bytes, dflt },
#define X(name, code, in_min, in_max, out_min, out_max, options) \
	static const struct ir_option options_##name[] = { options { { 0 }, 0, 0, 0 } };
IR_KINDS(X)
#undef X
#undef O

static const struct ir_option options_OTHER[] = {
	{ { "code", offsetof(struct ir_options, code), IR_FIELD_S32 }, -1, 4, 0 },
};

static const struct ir_kind_info kinds[IR_KIND_COUNT] = {
	[IR_NPU] = { "NPU", -1, 0, UINT16_MAX, 1, 1, NULL, 0 },
	[IR_OTHER] = { "OTHER", -1, 0, UINT16_MAX, 0, UINT16_MAX, options_OTHER, 1 },
#define X(name, code, in_min, in_max, out_min, out_max, options) \
	[IR_##name] = { #name, code, in_min, in_max, out_min, out_max, options_##name, \
			sizeof(options_##name) / sizeof(options_##name[0]) - 1 },
	IR_KINDS(X)
#undef X
};

const struct ir_kind_info *ir_kind_info(unsigned int kind)
{
	return kind < IR_KIND_COUNT ? &kinds[kind] : NULL;
}

int ir_kind_by_name(const char *name, size_t len)
{
	for (unsigned int i = 0; i < IR_KIND_COUNT; i++)
		if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, name, len))
			return (int)i;
	return -1;
}

int ir_kind_by_code(int code)
{
	for (unsigned int i = 0; code >= 0 && i < IR_KIND_COUNT; i++)
		if (kinds[i].code == code)
			return (int)i;
	return -1;
}

#define F(name, type)	{ #name, offsetof(struct ir_npu, name), IR_FIELD_##type }
#define S(name)		{ #name, offsetof(struct ir_npu, name.scale), IR_FIELD_U32 }, \
			{ #name "_shift", offsetof(struct ir_npu, name.shift), IR_FIELD_U8 }

static const struct ir_field npu_fields[] = {
	F(upscale, U8), F(round, U8), F(transpose, U8), F(reverse, U8), F(lut, U8),
	F(acc48, BOOL), F(hw_divide, BOOL), F(ifm_dbl, BOOL),
	F(kernel_h, S32), F(kernel_w, S32), F(stride_y, S32), F(stride_x, S32),
	F(dilation_y, S32), F(dilation_x, S32),
	F(pad_top, S32), F(pad_left, S32), F(pad_bottom, S32), F(pad_right, S32),
	S(ifm_scale), S(ifm2_scale), S(ofm_scale),
	F(act_min, S32), F(act_max, S32),
	F(resize_off_y, S32), F(resize_off_x, S32), F(resize_n_y, U32), F(resize_n_x, U32),
	F(resize_d_y, U32), F(resize_d_x, U32),
};

const struct ir_field *ir_npu_fields(unsigned int *count)
{
	*count = sizeof(npu_fields) / sizeof(npu_fields[0]);
	return npu_fields;
}

int64_t ir_field_get(const struct ir_field *field, const void *base)
{
	const char *p = (const char *)base + field->offset;
	int32_t s;
	uint32_t u;

	switch (field->type) {
	case IR_FIELD_S32:
		memcpy(&s, p, sizeof(s));
		return s;
	case IR_FIELD_U8:
		return *(const uint8_t *)p;
	case IR_FIELD_BOOL:
		return *(const bool *)p;
	default:
		memcpy(&u, p, sizeof(u));
		return u;
	}
}

void ir_field_set(const struct ir_field *field, void *base, int64_t value)
{
	char *p = (char *)base + field->offset;
	uint32_t u = (uint32_t)value;

	switch (field->type) {
	case IR_FIELD_U8:
		*(uint8_t *)p = (uint8_t)value;
		break;
	case IR_FIELD_BOOL:
		*(bool *)p = value != 0;
		break;
	default:
		memcpy(p, &u, sizeof(u));
	}
}
