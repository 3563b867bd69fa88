// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The walk over a command stream: which commands there are, which values their fields take,
 * registers as they are set. What operations touch is in the files beside this one.
 */
#include "ethosu_validate_internal.h"
#include "uapi/ethosu_regs.h"

#define CMD0_KNOWN	BIT(31)
#define CMD1_KNOWN	BIT_ULL(63)

/* Commands between two looks at whether the caller should give up. */
#define BREATH		4096

/* SHRAM of a U65's cores is told in KiB. */
#define KIB		1024

/* Enumerations of field values; a plain number has none. */
enum {
	ENUM_NONE,
#define NUMBER(enumeration) ENUM_##enumeration,
	ETHOSU_ENUMS(NUMBER)
#undef NUMBER
	ENUM_COUNT
};

/* More than any value of an enumeration. */
#define VALUES		64

/* At each value that has a meaning something other than 0. */
static const u8 meanings[ENUM_COUNT][VALUES] = {
#define MEANING(enumeration, name, value)                                                          \
	[ETHOSU_##enumeration##_##name] = 1 + (value),
#define ENUMERATION(name)                                                                          \
	[ENUM_##name] = { ETHOSU_##name(MEANING) },
	ETHOSU_ENUMS(ENUMERATION)
#undef ENUMERATION
#undef MEANING
};

enum entry_kind { ENTRY_COMMAND0, ENTRY_COMMAND1, ENTRY_FIELD };

/**
 * struct entry - a line of the list of commands: a command, or one of its fields
 * @name: of the command, or of the field
 * @kind: enum entry_kind
 * @opcode: of the command
 * @shift: of the field's lowest bit in parameter << 32 | second word
 * @width: of the field
 * @archs: ETHOSU_ARCH_*
 * @enumeration: of what the field holds
 */
struct entry {
	const char *name;
	u8 kind;
	u16 opcode;
	u8 shift;
	u8 width;
	u8 archs;
	u8 enumeration;
};

/* A command's fields come right after it. */
static const struct entry entries[] = {
#define COMMAND(command, number, two_words, families)                                              \
	{                                                                                          \
		.name = #command,                                                                  \
		.kind = (two_words) ? ENTRY_COMMAND1 : ENTRY_COMMAND0,                             \
		.opcode = (number),                                                                \
		.archs = ETHOSU_ARCH_##families,                                                   \
	},
#define FIELD(command, field, word, low, bits, families, type)                                     \
	{                                                                                          \
		.name = #field,                                                                    \
		.kind = ENTRY_FIELD,                                                               \
		.opcode = ETHOSU_##command,                                                        \
		.shift = (low) + ((word) ? 0 : 32),                                                \
		.width = (bits),                                                                   \
		.archs = ETHOSU_ARCH_##families,                                                   \
		.enumeration = ENUM_##type,                                                        \
	},
	ETHOSU_COMMANDS(COMMAND, FIELD)
#undef FIELD
#undef COMMAND
	{ .kind = ENTRY_COMMAND0 },
};

static u64 bits_of(const struct entry *field)
{
	return ((1ull << field->width) - 1) << field->shift;
}

/* What the fields of the command at @at may hold. */
static u64 command_mask(size_t at, unsigned int arch)
{
	u64 mask = 0;
	size_t i;

	for (i = at + 1; entries[i].kind == ENTRY_FIELD; i++)
		if (entries[i].archs & arch)
			mask |= bits_of(&entries[i]);
	return mask;
}

static void add_command(struct ethosu_hw *hw, size_t at, unsigned int arch)
{
	const struct entry *command = &entries[at];
	u64 mask = command_mask(at, arch);

	if (command->kind == ENTRY_COMMAND0) {
		hw->cmd0[command->opcode] = CMD0_KNOWN | (u32)(mask >> 32);
		hw->entry0[command->opcode] = at;
	} else {
		hw->cmd1[command->opcode] = CMD1_KNOWN | mask;
		hw->entry1[command->opcode] = at;
	}
}

/*
 * Mesa computes these for the U65 whatever the NPU: its scale mode is in IFM_PRECISION on the U85
 * as well, and scales have bits that do not fit. Where the NPU touches memory does not depend on
 * them.
 */
static void allow_stray_bits(struct ethosu_hw *hw)
{
	hw->cmd0[ETHOSU_SET_IFM_PRECISION] |= ETHOSU_PUT(SET_IFM_PRECISION_SCALE_MODE, ~0u);
	hw->cmd1[ETHOSU_SET_OFM_SCALE] |= 0xffffffffffffull;
	hw->cmd1[ETHOSU_SET_IFM_SCALE] |= 0xffffffffffffull;
	hw->cmd1[ETHOSU_SET_IFM2_SCALE] |= 0xffffffffffffull;
}

static int size_u65(struct ethosu_hw *hw, u32 config)
{
	unsigned int macs_log2 = config >> ETHOSU_CONFIG_MACS_PER_CC_LOW & 0xf;
	unsigned int shram = config >> ETHOSU_CONFIG_SHRAM_SIZE_LOW & 0xff;

	/* 256 and 512 MACs, of one core and of two. */
	if (macs_log2 != 8 && macs_log2 != 9)
		return -ENODEV;
	hw->arch = 65;
	hw->streams = macs_log2 - 7;
	hw->internal_size = shram * KIB / hw->streams;
	return hw->internal_size < TABLE_MEMORY ? -ENODEV : 0;
}

static int size_u85(struct ethosu_hw *hw, u32 config)
{
	unsigned int decoders_log2 = config >> ETHOSU_CONFIG_U85_NUM_WD_LOW & 3;

	if (decoders_log2 > 2)
		return -ENODEV;
	hw->arch = 85;
	hw->streams = 1 << decoders_log2;
	hw->internal_size = TABLE_MEMORY;
	return 0;
}

int ethosu_hw_init(struct ethosu_hw *hw, u32 id, u32 config)
{
	unsigned int major = id >> ETHOSU_ID_U85_ARCH_MAJOR_REV_LOW & 0xf;
	unsigned int product = config >> ETHOSU_CONFIG_PRODUCT_LOW & 0xf;
	int rc = -ENODEV;
	unsigned int arch;
	size_t i;

	memset(hw, 0, sizeof(*hw));
	/* The U55 has the U65's major version, and product 0. */
	if (major == 1 && product == 1)
		rc = size_u65(hw, config);
	else if (major == 2 && product == 2)
		rc = size_u85(hw, config);
	if (rc)
		return rc;
	arch = hw->arch == 65 ? ETHOSU_ARCH_U65 : ETHOSU_ARCH_U85;
	for (i = 0; i < ARRAY_SIZE(entries) - 1; i++)
		if (entries[i].kind != ENTRY_FIELD && entries[i].archs & arch)
			add_command(hw, i, arch);
	allow_stray_bits(hw);
	return 0;
}

size_t ethosu_prologue(const struct ethosu_hw *hw, __le32 *words)
{
	size_t n = 0;
	u32 opcode;

	for (opcode = ETHOSU_OPCODE_KIND; opcode < ARRAY_SIZE(hw->cmd0); opcode++)
		if (hw->cmd0[opcode])
			words[n++] = cpu_to_le32(opcode);
	for (opcode = 0; opcode < ETHOSU_OPCODE_KIND; opcode++) {
		if (!hw->cmd1[opcode])
			continue;
		words[n++] = cpu_to_le32(opcode | 1u << ETHOSU_CONTROL_SHIFT);
		words[n++] = 0;
	}
	words[n++] = cpu_to_le32(ETHOSU_CMD0(OP_PMU_MASK, 0));
	return n;
}

int ethosu_refuse(struct ethosu_check *c, int err, const char *why, u64 value)
{
	c->reject.why = why;
	c->reject.value = value;
	return err;
}

/* @bits: parameter << 32 | second word of the command at @at of the list. */
static int check_values(struct ethosu_check *c, u16 at, u64 bits)
{
	unsigned int arch = c->hw->arch == 65 ? ETHOSU_ARCH_U65 : ETHOSU_ARCH_U85;
	const struct entry *field;
	u64 value;

	c->reject.name = entries[at].name;
	for (field = &entries[at + 1]; field->kind == ENTRY_FIELD; field++) {
		if (field->enumeration == ENUM_NONE || !(field->archs & arch))
			continue;
		value = (bits & bits_of(field)) >> field->shift;
		if (value >= VALUES || !meanings[field->enumeration][value]) {
			c->reject.field = field->name;
			return ethosu_refuse(c, -EINVAL, "a field's value has no meaning", value);
		}
	}
	return 0;
}

static int check_one_word(struct ethosu_check *c, u32 word)
{
	unsigned int opcode = word & ETHOSU_OPCODE_MASK;
	u32 param = word >> ETHOSU_PARAM_SHIFT, known;
	int rc;

	known = opcode < ARRAY_SIZE(c->hw->cmd0) ? c->hw->cmd0[opcode] : 0;
	if (!known)
		return ethosu_refuse(c, -EINVAL, "the NPU has no such command of one word", opcode);
	if (param & ~known)
		return ethosu_refuse(c, -EINVAL, "bits are set that no field holds",
				     param & ~known);
	rc = check_values(c, c->hw->entry0[opcode], (u64)param << 32);
	if (rc)
		return rc;
	if (opcode & ETHOSU_OPCODE_KIND) {
		c->cmd0[opcode & 0xff] = param;
		return 0;
	}
	switch (opcode) {
	case ETHOSU_OP_DMA_WAIT:
	case ETHOSU_OP_KERNEL_WAIT:
	case ETHOSU_OP_PMU_MASK:
		return 0;
	case ETHOSU_OP_IRQ:
		return ethosu_refuse(c, -EOPNOTSUPP, "an interrupt before the end", param);
	case ETHOSU_OP_DMA_START:
		return ethosu_check_dma(c);
	default:
		return ethosu_check_kernel(c, opcode, param);
	}
}

static int check_two_words(struct ethosu_check *c, u32 word, u32 payload)
{
	u64 bits = (u64)(word >> ETHOSU_PARAM_SHIFT) << 32 | payload;
	unsigned int opcode = word & ETHOSU_OPCODE_MASK;
	u64 known = opcode < ARRAY_SIZE(c->hw->cmd1) ? c->hw->cmd1[opcode] : 0;
	int rc;

	if (!known)
		return ethosu_refuse(c, -EINVAL, "the NPU has no such command of two words",
				     opcode);
	if (bits & ~known)
		return ethosu_refuse(c, -EINVAL, "bits are set that no field holds", bits & ~known);
	rc = check_values(c, c->hw->entry1[opcode], bits);
	if (rc)
		return rc;
	if (opcode & ETHOSU_OPCODE_KIND)
		return ethosu_refuse(c, -EOPNOTSUPP, "a branch", payload);
	c->cmd1[opcode] = bits;
	return 0;
}

static bool two_words(u32 word)
{
	return word >> ETHOSU_CONTROL_SHIFT & 1;
}

static bool is_stop(u32 word)
{
	return !two_words(word) && (word & ETHOSU_OPCODE_MASK) == ETHOSU_OP_STOP;
}

static int check_last(struct ethosu_check *c, size_t more)
{
	return more ? ethosu_refuse(c, -EINVAL, "words after NPU_OP_STOP", more) : 0;
}

/* The command that starts with @word, at *@i; moves that on. */
static int check_command(struct ethosu_check *c, u32 word, const __le32 *words, size_t count,
			 size_t *i)
{
	size_t at = *i;

	if (!two_words(word)) {
		*i = at + 1;
		return check_one_word(c, word);
	}
	if (count - at < 2)
		return ethosu_refuse(c, -EINVAL, "the second word is missing", 0);
	*i = at + 2;
	return check_two_words(c, word, le32_to_cpu(words[at + 1]));
}

static int walk(struct ethosu_check *c, const __le32 *words, size_t count)
{
	unsigned int commands = 0;
	size_t i = 0;
	u32 word;
	int rc;

	while (i < count) {
		word = le32_to_cpu(words[i]);
		c->reject.offset = 4 * i;
		c->reject.command = word;
		c->reject.name = NULL;
		if (++commands % BREATH == 0 && ethosu_breathe())
			return ethosu_refuse(c, -EINTR, "interrupted", 0);
		/* The upper bit of the control field: no command has it. */
		if (word & (ETHOSU_RESERVED_MASK | 2u << ETHOSU_CONTROL_SHIFT))
			return ethosu_refuse(c, -EINVAL, "reserved bits of a command are set",
					     word & 0xffff);
		if (is_stop(word))
			return check_last(c, count - i - 1);
		rc = check_command(c, word, words, count, &i);
		if (rc)
			return rc;
	}
	c->reject.offset = 4 * count;
	c->reject.command = 0;
	c->reject.name = NULL;
	return ethosu_refuse(c, -EINVAL, "no NPU_OP_STOP at the end", 0);
}

int ethosu_validate(const struct ethosu_hw *hw, const __le32 *words, size_t count,
		    struct ethosu_check *c)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->hw = hw;
	if (count > ETHOSU_STREAM_MAX / 4 - ETHOSU_PROLOGUE_MAX)
		return ethosu_refuse(c, -E2BIG, "more than the NPU can fetch", count);
	rc = walk(c, words, count);
	if (rc) {
		memset(&c->use, 0, sizeof(c->use));
		return rc;
	}
	memset(&c->reject, 0, sizeof(c->reject));
	c->use.size = 4 * count;
	return 0;
}
