/* SPDX-License-Identifier: MIT */
/*
 * The back end's own view of a graph: where tensors lie, how operations are cut into commands of the
 * NPU. One struct that all passes work on; each pass says what it reads and what it fills in.
 *
 *	be_layout    bricks or rows			tensor.brick
 *	be_regions   which memory			tensor.region
 *	be_copy      copies in the cheapest form	op.npu
 *	be_fold      columns as channels		op.npu
 *	be_sparse    whose weights are 2:4		op.two_four
 *	be_cascade   what runs in stripes		cascades, tensor.rows; regions anew
 *	be_block     OFM blocks, SHRAM, weight order	op.desc and what goes with it
 *	be_twins     which have the same constants	op.same
 *	be_stage     slices in depth, what is copied	op.slices, units, transfers
 *	be_weights   weights and scales encoded		op.blob
 *	be_constants region 0				slices[], tensor.constant
 *	be_schedule  commands in order, buffers		cmds, buffers
 *	be_place     addresses				buffers[].addr, constants
 *	be_emit      command streams			(with be_resolve, be_deps)
 */
#ifndef ACCEL_RUNTIME_BE_H
#define ACCEL_RUNTIME_BE_H

#include "runtime/compile/compile.h"
#include "runtime/encode/weights.h"
#include "runtime/target/target.h"
#include "sim/cost.h"
#include "sim/op.h"
#include "uapi/ethosu_arch.h"

#define BE_NONE	UINT32_MAX
#define BE_ALIGN	16	/* of every place in memory */

/**
 * struct be_buffer - bytes that are needed from one command to another
 * @size: in bytes
 * @first, @last: times, both included
 * @region: enum program_region, not PROGRAM_CONSTANTS
 * @addr: given by be_place; @hint: where it was when sizes were estimates
 */
struct be_buffer {
	uint64_t size;
	uint32_t first, last;
	uint8_t region;
	uint64_t addr, hint;
};

/**
 * struct be_tensor - where a tensor of the graph lies
 * @buffer: BE_NONE: not on the NPU's side at all, or a constant
 * @constant: offset in region 0, -1: none
 * @fixed: rows, not bricks: something outside the NPU sees it
 * @brick: stored as NHCWB16
 * @esize: bytes of an element
 * @region: enum program_region
 * @rows: so many are kept at a time, the rest has been read; 0: all of it
 * @made: the NPU writes it
 * @copy: it should be copied to quick memory before it is read
 * @copied: by a transfer to quick memory, from where the NPU reads it; BE_NONE: not
 */
struct be_tensor {
	uint32_t buffer;
	int64_t constant;
	bool fixed;
	bool brick;
	uint8_t esize;
	uint8_t region;
	uint32_t rows;
	bool made, copy;
	uint32_t copied;
};

/* What of a slice's constants is copied to quicker memory before it runs. */
#define BE_STAGE_SCALES		1u
#define BE_STAGE_WEIGHTS	2u

/**
 * struct be_slice - a part in depth of a convolution, one command
 * @first: OFM channel
 * @staged: BE_STAGE_*
 * @transfer: that brings it, BE_NONE
 * @map: transfer that brings the IFM, BE_NONE: it is read where it is
 * @latest, @latest_staged: the last transfer that brought it, for this or a twin; BE_NONE: none yet
 * @scales, @weights: offset of each stream in region 0
 */
struct be_slice {
	uint32_t first;
	uint8_t staged, latest_staged;
	uint32_t transfer, map, latest;
	uint64_t scales[2];
	uint64_t weights[WENC_MAX_STREAMS];
};

/**
 * struct be_op - one IR_NPU operation
 * @npu, @index: what the graph says, and where
 * @own: memory that @npu is in, if it is not what the graph says any more
 * @weights: in the place of the graph's, NULL: those
 * @desc: for the cost model; its block is the block
 * @two_four: U85: its weights could be in the format of 2:4 sparsity
 * @weight_bytes: of all its weights, measured; 0: not yet
 * @ib_end, @ib2_start, @ab_start: U55, U65: layout of SHRAM in banks
 * @blob: weights and scales
 * @slices, @slice_count: parts; of what has no weights there is one
 * @lut: index of a table image, BE_NONE: none
 * @same: earlier operation with the same constants, which are that one's; BE_NONE: none
 * @cascade: that it is part of, BE_NONE: none; @rows: of the OFM that it usually makes at a time then
 */
