/* SPDX-License-Identifier: MIT */
/* Tests: the NPU job inside a .tflite that Vela wrote. */
#ifndef ACCEL_TESTS_VELA_FILE_H
#define ACCEL_TESTS_VELA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VELA_MAX_TENSORS 64

/**
 * struct vela_tensor - a feature map of the model
 * @name: in the file, not terminated by more than its length says
 * @offset: in the arena (region 1)
 * @size: bytes
 * @zero_point: what a variable holds before the first run
 */
struct vela_tensor {
	char name[128];
	int64_t offset;
	size_t size;
	size_t elem_size;
	int64_t zero_point;
};

/**
 * struct vela_file - a model that is one NPU operator
 * @words, @count: the command stream, owned
 * @constants, @constants_size: region 0, in the file's bytes
 * @arena_size, @fast_size: regions 1 and 2
 * @fast_is_arena: region 2 is region 1
 */
struct vela_file {
	uint8_t *bytes;
	size_t size;
	uint32_t *words;
	size_t count;
	const uint8_t *constants;
	size_t constants_size;
	size_t arena_size, fast_size;
	bool fast_is_arena;
	struct vela_tensor inputs[VELA_MAX_TENSORS];
	struct vela_tensor outputs[VELA_MAX_TENSORS];
	struct vela_tensor variables[VELA_MAX_TENSORS];
	size_t input_count, output_count, variable_count;
};

/* Read @path. Return: 0, or -1 with the reason in @why. Free with vela_file_free() in both cases. */
int vela_file_read(const char *path, struct vela_file *out, char *why, size_t why_len);
void vela_file_free(struct vela_file *file);

#endif
