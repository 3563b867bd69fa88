/* SPDX-License-Identifier: MIT */
/* Attention, and embeddings that are turned by an angle for each position. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define NEWEST	27

/* [batch, sequence, heads * size] to [batch, heads, sequence, size]; of four axes it is already. */
static struct onnx_value *to_heads(struct onnx_import *c, struct onnx_value *x, int64_t heads)
{
	int32_t shape[4];

	if (!x || x->ndim == 4)
		return x;
	if (x->ndim != 3 || heads < 1 || heads > INT32_MAX || x->shape[2] % heads)
		return onnx_fail(c, -EINVAL, "%u axes, %d heads", x->ndim, (int)heads);
	shape[0] = x->shape[0];
	shape[1] = x->shape[1];
	shape[2] = (int32_t)heads;
	shape[3] = x->shape[2] / (int32_t)heads;
	return b_transpose(c, b_reshape(c, x, 4, shape), (int32_t[]){ 0, 2, 1, 3 });
}

static struct onnx_value *from_heads(struct onnx_import *c, struct onnx_value *x, bool three)
{
	int32_t shape[3];

	if (!x || !three)
		return x;
	x = b_transpose(c, x, (int32_t[]){ 0, 2, 1, 3 });
	if (!x)
		return NULL;
	shape[0] = x->shape[0];
	shape[1] = x->shape[1];
	shape[2] = x->shape[2] * x->shape[3];
	return b_reshape(c, x, 3, shape);
}

/* Each head of keys or values as often as there are queries for it. */
static struct onnx_value *repeat_heads(struct onnx_import *c, struct onnx_value *x, int32_t heads)
{
	int32_t shape[5];

	if (!x || x->shape[1] == heads)
		return x;
	if (!x->shape[1] || heads % x->shape[1])
		return onnx_fail(c, -EINVAL, "%d heads of queries, %d of keys", heads, x->shape[1]);
	shape[0] = x->shape[0];
	shape[1] = x->shape[1];
	shape[2] = 1;
	shape[3] = x->shape[2];
	shape[4] = x->shape[3];
	x = b_reshape(c, x, 5, shape);
	shape[2] = heads / shape[1];
	x = b_broadcast(c, x, 5, shape);
	shape[1] = heads;
	shape[2] = shape[3];
	shape[3] = shape[4];
	return b_reshape(c, x, 4, shape);
}

/* 0 where @seen, no weight elsewhere. */
static struct onnx_value *bias_of(struct onnx_import *c, struct onnx_value *seen)
{
	return b_select(c, seen, onnx_f32(c, 0), onnx_f32(c, -INFINITY));
}

/* What is added for the mask; where it is too short for the keys they are not seen. */
static struct onnx_value *mask_bias(struct onnx_import *c, struct onnx_value *mask, int32_t keys)
{
	int32_t pads[2 * IR_MAX_DIMS] = { 0 };

	if (mask->type == ELEM_BOOL)
		mask = bias_of(c, mask);
	if (!mask || !mask->ndim || mask->shape[mask->ndim - 1] >= keys ||
	    mask->shape[mask->ndim - 1] == 1)
		return mask;
	pads[2 * mask->ndim - 1] = keys - mask->shape[mask->ndim - 1];
	return b_pad(c, mask, pads, onnx_f32(c, -INFINITY));
}

/* A query sees keys up to its own place, which is behind those of the past. */
static struct onnx_value *causal_bias(struct onnx_import *c, int32_t queries, int32_t keys, int32_t past)
{
	struct onnx_value *v = onnx_constant(c, ELEM_FLOAT32, 2, (int32_t[]){ queries, keys }, NULL);
	float *p = v ? onnx_constant_data(v) : NULL;

	for (int32_t q = 0; p && q < queries; q++)
		for (int32_t k = 0; k < keys; k++)
			p[(size_t)q * (size_t)keys + (size_t)k] = k > q + past ? -INFINITY : 0;
	return v;
}

