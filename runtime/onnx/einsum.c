/* SPDX-License-Identifier: MIT */
/*
 * Einsum: axes have letters. What is in both of two operands is a batch of matrices where the result
 * has it, and summed over where it has not; more than two operands are taken one after the other.
 */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define NEWEST		27
#define ELLIPSIS	128	/* letters of the axes that "..." stands for, the last one first */
#define LETTERS		(ELLIPSIS + IR_MAX_DIMS)

/* An operand: a value and the letters of its axes. */
struct term {
	struct onnx_value *v;
	uint32_t ndim;
	uint8_t letters[2 * IR_MAX_DIMS];
};

static bool has(const struct term *t, uint8_t letter)
{
	return memchr(t->letters, letter, t->ndim);
}

/* Axis of a letter that is there. */
static uint32_t axis_of(const struct term *t, uint8_t letter)
{
	return (uint32_t)((const uint8_t *)memchr(t->letters, letter, t->ndim) - t->letters);
}

/* Letters up to a comma, an arrow or the end; @ellipsis: axes that "..." stands for. */
static const char *read_letters(struct onnx_import *c, const char *p, uint32_t ellipsis, struct term *t)
{
	t->ndim = 0;
	for (; *p && *p != ',' && strncmp(p, "->", 2); p++) {
		bool dots = !strncmp(p, "...", 3);
		uint32_t more = dots ? ellipsis : 1;

		if (*p == ' ')
			continue;
		if (t->ndim + more > IR_MAX_DIMS ||
		    (!dots && !((*p | 32) >= 'a' && (*p | 32) <= 'z'))) {
			onnx_fail(c, -EINVAL, "the equation at \"%.40s\"", p);
			return p;
		}
		for (uint32_t i = 0; i < more; i++)
			t->letters[t->ndim++] = dots ? (uint8_t)(ELLIPSIS + more - 1 - i) : (uint8_t)*p;
		p += dots ? 2 : 0;
	}
	return p;
}

/* Axes of an operand that have no letter of their own. */
static uint32_t ellipsis_of(const char *p, uint32_t ndim)
{
	uint32_t letters = 0;
	bool dots = false;

	for (; *p && *p != ',' && *p != '-'; p++) {
		dots |= *p == '.';
		letters += *p != '.' && *p != ' ';
	}
	return dots && ndim > letters ? ndim - letters : 0;
}

/* @t with its axes in that order, which names each once. */
static void arrange(struct onnx_import *c, struct term *t, const uint8_t *letters)
{
	int32_t perm[IR_MAX_DIMS];

	for (uint32_t i = 0; i < t->ndim; i++)
		perm[i] = (int32_t)axis_of(t, letters[i]);
	t->v = b_transpose(c, t->v, perm);
	memcpy(t->letters, letters, t->ndim);
}

/* Two axes with one letter: their diagonal. */
static void take_diagonals(struct onnx_import *c, struct term *t)
{
	for (uint32_t i = 0; i < t->ndim && t->v; i++)
		for (uint32_t k = i + 1; k < t->ndim && t->v; k++) {
			int32_t n = t->v->shape[i], perm[IR_MAX_DIMS], shape[IR_MAX_DIMS], inner;
			int32_t begin[IR_MAX_DIMS] = { 0 }, end[IR_MAX_DIMS], step[IR_MAX_DIMS];
			uint32_t rank = t->ndim, at = 0;

			if (t->letters[i] != t->letters[k])
				continue;
			if (t->v->shape[k] != n) {
				t->v = onnx_fail(c, -EINVAL, "a diagonal of %d by %d", n, t->v->shape[k]);
				return;
			}
			/* Both first and joined, every n + 1st element. */
			perm[0] = (int32_t)i;
			perm[1] = (int32_t)k;
			for (uint32_t d = 0, m = 2; d < rank; d++)
				if (d != i && d != k)
					perm[m++] = (int32_t)d;
			t->v = b_transpose(c, t->v, perm);
			if (!t->v)
				return;
			shape[0] = n * n;
			for (uint32_t d = 2; d < rank; d++)
				shape[d - 1] = t->v->shape[d];
			t->v = b_reshape(c, t->v, rank - 1, shape);
			for (uint32_t d = 0; d + 1 < rank; d++) {
				end[d] = shape[d];
				step[d] = d ? 1 : n + 1;
			}
			t->v = b_strided(c, t->v, begin, end, step);
			inner = t->letters[i];
			for (uint32_t d = 0; d < rank; d++)
				if (d != i && d != k)
					t->letters[1 + at++] = t->letters[d];
			t->letters[0] = (uint8_t)inner;
			t->ndim--;
			take_diagonals(c, t);
			return;
		}
}

