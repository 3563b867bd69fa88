/* SPDX-License-Identifier: MIT */
/*
 * Program files (".accel"), as docs/accel-file.md describes them byte by byte: an image that lies in
 * the file as it lies in memory.
 */
#ifndef ACCEL_RUNTIME_ACCEL_FILE_H
#define ACCEL_RUNTIME_ACCEL_FILE_H

#include <stdint.h>

#include "runtime/image/image.h"

#define ACCEL_FILE_MAGIC	"ACCEL\0\r\n"	/* 8 bytes; a text-mode copy damages it */
#define ACCEL_FILE_VERSION	1
#define ACCEL_FILE_ALIGN	64		/* of every section */

/* Header, at byte 0. */
struct accel_file_header {
	char magic[8];
	uint32_t version;
	uint32_t section_count;		/* entries of the table behind the header */
	uint64_t file_size;
	uint64_t checksum;		/* XXH3-64 of everything from byte 32 on */
	uint32_t config, id;		/* registers of the NPU that it is for */
	uint64_t arena_size, fast_size;
	uint64_t reserved;		/* 0 */
};

/*
 * A section. A reader that does not know a kind refuses the file if the first letter is a capital,
 * and passes over it otherwise.
 */
struct accel_file_section {
	char kind[4];
	uint32_t reserved;		/* 0 */
	uint64_t offset;		/* a multiple of ACCEL_FILE_ALIGN */
	uint64_t size;			/* bytes */
};

/* "TENS": a tensor. */
struct accel_file_tensor {
	uint32_t name;			/* byte in "STRS", where its text ends with a 0 */
	uint32_t type;			/* enum elem, TFLite's numbers */
	uint32_t ndim;
	int32_t shape[IMAGE_MAX_DIMS];
	int32_t axis;			/* of quantisation, if scale_count is above 1 */
	uint32_t scale_count;
	uint32_t first_scale;		/* element in "SCAL" (float32) and "ZERO" (int32) */
	uint32_t flags;			/* ACCEL_FILE_VARIABLE */
	uint32_t place;			/* enum image_place */
	uint64_t offset;		/* in the arena, of an IMAGE_CONSTANT in "DATA"; of an IMAGE_OWN
					   the region's number */
};

#define ACCEL_FILE_VARIABLE	1u

/* "RUNS": a run of the NPU. */
struct accel_file_run {
	uint64_t stream;		/* byte in "CMDS", a multiple of 4 */
	uint64_t words;
	uint64_t constants;		/* byte in "DATA", a multiple of 16 */
	uint64_t constants_size;
	uint64_t arena_offset;
	uint32_t flags;			/* ACCEL_FILE_FAST_IS_ARENA */
	uint32_t reserved;		/* 0 */
};

#define ACCEL_FILE_FAST_IS_ARENA 1u

/*
 * "OPER": how many operators, then for each the words: name (byte in "STRS"), inputs, outputs,
 * options, then so many tensors, tensors (IR_NONE: left out) and options in the order of ir_ops.h.
 */
#define ACCEL_FILE_OPERATOR_WORDS 4

/* "STEP": what is done, in order. */
struct accel_file_step {
	uint32_t kind;			/* ACCEL_FILE_STEP_* */
	uint32_t index;			/* of the run or the operator */
};

#define ACCEL_FILE_STEP_NPU	0u
#define ACCEL_FILE_STEP_CPU	1u

/* True if it begins like a program file. */
bool image_is_accel_file(const void *file, size_t size);

/**
 * image_parse - an image from a program file in memory
 * @file, @size: malloc'ed; belongs to the image from here on, on failure too
 *
 * Return: 0; -EINVAL: broken, @err says where; -ENOTSUP: of a newer version; -ENOMEM.
 */
int image_parse(void *file, size_t size, const char *name, struct image **out, struct error *err);

/**
 * image_write - an image as a program file
 * @path: file; it appears complete or not at all
 *
 * The same image always gives the same bytes.
 */
int image_write(const struct image *image, const char *path, struct error *err);

#endif
