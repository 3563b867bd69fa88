/* SPDX-License-Identifier: MIT */
/* Graphs as TFLite files: schema 3, one subgraph, options by the table of ir_ops.h. */
#include "runtime/image/tflite_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"
#include "runtime/image/flat.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/tflite.h"

#define HIDDEN_INDEX	4	/* of the LSTM's intermediates: the output before projection */
#define MAX_CODE8	127	/* larger codes do not fit the old field, which then holds this */

/*
 * Of each kind the number of its options table in the union of schema.fbs (0: it has none), and the
 * version of the operator on int8, on int16 and on float; 0: 1.
 */
struct writing {
	uint8_t options, v8, v16, v32;
};

static const struct writing writings[IR_KIND_COUNT] = {
	[IR_ABS] = { 0, 2, 2, 0 },
	[IR_ADD] = { 11, 2, 2, 0 },
	[IR_ARG_MAX] = { 40, 2, 0, 0 },
	[IR_ARG_MIN] = { 57, 2, 0, 0 },
	[IR_AVERAGE_POOL_2D] = { 5, 2, 3, 0 },
	[IR_BATCH_MATMUL] = { 101, 2, 3, 0 },
	[IR_BATCH_TO_SPACE_ND] = { 0, 2, 0, 0 },
	[IR_BROADCAST_TO] = { 0, 3, 3, 2 },
	[IR_CAST] = { 0, 3, 3, 0 },
	[IR_CONCATENATION] = { 10, 2, 3, 0 },
	[IR_CONV_2D] = { 1, 3, 4, 0 },
	[IR_CUMSUM] = { 102, 0, 0, 0 },
	[IR_DEPTHWISE_CONV_2D] = { 2, 3, 5, 2 },
	[IR_DEPTH_TO_SPACE] = { 94, 0, 0, 0 },
	[IR_DEQUANTIZE] = { 0, 2, 3, 0 },
	[IR_DIV] = { 29, 2, 0, 0 },
	[IR_EQUAL] = { 0, 2, 0, 0 },
	[IR_EXP] = { 0, 2, 2, 0 },
	[IR_FLOOR_DIV] = { 0, 0, 0, 0 },
	[IR_FULLY_CONNECTED] = { 8, 4, 7, 0 },
	[IR_GATHER] = { 23, 2, 4, 0 },
	[IR_GELU] = { 116, 2, 0, 0 },
	[IR_GREATER] = { 0, 2, 0, 0 },
	[IR_GREATER_EQUAL] = { 0, 2, 0, 0 },
	[IR_L2_NORMALIZATION] = { 12, 2, 0, 0 },
	[IR_LEAKY_RELU] = { 75, 2, 2, 0 },
	[IR_LESS] = { 0, 2, 0, 0 },
	[IR_LESS_EQUAL] = { 0, 2, 0, 0 },
	[IR_LOG] = { 0, 2, 2, 0 },
	[IR_LOGISTIC] = { 0, 2, 3, 0 },
	[IR_LOG_SOFTMAX] = { 0, 2, 0, 0 },
	[IR_MAXIMUM] = { 0, 2, 4, 0 },
	[IR_MAX_POOL_2D] = { 5, 2, 3, 0 },
	[IR_MEAN] = { 27, 2, 3, 0 },
	[IR_MINIMUM] = { 0, 2, 4, 0 },
	[IR_MIRROR_PAD] = { 77, 2, 3, 0 },
	[IR_MUL] = { 21, 2, 4, 0 },
	[IR_NOT_EQUAL] = { 0, 2, 0, 0 },
	[IR_ONE_HOT] = { 61, 0, 0, 0 },
	[IR_PACK] = { 59, 2, 0, 0 },
	[IR_PAD] = { 0, 2, 2, 0 },
	[IR_PADV2] = { 0, 2, 2, 0 },
	[IR_QUANTIZE] = { 0, 2, 2, 0 },
	[IR_REDUCE_ALL] = { 27, 0, 0, 0 },
	[IR_REDUCE_ANY] = { 27, 0, 0, 0 },
	[IR_REDUCE_MAX] = { 27, 2, 3, 0 },
	[IR_REDUCE_MIN] = { 27, 2, 3, 0 },
	[IR_REDUCE_PROD] = { 27, 2, 0, 0 },
	[IR_RELU] = { 0, 2, 2, 0 },
	[IR_RELU6] = { 0, 2, 2, 0 },
	[IR_RESHAPE] = { 17, 0, 0, 0 },
	[IR_RESIZE_BILINEAR] = { 15, 3, 3, 3 },
	[IR_RESIZE_NEAREST_NEIGHBOR] = { 74, 3, 3, 3 },
	[IR_REVERSE_SEQUENCE] = { 87, 0, 0, 0 },
	[IR_RSQRT] = { 0, 2, 0, 0 },
	[IR_SHAPE] = { 55, 0, 0, 0 },
	[IR_SLICE] = { 0, 2, 4, 0 },
	[IR_SOFTMAX] = { 9, 2, 3, 0 },
	[IR_SPACE_TO_BATCH_ND] = { 0, 2, 0, 0 },
	[IR_SPACE_TO_DEPTH] = { 19, 2, 0, 0 },
	[IR_SPLIT] = { 35, 2, 4, 0 },
	[IR_SPLIT_V] = { 79, 2, 2, 0 },
	[IR_SQRT] = { 0, 2, 0, 0 },
	[IR_SQUARED_DIFFERENCE] = { 0, 2, 0, 0 },
	[IR_SQUEEZE] = { 30, 2, 0, 0 },
	[IR_STRIDED_SLICE] = { 32, 2, 4, 0 },
	[IR_SUB] = { 28, 2, 2, 0 },
	[IR_SUM] = { 27, 2, 2, 0 },
	[IR_TANH] = { 0, 2, 3, 0 },
	[IR_TRANSPOSE] = { 0, 2, 4, 0 },
	[IR_TRANSPOSE_CONV] = { 49, 3, 3, 3 },
	[IR_UNIDIRECTIONAL_SEQUENCE_LSTM] = { 71, 3, 0, 0 },
	[IR_UNPACK] = { 64, 2, 0, 0 },
};