/* Keys of each batch up to a number are seen, the others are padding. */
static struct onnx_value *padding_bias(struct onnx_import *c, struct onnx_value *lengths, int32_t keys)
{
	struct onnx_value *places = onnx_constant(c, ELEM_INT64, 1, &keys, NULL);
	int64_t *p = places ? onnx_constant_data(places) : NULL;

	for (int32_t k = 0; p && k < keys; k++)
		p[k] = k;
	lengths = b_reshape(c, b_cast(c, lengths, ELEM_INT64), 4,
			    (int32_t[]){ (int32_t)onnx_count(lengths), 1, 1, 1 });
	return bias_of(c, b_compare(c, IR_LESS, places, lengths));
}

/* What is added to the products of queries and keys, or NULL. */
static struct onnx_value *all_biases(struct onnx_import *c, const struct onnx_node *n, int32_t queries,
				     int32_t keys, int32_t past)
{
	struct onnx_value *list[3] = { 0 }, *sum = NULL;

	if (onnx_in(n, 3))
		list[0] = mask_bias(c, onnx_in(n, 3), keys);
	if (onnx_int(n, "is_causal", 0))
		list[1] = causal_bias(c, queries, keys, past);
	if (onnx_in(n, 6))
		list[2] = padding_bias(c, onnx_in(n, 6), keys);
	for (int i = 0; i < 3; i++)
		if (list[i])
			sum = sum ? b_add(c, sum, list[i]) : list[i];
	return sum;
}

/* Keys or values with those of the past, which are an output as well. */
static struct onnx_value *with_past(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *x,
				    uint32_t past, uint32_t output)
{
	if (!x)
		return NULL;
	if (onnx_in(n, past)) {
		if (onnx_in(n, past)->ndim != 4)
			return onnx_fail(c, -EINVAL, "a past of %u axes", onnx_in(n, past)->ndim);
		x = b_concat(c, 2, 2, (struct onnx_value *[]){ onnx_in(n, past), x });
	}
	if (x && onnx_wants(n, output))
		onnx_out(c, n, output, x);
	return x;
}

static int attention(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *q, *k, *v, *stage[4], *bias;
	int64_t heads = onnx_int(n, "q_num_heads", 0), kv_heads = onnx_int(n, "kv_num_heads", 0);
	int64_t mode = onnx_int(n, "qk_matmul_output_mode", 0);
	float scale = onnx_float(n, "scale", 0), cap = onnx_float(n, "softcap", 0);
	bool three = onnx_in(n, 0)->ndim == 3;

	q = to_heads(c, onnx_in(n, 0), heads);
	k = with_past(c, n, to_heads(c, onnx_in(n, 1), kv_heads), 4, 1);
	v = with_past(c, n, to_heads(c, onnx_in(n, 2), kv_heads), 5, 2);
	if (mode < 0 || mode > 3)
		onnx_fail(c, -EINVAL, "qk_matmul_output_mode %d", (int)mode);
	if (!q || !k || !v || c->rc)
		return c->rc;
	if (!onnx_has(n, "scale"))
		scale = q->shape[3] ? 1 / sqrtf((float)q->shape[3]) : 1;
	bias = all_biases(c, n, q->shape[2], k->shape[2], onnx_in(n, 4) ? onnx_in(n, 4)->shape[2] : 0);
	k = b_transpose(c, repeat_heads(c, k, q->shape[1]), (int32_t[]){ 0, 1, 3, 2 });
	stage[0] = b_with(c, IR_MUL, b_matmul(c, q, k), (double)scale);
	stage[1] = stage[0];
	if (cap != 0) {
		stage[1] = b_unary(c, IR_TANH, b_with(c, IR_DIV, stage[0], (double)cap));
		stage[1] = b_with(c, IR_MUL, stage[1], (double)cap);
	}
	stage[2] = bias ? b_add(c, stage[1], bias) : stage[1];
	stage[3] = stage[2] ? b_softmax(c, IR_SOFTMAX, stage[2], stage[2]->ndim - 1) : NULL;
	if (onnx_wants(n, 3))
		onnx_out(c, n, 3, stage[mode]);
	v = b_matmul(c, stage[3], repeat_heads(c, v, q->shape[1]));
	return onnx_out(c, n, 0, from_heads(c, v, three));
}

