/* SPDX-License-Identifier: MIT */
/* Strict checks of a stream: one operation after the other, then what they do to each other. */
#include "sim/strict_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int strict_fail(struct strict *s, const char *rule, const char *format, ...)
{
	struct npu_strict_fault *fault = s->fault;
	va_list args;
	int n;

	fault->op = s->op;
	n = snprintf(fault->text, sizeof(fault->text), "strict: %s: ", rule);
	va_start(args, format);
	vsnprintf(fault->text + n, sizeof(fault->text) - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

void strict_begin(struct strict *s, const struct npu_config *config,
		  const struct npu_program *program, struct npu_strict_fault *fault)
{
	*fault = (struct npu_strict_fault){ .op = 0 };
	*s = (struct strict){
		.config = config,
		.arch = ethosu_arch_find(config->arch, config->macs),
		.program = program,
		.fault = fault,
		.work = STRICT_WORK + STRICT_OP_WORK * program->count,
	};
}

int strict_spend(struct strict *s, uint64_t work)
{
	if (work > s->work)
		return strict_fail(s, "size", "too many bytes to look at one by one");
	s->work -= work;
	return 0;
}

unsigned int strict_table_bytes(const struct npu_op *op)
{
	static const uint16_t bytes[] = {
		[NPU_LUT_U8_U8] = 256,	     [NPU_LUT_S8_S8] = 256,
		[NPU_LUT_S8_S16] = 512,	     [NPU_LUT_S8_S32] = 1024,
		[NPU_LUT_S16_S16] = 2048,    [NPU_LUT_S16_S32] = 2048,
		[NPU_LUT_TANH] = 2048,	     [NPU_LUT_SIGMOID] = 2048,
		[NPU_LUT_SIGMOID_BUILTIN] = 0,
	};

	return op->kind != NPU_KIND_DMA && op->lut < sizeof(bytes) / sizeof(bytes[0])
		       ? bytes[op->lut] : 0;
}

bool strict_chained(const struct npu_op *op)
{
	return op->kind != NPU_KIND_DMA &&
	       (op->a.space == NPU_SPACE_CHAIN || op->b.space == NPU_SPACE_CHAIN);
}

/* U85: operations that hand on through chaining buffers. */
static int check_chain(struct strict *s, size_t first, size_t end)
{
	const struct npu_program *program = s->program;
	unsigned int inputs = 0;

	for (size_t i = first; i < end; i++) {
		const struct npu_op *op = &program->ops[i];
		bool second = op->b.height && !(op->b.broadcast & NPU_BROADCAST_SCALAR);

		s->op = i;
		if (program->aux[i].chains >> ETHOSU_CB_SLOTS)
			return strict_fail(s, "chain", "chaining buffers 0x%x, there are %d",
					   program->aux[i].chains, ETHOSU_CB_SLOTS);
		inputs += op->a.space < NPU_REGIONS &&
			  !(op->a.broadcast & NPU_BROADCAST_SCALAR);
		inputs += second && op->b.space < NPU_REGIONS;
	}
	s->op = end - 1;
	if (end - first > ETHOSU_CHAIN_LENGTH)
		return strict_fail(s, "chain", "%zu operations, at most %d", end - first,
				   ETHOSU_CHAIN_LENGTH);
	if (end - first > 1 && inputs > ETHOSU_CHAIN_INPUTS)
		return strict_fail(s, "chain", "%u operands from memory, at most %d", inputs,
				   ETHOSU_CHAIN_INPUTS);
	if (program->ops[end - 1].ofm.space == NPU_SPACE_CHAIN)
		return strict_fail(s, "chain", "the output in a chaining buffer is never read");
	return 0;
}

static int check_one(struct strict *s, size_t i)
{
	const struct npu_op *op = &s->program->ops[i];
	int rc;

	s->op = i;
	rc = strict_operand(s, op, &s->program->aux[i]);
	/* A chained operation takes the block of the one it is chained to. */
	if (!rc && op->kind != NPU_KIND_DMA && !strict_chained(op))
		rc = strict_block(s, op, &s->program->aux[i]);
	return rc;
}

/* End of the chain that begins at @i; @i + 1 if there is none. */
static size_t chain_end(const struct npu_program *program, size_t i)
{
	size_t end = i + 1;

	if (program->ops[i].kind == NPU_KIND_DMA)
		return end;
	while (end < program->count && program->ops[end - 1].ofm.space == NPU_SPACE_CHAIN &&
	       strict_chained(&program->ops[end]))
		end++;
	return end;
}

int npu_strict_stream(const struct npu_config *config, const struct npu_program *program,
		      struct npu_strict_fault *fault)
{
	size_t before = SIZE_MAX, end;
	struct strict s;
	int rc = 0;

	strict_begin(&s, config, program, fault);
	for (size_t i = 0; i < program->count && !rc; i = end) {
		end = chain_end(program, i);
		for (size_t k = i; k < end && !rc; k++)
			rc = check_one(&s, k);
		if (rc || program->ops[i].kind == NPU_KIND_DMA)
			continue;
		rc = check_chain(&s, i, end);
		s.op = i;
		if (!rc && before != SIZE_MAX)
			rc = strict_blockdep(&s, before, end);
		before = end - 1;
	}
	return rc ? rc : strict_hazards(&s);
}
