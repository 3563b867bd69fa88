/* SPDX-License-Identifier: MIT */
/* What the parts of the command stream decoder share. */
#ifndef ACCEL_SIM_DECODE_INTERNAL_H
#define ACCEL_SIM_DECODE_INTERNAL_H

#include <stdbool.h>

#include "sim/decode.h"
#include "uapi/ethosu_isa.h"

/* Fields of the state: of a one-word command's parameter, of either word of a two-word command. */
#define STATE0(s, name, field) \
	ETHOSU_GET(name##_##field, (s)->cmd0[ETHOSU_##name & 0xff])
#define PARAM1(s, name, field) \
	ETHOSU_GET(name##_##field, (uint32_t)((s)->cmd1[ETHOSU_##name & 0xff] >> 32))
#define PAYLOAD1(s, name, field) \
	ETHOSU_GET(name##_##field, (uint32_t)(s)->cmd1[ETHOSU_##name & 0xff])

#define CHAIN_BUFFERS	8

/* What lies in a chaining buffer: where it was put, how large it may be. */
struct chain_buffer {
	int64_t offset;
	int64_t size;
	int64_t filled;
};

/**
 * struct decoder - a stream being decoded
 * @config: the device
 * @program: what comes out
 * @command: name of the command being decoded, for messages; NULL: none
 * @op_capacity, @aux_capacity, @event_capacity: room in its arrays
 * @chain: where chaining buffers are
 * @pending: what is known of the next operation's npu_op_aux
 */
struct decoder {
	const struct npu_config *config;
	struct npu_program *program;
	const char *command;
	size_t op_capacity;
	size_t aux_capacity;
	size_t event_capacity;
	struct chain_buffer chain[CHAIN_BUFFERS];
	struct npu_op_aux pending;
};

/* Record why decoding ends with a parse error; always -EINVAL. */
__attribute__((format(printf, 2, 3))) int decode_error(struct decoder *d, const char *format, ...);

/* Registers of a feature map: one set each for IFM, IFM2 and OFM. */
enum decode_operand { DECODE_IFM, DECODE_IFM2, DECODE_OFM };

/* A 40-bit address (U55: 32-bit) of the state, @index is opcode & 0xff; strides are signed. */
uint64_t decode_address(const struct decoder *d, unsigned int index);
int64_t decode_stride(const struct decoder *d, unsigned int index);

/**
 * decode_fm - an operand's feature map, all but its extent, which the caller has filled in
 *
 * Elements of 64 bits pass: only the source of a POOL NONE can have them, others must refuse them.
 *
 * Return: 0, or decode_error().
 */
int decode_fm(struct decoder *d, enum decode_operand which, struct npu_fm *fm);

/* Fill @op from the state for an operation; @param is the operation's own. */
int decode_kernel_op(struct decoder *d, unsigned int opcode, unsigned int param, struct npu_op *op);
int decode_dma(struct decoder *d, struct npu_op *op);
/* Scaling, rounding, activation and tables: where the families differ most. */
int decode_output(struct decoder *d, struct npu_op *op);
void decode_input_scales(struct decoder *d, struct npu_op *op);

/* decode_aux.c: a wait, and the rest of an operation's npu_op_aux once it is there. */
void decode_wait(struct decoder *d, unsigned int opcode, unsigned int param);
void decode_aux(struct decoder *d, const struct npu_op *op, struct npu_op_aux *aux);

#endif
