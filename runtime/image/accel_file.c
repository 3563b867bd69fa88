/* SPDX-License-Identifier: MIT */
/* Reads program files; every offset is checked here, so that later accesses need not be. */
#include "runtime/image/accel_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/hash.h"

_Static_assert(sizeof(struct accel_file_header) == 64, "the format has no padding");
_Static_assert(sizeof(struct accel_file_section) == 24, "the format has no padding");
_Static_assert(sizeof(struct accel_file_tensor) == 72, "the format has no padding");
_Static_assert(sizeof(struct accel_file_step) == 8, "the format has no padding");
_Static_assert(sizeof(struct accel_file_run) == 48, "the format has no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file lies in memory as it is");

#define CHECKSUM_FROM	32

enum section {
	SECTION_STRINGS, SECTION_TENSORS, SECTION_SCALES, SECTION_ZEROS, SECTION_INPUTS,
	SECTION_OUTPUTS, SECTION_RUNS, SECTION_OPERATORS, SECTION_STEPS, SECTION_COMMANDS,
	SECTION_DATA,
	SECTIONS,
};

/* What each consists of; a section that is not there has no elements. */
static const struct {
	char kind[5];
	uint32_t element;
} kinds[SECTIONS] = {
	[SECTION_STRINGS] = { "STRS", 1 },
	[SECTION_TENSORS] = { "TENS", sizeof(struct accel_file_tensor) },
	[SECTION_SCALES] = { "SCAL", sizeof(float) },
	[SECTION_ZEROS] = { "ZERO", sizeof(int32_t) },
	[SECTION_INPUTS] = { "INPT", sizeof(uint32_t) },
	[SECTION_OUTPUTS] = { "OUTP", sizeof(uint32_t) },
	[SECTION_RUNS] = { "RUNS", sizeof(struct accel_file_run) },
	[SECTION_OPERATORS] = { "OPER", sizeof(uint32_t) },
	[SECTION_STEPS] = { "STEP", sizeof(struct accel_file_step) },
	[SECTION_COMMANDS] = { "CMDS", sizeof(uint32_t) },
	[SECTION_DATA] = { "DATA", 1 },
};

struct part {
	const uint8_t *data;
	uint64_t count;		/* elements */
	bool there;
};

struct reader {
	const uint8_t *file;
	size_t size;
	struct accel_file_header header;
	struct part parts[SECTIONS];
	uint32_t regions;	/* bits: a tensor has it to itself */
	struct image *image;
	struct error *err;
};

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

bool image_is_accel_file(const void *file, size_t size)
{
	return size >= 8 && !memcmp(file, ACCEL_FILE_MAGIC, 8);
}

static int read_header(struct reader *r)
{
	struct accel_file_header *h = &r->header;

	if (r->size < sizeof(*h) || !image_is_accel_file(r->file, r->size))
		return error_set(r->err, -EINVAL, "not a program file: it does not begin with ACCEL");
	memcpy(h, r->file, sizeof(*h));
	if (h->version != ACCEL_FILE_VERSION)
		return error_set(r->err, -ENOTSUP, "program file version %u, this reads %u: compile again",
				 h->version, ACCEL_FILE_VERSION);
	if (h->file_size != r->size)
		return error_set(r->err, -EINVAL, "%zu bytes of %llu: cut short or damaged", r->size,
				 (unsigned long long)h->file_size);
	if (h->checksum != XXH3_64bits(r->file + CHECKSUM_FROM, r->size - CHECKSUM_FROM))
		return error_set(r->err, -EINVAL, "the checksum is wrong: damaged");
	if (h->reserved)
		return error_set(r->err, -EINVAL, "byte 56: reserved, not 0");
	if (h->arena_size > IMAGE_ARENA_MAX || h->fast_size > IMAGE_ARENA_MAX)
		return error_set(r->err, -EINVAL, "an arena of %llu bytes",
				 (unsigned long long)(h->arena_size > h->fast_size ? h->arena_size :
										     h->fast_size));
	return 0;
}