struct be_op {
	const struct ir_npu *npu;
	struct ir_npu *own;
	uint8_t *weights;
	uint32_t index;
	struct cost_op_desc desc;
	bool two_four;
	uint64_t weight_bytes;
	uint8_t ib_end, ib2_start, ab_start;
	struct wenc_blob blob;
	bool encoded;
	struct be_slice *slices;
	uint32_t slice_count;
	uint32_t lut;
	uint32_t same, cascade, rows;
};

/* A kernel operation: rows of a slice of an operation. In order of execution. */
struct be_unit {
	uint32_t op, slice;
	uint32_t y0, y1;
};

/**
 * struct be_cascade - operations that take turns, a stripe of rows each
 * @first, @last: index into be.ops
 * @stripes: how many rounds
 * @ends: row up to which each operation has come after each round: [round][operation]
 */
struct be_cascade {
	uint32_t first, last;
	uint32_t stripes;
	uint32_t *ends;
};

/**
 * struct be_transfer - constants, or a feature map, copied in one go
 * @unit: before which it is asked for
 * @first, @last: units that use it, both included
 * @tensor: BE_NONE: constants
 * @at, @size: in region 0; bytes
 * @buffer: where to; BE_NONE: not copied after all
 * @alone: of a twin: it brings nothing for others
 */
struct be_transfer {
	uint32_t unit;
	uint32_t first, last;
	uint32_t tensor;
	uint64_t at, size;
	uint32_t buffer;
	bool alone;
};

enum be_cmd_kind { BE_KERNEL, BE_TRANSFER };

/**
 * struct be_cmd - one kernel operation or transfer, in the order of execution
 * @kind: enum be_cmd_kind
 * @unit: BE_KERNEL: which
 * @transfer: BE_TRANSFER: which
 * @step: program step it belongs to
 */
struct be_cmd {
	uint8_t kind;
	struct be_unit unit;
	uint32_t transfer;
	uint32_t step;
};

/* A table as it lies in region 0. Equal ones are one. */
struct be_lut {
	const void *data;
	uint32_t size;
	int64_t constant;
};

/**
 * struct be - the whole of it
 * @staging: region 2 is a memory of its own, quicker than the arena's; of @limit bytes
 * @copies: constants may be copied to quicker memory, to @copy_region
 * @plan_limit: bytes that be_stage may count on; @plan_ahead: units that a transfer may be ahead of
 *	who uses it
 * @search: the weight encoder's working memory, of this thread
 * @maps: at each operation of the graph, bytes of feature maps in the memory that is quick
 */
struct be {
	const struct ir_graph *g;
	const struct compile_options *opt;
	const struct target *target;
	const struct ethosu_arch *arch;
	bool staging, copies;
	uint8_t copy_region;
	uint64_t limit, plan_limit;
	uint32_t plan_ahead;
	uint64_t *maps;
	struct swd_search *search;
	struct error *err;
	struct program *out;

	struct be_tensor *tensors;
	struct be_op *ops;
	uint32_t op_count;
	uint32_t *op_of;	/* of each operation of the graph: index into ops, or BE_NONE */
	struct be_cascade *cascades;
	uint32_t cascade_count, cascade_room;
	struct be_unit *units;
	uint32_t unit_count;
	struct be_transfer *transfers;
	uint32_t transfer_count, transfer_room;
	struct be_cmd *cmds;
	uint32_t cmd_count, cmd_room;
	struct be_buffer *buffers;
	uint32_t buffer_count, buffer_room;
	uint64_t *hints;	/* of the buffers that there will be */
	uint32_t hint_count;
	struct be_known *known;	/* of be_block.c */
	struct be_lut *luts;
	uint32_t lut_count;
};

/**
 * struct be_kernel - a command with every address known
 * @op: as the simulator's decoder would give it, but for lut_offset and offset
 * @block: OFM block; @ifm_depth: of the IFM block
 * @ib_end, @ib2_start, @ab_start: as in struct be_op
 * @lut: table, BE_NONE: none; @lut_slot: 256-byte unit it is in
 */
struct be_kernel {
	struct npu_op op;
	struct ethosu_block block;
	uint32_t ifm_depth;
	uint8_t ib_end, ib2_start, ab_start;
	uint32_t lut;
	uint32_t lut_slot;
};