/* An operator code of the file. */
struct opcode {
	int builtin;
	uint8_t version;
};

/**
 * struct writer - a file being written
 * @number: of each tensor in the file, IR_NONE: not used
 * @tensor_count: tensors in the file, then the LSTMs' intermediates
 * @codes, @code_of: operator codes; which one each operation has
 * @buffer_count: buffers, one for each constant behind the empty one
 */
struct writer {
	struct flat f;
	const struct ir_graph *g;
	uint32_t *number;
	uint32_t tensor_count, intermediate_count;
	struct opcode *codes;
	uint32_t *code_of;
	uint32_t code_count;
	uint32_t buffer_count;
};

static bool is_lstm(const struct ir_op *op)
{
	return op->kind == IR_UNIDIRECTIONAL_SEQUENCE_LSTM;
}

/* By the type of what is computed on: some operators' first input is a shape or an axis. */
static int type_of(const struct ir_graph *g, const struct ir_op *op)
{
	unsigned int i = op->kind == IR_TRANSPOSE_CONV ? 2 : op->kind == IR_SPLIT ? 1 : 0;

	return i < op->input_count && op->inputs[i] != IR_NONE ? g->tensors[op->inputs[i]].type :
								 ELEM_FLOAT32;
}

static uint8_t version_of(const struct ir_graph *g, const struct ir_op *op)
{
	const struct writing *w = &writings[op->kind];
	int type = type_of(g, op);
	uint8_t v = type == ELEM_INT8 ? w->v8 : type == ELEM_INT16 ? w->v16 :
		    type == ELEM_FLOAT32 ? w->v32 : 0;

	/* Keeping dimensions is newer than int8. */
	if (op->kind == IR_FULLY_CONNECTED && op->options->keep_dims && v < 5)
		return 5;
	return v ? v : 1;
}

static const char *origin(const struct ir_graph *g, const struct ir_op *op)
{
	return op->origin < g->origin_count ? g->origins[op->origin] : g->name;
}

static int choose_codes(struct writer *w, struct error *err)
{
	const struct ir_graph *g = w->g;

	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];
		const struct ir_kind_info *info = ir_kind_info(op->kind);
		struct opcode code = { .builtin = info->code };
		uint32_t c = 0;

		if (code.builtin < 0)
			return error_set(err, -ENOTSUP, "%s (%s): TFLite has no such operator",
					 info->name, origin(g, op));
		if (op->options && op->options->activation > IR_ACT_SIGN_BIT)
			return error_set(err, -ENOTSUP, "%s (%s): TFLite does not fuse activation %d",
					 info->name, origin(g, op), op->options->activation);
		code.version = version_of(g, op);
		while (c < w->code_count && (w->codes[c].builtin != code.builtin ||
					     w->codes[c].version != code.version))
			c++;
		w->codes[c] = code;
		w->code_of[i] = c;
		if (c == w->code_count)
			w->code_count++;
		w->intermediate_count += is_lstm(op) && op->options->hidden_scale > 0;
	}
	return 0;
}

