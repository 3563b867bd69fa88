/* SPDX-License-Identifier: MIT */
/* Names commands and fields by the ISA's lists. */
#include "runtime/disasm.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "uapi/ethosu_isa.h"

struct value {
	const char *name;
	uint32_t value;
};

/* One table for each enumeration, ended by one without a name. */
static const struct value values_NONE[] = { { NULL, 0 } };
#define VALUE(enumeration, name, value) { #name, value },
#define VALUES(enumeration) \
	static const struct value values_##enumeration[] __attribute__((unused)) = { \
		ETHOSU_##enumeration(VALUE) { NULL, 0 } \
	};
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
	{ ETHOSU_##command, WORDS_##command, word, low, width, ETHOSU_ARCH_##archs, #field, \
	  values_##enumeration },
static const struct field fields[] = { ETHOSU_COMMANDS(ETHOSU_SKIP_C, FIELD) };

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))
#define FIELDS		(sizeof(fields) / sizeof(fields[0]))

/* What is shown for the halves of an address: one number. */
#define ADDRESS_HIGH	"ADDR_HI"
#define ADDRESS_LOW	"ADDR_LO"
#define ADDRESS		"ADDR"

/**
 * struct line - a command of the stream
 * @offset: in bytes
 * @words, @count: what it consists of, one or two
 * @command: NULL if it has no name
 * @wrong: why it has none
 */
struct line {
	size_t offset;
	const uint32_t *words;
	unsigned int count;
	const struct command *command;
	const char *wrong;
};

/* A field with its value; @name is NULL where the value has no name of its own. */
struct shown {
	const char *field;
	const char *name;
	uint64_t value;
};

static unsigned int arch_bit(unsigned int arch)
{
	switch (arch) {
	case 55:
		return ETHOSU_ARCH_U55;
	case 65:
		return ETHOSU_ARCH_U65;
	case 85:
		return ETHOSU_ARCH_U85;
	default:
		return 0;
	}
}

static struct line read_line(unsigned int archs, const uint32_t *words, size_t count, size_t at)
{
	struct line line = { .offset = 4 * at, .words = words + at, .count = 1 };
	unsigned int opcode = words[at] & ETHOSU_OPCODE_MASK;
	unsigned int control = words[at] >> ETHOSU_CONTROL_SHIFT & 3;

	if (words[at] & ETHOSU_RESERVED_MASK || control > 1) {
		line.wrong = "reserved bits set";
		return line;
	}
	if (control && count - at < 2) {
		line.wrong = "cut short";
		return line;
	}
	/* Also of a command without a name, control says how long it is. */
	line.count += control;
	for (size_t i = 0; i < COMMANDS && !line.command; i++)
		if (commands[i].opcode == opcode && commands[i].two_words == control &&
		    commands[i].archs & archs)
			line.command = &commands[i];
	if (!line.command)
		line.wrong = "unknown command";
	return line;
}

static const char *value_name(const struct field *f, uint32_t v)
{
	for (const struct value *p = f->values; p->name; p++)
		if (p->value == v)
			return p->name;
	return NULL;
}

static uint32_t field_mask(const struct field *f)
{
	return (uint32_t)((1ull << f->width) - 1);
}

/*
 * The next field of a command that is shown, from *@at on. Bits that no field holds come last, if any
 * of them is set: those of the parameter, then those of the second word.
 */
static bool next_shown(const struct line *line, unsigned int archs, size_t *at, uint32_t rest[2],
		       struct shown *shown)
{
	static const char *const rest_names[2] = { "RESERVED_PARAM", "RESERVED_DATA" };
	const struct command *c = line->command;
	uint64_t high = 0;

