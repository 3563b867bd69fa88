/* SPDX-License-Identifier: MIT */
/* What the strict checks share. */
#ifndef ACCEL_SIM_STRICT_INTERNAL_H
#define ACCEL_SIM_STRICT_INTERNAL_H

#include "sim/strict.h"
#include "uapi/ethosu_arch.h"

/**
 * struct strict - a stream being checked
 * @op: the operation that is looked at
 * @work: bytes that may still be set or compared at once; one that is looked at by itself counts
 *	STRICT_BYTE. It bounds the time, whatever the stream.
 */
struct strict {
	const struct npu_config *config;
	const struct ethosu_arch *arch;
	const struct npu_program *program;
	struct npu_strict_fault *fault;
	size_t op;
	uint64_t work;
};

#define STRICT_BYTE		8
/*
 * In all, and for each operation; bytes written, of all regions. Half a second or so: less of it under
 * libFuzzer, whose sanitisers make it half a minute.
 */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define STRICT_WORK		(1ull << 26)
#define STRICT_OP_WORK		(1ull << 16)
#define STRICT_MAX_SPAN		(32ull << 20)
#else
#define STRICT_WORK		(1ull << 32)
#define STRICT_OP_WORK		(1ull << 22)
#define STRICT_MAX_SPAN		(512ull << 20)
#endif

/* Memory that is drawn as a picture, a byte for each of its bytes. */
#define STRICT_MAX_PICTURE	(256ull << 20)

/* Ready to check @program. */
void strict_begin(struct strict *s, const struct npu_config *config,
		  const struct npu_program *program, struct npu_strict_fault *fault);

/* Take @work of what there is. Return: 0, or a fault. */
int strict_spend(struct strict *s, uint64_t work);

/* Record which rule operation s->op breaks; always -EINVAL. */
__attribute__((format(printf, 3, 4))) int strict_fail(struct strict *s, const char *rule,
						       const char *format, ...);

/* Bytes of a table in the NPU's own memory; 0: the operation has none there. */
unsigned int strict_table_bytes(const struct npu_op *op);

/* Does this operation run as one with the kernel before it? */
bool strict_chained(const struct npu_op *op);

/* strict_block.c: block, SHRAM or RAMs of one kernel. */
int strict_block(struct strict *s, const struct npu_op *op, const struct npu_op_aux *aux);

/* strict_operand.c: alignment and limits of one operation. */
int strict_operand(struct strict *s, const struct npu_op *op, const struct npu_op_aux *aux);

/* strict_hazard.c: waits and tables, over the whole stream. */
int strict_hazards(struct strict *s);

/* strict_blockdep.c: @aux's BLOCKDEP of the kernel s->op, whose group ends before @end, after @before. */
int strict_blockdep(struct strict *s, size_t before, size_t end);

/*
 * strict_conflict.c: do operations @a and @b touch a byte that one of them writes? 1, 0, or a fault
 * because it cannot be told.
 */
int strict_conflict(struct strict *s, const struct npu_op *a, const struct npu_op *b);

/* Rows of copies, columns and bricks of maps: how long it takes to walk an operation's bytes. */
uint64_t strict_elements(const struct npu_op *op);

#endif