/* --- RotaryEmbedding --- */

/* A cache of cosines or sines for each position, as an operand of [batch, sequence, heads, half]. */
static struct onnx_value *angles(struct onnx_import *c, const struct onnx_node *n, uint32_t input,
				 int32_t half)
{
	struct onnx_value *v = onnx_in(n, input);

	if (onnx_in(n, 3))
		v = b_gather(c, v, onnx_in(n, 3), 0);
	if (!v)
		return NULL;
	if (v->ndim != 3 || v->shape[2] < half)
		return onnx_fail(c, -EINVAL, "a cache of %u axes, %d elements", v->ndim,
				 v->ndim ? v->shape[v->ndim - 1] : 0);
	v = b_slice(c, v, 2, 0, half);
	return v ? b_reshape(c, v, 4, (int32_t[]){ v->shape[0], v->shape[1], 1, half }) : NULL;
}

/* Pairs (a, b) by their angles; pairs are neighbours, or in both halves. */
static struct onnx_value *turn(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *x,
			       int32_t half)
{
	bool neighbours = onnx_int(n, "interleaved", 0);
	struct onnx_value *cosine = angles(c, n, 1, half), *sine = angles(c, n, 2, half), *a, *b, *out[2];
	int32_t shape[5], axis = neighbours ? 4 : 3;

	if (!x)
		return NULL;
	memcpy(shape, x->shape, 3 * sizeof(*shape));
	shape[3] = neighbours ? half : 2;
	shape[4] = neighbours ? 2 : half;
	a = b_reshape(c, x, 5, shape);
	b = b_slice(c, a, (uint32_t)axis, 1, 1);
	a = b_slice(c, a, (uint32_t)axis, 0, 1);
	shape[3] = half;
	a = b_reshape(c, a, 4, shape);
	b = b_reshape(c, b, 4, shape);
	out[0] = b_sub(c, b_mul(c, a, cosine), b_mul(c, b, sine));
	out[1] = b_add(c, b_mul(c, a, sine), b_mul(c, b, cosine));
	shape[3] = neighbours ? half : 1;
	shape[4] = neighbours ? 1 : half;
	out[0] = b_reshape(c, out[0], 5, shape);
	out[1] = b_reshape(c, out[1], 5, shape);
	a = out[0] && out[1] ? b_concat(c, (uint32_t)axis, 2, out) : NULL;
	return b_reshape(c, a, 4, x->shape);
}

static int rotary(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *rest;
	int64_t heads = onnx_int(n, "num_heads", 0), size = onnx_int(n, "rotary_embedding_dim", 0);
	bool three = x->ndim == 3;

	x = b_transpose(c, to_heads(c, x, heads), (int32_t[]){ 0, 2, 1, 3 });
	if (!x)
		return c->rc;
	size = size ? size : x->shape[3];
	if (size < 2 || size > x->shape[3] || size % 2) {
		onnx_fail(c, -EINVAL, "rotary_embedding_dim %d of %d", (int)size, x->shape[3]);
		return c->rc;
	}
	rest = b_slice(c, x, 3, (int32_t)size, x->shape[3] - (int32_t)size);
	x = turn(c, n, b_slice(c, x, 3, 0, (int32_t)size), (int32_t)size / 2);
	x = x ? b_concat(c, 3, 2, (struct onnx_value *[]){ x, rest }) : NULL;
	return onnx_out(c, n, 0, from_heads(c, b_transpose(c, x, (int32_t[]){ 0, 2, 1, 3 }), three));
}

const struct onnx_operator onnx_attention[] = {
	{ "Attention", "", 23, NEWEST, 3, attention, 0, NULL },
	{ "RotaryEmbedding", "", 23, NEWEST, 3, rotary, 0, NULL },
	{ 0 },
};