static int read_section(struct reader *r, uint32_t index)
{
	struct accel_file_section s;
	unsigned int k = 0;

	memcpy(&s, r->file + sizeof(r->header) + index * sizeof(s), sizeof(s));
	if (s.reserved || s.offset % ACCEL_FILE_ALIGN || s.offset > r->size ||
	    s.size > r->size - s.offset)
		return error_set(r->err, -EINVAL, "section %u lies outside the file", index);
	while (k < SECTIONS && memcmp(kinds[k].kind, s.kind, sizeof(s.kind)))
		k++;
	if (k == SECTIONS) {
		if (s.kind[0] >= 'a' && s.kind[0] <= 'z')
			return 0;
		return error_set(r->err, -ENOTSUP, "section %u is of the unknown kind %.4s", index,
				 s.kind);
	}
	if (r->parts[k].there)
		return error_set(r->err, -EINVAL, "section %u: a second %s", index, kinds[k].kind);
	if (s.size % kinds[k].element || s.size / kinds[k].element >= UINT32_MAX)
		return error_set(r->err, -EINVAL, "section %u: %s of %llu bytes", index,
				 kinds[k].kind, (unsigned long long)s.size);
	r->parts[k].data = r->file + s.offset;
	r->parts[k].count = s.size / kinds[k].element;
	r->parts[k].there = true;
	return 0;
}

static int read_sections(struct reader *r)
{
	uint32_t count = r->header.section_count;
	int rc = 0;

	for (unsigned int k = 0; k < SECTIONS; k++)
		r->parts[k].data = r->file;
	if (count > (r->size - sizeof(r->header)) / sizeof(struct accel_file_section))
		return error_set(r->err, -EINVAL, "%u sections: cut short or damaged", count);
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = read_section(r, i);
	return rc;
}

/* A name is printable and ends in its section. */
static const char *read_name(const struct reader *r, uint32_t at)
{
	const struct part *text = &r->parts[SECTION_STRINGS];
	const uint8_t *end;

	if (at >= text->count)
		return NULL;
	end = memchr(text->data + at, 0, text->count - at);
	for (const uint8_t *p = text->data + at; end && p < end; p++)
		if (*p < ' ' || *p > '~')
			return NULL;
	return end ? (const char *)text->data + at : NULL;
}

