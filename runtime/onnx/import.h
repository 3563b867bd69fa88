/* SPDX-License-Identifier: MIT */
/*
 * What the files of the ONNX importer share: values, nodes, and the table of operators.
 *
 * An import's first error sticks: @rc is set, and whatever is built afterwards is NULL. A function that
 * gets NULL for a value gives NULL, so that a converter is written as one expression and onnx_out()
 * at its end returns what went wrong.
 */
#ifndef ACCEL_RUNTIME_ONNX_IMPORT_H
#define ACCEL_RUNTIME_ONNX_IMPORT_H

#include "onnx.pb-c.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/onnx/onnx.h"


/**
 * struct onnx_value - a value of the ONNX graph
 * @name: in the file, NULL: made up
 * @ndim, @shape: extents; those of a constant may be 0
 * @data: of a constant, dense; never NULL for one, even if it is empty
 * @tensor: in the graph; IR_NONE: not there yet, which only constants may be
 * @root: the model's input that it depends on first of all, NULL: none
 * @integers, @quant: a constant of numbers that integers stand for: those, and how. In the graph it is
 *	what DEQUANTIZE makes of them. NULL: no such thing.
 */
struct onnx_value {
	const char *name;
	int type;
	uint32_t ndim;
	int32_t shape[IR_MAX_DIMS];
	const void *data;
	uint32_t tensor;
	const char *root;
	struct onnx_value *integers;
	struct ir_quant quant;
};

struct onnx_name;

/**
 * struct onnx_import - an import
 * @rc: what went wrong first, 0: nothing
 * @opset: of the node's domain
 * @dir: of external data, NULL: none
 * @names: hash table from names to values
 * @room: bytes that constants may still take
 * @work: elements that operations on constants may still look at; a multiplication counts for several
 * @origin: of the node being converted
 * @depth: of subgraphs
 */
struct onnx_import {
	struct ir_graph *g;
	struct error *err;
	const struct onnx_options *opt;
	const char *dir;
	struct onnx_name **names;
	size_t name_count;
	uint64_t room, work;
	int rc;
	int opset;
	uint32_t origin;
	unsigned int depth;
	const struct onnx_node *node;
};

/**
 * struct onnx_node - a node being converted
 * @op: its entry in the table
 * @inputs: NULL: left out
 * @attributes: as in the file
 */
struct onnx_node {
	const Onnx__NodeProto *pb;
	const struct onnx_operator *op;
	const char *name;
	uint32_t input_count, output_count;
	struct onnx_value **inputs;
};

/**
 * struct onnx_operator - an operator that can be imported
 * @name, @domain: the default domain is ""
 * @since: oldest version of the domain's operator set that is understood, @until: newest
 * @inputs: fewest, as the node may leave out or not
 * @convert: build it; returns onnx_out()
 * @arg: for @convert, often the kind of operation
 * @note: limits, for the table in the documentation; NULL: none
 */
struct onnx_operator {
	const char *name, *domain;
	int since, until;
	uint32_t inputs;
	int (*convert)(struct onnx_import *c, const struct onnx_node *n);
	unsigned int arg;
	const char *note;
};

/* Groups of operators, one file each; ended by an entry without a name. */
#define ONNX_GROUPS(X) \
	X(elementwise) X(compare) X(conv) X(pool) X(resize) X(matmul) X(reduce) X(shape) X(move) \
	X(control) X(index) X(norm) X(quantised) X(attention) X(loss) X(rnn) X(einsum) X(sample)
#define X(name) extern const struct onnx_operator onnx_##name[];
ONNX_GROUPS(X)
#undef X

const struct onnx_operator *onnx_operator_find(const char *name, const char *domain);

/* --- import.c --- */