/* Letters that are nowhere else are summed over. */
static void sum_out(struct onnx_import *c, struct term *t, const bool *wanted)
{
	uint32_t axes = 0, kept = 0;

	for (uint32_t i = 0; i < t->ndim; i++) {
		if (!wanted[t->letters[i]])
			axes |= 1u << i;
		else
			t->letters[kept++] = t->letters[i];
	}
	t->v = b_reduce(c, IR_SUM, t->v, axes, false);
	t->ndim = kept;
}

/* Axes of extent 1 grow to what the other operand has under their letter. */
static void grow(struct onnx_import *c, struct term *t, const struct term *other)
{
	int32_t shape[IR_MAX_DIMS];

	if (!t->v || !other->v)
		return;
	for (uint32_t i = 0; i < t->ndim; i++) {
		shape[i] = t->v->shape[i];
		if (shape[i] == 1 && has(other, t->letters[i]))
			shape[i] = other->v->shape[axis_of(other, t->letters[i])];
	}
	t->v = b_broadcast(c, t->v, t->ndim, shape);
}

/* Letters of @t that are (not) in @a and (not) in @b, and the product of their extents. */
static uint32_t pick(const struct term *t, const struct term *other, bool in_other, const bool *wanted,
		     bool is_wanted, uint8_t *out, int32_t *extent)
{
	uint32_t n = 0;

	*extent = 1;
	for (uint32_t i = 0; i < t->ndim; i++)
		if (has(other, t->letters[i]) == in_other && wanted[t->letters[i]] == is_wanted) {
			out[n++] = t->letters[i];
			*extent *= t->v->shape[i];
		}
	return n;
}

/* The product of two operands, letters that are not wanted summed over; into @a. */
static void multiply(struct onnx_import *c, struct term *a, struct term *b, const bool *wanted)
{
	uint8_t batch[IR_MAX_DIMS], sum[IR_MAX_DIMS], left[IR_MAX_DIMS], right[IR_MAX_DIMS];
	uint8_t order[3 * IR_MAX_DIMS];
	int32_t extents[4], shape[3 * IR_MAX_DIMS];
	uint32_t nb, ns, nl, nr, n = 0;
	struct term out = { 0 };

	grow(c, a, b);
	grow(c, b, a);
	if (!a->v || !b->v)
		return;
	nb = pick(a, b, true, wanted, true, batch, &extents[0]);
	ns = pick(a, b, true, wanted, false, sum, &extents[1]);
	nl = pick(a, b, false, wanted, true, left, &extents[2]);
	nr = pick(b, a, false, wanted, true, right, &extents[3]);
	if (nb + nl + nr > IR_MAX_DIMS) {
		a->v = onnx_fail(c, -ENOTSUP, "%u axes", nb + nl + nr);
		return;
	}
	for (uint32_t i = 0; i < nb; i++) {
		out.letters[n] = batch[i];
		shape[n++] = a->v->shape[axis_of(a, batch[i])];
	}
	for (uint32_t i = 0; i < nl; i++) {
		out.letters[n] = left[i];
		shape[n++] = a->v->shape[axis_of(a, left[i])];
	}
	for (uint32_t i = 0; i < nr; i++) {
		out.letters[n] = right[i];
		shape[n++] = b->v->shape[axis_of(b, right[i])];
	}
	out.ndim = n;
	for (uint32_t i = 0; i < ns; i++)
		if (a->v->shape[axis_of(a, sum[i])] != b->v->shape[axis_of(b, sum[i])]) {
			a->v = onnx_fail(c, -EINVAL, "extents of %c do not fit", sum[i]);
			return;
		}
	memcpy(order, batch, nb);
	memcpy(order + nb, left, nl);
	memcpy(order + nb + nl, sum, ns);
	arrange(c, a, order);
	memcpy(order + nb, sum, ns);
	memcpy(order + nb + ns, right, nr);
	arrange(c, b, order);
	a->v = b_reshape(c, a->v, 3, (int32_t[]){ extents[0], extents[2], extents[1] });
	b->v = b_reshape(c, b->v, 3, (int32_t[]){ extents[0], extents[1], extents[3] });
	out.v = b_reshape(c, b_matmul(c, a->v, b->v), n, shape);
	*a = out;
}

