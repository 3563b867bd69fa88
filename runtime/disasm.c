/* SPDX-License-Identifier: MIT */
/* Names commands and fields by the ISA's lists. */
#include "runtime/disasm.h"

#include <errno.h>
#include <jansson.h>

#include "uapi/ethosu_isa.h"

struct value {
	const char *name;
	uint32_t value;
};

/* One table for each enumeration, ended by one without a name. */
static const struct value values_NONE[] = { { NULL, 0 } };
#define VALUE(enumeration, name, value) { #name, value },
#define VALUES(enumeration) \
	static const struct value values_##enumeration[] __attribute__((unused)) = { ETHOSU_##enumeration(VALUE) { NULL, 0 } };
ETHOSU_ENUMS(VALUES)

struct command {
	const char *name;
	uint16_t opcode;
	uint8_t two_words;
	uint8_t archs;
};

struct field {
	uint16_t opcode;
	uint8_t two_words;
	uint8_t word, low, width, archs;
	const char *name;
	const struct value *values;
};

/* Names of the commands as constants, so that fields can say whose they are. */
#define COMMAND(name, opcode, two_words, archs) { #name, opcode, two_words, ETHOSU_ARCH_##archs },
static const struct command commands[] = { ETHOSU_COMMANDS(COMMAND, ETHOSU_SKIP_F) };

enum command_words {
#define WORDS(name, opcode, two_words, archs) WORDS_##name = two_words,
	ETHOSU_COMMANDS(WORDS, ETHOSU_SKIP_F)
};

#define FIELD(command, field, word, low, width, archs, enumeration) \
	{ ETHOSU_##command, WORDS_##command, word, low, width, ETHOSU_ARCH_##archs, #field, values_##enumeration },
static const struct field fields[] = { ETHOSU_COMMANDS(ETHOSU_SKIP_C, FIELD) };

static unsigned int arch_bit(unsigned int arch)
{
	return arch == 85 ? ETHOSU_ARCH_U85 : arch == 65 ? ETHOSU_ARCH_U65 : ETHOSU_ARCH_U55;
}

static const struct command *find_command(unsigned int archs, uint32_t word)
{
	unsigned int opcode = word & ETHOSU_OPCODE_MASK, control = word >> ETHOSU_CONTROL_SHIFT & 3;

	if (word & ETHOSU_RESERVED_MASK)
		return NULL;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].opcode == opcode && commands[i].two_words == control && commands[i].archs & archs)
			return &commands[i];
	return NULL;
}

static const char *value_name(const struct field *f, uint32_t v)
{
	for (const struct value *p = f->values; p->name; p++)
		if (p->value == v)
			return p->name;
	return NULL;
}

static uint32_t field_value(const struct field *f, const uint32_t *words)
{
	uint32_t bits = f->word ? words[1] : words[0] >> ETHOSU_PARAM_SHIFT;

	return f->width == 32 ? bits : bits >> f->low & ((1u << f->width) - 1);
}

static bool field_of(const struct field *f, const struct command *c, unsigned int archs)
{
	return f->opcode == c->opcode && f->two_words == c->two_words && f->archs & archs;
}

static void print_fields(FILE *out, const struct command *c, unsigned int archs, const uint32_t *words)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		uint32_t v;
		const char *name;

		if (!field_of(f, c, archs))
			continue;
		v = field_value(f, words);
		name = value_name(f, v);
		if (name)
			fprintf(out, " %s=%s", f->name, name);
		else
			fprintf(out, v > 0xffff ? " %s=0x%x" : " %s=%u", f->name, v);
	}
}

static json_t *json_fields(const struct command *c, unsigned int archs, const uint32_t *words)
{
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		const char *name;

		if (!field_of(f, c, archs))
			continue;
		name = value_name(f, field_value(f, words));
		json_object_set_new(o, f->name, name ? json_string(name) :
				    json_integer((json_int_t)field_value(f, words)));
	}
	return o;
}

static void print_text(FILE *out, size_t offset, const struct command *c, unsigned int archs, const uint32_t *words,
		       unsigned int n)
{
	fprintf(out, "%06zx  %08x ", offset, words[0]);
	if (n == 2)
		fprintf(out, "%08x", words[1]);
	else
		fprintf(out, "%8s", "");
	if (c) {
		fprintf(out, "  NPU_%s", c->name);
		print_fields(out, c, archs, words);
	} else {
		fprintf(out, "  ?");
	}
	fputc('\n', out);
}

static json_t *to_json(size_t offset, const struct command *c, unsigned int archs, const uint32_t *words,
		       unsigned int n)
{
	json_t *o = json_pack("{s:I, s:[I]}", "offset", (json_int_t)offset, "words", (json_int_t)words[0]);

	if (n == 2)
		json_array_append_new(json_object_get(o, "words"), json_integer(words[1]));
	if (c) {
		json_object_set_new(o, "command", json_sprintf("NPU_%s", c->name));
		json_object_set_new(o, "fields", json_fields(c, archs, words));
	}
	return o;
}

int disasm_print(FILE *out, unsigned int arch, const uint32_t *words, size_t count, bool json)
{
	unsigned int archs = arch_bit(arch);
	json_t *array = json ? json_array() : NULL;
	int unknown = 0;

	for (size_t i = 0; i < count;) {
		const struct command *c = find_command(archs, words[i]);
		unsigned int n = c && c->two_words ? 2 : 1;

		if (n > count - i) {
			c = NULL;
			n = 1;
		}
		unknown += !c;
		if (json)
			json_array_append_new(array, to_json(4 * i, c, archs, words + i, n));
		else
			print_text(out, 4 * i, c, archs, words + i, n);
		i += n;
	}
	if (json) {
		json_dumpf(array, out, JSON_INDENT(1));
		fputc('\n', out);
		json_decref(array);
	}
	return unknown;
}
