/* SPDX-License-Identifier: MIT */
/*
 * Lowering, inside: from graph operations to operations of the NPU.
 *
 * A graph tensor may lie inside another one (an input of CONCATENATION in its output, the output of
 * SLICE in its input): struct place. A tensor with the axes of the operation at hand is a struct nd,
 * from which views are made.
 *
 * What lowers a kind of operation returns 0, LOWER_CPU with lower.why set (nothing it has put into
 * the graph stays), or a negative errno.
 */
#ifndef ACCEL_RUNTIME_COMPILE_LOWER_H
#define ACCEL_RUNTIME_COMPILE_LOWER_H

#include "runtime/compile/quant.h"
#include "runtime/ir/ir_ops.h"

#define LOWER_CPU	1
#define LOWER_OPS_MAX	8192	/* operations of the NPU that one graph operation may become */
#define LOWER_EXTENT_MAX (1 << 28)	/* of any axis of a graph tensor */
#define LOWER_AXIS_MAX	65536	/* of an extent: registers of 16 bits, minus one */

/**
 * struct place - where a graph tensor lies
 * @root: the tensor whose memory it is
 * @base: its first element there
 * @step: from element to element along each of its axes, in elements of @root
 */
struct place {
	uint32_t root;
	int64_t base;
	int64_t step[IR_MAX_DIMS];
};

/**
 * struct lower - one run of the lowering
 * @g: tensors are added, operations built anew
 * @u85: which family
 * @place: of each graph tensor that was there before
 * @place_count: of them; later ones lie in themselves
 * @why: reason of the last LOWER_CPU
 * @origin: of the operation at hand
 * @limit: operations that there may be when it is done
 */
struct lower {
	struct ir_graph *g;
	bool u85;
	struct place *place;
	uint32_t place_count;
	const char *why;
	uint32_t origin;
	uint32_t limit;
	struct error *err;
};

/**
 * struct nd - a tensor, or a part of it, with as many axes as one likes
 * @tensor: the root
 * @n, @shape: axes; steps of 0 broadcast
 * @zero_point, @type: for the view
 * @scalar, @value: a number instead of a tensor
 */
struct nd {
	uint32_t tensor;
	int64_t base;
	uint32_t n;
	int32_t shape[IR_MAX_DIMS];
	int64_t step[IR_MAX_DIMS];
	int32_t zero_point;
	int type;
	bool scalar;
	int32_t value;
};

/**
 * lower_graph - lower all operations of a graph
 * @u85: for a U85, else for U55 and U65
 * @no_cpu: what must stay on the CPU is an error
 */
int lower_graph(struct ir_graph *g, bool u85, bool no_cpu, struct error *err);

/* The operation stays on the CPU. Return: LOWER_CPU. */
int lower_cpu(struct lower *l, const char *why);
int lower_no_memory(struct lower *l);

static inline struct ir_tensor *lower_tensor(const struct lower *l, uint32_t t)
{
	return &l->g->tensors[t];
}

/* lower_nd.c: tensors with axes. */

/* The graph tensor @t, its zero point that of its quantisation. */
struct nd lower_nd(const struct lower *l, uint32_t t);

/* A number. */
struct nd lower_value(int32_t value, int32_t zero_point, int type);

/* A new tensor for what lies between operations; IR_NONE: no memory. */
uint32_t lower_temp(struct lower *l, int type, uint32_t ndim, const int32_t *shape);
uint32_t lower_temp_like(struct lower *l, int type, uint32_t like);

/* A constant; @data is copied. */
uint32_t lower_constant(struct lower *l, int type, uint32_t ndim, const int32_t *shape,
			const void *data);

/* At least @n axes: of extent 1, in front. */
void nd_rank(struct nd *d, uint32_t n);

/* Part of an axis: @count elements from @begin, every @step-th (may be negative). */
void nd_slice(struct nd *d, uint32_t axis, int32_t begin, int32_t count, int32_t step);
void nd_drop(struct nd *d, uint32_t axis);
void nd_permute(struct nd *d, const uint32_t *axes);

/* As many axes and as large as @like; false: it does not broadcast. */
bool nd_broadcast(struct nd *d, const struct nd *like);

/* Other axes over the same elements in order; false: no steps give that. */
bool nd_reshape(struct nd *d, uint32_t n, const int32_t *shape);

/* A view of three axes (more: those in front must be 1). False: channels do not follow each other. */
bool nd_view(const struct nd *d, struct ir_view *view);

/* True if both name the same elements. */
bool nd_same(const struct nd *a, const struct nd *b);

/* The value of an axis option, negative from the end. False: there is no such axis. */
bool nd_axis(int32_t axis, uint32_t ndim, uint32_t *out);

