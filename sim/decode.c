/* SPDX-License-Identifier: MIT */
/* Walks a command stream: state is set, operations and events are collected, faults are named. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/decode_internal.h"

/* Bounds on what a stream may ask for; far above what compilers emit. */
#define OPS_MAX	   65536
#define EVENTS_MAX 65536

/* Names of the commands that the family knows, by word count and opcode. */
struct opcode_set {
	const char *name[2][ETHOSU_OPCODE_MASK + 1];
};

static void fill_known(struct opcode_set *set, unsigned int arch)
{
	static const struct {
		const char *name;
		uint16_t opcode;
		uint8_t two_words;
		uint8_t archs;
	} commands[] = {
#define COMMAND(name, opcode, two_words, archs)                                                    \
	{ "NPU_" #name, opcode, two_words, ETHOSU_ARCH_##archs },
		ETHOSU_COMMANDS(COMMAND, ETHOSU_SKIP_F)
#undef COMMAND
	};
	unsigned int bit = arch == 85	? ETHOSU_ARCH_U85
			   : arch == 65 ? ETHOSU_ARCH_U65
					: ETHOSU_ARCH_U55;

	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].archs & bit)
			set->name[commands[i].two_words][commands[i].opcode] = commands[i].name;
}

int decode_error(struct decoder *d, const char *format, ...)
{
	char *why = d->program->why;
	size_t size = sizeof(d->program->why);
	va_list args;
	int n = 0;

	if (d->command)
		n = snprintf(why, size, "%s: ", d->command);
	va_start(args, format);
	vsnprintf(why + n, size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

static void *grow(void *array, size_t *capacity, size_t count, size_t size)
{
	size_t n = *capacity ? 2 * *capacity : 32;
	void *p;

	if (count < *capacity)
		return array;
	p = realloc(array, n * size);
	if (p)
		*capacity = n;
	return p;
}

static int add_op(struct decoder *d, uint32_t offset, unsigned int opcode, unsigned int param)
{
	struct npu_program *program = d->program;
	struct npu_op *ops, *op;
	struct npu_op_aux *aux;
	int rc;

	if (program->count == OPS_MAX)
		return decode_error(d, "more than %d operations", OPS_MAX);
	ops = grow(program->ops, &d->op_capacity, program->count, sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	program->ops = ops;
	aux = grow(program->aux, &d->aux_capacity, program->count, sizeof(*aux));
	if (!aux)
		return -ENOMEM;
	program->aux = aux;
	op = &ops[program->count];
	memset(op, 0, sizeof(*op));
	op->offset = offset;
	rc = opcode == ETHOSU_OP_DMA_START ? decode_dma(d, op)
					   : decode_kernel_op(d, opcode, param, op);
	if (rc)
		return rc;
	decode_aux(d, op, &aux[program->count++]);
	return 0;
}

static int add_event(struct decoder *d, uint32_t offset, unsigned int opcode, unsigned int param)
{
	struct npu_program *program = d->program;
	struct npu_event *events;

	if (program->event_count == EVENTS_MAX)
		return decode_error(d, "more than %d interrupts and counter masks", EVENTS_MAX);
	events = grow(program->events, &d->event_capacity, program->event_count, sizeof(*events));
	if (!events)
		return -ENOMEM;
	program->events = events;
	events[program->event_count++] = (struct npu_event){
		.offset = offset,
		.before_op = (uint32_t)program->count,
		.opcode = (uint16_t)opcode,
		.param = (uint16_t)param,
	};
	return 0;
}

/*
 * Where an unconditional branch leads. What sets the flag that others look at is not established.
 */
static int branch(struct decoder *d, unsigned int param, uint32_t target, size_t count,
		  size_t *next)
{
	if (ETHOSU_GET(OP_BRANCH_BRANCH_COND, param) != ETHOSU_BRANCH_COND_ALWAYS)
		return decode_error(d,
				    "conditional branch: what sets the result flag is not known");
	if (target % 4 || target / 4 >= count) {
		d->program->end = NPU_STOP_BRANCH_FAULT;
		return decode_error(d, "branch to 0x%x, the stream has %zu bytes", target,
				    4 * count);
	}
	*next = target / 4;
	d->pending.branched = true;
	return 0;
}

/* There are 8 regions, and no custom DMA: U55 would choose it with the top bit. */
static int check_region(struct decoder *d, unsigned int opcode, unsigned int param)
{
	static const uint16_t opcodes[] = {
		ETHOSU_SET_IFM_REGION,	    ETHOSU_SET_IFM2_REGION,	ETHOSU_SET_OFM_REGION,
		ETHOSU_SET_WEIGHT_REGION,   ETHOSU_SET_SCALE_REGION,	ETHOSU_SET_DMA0_SRC_REGION,
		ETHOSU_SET_DMA0_DST_REGION, ETHOSU_SET_DMA0_IDX_REGION,
	};
	unsigned int region = param & 0xff;

	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		if (opcodes[i] != opcode)
			continue;
		if (region >= NPU_REGIONS)
			return decode_error(d, "region %u of %d", region, NPU_REGIONS);
		if (d->config->arch == 55 && ETHOSU_GET(SET_IFM_REGION_CUSTOM_DMA_CS, param))
			return decode_error(d, "custom DMA, which %s has not", d->config->name);
	}
	return 0;
}

static int one_word(struct decoder *d, uint32_t offset, uint32_t word)
{
	unsigned int opcode = word & ETHOSU_OPCODE_MASK, param = word >> ETHOSU_PARAM_SHIFT;

	if (opcode & ETHOSU_OPCODE_KIND) {
		int rc = check_region(d, opcode, param);

		if (rc)
			return rc;
		d->program->state.cmd0[opcode & 0xff] = (uint16_t)param;
		return 0;
	}
	switch (opcode) {
	case ETHOSU_OP_DMA_WAIT:
	case ETHOSU_OP_KERNEL_WAIT:
		/* Operations run one after the other here: it only counts for strict checks and time. */
		decode_wait(d, opcode, param);
		return 0;
	case ETHOSU_OP_IRQ:
	case ETHOSU_OP_PMU_MASK:
		return add_event(d, offset, opcode, param);
	default:
		return add_op(d, offset, opcode, param);
	}
}

static int walk(struct decoder *d, const struct opcode_set *set, const uint32_t *words,
		size_t count)
{
	struct npu_program *program = d->program;
	size_t i = 0;

	for (size_t n = 0; i < count; n++) {
		uint32_t word = words[i];
		unsigned int opcode = word & ETHOSU_OPCODE_MASK,
			     control = word >> ETHOSU_CONTROL_SHIFT & 3;
		unsigned int param = word >> ETHOSU_PARAM_SHIFT;
		uint32_t offset = (uint32_t)(4 * i);
		int rc;

		program->end_offset = offset;
		d->command = NULL;
		/* Branches here do not depend on anything: a word met twice is met for ever. */
		if (n == count) {
			program->end = NPU_STOP_BRANCH_FAULT;
			return decode_error(d, "branches without end");
		}
		if (word & ETHOSU_RESERVED_MASK || control > 1)
			return decode_error(d, "reserved bits set in 0x%08x", word);
		if (!set->name[control][opcode])
			return decode_error(d, "no command 0x%03x of %s on %s", opcode,
					    control ? "two words" : "one word", d->config->name);
		d->command = set->name[control][opcode];
		if (!control && opcode == ETHOSU_OP_STOP) {
			program->end = NPU_STOP_END;
			program->end_offset = offset + 4;
			program->stop_mask = (uint16_t)param;
			return 0;
		}
		if (!control) {
			rc = one_word(d, offset, word);
			i++;
		} else if (i + 1 == count) {
			return decode_error(d, "command of two words cut short");
		} else if (opcode & ETHOSU_OPCODE_KIND) {
			rc = branch(d, param, words[i + 1], count, &i);
		} else {
			program->state.cmd1[opcode] = (uint64_t)param << 32 | words[i + 1];
			rc = 0;
			i += 2;
		}
		if (rc)
			return rc;
	}
	program->end_offset = (uint32_t)(4 * count);
	d->command = NULL;
	return decode_error(d, "no STOP before the end");
}

int npu_decode(const struct npu_config *config, const struct npu_state *state,
	       const uint32_t *words, size_t count, struct npu_program *out)
{
	struct decoder d = {
		.config = config,
		.program = out,
		.pending = { .dma_wait = NPU_NO_WAIT, .kernel_wait = NPU_NO_WAIT },
	};
	struct opcode_set set;
	int rc;

	memset(out, 0, sizeof(*out));
	out->state = *state;
	out->end = NPU_STOP_PARSE_ERROR;
	fill_known(&set, config->arch);
	rc = walk(&d, &set, words, count);
	if (rc == -ENOMEM)
		npu_program_free(out);
	return rc == -ENOMEM ? rc : 0;
}

void npu_program_free(struct npu_program *program)
{
	free(program->ops);
	free(program->aux);
	free(program->events);
	memset(program, 0, sizeof(*program));
}
