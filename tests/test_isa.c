/* SPDX-License-Identifier: MIT */
/*
 * The ISA's lists: do they contradict themselves, do encoding and decoding agree, what the
 * disassembler says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "runtime/disasm.h"
#include "uapi/ethosu_regs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct command {
	const char *name;
	unsigned int opcode, two_words, archs;
};

struct field {
	const char *command, *name;
	unsigned int word, low, width, archs;
	const char *enumeration;
	/* The header's macros with a value of all ones, and what they make of all ones. */
	uint32_t put_ones, get_ones;
	/* And with a pattern. */
	uint32_t put_pattern, get_put_pattern;
};

struct value {
	const char *enumeration, *name;
	long value;
};

struct reg {
	const char *name;
	unsigned int offset, count, step, reset, archs;
};

struct bits {
	const char *reg, *name;
	unsigned int low, width, archs;
};

#define PATTERN 0xa5a5a5a5u

#define COMMAND(name, opcode, two_words, archs) { #name, opcode, two_words, ETHOSU_ARCH_##archs },
static const struct command commands[] = { ETHOSU_COMMANDS(COMMAND, ETHOSU_SKIP_F) };

#define FIELD(command, field, word, low, width, archs, enumeration)                                \
	{ #command,                                                                                \
	  #field,                                                                                  \
	  word,                                                                                    \
	  low,                                                                                     \
	  width,                                                                                   \
	  ETHOSU_ARCH_##archs,                                                                     \
	  #enumeration,                                                                            \
	  ETHOSU_PUT(command##_##field, 0xffffffff),                                               \
	  ETHOSU_GET(command##_##field, 0xffffffff),                                               \
	  ETHOSU_PUT(command##_##field, PATTERN),                                                  \
	  ETHOSU_GET(command##_##field, ETHOSU_PUT(command##_##field, PATTERN)) },
static const struct field fields[] = { ETHOSU_COMMANDS(ETHOSU_SKIP_C, FIELD) };

#define VALUE(enumeration, name, value) { #enumeration, #name, value },
#define VALUES(enumeration)		ETHOSU_##enumeration(VALUE)
static const struct value values[] = { ETHOSU_ENUMS(VALUES) };
static const struct value events[] = { ETHOSU_U65_PMU_EVENTS(VALUE) ETHOSU_U85_PMU_EVENTS(VALUE) };

#define REGISTER(name, offset, count, step, reset, archs)                                          \
	{ #name, offset, count, step, reset, ETHOSU_ARCH_##archs },
static const struct reg regs[] = { ETHOSU_REGISTERS(REGISTER, ETHOSU_SKIP_B) };

#define BITS(reg, field, low, width, archs) { #reg, #field, low, width, ETHOSU_ARCH_##archs },
#define SKIP_R(name, offset, count, step, reset, archs)
static const struct bits reg_bits[] = { ETHOSU_REGISTERS(SKIP_R, BITS) };

static const struct command *command_called(const char *name)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static uint32_t ones(unsigned int width)
{
	return width == 32 ? 0xffffffff : (1u << width) - 1;
}

static void opcodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		const struct command *c = &commands[i];
		bool set = !strncmp(c->name, "SET_", 4);

		assert_true(set || !strncmp(c->name, "OP_", 3));
		assert_true(c->opcode <= ETHOSU_OPCODE_MASK && c->two_words <= 1 && c->archs &&
			    c->archs <= 7);
		/* One word: bit 8 marks state. Two words: bit 8 marks operations. */
		assert_int_equal(!!(c->opcode & ETHOSU_OPCODE_KIND), set != c->two_words);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(c->name, commands[j].name);
			assert_false(c->opcode == commands[j].opcode &&
				     c->two_words == commands[j].two_words &&
				     c->archs & commands[j].archs);
		}
	}
}

static void field_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		const struct field *f = &fields[i];
		const struct command *c = command_called(f->command);

		assert_non_null(c);
		assert_true(f->width && f->low + f->width <= (f->word ? 32u : 16u));
		assert_true(f->word <= c->two_words);
		assert_int_equal(f->archs & ~c->archs, 0);
		for (size_t j = 0; j < i; j++) {
			const struct field *g = &fields[j];

			if (strcmp(f->command, g->command))
				continue;
			assert_string_not_equal(f->name, g->name);
			if (f->archs & g->archs && f->word == g->word)
				assert_true(f->low >= g->low + g->width ||
					    g->low >= f->low + f->width);
		}
	}
}

static void put_and_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		const struct field *f = &fields[i];

		assert_int_equal(f->put_ones, ones(f->width) << f->low);
		assert_int_equal(f->get_ones, ones(f->width));
		assert_int_equal(f->put_pattern, (PATTERN & ones(f->width)) << f->low);
		assert_int_equal(f->get_put_pattern, PATTERN & ones(f->width));
	}
}