/* Elements of a constant of int32 or int64; false: @t is none, or longer than @max. */
bool lower_integers(const struct lower *l, uint32_t t, int32_t *out, uint32_t max, uint32_t *count);

/* lower_emit.c: operations. */

/* Append a copy of @npu. 0 or -ENOMEM. */
int lower_emit(struct lower *l, const struct ir_npu *npu);

/* An operation with the OFM's range as clamp. */
struct ir_npu lower_npu(unsigned int kind, unsigned int mode, int ofm_type);

/**
 * lower_map - an operation that goes element by element, on tensors with any number of axes
 * @npu: elementwise, or a pool of 1x1; its views are filled in
 * @b: NULL: one operand
 *
 * Operands broadcast to @ofm. As many operations as it takes.
 */
int lower_map(struct lower *l, const struct ir_npu *npu, struct nd ofm, struct nd a,
	      const struct nd *b);

/* The 1x1 pool that hands a tensor on: @npu is filled in but for scale and table. */
struct ir_npu lower_copy_npu(const struct lower *l, int ofm_type);

/* Bytes as they are; both of the same type. */
int lower_copy(struct lower *l, struct nd ofm, struct nd ifm);

/* Clamp of a fused activation. False: not a clamp. */
bool lower_activation(const struct ir_tensor *ofm, int activation, int32_t *min, int32_t *max);

/* lower_table.c: tables. */

/* The NPU's table of slopes and bases for TFLite's 513 points. IR_NONE: no memory. */
uint32_t lower_points(struct lower *l, const int16_t points[513]);

/*
 * The NPU's own sigmoid or tanh, of a number in units of 1/12288, which U85 has to be given as a table
 * of slopes and bases. IR_NONE: no memory.
 */
uint32_t lower_own_table(struct lower *l, bool sigmoid);

/* Scale of an int16 number to units of 1/12288, as TFLite's TANH and LOGISTIC round it. */
bool lower_tanh_scale(double scale, struct ir_scale *out);

/* One function a kind. */
int lower_conv2d(struct lower *l, const struct ir_op *op);
int lower_depthwise(struct lower *l, const struct ir_op *op);
int lower_fully_connected(struct lower *l, const struct ir_op *op);
int lower_transpose_conv(struct lower *l, const struct ir_op *op);
int lower_pool(struct lower *l, const struct ir_op *op);
int lower_mean(struct lower *l, const struct ir_op *op);
int lower_add(struct lower *l, const struct ir_op *op);
int lower_mul(struct lower *l, const struct ir_op *op);
int lower_minmax(struct lower *l, const struct ir_op *op);
int lower_relu(struct lower *l, const struct ir_op *op);
int lower_quantize(struct lower *l, const struct ir_op *op);
int lower_table(struct lower *l, const struct ir_op *op);
int lower_tanh_sigmoid(struct lower *l, const struct ir_op *op);
int lower_leaky_relu(struct lower *l, const struct ir_op *op);
int lower_prelu(struct lower *l, const struct ir_op *op);
int lower_abs(struct lower *l, const struct ir_op *op);
int lower_squared_difference(struct lower *l, const struct ir_op *op);
int lower_sum(struct lower *l, const struct ir_op *op);
int lower_reduce_minmax(struct lower *l, const struct ir_op *op);
int lower_arg_max(struct lower *l, const struct ir_op *op);
int lower_transpose(struct lower *l, const struct ir_op *op);
int lower_mirror_pad(struct lower *l, const struct ir_op *op);
int lower_reverse(struct lower *l, const struct ir_op *op);
int lower_space_depth(struct lower *l, const struct ir_op *op);
int lower_tile(struct lower *l, const struct ir_op *op);
int lower_matmul(struct lower *l, const struct ir_op *op);
int lower_resize(struct lower *l, const struct ir_op *op);
int lower_compare(struct lower *l, const struct ir_op *op);
int lower_logical(struct lower *l, const struct ir_op *op);
int lower_select(struct lower *l, const struct ir_op *op);
int lower_div(struct lower *l, const struct ir_op *op);
int lower_gather(struct lower *l, const struct ir_op *op);
int lower_scatter(struct lower *l, const struct ir_op *op);
int lower_lstm(struct lower *l, const struct ir_op *op);
int lower_softmax(struct lower *l, const struct ir_op *op);
int lower_reshape(struct lower *l, const struct ir_op *op);
int lower_concat(struct lower *l, const struct ir_op *op);
int lower_slice(struct lower *l, const struct ir_op *op);
int lower_pad(struct lower *l, const struct ir_op *op);

#endif