	for (; *at < FIELDS; ++*at) {
		const struct field *f = &fields[*at];
		uint32_t v = rest[f->word] >> f->low & field_mask(f);

		if (f->opcode != c->opcode || f->two_words != c->two_words || !(f->archs & archs))
			continue;
		rest[f->word] &= ~(field_mask(f) << f->low);
		if (!strcmp(f->name, ADDRESS_HIGH)) {
			high = (uint64_t)v << 32;
			continue;
		}
		shown->field = strcmp(f->name, ADDRESS_LOW) ? f->name : ADDRESS;
		shown->name = value_name(f, v);
		shown->value = high | v;
		++*at;
		return true;
	}
	for (; *at < FIELDS + 2; ++*at) {
		unsigned int word = (unsigned int)(*at - FIELDS);

		if (!rest[word])
			continue;
		*shown = (struct shown){ .field = rest_names[word], .value = rest[word] };
		++*at;
		return true;
	}
	return false;
}

/* What no field has taken yet of a command's parameter and second word. */
static void all_bits(const struct line *line, uint32_t rest[2])
{
	rest[0] = line->words[0] >> ETHOSU_PARAM_SHIFT;
	rest[1] = line->count == 2 ? line->words[1] : 0;
}

static void print_text(FILE *out, const struct line *line, unsigned int archs)
{
	struct shown shown;
	uint32_t rest[2];
	size_t at = 0;

	fprintf(out, "%06zx  %08x ", line->offset, line->words[0]);
	if (line->count == 2)
		fprintf(out, "%08x", line->words[1]);
	else
		fprintf(out, "%8s", "");
	if (!line->command) {
		fprintf(out, "  ? %s\n", line->wrong);
		return;
	}
	fprintf(out, "  NPU_%s", line->command->name);
	all_bits(line, rest);
	while (next_shown(line, archs, &at, rest, &shown)) {
		if (shown.name)
			fprintf(out, " %s=%s", shown.field, shown.name);
		else
			fprintf(out, shown.value > 0xffff ? " %s=0x%llx" : " %s=%llu", shown.field,
				(unsigned long long)shown.value);
	}
	fputc('\n', out);
}

static json_t *json_fields(const struct line *line, unsigned int archs)
{
	json_t *object = json_object();
	struct shown shown;
	uint32_t rest[2];
	size_t at = 0;

	all_bits(line, rest);
	while (next_shown(line, archs, &at, rest, &shown)) {
		if (json_object_set_new(object, shown.field,
					shown.name ? json_string(shown.name) :
						     json_integer((json_int_t)shown.value))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* One object at a time: a stream of 16 MiB would be gigabytes as one tree. */
static int print_json(FILE *out, const struct line *line, unsigned int archs)
{
	json_t *object, *words = json_array();
	int rc = 0;

	for (unsigned int i = 0; i < line->count; i++)
		rc |= json_array_append_new(words, json_integer(line->words[i]));
	object = json_pack("{s:I, s:o}", "offset", (json_int_t)line->offset, "words", words);
	if (line->command) {
		rc |= json_object_set_new(object, "command", json_sprintf("NPU_%s", line->command->name));
		rc |= json_object_set_new(object, "fields", json_fields(line, archs));
	} else {
		rc |= json_object_set_new(object, "error", json_string(line->wrong));
	}
	fprintf(out, "%s\n ", line->offset ? "," : "");
	if (!rc && json_dumpf(object, out, 0) && !ferror(out))
		rc = -1;
	json_decref(object);
	return rc ? -ENOMEM : 0;
}

int disasm_print(FILE *out, unsigned int arch, const uint32_t *words, size_t count, bool json)
{
	unsigned int archs = arch_bit(arch);
	int unknown = 0, rc;

	if (!archs || count > INT_MAX)
		return -EINVAL;
	if (json)
		fputc('[', out);
	for (size_t at = 0; at < count;) {
		struct line line = read_line(archs, words, count, at);

		unknown += line.command ? 0 : (int)line.count;
		at += line.count;
		if (!json) {
			print_text(out, &line, archs);
			continue;
		}
		rc = print_json(out, &line, archs);
		if (rc)
			return rc;
	}
	if (json)
		fputs("\n]\n", out);
	return ferror(out) ? -EIO : unknown;
}