/* Each enumeration's values are distinct, and fit the fields that hold them. */
static void enumerations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_true(values[i].value >= 0);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(values[i].enumeration, values[j].enumeration)) {
				assert_int_not_equal(values[i].value, values[j].value);
				assert_string_not_equal(values[i].name, values[j].name);
			}
		for (size_t j = 0; j < COUNT(fields); j++)
			if (!strcmp(values[i].enumeration, fields[j].enumeration))
				assert_true(values[i].value <= ones(fields[j].width));
	}
	for (size_t i = 0; i < COUNT(fields); i++) {
		bool found = !strcmp(fields[i].enumeration, "NONE");

		for (size_t j = 0; j < COUNT(values) && !found; j++)
			found = !strcmp(fields[i].enumeration, values[j].enumeration);
		assert_true(found);
	}
}

static void pmu_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		/* EV_TYPE has 10 bits. */
		assert_true(events[i].value >= 0 && events[i].value < 1024);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(events[i].enumeration, events[j].enumeration))
				assert_int_not_equal(events[i].value, events[j].value);
	}
}

static bool same_word(const struct reg *a, const struct reg *b)
{
	for (unsigned int i = 0; i < a->count; i++)
		for (unsigned int j = 0; j < b->count; j++)
			if (a->offset + i * a->step == b->offset + j * b->step)
				return true;
	return false;
}

static void registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(regs); i++) {
		const struct reg *r = &regs[i];
		unsigned int last = r->offset + (r->count - 1) * r->step;

		assert_true(r->count && r->offset % 4 == 0 && r->step % 4 == 0 && r->archs &&
			    r->archs <= 7);
		assert_true(r->count == 1 || r->step);
		assert_true(last <
			    (r->archs == ETHOSU_ARCH_U85 ? ETHOSU_WINDOW_U85 : ETHOSU_WINDOW_U65));
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(r->name, regs[j].name);
			if (r->archs & regs[j].archs && same_word(r, &regs[j]))
				fail_msg("%s and %s at 0x%x", r->name, regs[j].name, r->offset);
		}
	}
	for (size_t i = 0; i < COUNT(reg_bits); i++) {
		const struct bits *f = &reg_bits[i];
		bool found = false;

		for (size_t j = 0; j < COUNT(regs); j++) {
			const struct reg *r = &regs[j];
			/* The second word of one of 64 bits must be nobody else's. */
			const struct reg high = { .offset = r->offset + 4,
						  .count = r->count,
						  .step = r->step };

			if (strcmp(r->name, f->reg))
				continue;
			found = !(f->archs & ~r->archs);
			for (size_t k = 0; k < COUNT(regs) && f->low + f->width > 32; k++)
				assert_false(regs[k].archs & f->archs &&
					     same_word(&high, &regs[k]));
		}
		assert_true(found);
		assert_true(f->width && f->low + f->width <= 64);
		for (size_t j = 0; j < i; j++) {
			const struct bits *g = &reg_bits[j];

			if (!strcmp(f->reg, g->reg) && f->archs & g->archs)
				assert_true(f->low >= g->low + g->width ||
					    g->low >= f->low + f->width);
		}
	}
}

/* Numbers that every driver of these devices has, written out by hand. */
static void known_numbers(void **state)
{
	(void)state;
	assert_int_equal(ETHOSU_CMD0(OP_STOP, 0xffff), 0xffff0000);
	assert_int_equal(ETHOSU_CMD0(OP_POOL, ETHOSU_U65_POOLING_MODE_AVERAGE), 0x00010005);
	assert_int_equal(ETHOSU_CMD0(OP_DMA_START, 0), 0x00000010);
	assert_int_equal(ETHOSU_CMD0(SET_PARALLEL_MODE, 1), 0x00010123);
	assert_int_equal(ETHOSU_CMD0(SET_IFM2_REGION, 2), 0x0002018f);
	assert_int_equal(ETHOSU_CMD1(SET_IFM_BASE0, 1), 0x00014000);
	assert_int_equal(ETHOSU_CMD1(SET_DMA0_LEN, 0), 0x00004032);
	assert_int_equal(ETHOSU_CMD1(OP_BRANCH, 0), 0x00004100);
	/* int8 NHCWB16, natural rounding. */
	assert_int_equal(
		ETHOSU_PUT(SET_OFM_PRECISION_TYPE, 1) |
			ETHOSU_PUT(SET_OFM_PRECISION_FORMAT, ETHOSU_ACTIVATION_FORMAT_NHCWB16) |
			ETHOSU_PUT(SET_OFM_PRECISION_ROUND_MODE, ETHOSU_U65_ROUND_MODE_NATURAL),
		0x8041);
	assert_int_equal(ETHOSU_REG_STATUS, 0x4);
	assert_int_equal(ETHOSU_REG_CMD, 0x8);
	assert_int_equal(ETHOSU_REG_QBASE, 0x10);
	assert_int_equal(ETHOSU_REG_QSIZE, 0x20);
	assert_int_equal(ETHOSU_REG_CONFIG, 0x28);
	assert_int_equal(ETHOSU_REG_BIT(STATUS_CMD_END_REACHED), 0x20);
	assert_int_equal(ETHOSU_U65_PMU_CYCLE, 17);
	assert_int_equal(ETHOSU_U85_PMU_EXT_RD_DATA_BEAT_RECEIVED, 386);
}