static void use(struct writer *w, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] != IR_NONE)
			w->number[list[i]] = 0;
}

static void number_tensors(struct writer *w)
{
	const struct ir_graph *g = w->g;

	memset(w->number, 0xff, g->tensor_count * sizeof(*w->number));
	use(w, g->inputs, g->input_count);
	use(w, g->outputs, g->output_count);
	for (uint32_t i = 0; i < g->op_count; i++) {
		use(w, g->ops[i].inputs, g->ops[i].input_count);
		use(w, g->ops[i].outputs, g->ops[i].output_count);
	}
	w->buffer_count = 1;
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		if (w->number[i] == IR_NONE)
			continue;
		w->number[i] = w->tensor_count++;
		w->buffer_count += g->tensors[i].data != NULL;
	}
}

static void put_quant(struct flat *f, size_t at, const struct ir_quant *quant)
{
	/* min, max, scale, zero_point, details type and details, axis */
	static const uint8_t fields[] = { 0, 0, 4, 4, 0, 0, 4 };
	struct flat_table q;
	size_t zeros;

	flat_refer(f, at, flat_table(f, fields, sizeof(fields), &q));
	flat_set(f, q.at[6], (uint32_t)quant->axis, 4);
	flat_refer(f, q.at[2], flat_vector(f, quant->scale, quant->count, 4, 4));
	zeros = flat_vector(f, NULL, quant->count, 8, 8);
	for (uint32_t i = 0; i < quant->count; i++)
		flat_set(f, zeros + 4 + 8 * (size_t)i, (uint64_t)(int64_t)quant->zero_point[i], 8);
	flat_refer(f, q.at[3], zeros);
}

static void put_tensor(struct flat *f, size_t at, const struct ir_tensor *t, uint32_t buffer)
{
	/* shape, type, buffer, name, quantisation, is_variable */
	const uint8_t fields[] = { 4, 1, 4, 4, t->quant.count ? 4 : 0, t->variable };
	struct flat_table table;

	flat_refer(f, at, flat_table(f, fields, sizeof(fields), &table));
	flat_set(f, table.at[1], (uint8_t)t->type, 1);
	flat_set(f, table.at[2], buffer, 4);
	if (t->variable)
		flat_set(f, table.at[5], 1, 1);
	flat_refer(f, table.at[0], flat_vector(f, t->shape, t->ndim, 4, 4));
	flat_refer(f, table.at[3], flat_string(f, t->name));
	if (t->quant.count)
		put_quant(f, table.at[4], &t->quant);
}

static void put_tensors(struct writer *w, size_t at)
{
	size_t list = flat_vector(&w->f, NULL, w->tensor_count + w->intermediate_count, 4, 4);
	const struct ir_graph *g = w->g;
	uint32_t buffer = 1;

	flat_refer(&w->f, at, list);
	list += 4;
	for (uint32_t i = 0; i < g->tensor_count; i++)
		if (w->number[i] != IR_NONE)
			put_tensor(&w->f, list + 4 * (size_t)w->number[i], &g->tensors[i],
				   g->tensors[i].data ? buffer++ : 0);
	list += 4 * (size_t)w->tensor_count;
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_options *o = g->ops[i].options;
		struct ir_tensor t = { .name = "hidden", .type = ELEM_INT8 };

		if (!is_lstm(&g->ops[i]) || !(o->hidden_scale > 0))
			continue;
		t.quant = (struct ir_quant){ 1, 0, &o->hidden_scale, &o->hidden_zero_point };
		put_tensor(&w->f, list, &t, 0);
		list += 4;
	}
}

static size_t put_list(struct writer *w, const uint32_t *list, uint32_t count)
{
	size_t vector = flat_vector(&w->f, NULL, count, 4, 4);

	for (uint32_t i = 0; i < count; i++)
		flat_set(&w->f, vector + 4 + 4 * (size_t)i,
			 list[i] == IR_NONE ? UINT32_MAX : w->number[list[i]], 4);
	return vector;
}

