/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: operators on the CPU with operands of any kind. Input: the operation, its options a byte
 * each, operands (struct operand), then elements. Nothing may be read or written out of range; what
 * is made can be run, twice with the same result; what is refused has a reason.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu.h"

#define MAX_OPERANDS	26
#define MAX_ELEMENTS	4096
#define MAX_SCALES	8

struct operand {
	uint8_t type, ndim;	/* ndim: bit 7 left out, bit 6 constant, bit 5 a scale a channel */
	uint8_t shape[CPU_MAX_DIMS];
	uint8_t scale;
	int8_t zero_point;
} __attribute__((packed));

struct input {
	const uint8_t *data;
	size_t size;
};

static const float scales[] = {
	1.0f, 0.5f, 0.0078125f, 3.0517578e-05f, 0.00024414062f, 0.1f, 1e-9f, 1e9f, 0.0f, -1.0f,
	0.00390625f, 0.023f, 1e-30f, 1e30f, 0.0009765625f, 6.0f,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct input *in, void *out, size_t size)
{
	size_t n = size < in->size ? size : in->size;

	memset(out, 0, size);
	if (n)
		memcpy(out, in->data, n);
	in->data += n;
	in->size -= n;
}

static void take_options(struct input *in, struct ir_options *o)
{
	int8_t byte;

#define SET_s32(name) (o->name = byte)
#define SET_f32(name) (o->name = byte < 0 ? -1.0f : scales[byte % 16])
#define X(name, type) \
	take(in, &byte, 1); \
	SET_##type(name);
	IR_OPTIONS(X)
#undef X
}

/* An operand with memory of its own, so that an element too far is seen. False: too large. */
static bool take_operand(struct input *in, struct cpu_tensor *t, float *scale, int32_t *zero)
{
	static const uint8_t types[] = {
		ELEM_INT8, ELEM_INT8, ELEM_UINT8, ELEM_INT16, ELEM_INT32, ELEM_INT32, ELEM_FLOAT32,
		ELEM_BOOL, ELEM_INT64, ELEM_FLOAT16, 77, ELEM_FLOAT32, ELEM_FLOAT32, ELEM_FLOAT32,
		ELEM_UINT64, ELEM_FLOAT64,
	};
	struct operand d;
	size_t elements = 1, bytes;

	take(in, &d, sizeof(d));
	*t = (struct cpu_tensor){ .type = types[d.type % sizeof(types)] };
	if (d.ndim & 0x80)
		return true;
	t->ndim = (d.ndim & 15) % (CPU_MAX_DIMS + 1);
	for (uint32_t i = 0; i < t->ndim; i++) {
		t->shape[i] = d.shape[i];
		elements *= d.shape[i];
		if (elements > MAX_ELEMENTS)
			return false;
	}
	t->scale_count = d.scale & 0x80 ? 0 : 1;
	if (d.ndim & 0x20 && t->ndim) {
		t->axis = (int32_t)(d.scale % t->ndim);
		t->scale_count = (uint32_t)t->shape[t->axis];
	}
	if (t->scale_count > MAX_SCALES)
		t->scale_count = 1;
	for (unsigned int i = 0; i < MAX_SCALES; i++) {
		scale[i] = scales[(d.scale + i) % 16];
		zero[i] = d.zero_point;
	}
	t->scales = scale;
	t->zero_points = zero;
	t->constant = d.ndim >> 6 & 1;
	bytes = elements * (elem_size(t->type) ? elem_size(t->type) : 1);
	t->data = malloc(bytes + !bytes);
	if (!t->data)
		abort();
	return true;
}

static void fill(const struct cpu_tensor *t, struct input in)
{
	uint8_t *bytes = t->data;
	size_t size = cpu_elements(t) * (elem_size(t->type) ? elem_size(t->type) : 1);

	for (size_t i = 0; bytes && i < size; i++) {
		bytes[i] = in.size ? in.data[i % in.size] : 0;
		if (t->type == ELEM_BOOL)
			bytes[i] &= 1;
		/* Mostly small numbers among indices, so that some are in range. */
		if ((t->type == ELEM_INT32 || t->type == ELEM_INT64) && i % elem_size(t->type))
			bytes[i] = i % 64 < 60 ? 0 : bytes[i];
	}
}

static void run(struct cpu_op *op, struct cpu_tensor *tensors, uint32_t in_count,
		uint32_t out_count, struct input rest)
{
	struct error err = { "" };
	uint8_t *first = NULL;
	size_t bytes = 0;

	for (int turn = 0; turn < 2; turn++) {
		int ret;

		for (uint32_t i = 0; i < in_count; i++)
			if (!tensors[i].constant)
				fill(&tensors[i], rest);
		for (uint32_t i = in_count; i < in_count + out_count; i++)
			memset(tensors[i].data, turn ? 0x5a : 0xa5, cpu_bytes(&tensors[i]));
		ret = cpu_op_run(op, &err);
		if (ret && (ret != -EINVAL || !err.text[0]))
			abort();
		if (ret)
			break;
		if (!turn) {
			bytes = cpu_bytes(&tensors[in_count]);
			first = malloc(bytes + !bytes);
			if (!first)
				abort();
			memcpy(first, tensors[in_count].data, bytes);
		} else if (memcmp(first, tensors[in_count].data, bytes)) {
			abort();	/* also if an element was left unwritten */
		}
	}
	free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpu_tensor tensors[MAX_OPERANDS] = { 0 };
	float scale[MAX_OPERANDS][MAX_SCALES];
	int32_t zero[MAX_OPERANDS][MAX_SCALES];
	struct input in = { data, size };
	struct ir_options options = { 0 };
	struct error err = { "" };
	struct cpu_op *op;
	uint8_t kind, counts;
	uint32_t in_count, out_count;
	bool fits = true;
	int ret;

	take(&in, &kind, 1);
	take(&in, &counts, 1);
	take_options(&in, &options);
	in_count = 1 + (counts & 31) % 24;
	out_count = 1 + (counts >> 5 & 1);
	for (uint32_t i = 0; i < in_count + out_count && fits; i++)
		fits = take_operand(&in, &tensors[i], scale[i], zero[i]);
	for (uint32_t i = 0; i < in_count && fits; i++)
		fill(&tensors[i], in);
	if (!fits)
		goto out;
	ret = cpu_op_create(kind % (IR_KIND_COUNT + 1), &options, tensors, in_count,
			    tensors + in_count, out_count, &op, &err);
	if (ret) {
		if ((ret != -EINVAL && ret != -ENOTSUP && ret != -ENOMEM) || !err.text[0])
			abort();
		goto out;
	}
	run(op, tensors, in_count, out_count, in);
	cpu_op_free(op);
out:
	for (uint32_t i = 0; i < in_count + out_count; i++)
		free(tensors[i].data);
	return 0;
}