/* onnx_fail - the import fails, at the node being converted. Return: NULL, for a value. */
struct onnx_value *onnx_fail(struct onnx_import *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* onnx_subgraph - convert a graph's nodes. Values of outer graphs are seen; its outputs go to @out. */
int onnx_subgraph(struct onnx_import *c, const Onnx__GraphProto *graph,
		  struct onnx_value **out, uint32_t out_count);

/* --- node.c: operands and attributes --- */

/* Input @i, NULL if it was left out (or the import has failed). */
struct onnx_value *onnx_in(const struct onnx_node *n, uint32_t i);

bool onnx_wants(const struct onnx_node *n, uint32_t output);

/* onnx_out - @v is output @i of the node. Return: @c->rc. */
int onnx_out(struct onnx_import *c, const struct onnx_node *n, uint32_t i, struct onnx_value *v);

bool onnx_has(const struct onnx_node *n, const char *attribute);
int64_t onnx_int(const struct onnx_node *n, const char *attribute, int64_t dflt);
float onnx_float(const struct onnx_node *n, const char *attribute, float dflt);

/* The text is "" if it holds a NUL or is not there and @dflt is NULL. */
const char *onnx_string(struct onnx_import *c, const struct onnx_node *n, const char *attribute,
			const char *dflt);

/* onnx_ints - a list of integers, beyond int32 clamped. Return: how many (0: none); @list NULL: only that. */
uint32_t onnx_ints(struct onnx_import *c, const struct onnx_node *n, const char *attribute,
		   int32_t *list, uint32_t max);
uint32_t onnx_floats(struct onnx_import *c, const struct onnx_node *n, const char *attribute,
		     float *list, uint32_t max);
const Onnx__TensorProto *onnx_tensor_attribute(const struct onnx_node *n, const char *attribute);
const Onnx__GraphProto *onnx_graph_attribute(const struct onnx_node *n, const char *attribute);

/**
 * onnx_known - a constant's elements as int32
 * @what: for messages, "the shape"
 *
 * The import fails if the value is no constant, or has more elements than @max.
 *
 * Return: how many; 0 as well if @v is NULL.
 */
uint32_t onnx_known(struct onnx_import *c, const struct onnx_value *v, const char *what,
		    int32_t *list, uint32_t max);
uint32_t onnx_known_floats(struct onnx_import *c, const struct onnx_value *v, const char *what,
			   float *list, uint32_t max);

/* The one element of a constant. */
int32_t onnx_known_int(struct onnx_import *c, const struct onnx_value *v, const char *what);
float onnx_known_float(struct onnx_import *c, const struct onnx_value *v, const char *what);

/* onnx_list - by attribute, as old versions have it, or as input @i */
uint32_t onnx_list(struct onnx_import *c, const struct onnx_node *n, const char *attribute, uint32_t i,
		   int32_t *list, uint32_t max);

/* An axis counted from the front. */
uint32_t onnx_axis(struct onnx_import *c, int64_t axis, uint32_t ndim);

/* --- value.c --- */

struct onnx_value *onnx_value_new(struct onnx_import *c, int type, uint32_t ndim, const int32_t *shape);

/* onnx_constant - a new constant; @data NULL: zeros, or it is for @c's graph to keep */
struct onnx_value *onnx_constant(struct onnx_import *c, int type, uint32_t ndim, const int32_t *shape,
				 const void *data);

/* onnx_copy - the same with other contents of its own, zero; writable while it is new */
void *onnx_constant_data(struct onnx_value *v);

struct onnx_value *onnx_i32(struct onnx_import *c, uint32_t count, const int32_t *list);
struct onnx_value *onnx_f32(struct onnx_import *c, float value);

/* onnx_scalar - a number of a type */
struct onnx_value *onnx_scalar(struct onnx_import *c, int type, double value);

/* An element of a constant of any supported type. */
double onnx_element(const struct onnx_value *v, size_t i);
int64_t onnx_element_int(const struct onnx_value *v, size_t i);

size_t onnx_count(const struct onnx_value *v);
bool onnx_bind(struct onnx_import *c, const char *name, struct onnx_value *v);
struct onnx_value *onnx_lookup(const struct onnx_import *c, const char *name);

/* --- tensor.c --- */

/* onnx_tensor - the constant that a TensorProto is. @weights: of initialisers, must be finite. */
struct onnx_value *onnx_tensor(struct onnx_import *c, const Onnx__TensorProto *t, bool weights);

/* The element type that an ONNX type becomes: numbers of any size float32. The import fails if there is none. */
int onnx_type(struct onnx_import *c, int data_type);
const char *onnx_type_name(int data_type);

/* --- emit.c --- */

/* The tensor of the graph that holds a value. */
uint32_t onnx_tensor_of(struct onnx_import *c, struct onnx_value *v);

/**
 * onnx_op - an operation with one output
 * @options: NULL: none
 *
 * Computed at once where all inputs are constant and the CPU has the operation.
 */
struct onnx_value *onnx_op(struct onnx_import *c, unsigned int kind, const struct ir_options *options,
			   uint32_t count, struct onnx_value *const *inputs, int type, uint32_t ndim,
			   const int32_t *shape);

/* onnx_op_many - with several, whose types and shapes @outputs has (from onnx_value_new()) */
int onnx_op_many(struct onnx_import *c, unsigned int kind, const struct ir_options *options,
		 uint32_t count, struct onnx_value *const *inputs, uint32_t out_count,
		 struct onnx_value **outputs);

/* onnx_op_apart - @out from @in by an operation that stays one, even if @in is constant */
int onnx_op_apart(struct onnx_import *c, unsigned int kind, struct onnx_value *in,
		  struct onnx_value *out);

#endif