/* Axes of extent 1 that are in @from and not in @to. */
static size_t put_squeezed(struct flat *f, const struct ir_tensor *from, const struct ir_tensor *to)
{
	int32_t axes[IR_MAX_DIMS];
	uint32_t count = 0, at = 0;

	for (uint32_t i = 0; i < from->ndim; i++) {
		uint32_t left = from->ndim - i, wanted = to->ndim - at;

		if (from->shape[i] == 1 && (left > wanted) && (!wanted || to->shape[at] != 1))
			axes[count++] = (int32_t)i;
		else
			at++;
	}
	return flat_vector(f, axes, count, 4, 4);
}

/*
 * The table of options. The first field of some is in the graph already: the type of the output, and of
 * RESHAPE and SQUEEZE a list, by its shape.
 */
static size_t put_options(struct writer *w, const struct ir_op *op)
{
	const struct ir_kind_info *info = ir_kind_info(op->kind);
	const struct ir_tensor *out = &w->g->tensors[op->outputs[0]];
	uint8_t fields[FLAT_MAX_FIELDS] = { 0 };
	bool list = op->kind == IR_RESHAPE || op->kind == IR_SQUEEZE;
	bool type = op->kind == IR_ARG_MAX || op->kind == IR_ARG_MIN || op->kind == IR_SHAPE;
	unsigned int count = list || type;
	struct flat_table table;
	size_t at;

	if (count)
		fields[0] = list ? 4 : 1;
	for (unsigned int i = 0; i < info->option_count; i++) {
		const struct ir_option *o = &info->options[i];

		if (o->flat < 0)
			continue;
		fields[o->flat] = o->bytes;
		if ((unsigned int)o->flat >= count)
			count = (unsigned int)o->flat + 1;
	}
	at = flat_table(&w->f, fields, count, &table);
	for (unsigned int i = 0; i < info->option_count; i++)
		if (info->options[i].flat >= 0)
			flat_set(&w->f, table.at[info->options[i].flat],
				 (uint64_t)ir_field_get(&info->options[i].field, op->options),
				 info->options[i].bytes);
	if (type)
		flat_set(&w->f, table.at[0], (uint8_t)out->type, 1);
	else if (op->kind == IR_RESHAPE)
		flat_refer(&w->f, table.at[0], flat_vector(&w->f, out->shape, out->ndim, 4, 4));
	else if (op->kind == IR_SQUEEZE)
		flat_refer(&w->f, table.at[0],
			   put_squeezed(&w->f, &w->g->tensors[op->inputs[0]], out));
	return at;
}

static void put_operator(struct writer *w, size_t at, uint32_t index, uint32_t *intermediate)
{
	const struct ir_op *op = &w->g->ops[index];
	uint8_t options = writings[op->kind].options;
	bool hidden = is_lstm(op) && op->options->hidden_scale > 0;
	/* opcode, inputs, outputs, options type, options, custom, its format, mutating, intermediates */
	const uint8_t fields[] = { 4, 4, 4, options ? 1 : 0, options ? 4 : 0, 0, 0, 0,
				   hidden ? 4 : 0 };
	struct flat *f = &w->f;
	struct flat_table t;
	size_t list;

	flat_refer(f, at, flat_table(f, fields, sizeof(fields), &t));
	flat_set(f, t.at[0], w->code_of[index], 4);
	flat_refer(f, t.at[1], put_list(w, op->inputs, op->input_count));
	flat_refer(f, t.at[2], put_list(w, op->outputs, op->output_count));
	if (options) {
		flat_set(f, t.at[3], options, 1);
		flat_refer(f, t.at[4], put_options(w, op));
	}
	if (!hidden)
		return;
	list = flat_vector(f, NULL, HIDDEN_INDEX + 1, 4, 4);
	flat_refer(f, t.at[8], list);
	for (uint32_t i = 0; i <= HIDDEN_INDEX; i++)
		flat_set(f, list + 4 + 4 * (size_t)i,
			 i < HIDDEN_INDEX ? UINT32_MAX : w->tensor_count + *intermediate, 4);
	++*intermediate;
}

static void put_subgraph(struct writer *w, size_t at)
{
	/* tensors, inputs, outputs, operators, name */
	static const uint8_t fields[] = { 4, 4, 4, 4, 4 };
	const struct ir_graph *g = w->g;
	size_t list = flat_vector(&w->f, NULL, 1, 4, 4);
	uint32_t intermediate = 0;
	struct flat_table t;

	flat_refer(&w->f, at, list);
	flat_refer(&w->f, list + 4, flat_table(&w->f, fields, sizeof(fields), &t));
	put_tensors(w, t.at[0]);
	flat_refer(&w->f, t.at[1], put_list(w, g->inputs, g->input_count));
	flat_refer(&w->f, t.at[2], put_list(w, g->outputs, g->output_count));
	flat_refer(&w->f, t.at[4], flat_string(&w->f, "main"));
	list = flat_vector(&w->f, NULL, g->op_count, 4, 4);
	flat_refer(&w->f, t.at[3], list);
	for (uint32_t i = 0; i < g->op_count; i++)
		put_operator(w, list + 4 + 4 * (size_t)i, i, &intermediate);
}

