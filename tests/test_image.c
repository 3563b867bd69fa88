/* SPDX-License-Identifier: MIT */
/* Program files: what is written reads back the same; what is damaged is refused in words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>

#include "runtime/file.h"
#include "runtime/image/accel_file.h"

#define PATH "image-test.accel"

static const uint32_t stream[] = { 0x01020304, 0x05060708, 0xffff0000 };
static const uint8_t constants[48] = { 1, 2, 3, [47] = 9 };
static const float scales[] = { 0.5f, 0.25f, 0.125f };
static const int32_t zeros[] = { -3, 0, 7 };

/* Two runs that share constants, a per-channel tensor, a constant, a variable. */
static struct image *some_image(void)
{
	struct image *image = image_new("some");

	assert_non_null(image);
	image->config = 0x10080008;
	image->id = 0x10066001;
	image->arena_size = 4096;
	image->fast_size = 512;
	image->tensor_count = 6;
	image->tensors = image_alloc(image, 6, sizeof(*image->tensors));
	image->tensors[0] = (struct image_tensor){
		.name = "in", .type = ELEM_INT8, .ndim = 2, .shape = { 4, 3 }, .scale_count = 1,
		.scales = scales, .zero_points = zeros, .place = IMAGE_ARENA, .offset = 64,
	};
	image->tensors[1] = (struct image_tensor){
		.name = "out", .type = ELEM_INT16, .ndim = 2, .shape = { 5, 3 }, .scale_count = 3,
		.axis = 1, .scales = scales, .zero_points = zeros, .place = IMAGE_ARENA,
		.offset = 4096 - 30,
	};
	image->tensors[2] = (struct image_tensor){
		.name = "", .type = ELEM_UINT8, .ndim = 1, .shape = { 48 },
		.place = IMAGE_CONSTANT, .data = constants,
	};
	image->tensors[3] = (struct image_tensor){
		.name = "state", .type = ELEM_INT32, .variable = true, .place = IMAGE_ARENA,
	};
	image->tensors[4] = (struct image_tensor){
		.name = "own", .type = ELEM_INT8, .ndim = 1, .shape = { 5 }, .place = IMAGE_OWN, .region = 3,
	};
	image->tensors[5] = (struct image_tensor){
		.name = "another", .type = ELEM_INT8, .place = IMAGE_OWN, .region = 7,
	};
	image->input_count = 1;
	image->inputs = image_alloc(image, 1, sizeof(uint32_t));
	image->output_count = 2;
	image->outputs = image_alloc(image, 2, sizeof(uint32_t));
	image->outputs[0] = 1;
	image->outputs[1] = 3;
	image->run_count = 2;
	image->runs = image_alloc(image, 2, sizeof(*image->runs));
	image->runs[0] = (struct image_npu){ stream, 3, constants, 48, 16, false };
	image->runs[1] = (struct image_npu){ stream + 1, 2, constants, 48, 0, true };
	image->op_count = 1;
	image->ops = image_alloc(image, 1, sizeof(*image->ops));
	image->ops[0] = (struct image_op){
		.kind = IR_FULLY_CONNECTED, .input_count = 3, .output_count = 1,
		.inputs = image_list(image, (const uint32_t[]){ 0, 2, IR_NONE }, 3),
		.outputs = image_list(image, (const uint32_t[]){ 1 }, 1),
		.options = { .activation = IR_ACT_RELU6, .keep_dims = -5 },
	};
	image->step_count = 3;
	image->steps = image_alloc(image, 3, sizeof(*image->steps));
	image->steps[0] = (struct image_step){ true, 0 };
	image->steps[1] = (struct image_step){ false, 0 };
	image->steps[2] = (struct image_step){ true, 1 };
	return image;
}

static void write_read(struct image **out, void **copy, size_t *size)
{
	struct image *image = some_image();
	struct error err;
	void *file;

	assert_int_equal(image_write(image, PATH, &err), 0);
	image_free(image);
	assert_int_equal(file_read(PATH, &file, size, &err), 0);
	*copy = malloc(*size);
	memcpy(*copy, file, *size);
	assert_int_equal(image_parse(file, *size, PATH, out, &err), 0);
	unlink(PATH);
}