static inline uint64_t be_align(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static inline uint32_t be_div_up(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

/* Word an error of an operation: its name is put before it. Return: @code. */
int be_error(struct be *be, uint32_t op, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Room for one more element of a growing array; NULL: no memory, the array is as it was. */
void *be_grow(void *array, uint32_t count, uint32_t *room, size_t size);

int be_layout(struct be *be);
int be_regions(struct be *be);
int be_copy(struct be *be);
int be_fold(struct be *be);
int be_sparse(struct be *be);
int be_cascade(struct be *be);
int be_block(struct be *be);
int be_twins(struct be *be);
int be_stage(struct be *be);
int be_fit(struct be *be);	/* be_stage() until it fits */
int be_weights(struct be *be);
int be_constants(struct be *be);
int be_schedule(struct be *be);
int be_place(struct be *be);
int be_emit(struct be *be);

/* Take back what be_schedule() did. */
void be_forget(struct be *be);

/* Bytes a tensor takes as it is stored. */
uint64_t be_tensor_size(const struct be *be, uint32_t tensor);

/* Whether a view can be addressed in bricks; the layout pass and be_resolve() agree by it. */
bool be_view_in_bricks(const struct be *be, const struct ir_view *view);

/* The OFM view with the extent that is stored: the U85 can swap axes on the way. */
struct ir_view be_stored_ofm(const struct ir_npu *npu);

/* What the cost model wants to know of an operation, blocks and streams excepted. */
void be_describe(const struct be *be, const struct ir_npu *npu, struct cost_op_desc *desc);

/* The tensor that an operand is, or IR_NONE. */
static inline uint32_t be_tensor_of(const struct ir_view *view)
{
	return view->scalar ? IR_NONE : view->tensor;
}

/* Rows of the IFM that rows @y0 to @y1 of the OFM are made of. */
void be_input_rows(const struct ir_npu *npu, uint32_t y0, uint32_t y1, uint32_t *from, uint32_t *to);

/* @desc for rows @y0 to @y1 only. */
void be_describe_rows(const struct ir_npu *npu, uint32_t y0, uint32_t y1, struct cost_op_desc *desc);

/* @desc for @rows rows, of those that have others before them. */
void be_describe_middle(const struct ir_npu *npu, uint32_t rows, struct cost_op_desc *desc);

/* Is it a transfer, not a kernel? */
static inline bool be_is_transfer(const struct ir_npu *npu)
{
	return npu->kind == IR_NPU_COPY || npu->kind == IR_NPU_GATHER;
}

/* Bytes that a weight of @op will take: what their frequencies allow at best, and a little more. */
double be_density(const struct be *be, const struct be_op *op);

/* Does it have weights of its own? */
bool be_has_streams(const struct ir_npu *npu);

/* Slice @i of @op: its channels; the whole if it is not cut. */
uint32_t be_slice_channels(const struct be_op *op, uint32_t i);

/* What an operation is to be judged by: cycles, and what it asks of the outer memory. */
double be_price(const struct be *be, const struct cost_result *cost);

/* Choose the best legal block for @op->desc; on the U85 also its sparsity, if desc.sparse allows it. */
int be_choose_block(struct be *be, struct be_op *op);

/* The weights of @op as the encoder wants them told; what it encodes them for, as desc says. */
int be_layer(struct be *be, const struct be_op *op, struct wenc_layer *layer);
void be_encoding(const struct be *be, const struct be_op *op, struct wenc_config *config);

/**
 * be_format_price - what an operation is to be judged by with its weights encoded
 * @weight_bytes, @fast: of the encoding
 *
 * A copy of the weights to where desc says they are read counts; it hides behind the work.
 */
double be_format_price(const struct be *be, const struct be_op *op, uint64_t weight_bytes, bool fast);

/**
 * be_encode - encode the weights of an operation in the best format
 * @starts: of its slices
 *
 * As wenc_encode().
 */
int be_encode(const struct be *be, const struct be_op *op, const struct wenc_layer *layer,
	      const struct wenc_scale *scales, const uint32_t *starts, struct wenc_blob *out,
	      struct error *err);

/* Turn a BE_KERNEL command into registers' contents. */
int be_resolve(struct be *be, const struct be_cmd *cmd, struct be_kernel *out);

#endif