/* Is there a region of that size at that offset? */
static bool within(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

/* A region is one tensor's, which is not a variable: those are in the arena. */
static bool take_region(struct reader *r, uint64_t region, uint32_t flags)
{
	if (region < IMAGE_OWN_FIRST || region >= IMAGE_REGIONS || r->regions >> region & 1 ||
	    flags & ACCEL_FILE_VARIABLE)
		return false;
	r->regions |= 1u << region;
	return true;
}

static int read_tensor(struct reader *r, uint32_t index)
{
	struct image_tensor *t = &r->image->tensors[index];
	const struct part *data = &r->parts[SECTION_DATA];
	struct accel_file_tensor f;
	uint64_t size;

	memcpy(&f, r->parts[SECTION_TENSORS].data + (size_t)index * sizeof(f), sizeof(f));
	if (f.ndim > IMAGE_MAX_DIMS || !elem_size((int)f.type) || f.type >= ELEM_COUNT)
		return error_set(r->err, -EINVAL, "tensor %u: type %u with %u dimensions", index,
				 f.type, f.ndim);
	size = elem_size((int)f.type);
	for (uint32_t i = 0; i < f.ndim; i++) {
		if (f.shape[i] < 0 || __builtin_mul_overflow(size, (uint64_t)f.shape[i], &size) ||
		    size > IMAGE_ARENA_MAX)
			return error_set(r->err, -EINVAL, "tensor %u is too large", index);
	}
	if (!within(f.first_scale, f.scale_count, r->parts[SECTION_SCALES].count) ||
	    !within(f.first_scale, f.scale_count, r->parts[SECTION_ZEROS].count))
		return error_set(r->err, -EINVAL, "tensor %u: its scales lie outside SCAL or ZERO",
				 index);
	if (f.scale_count > 1 &&
	    (f.axis < 0 || (uint32_t)f.axis >= f.ndim || (uint32_t)f.shape[f.axis] != f.scale_count))
		return error_set(r->err, -EINVAL, "tensor %u: %u scales for axis %d", index,
				 f.scale_count, f.axis);
	if (f.flags & ~ACCEL_FILE_VARIABLE)
		return error_set(r->err, -ENOTSUP, "tensor %u: unknown flags 0x%x", index, f.flags);
	if ((f.place != IMAGE_NOWHERE && f.place != IMAGE_ARENA && f.place != IMAGE_CONSTANT &&
	     f.place != IMAGE_OWN) ||
	    (f.place == IMAGE_ARENA && !within(f.offset, size, r->image->arena_size)) ||
	    (f.place == IMAGE_CONSTANT && !within(f.offset, size, data->count)) ||
	    (f.place == IMAGE_OWN && !take_region(r, f.offset, f.flags)))
		return error_set(r->err, -EINVAL, "tensor %u lies at %llu of place %u", index,
				 (unsigned long long)f.offset, f.place);
	*t = (struct image_tensor){
		.name = read_name(r, f.name),
		.type = (int)f.type,
		.ndim = f.ndim,
		.scale_count = f.scale_count,
		.axis = f.axis,
		.scales = (const float *)(const void *)r->parts[SECTION_SCALES].data + f.first_scale,
		.zero_points = (const int32_t *)(const void *)r->parts[SECTION_ZEROS].data +
			       f.first_scale,
		.variable = f.flags & ACCEL_FILE_VARIABLE,
		.place = (enum image_place)f.place,
		.region = f.place == IMAGE_OWN ? (uint32_t)f.offset : 0,
		.offset = f.place == IMAGE_ARENA ? f.offset : 0,
		.data = f.place == IMAGE_CONSTANT ? data->data + f.offset : NULL,
	};
	memcpy(t->shape, f.shape, sizeof(t->shape));
	if (!t->name)
		return error_set(r->err, -EINVAL, "tensor %u: its name lies outside STRS", index);
	return 0;
}

static int read_run(struct reader *r, uint32_t index)
{
	const struct part *words = &r->parts[SECTION_COMMANDS], *data = &r->parts[SECTION_DATA];
	struct image_npu *run = &r->image->runs[index];
	struct accel_file_run f;

	memcpy(&f, r->parts[SECTION_RUNS].data + (size_t)index * sizeof(f), sizeof(f));
	if (f.flags & ~ACCEL_FILE_FAST_IS_ARENA || f.reserved)
		return error_set(r->err, -ENOTSUP, "run %u: unknown flags 0x%x", index, f.flags);
	if (f.stream % 4 || !within(f.stream / 4, f.words, words->count))
		return error_set(r->err, -EINVAL, "run %u: its commands lie outside CMDS", index);
	if (f.constants % 16 || !within(f.constants, f.constants_size, data->count))
		return error_set(r->err, -EINVAL, "run %u: its constants lie outside DATA", index);
	if (f.arena_offset % 16 || f.arena_offset > r->image->arena_size)
		return error_set(r->err, -EINVAL, "run %u: region 1 lies outside the arena", index);
	*run = (struct image_npu){
		.stream = (const uint32_t *)(const void *)(words->data + f.stream),
		.words = f.words,
		.constants = f.constants_size ? data->data + f.constants : NULL,
		.constants_size = f.constants_size,
		.arena_offset = f.arena_offset,
		.fast_is_arena = f.flags & ACCEL_FILE_FAST_IS_ARENA,
	};
	return 0;
}

/* The words of a list of tensors. NULL: it goes beyond the section, or names one that is not there. */
static uint32_t *take_list(struct reader *r, const uint32_t **at, const uint32_t *end, uint32_t count)
{
	uint32_t *list;

	if (count > (size_t)(end - *at))
		return NULL;
	list = image_list(r->image, *at, count);
	for (uint32_t i = 0; list && i < count; i++)
		if (list[i] >= r->image->tensor_count && list[i] != IR_NONE)
			return NULL;
	*at += count;
	return list;
}

static int read_operator(struct reader *r, uint32_t index, const uint32_t **at, const uint32_t *end)
{
	struct image_op *op = &r->image->ops[index];
	const struct ir_kind_info *info;
	const char *name;
	uint32_t options;
	int kind;

	if (end - *at < ACCEL_FILE_OPERATOR_WORDS)
		return error_set(r->err, -EINVAL, "operator %u is cut short", index);
	name = read_name(r, (*at)[0]);
	kind = name ? ir_kind_by_name(name, strlen(name)) : -1;
	if (kind < 0 || kind == IR_NPU)
		return error_set(r->err, -ENOTSUP, "operator %u is %s, which this does not know: "
				 "compiled by a newer version?", index, name ? name : "nameless");
	info = ir_kind_info((unsigned int)kind);
	op->kind = (unsigned int)kind;
	op->input_count = (*at)[1];
	op->output_count = (*at)[2];
	options = (*at)[3];
	*at += ACCEL_FILE_OPERATOR_WORDS;
	if (op->input_count < info->input_min || op->input_count > info->input_max ||
	    op->output_count < info->output_min || op->output_count > info->output_max ||
	    options != info->option_count)
		return error_set(r->err, -EINVAL,
				 "operator %u, %s, with %u inputs, %u outputs and %u options", index,
				 name, op->input_count, op->output_count, options);
	op->inputs = take_list(r, at, end, op->input_count);
	op->outputs = op->inputs ? take_list(r, at, end, op->output_count) : NULL;
	if (!op->outputs || options > (size_t)(end - *at))
		return error_set(r->err, -EINVAL, "operator %u, %s, is cut short or names no tensor",
				 index, name);
	for (uint32_t i = 0; i < options; i++)
		ir_field_set(&info->options[i].field, &op->options, (int32_t)(*at)[i]);
	*at += options;
	return 0;
}

static int read_operators(struct reader *r)
{
	const struct part *part = &r->parts[SECTION_OPERATORS];
	const uint32_t *at = (const uint32_t *)(const void *)part->data, *end = at + part->count;
	int rc = 0;

	/* Bounded by the section: an operator has more words than the one that counts them. */
	if (!part->count)
		return 0;
	r->image->op_count = *at++;
	if (r->image->op_count > part->count / ACCEL_FILE_OPERATOR_WORDS)
		return error_set(r->err, -EINVAL, "%u operators in OPER", r->image->op_count);
	r->image->ops = image_alloc(r->image, r->image->op_count, sizeof(*r->image->ops));
	if (!r->image->ops)
		return no_memory(r->err);
	for (uint32_t i = 0; i < r->image->op_count && !rc; i++)
		rc = read_operator(r, i, &at, end);
	return rc;
}

/* Runs and operators each once, in the order of their numbers. */
static int read_steps(struct reader *r)
{
	const struct part *part = &r->parts[SECTION_STEPS];
	struct image *image = r->image;
	uint32_t runs = 0, ops = 0;

	image->step_count = (uint32_t)part->count;
	image->steps = image_alloc(image, image->step_count, sizeof(*image->steps));
	if (!image->steps)
		return no_memory(r->err);
	for (uint32_t i = 0; i < image->step_count; i++) {
		struct accel_file_step f;

		memcpy(&f, part->data + (size_t)i * sizeof(f), sizeof(f));
		if (f.kind > ACCEL_FILE_STEP_CPU ||
		    f.index != (f.kind == ACCEL_FILE_STEP_NPU ? runs++ : ops++))
			return error_set(r->err, -EINVAL, "step %u: number %u of kind %u", i,
					 f.index, f.kind);
		image->steps[i] = (struct image_step){ f.kind == ACCEL_FILE_STEP_NPU, f.index };
	}
	if (runs != image->run_count || ops != image->op_count)
		return error_set(r->err, -EINVAL, "STEP has %u of %u runs, %u of %u operators", runs,
				 image->run_count, ops, image->op_count);
	return 0;
}

static int read_list(struct reader *r, enum section section, uint32_t **out, uint32_t *count)
{
	const struct part *part = &r->parts[section];
	uint32_t *list = image_list(r->image, (const uint32_t *)(const void *)part->data,
				    (uint32_t)part->count);

	if (!list)
		return no_memory(r->err);
	for (uint64_t i = 0; i < part->count; i++)
		if (list[i] >= r->image->tensor_count)
			return error_set(r->err, -EINVAL, "%s names tensor %u of %u",
					 kinds[section].kind, list[i], r->image->tensor_count);
	*out = list;
	*count = (uint32_t)part->count;
	return 0;
}

static int read_image(struct reader *r)
{
	struct image *image = r->image;
	int rc = read_header(r);

	if (!rc)
		rc = read_sections(r);
	if (rc)
		return rc;
	image->config = r->header.config;
	image->id = r->header.id;
	image->arena_size = r->header.arena_size;
	image->fast_size = r->header.fast_size;
	image->tensor_count = (uint32_t)r->parts[SECTION_TENSORS].count;
	image->tensors = image_alloc(image, image->tensor_count, sizeof(*image->tensors));
	image->run_count = (uint32_t)r->parts[SECTION_RUNS].count;
	image->runs = image_alloc(image, image->run_count, sizeof(*image->runs));
	if (!image->tensors || !image->runs)
		return no_memory(r->err);
	for (uint32_t i = 0; i < image->tensor_count && !rc; i++)
		rc = read_tensor(r, i);
	for (uint32_t i = 0; i < image->run_count && !rc; i++)
		rc = read_run(r, i);
	if (!rc)
		rc = read_operators(r);
	if (!rc)
		rc = read_steps(r);
	if (!rc)
		rc = read_list(r, SECTION_INPUTS, &image->inputs, &image->input_count);
	if (!rc)
		rc = read_list(r, SECTION_OUTPUTS, &image->outputs, &image->output_count);
	return rc;
}

int image_parse(void *file, size_t size, const char *name, struct image **out, struct error *err)
{
	struct reader r = { .file = file, .size = size, .image = image_new(name), .err = err };
	int rc;

	if (!r.image) {
		free(file);
		return no_memory(err);
	}
	rc = image_own(r.image, file, free);
	rc = rc ? no_memory(err) : read_image(&r);
	if (rc) {
		image_free(r.image);
		return error_prefix(err, rc, name);
	}
	*out = r.image;
	return 0;
}