static void same_again(void **state)
{
	struct image *a = some_image(), *b;
	void *copy;
	size_t size;

	(void)state;
	write_read(&b, &copy, &size);
	assert_int_equal(b->config, a->config);
	assert_int_equal(b->id, a->id);
	assert_int_equal(b->arena_size, a->arena_size);
	assert_int_equal(b->fast_size, a->fast_size);
	assert_int_equal(b->tensor_count, a->tensor_count);
	for (uint32_t i = 0; i < a->tensor_count; i++) {
		const struct image_tensor *x = &a->tensors[i], *y = &b->tensors[i];

		assert_string_equal(x->name, y->name);
		assert_int_equal(x->type, y->type);
		assert_int_equal(x->ndim, y->ndim);
		assert_memory_equal(x->shape, y->shape, sizeof(x->shape));
		assert_int_equal(x->scale_count, y->scale_count);
		for (uint32_t k = 0; k < x->scale_count; k++) {
			assert_true(image_scale(x, k) == image_scale(y, k));
			assert_int_equal(image_zero_point(x, k), image_zero_point(y, k));
		}
		assert_int_equal(x->variable, y->variable);
		assert_int_equal(x->place, y->place);
		assert_int_equal(x->place == IMAGE_ARENA ? x->offset : 0, y->offset);
		assert_int_equal(x->region, y->region);
		if (x->place == IMAGE_CONSTANT)
			assert_memory_equal(x->data, y->data, 48);
	}
	assert_int_equal(b->input_count, 1);
	assert_int_equal(b->output_count, 2);
	assert_memory_equal(a->outputs, b->outputs, 8);
	assert_int_equal(b->run_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(a->runs[i].words, b->runs[i].words);
		assert_memory_equal(a->runs[i].stream, b->runs[i].stream, 4 * a->runs[i].words);
		assert_int_equal(b->runs[i].constants_size, 48);
		assert_memory_equal(b->runs[i].constants, constants, 48);
		assert_int_equal(a->runs[i].arena_offset, b->runs[i].arena_offset);
		assert_int_equal(a->runs[i].fast_is_arena, b->runs[i].fast_is_arena);
	}
	assert_int_equal(b->op_count, 1);
	assert_int_equal(b->ops[0].kind, IR_FULLY_CONNECTED);
	assert_int_equal(b->ops[0].input_count, 3);
	assert_memory_equal(b->ops[0].inputs, a->ops[0].inputs, 12);
	assert_int_equal(b->ops[0].output_count, 1);
	assert_int_equal(b->ops[0].outputs[0], 1);
	assert_memory_equal(&a->ops[0].options, &b->ops[0].options, sizeof(a->ops[0].options));
	assert_int_equal(b->step_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(b->steps[i].npu, a->steps[i].npu);
		assert_int_equal(b->steps[i].index, a->steps[i].index);
	}
	/* Shared in the file, too. */
	assert_ptr_equal(b->runs[0].constants, b->runs[1].constants);
	assert_int_equal(image_own_size(b), 6);
	image_free(a);
	image_free(b);
	free(copy);
}

static int parse(const uint8_t *data, size_t size, struct error *err)
{
	uint8_t *file = malloc(size + !size);
	struct image *image;
	int rc;

	memcpy(file, data, size);
	err->text[0] = '\0';
	rc = image_parse(file, size, "damaged", &image, err);
	if (!rc)
		image_free(image);
	else
		assert_true(err->text[0] && !strchr(err->text, '\n'));
	return rc;
}

/* A region is one tensor's, is one of those for it, and holds no state. */
static void regions(void **state)
{
	static const struct { uint32_t tensor, region; bool variable; } wrong[] = {
		{ 4, 0, false }, { 4, 2, false }, { 4, 8, false }, { 4, UINT32_MAX, false },
		{ 4, 7, false }, { 5, 3, false }, { 5, 6, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct image *image = some_image(), *got;
		struct error err;
		size_t size;
		void *file;

		image->tensors[wrong[i].tensor].region = wrong[i].region;
		image->tensors[wrong[i].tensor].variable = wrong[i].variable;
		assert_int_equal(image_write(image, PATH, &err), 0);
		image_free(image);
		assert_int_equal(file_read(PATH, &file, &size, &err), 0);
		assert_int_equal(image_parse(file, size, PATH, &got, &err), -EINVAL);
		assert_non_null(strstr(err.text, "of place 5"));
		unlink(PATH);
	}
}

/* Every byte that differs is noticed, and every length but the right one. */
static void damage_is_seen(void **state)
{
	struct image *image;
	struct error err;
	uint8_t *copy;
	size_t size;

	(void)state;
	write_read(&image, (void **)&copy, &size);
	image_free(image);
	for (size_t i = 0; i < size; i++) {
		copy[i] ^= 0x41;
		assert_true(parse(copy, size, &err) < 0);
		copy[i] ^= 0x41;
		assert_true(parse(copy, i, &err) < 0);
	}
	assert_int_equal(parse(copy, size, &err), 0);
	free(copy);
}

/* With a right checksum, what a byte says is looked at itself: no crash, and words if refused. */
static void lies_are_seen(void **state)
{
	struct accel_file_header h;
	struct image *image;
	struct error err;
	uint8_t *copy;
	size_t size;

	(void)state;
	write_read(&image, (void **)&copy, &size);
	image_free(image);
	for (size_t i = 32; i < size; i++) {
		static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
		uint8_t old = copy[i];

		for (unsigned int k = 0; k < sizeof(values); k++) {
			copy[i] = values[k];
			memcpy(&h, copy, sizeof(h));
			h.checksum = XXH3_64bits(copy + 32, size - 32);
			memcpy(copy, &h, sizeof(h));
			parse(copy, size, &err);
		}
		copy[i] = old;
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_again),
		cmocka_unit_test(regions),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(lies_are_seen),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