static void put_codes(struct writer *w, size_t at)
{
	/* old code, custom code, version, code */
	static const uint8_t fields[] = { 1, 0, 4, 4 };
	size_t list = flat_vector(&w->f, NULL, w->code_count, 4, 4);
	struct flat_table t;

	flat_refer(&w->f, at, list);
	for (uint32_t i = 0; i < w->code_count; i++) {
		int code = w->codes[i].builtin;

		flat_refer(&w->f, list + 4 + 4 * (size_t)i,
			   flat_table(&w->f, fields, sizeof(fields), &t));
		flat_set(&w->f, t.at[0], (uint64_t)(code < MAX_CODE8 ? code : MAX_CODE8), 1);
		flat_set(&w->f, t.at[2], w->codes[i].version, 4);
		flat_set(&w->f, t.at[3], (uint64_t)code, 4);
	}
}

static void put_buffers(struct writer *w, size_t at)
{
	static const uint8_t empty[] = { 0 }, full[] = { 4 };
	size_t list = flat_vector(&w->f, NULL, w->buffer_count, 4, 4);
	struct flat_table b;

	flat_refer(&w->f, at, list);
	list += 4;
	flat_refer(&w->f, list, flat_table(&w->f, empty, 1, &b));
	for (uint32_t i = 0; i < w->g->tensor_count; i++) {
		const struct ir_tensor *t = &w->g->tensors[i];

		if (w->number[i] == IR_NONE || !t->data)
			continue;
		list += 4;
		flat_refer(&w->f, list, flat_table(&w->f, full, 1, &b));
		flat_refer(&w->f, b.at[0], flat_vector(&w->f, t->data, t->size, 1, 16));
	}
}

static void put_model(struct writer *w)
{
	/* version, operator codes, subgraphs, description, buffers */
	static const uint8_t fields[] = { 4, 4, 4, 4, 4 };
	/* The root's reference and the file's mark are laid out as a vector's length and elements are. */
	size_t root = flat_vector(&w->f, "TFL3", 4, 1, 4);
	struct flat_table model;

	flat_refer(&w->f, root, flat_table(&w->f, fields, sizeof(fields), &model));
	flat_set(&w->f, model.at[0], 3, 4);
	put_codes(w, model.at[1]);
	put_subgraph(w, model.at[2]);
	flat_refer(&w->f, model.at[3], flat_string(&w->f, "accel " ACCEL_VERSION));
	put_buffers(w, model.at[4]);
}

static int write_graph(const struct ir_graph *g, void **data, size_t *size, struct error *err)
{
	struct writer w = { .g = g };
	int rc = -ENOMEM;

	w.number = calloc((size_t)g->tensor_count + 1, sizeof(*w.number));
	w.codes = calloc((size_t)g->op_count + 1, sizeof(*w.codes));
	w.code_of = calloc((size_t)g->op_count + 1, sizeof(*w.code_of));
	if (!w.number || !w.codes || !w.code_of) {
		error_set(err, rc, "out of memory");
		goto out;
	}
	rc = choose_codes(&w, err);
	if (rc)
		goto out;
	number_tensors(&w);
	put_model(&w);
	if (w.f.failed) {
		free(w.f.data);
		rc = error_set(err, -EFBIG, "%s: no memory for a file of it, or beyond 2 GiB", g->name);
		goto out;
	}
	*data = w.f.data;
	*size = w.f.size;
out:
	free(w.number);
	free(w.codes);
	free(w.code_of);
	return rc;
}

int tflite_bytes(const struct ir_graph *g, void **data, size_t *size, struct error *err)
{
	struct ir_graph *legal;
	int rc = tflite_legalise(g, &legal, err);

	if (!rc)
		rc = write_graph(legal ? legal : g, data, size, err);
	ir_free(legal);
	return rc;
}

int tflite_write(const struct ir_graph *g, const char *path, struct error *err)
{
	void *data = NULL;
	size_t size = 0;
	int rc = tflite_bytes(g, &data, &size, err);

	if (!rc)
		rc = file_write(path, data, size, err);
	free(data);
	return rc;
}