/* Letters of the result: as the equation says, or those that are there once, in order. */
static void read_result(struct onnx_import *c, const char *p, uint32_t ellipsis, const uint32_t *seen,
			struct term *out)
{
	if (!strncmp(p, "->", 2)) {
		p = read_letters(c, p + 2, ellipsis, out);
		if (*p)
			onnx_fail(c, -EINVAL, "the equation at \"%.40s\"", p);
		return;
	}
	out->ndim = 0;
	for (uint32_t i = ellipsis; i-- > 0;)
		out->letters[out->ndim++] = (uint8_t)(ELLIPSIS + i);
	for (uint32_t l = 0; l < ELLIPSIS; l++)
		if (seen[l] == 1 && out->ndim < IR_MAX_DIMS)
			out->letters[out->ndim++] = (uint8_t)l;
}

/* What operands behind @from and the result have. */
static void find_wanted(const struct term *terms, uint32_t from, uint32_t count, const struct term *out,
			bool *wanted)
{
	memset(wanted, 0, LETTERS);
	for (uint32_t i = 0; i < out->ndim; i++)
		wanted[out->letters[i]] = true;
	for (uint32_t t = from; t < count; t++)
		for (uint32_t i = 0; i < terms[t].ndim; i++)
			wanted[terms[t].letters[i]] = true;
}

static int einsum(struct onnx_import *c, const struct onnx_node *n)
{
	const char *p = onnx_string(c, n, "equation", NULL);
	struct term *terms = ir_alloc(c->g, (n->input_count + 1) * sizeof(*terms)), out = { 0 };
	uint32_t seen[LETTERS] = { 0 }, ellipsis = 0;
	bool wanted[LETTERS];

	if (!terms)
		return onnx_fail(c, -ENOMEM, "out of memory"), c->rc;
	for (uint32_t i = 0; i < n->input_count && !c->rc; i++) {
		struct onnx_value *v = onnx_in(n, i);
		uint32_t dots = v ? ellipsis_of(p, v->ndim) : 0;

		p = read_letters(c, p, dots, &terms[i]);
		p += *p == ',' && i + 1 < n->input_count;
		ellipsis = dots > ellipsis ? dots : ellipsis;
		if (!v || terms[i].ndim != v->ndim)
			onnx_fail(c, -EINVAL, "input %u has not the axes of the equation", i);
		terms[i].v = v;
		for (uint32_t k = 0; k < terms[i].ndim; k++)
			seen[terms[i].letters[k]]++;
	}
	if (!c->rc)
		read_result(c, p, ellipsis, seen, &out);
	for (uint32_t i = 0; i < n->input_count && !c->rc; i++)
		take_diagonals(c, &terms[i]);
	for (uint32_t i = 0; i < n->input_count && !c->rc; i++) {
		find_wanted(terms, i + 1, n->input_count, &out, wanted);
		for (uint32_t k = 0; i && k < terms[0].ndim; k++)
			wanted[terms[0].letters[k]] = true;
		sum_out(c, &terms[i], wanted);
		find_wanted(terms, i + 1, n->input_count, &out, wanted);
		if (i && !c->rc)
			multiply(c, &terms[0], &terms[i], wanted);
	}
	for (uint32_t i = 0; i < out.ndim && !c->rc; i++)
		if (terms[0].ndim != out.ndim || !has(&terms[0], out.letters[i]))
			onnx_fail(c, -EINVAL, "the result has letters that the operands have not");
	if (c->rc)
		return c->rc;
	arrange(c, &terms[0], out.letters);
	return onnx_out(c, n, 0, terms[0].v);
}

const struct onnx_operator onnx_einsum[] = {
	{ "Einsum", "", 12, NEWEST, 1, einsum, 0, NULL },
	{ 0 },
};