/* What disasm_print() writes; the caller frees it. */
static char *disassemble(unsigned int arch, const uint32_t *words, size_t count, bool json,
			 int *unknown)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	*unknown = disasm_print(f, arch, words, count, json);
	fclose(f);
	return text;
}

static void disasm_text(void **state)
{
	static const uint32_t words[] = { 0x80410114, 0x00074000, 0x00001234, 0xffff0000 };
	int unknown;
	char *text = disassemble(65, words, COUNT(words), false, &unknown);

	(void)state;
	assert_string_equal(text, "000000  80410114           NPU_SET_OFM_PRECISION TYPE=SIGNED "
				  "PRECISION=B8 FORMAT=NHCWB16"
				  " SCALE_MODE=PER_CHANNEL ROUND_MODE=NATURAL\n"
				  "000004  00074000 00001234  NPU_SET_IFM_BASE0 ADDR=0x700001234\n"
				  "00000c  ffff0000           NPU_OP_STOP MASK=65535\n");
	assert_int_equal(unknown, 0);
	free(text);
	/* The same word means something else on a U85: 0x8000 says that the OFM is chained. */
	text = disassemble(85, words, 1, false, &unknown);
	assert_non_null(strstr(text, "STORAGE=CHAINED"));
	assert_null(strstr(text, "ROUND_MODE"));
	free(text);
}

static void disasm_unknown(void **state)
{
	/* Reserved bit, no such opcode, another family's command, and one cut short. */
	static const uint32_t words[] = { 0x00000400, 0x000003ff, 0x00000007, 0x0000c000,
					  0x00004000 };
	int unknown;
	char *text = disassemble(65, words, COUNT(words), false, &unknown);

	(void)state;
	assert_int_equal(unknown, 5);
	assert_string_equal(text, "000000  00000400           ? reserved bits set\n"
				  "000004  000003ff           ? unknown command\n"
				  "000008  00000007           ? unknown command\n"
				  "00000c  0000c000           ? reserved bits set\n"
				  "000010  00004000           ? cut short\n");
	free(text);
}

static void disasm_json(void **state)
{
	static const uint32_t words[] = { 0x00050005, 0x00034031, 0x80000000, 0x0000f005 };
	int unknown;
	char *text = disassemble(85, words, COUNT(words), true, &unknown);
	json_t *array = json_loads(text, 0, NULL), *o;

	(void)state;
	assert_int_equal(unknown, 1);
	assert_int_equal(json_array_size(array), 3);
	o = json_array_get(array, 0);
	assert_string_equal(json_string_value(json_object_get(o, "command")), "NPU_OP_POOL");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(o, "fields"), "MODE_U85")),
		"MIN");
	o = json_array_get(array, 1);
	assert_int_equal(json_integer_value(json_object_get(o, "offset")), 4);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "fields"), "ADDR")),
			 0x380000000);
	assert_null(json_object_get(json_array_get(array, 2), "command"));
	json_decref(array);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opcodes),	  cmocka_unit_test(field_places),
		cmocka_unit_test(put_and_get),	  cmocka_unit_test(enumerations),
		cmocka_unit_test(pmu_events),	  cmocka_unit_test(registers),
		cmocka_unit_test(known_numbers),  cmocka_unit_test(disasm_text),
		cmocka_unit_test(disasm_unknown), cmocka_unit_test(disasm_json),
	};

	printf("isa: %zu commands, %zu fields, %zu values, %zu registers\n", COUNT(commands),
	       COUNT(fields), COUNT(values), COUNT(regs));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
