/* SPDX-License-Identifier: MIT */
/* FULLY_CONNECTED and BATCH_MATMUL. */
#include <errno.h>
#include <stdlib.h>

#include "runtime/float/float.h"
#include "runtime/float/blas.h"

/**
 * struct matmul - products of matrices
 * @gemm: each of them
 * @batches: how many
 */
struct matmul {
	struct gemm gemm;
	size_t batches;
	struct float_range range;
	const float *bias;
};

static int new_plan(struct cpu_op *op, struct matmul **p, struct error *err)
{
	*p = calloc(1, sizeof(**p));
	op->plan = *p;
	return *p ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int check_types(const struct cpu_op *op, struct error *err)
{
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check(op, 1, CPU_F32, err)))
		return ret;
	ret = cpu_check(op, op->input_count, CPU_F32, err);
	return ret ? ret : blas_load(err);
}

/* --- FULLY_CONNECTED --- */

static int prepare_fully_connected(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *w = &op->inputs[1];
	size_t depth, outputs, elements, rows;
	struct matmul *p;
	int ret;

	if ((ret = check_types(op, err)) || (ret = new_plan(op, &p, err)))
		return ret;
	if (w->ndim != 2 || op->options.weights_format)
		return cpu_refuse(op, 1, -ENOTSUP, "has not 2 axes, or is shuffled", err);
	outputs = (size_t)w->shape[0];
	depth = (size_t)w->shape[1];
	elements = cpu_elements(&op->inputs[0]);
	if (!depth || elements % depth)
		return cpu_refuse(op, 0, -EINVAL, "is no whole number of rows of weights", err);
	rows = elements / depth;
	if (cpu_elements(&op->outputs[0]) != rows * outputs)
		return cpu_refuse(op, op->input_count, -EINVAL,
				  "has another shape than the operator gives it", err);
	p->gemm = (struct gemm){
		.m = rows, .n = outputs, .k = depth, .b_turned = true, .lda = depth, .ldb = depth,
		.ldc = outputs,
	};
	if (!gemm_fits(&p->gemm))
		return cpu_refuse(op, 0, -EINVAL, "has too many rows", err);
	if ((ret = float_bias(op, 2, outputs, &p->bias, err)))
		return ret;
	return float_activation(op, &p->range, err);
}

static int run_fully_connected(const struct cpu_op *op, struct error *err)
{
	const struct matmul *p = op->plan;
	const struct gemm *g = &p->gemm;

	(void)err;
	gemm(g, op->inputs[0].data, op->inputs[1].data, op->outputs[0].data);
	float_finish(op->outputs[0].data, g->m, g->n, g->n, p->bias, p->range);
	return 0;
}

const struct cpu_kernel float_fully_connected = { prepare_fully_connected, run_fully_connected };

/* --- BATCH_MATMUL --- */

/* Extent of an axis before the last two, counted from the last of them. */
static int32_t batch_extent(const struct cpu_tensor *t, uint32_t i)
{
	return i + 2 < t->ndim ? t->shape[t->ndim - 3 - i] : 1;
}

static int check_batches(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *a = &op->inputs[0], *b = &op->inputs[1], *out = &op->outputs[0];

	for (uint32_t i = 0; i + 2 < CPU_MAX_DIMS; i++) {
		int32_t n = batch_extent(out, i);
		int32_t n_a = batch_extent(a, i), n_b = batch_extent(b, i);

		if ((n_a != 1 && n_a != n) || (n_b != 1 && n_b != n) ||
		    (n_a == 1 && n_b == 1 && n != 1))
			return cpu_refuse(op, 2, -EINVAL,
					  "has another shape than the operator gives it", err);
	}
	return 0;
}

static bool one_matrix(const struct cpu_tensor *t)
{
	return cpu_extent(t, 0, t->ndim - 2) == 1;
}

static int prepare_matmul(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *a = &op->inputs[0], *b = &op->inputs[1], *out = &op->outputs[0];
	bool turn_a = op->options.adj_x, turn_b = op->options.adj_y;
	struct gemm g = { .a_turned = turn_a, .b_turned = turn_b };
	struct matmul *p;
	int ret;

	if ((ret = check_types(op, err)) || (ret = new_plan(op, &p, err)))
		return ret;
	if (a->ndim < 2 || b->ndim < 2 || out->ndim < 2 ||
	    a->shape[a->ndim - (turn_a ? 2 : 1)] != b->shape[b->ndim - (turn_b ? 1 : 2)])
		return cpu_refuse(op, 1, -EINVAL, "does not fit the first matrix", err);
	g.m = (size_t)a->shape[a->ndim - (turn_a ? 1 : 2)];
	g.k = (size_t)a->shape[a->ndim - (turn_a ? 2 : 1)];
	g.n = (size_t)b->shape[b->ndim - (turn_b ? 2 : 1)];
	if ((size_t)out->shape[out->ndim - 2] != g.m || (size_t)out->shape[out->ndim - 1] != g.n)
		return cpu_refuse(op, 2, -EINVAL, "has another shape than the operator gives it",
				  err);
	g.lda = (size_t)a->shape[a->ndim - 1];
	g.ldb = (size_t)b->shape[b->ndim - 1];
	g.ldc = g.n;
	p->batches = cpu_extent(out, 0, out->ndim - 2);
	/* All rows of the first operand times one matrix. */
	if (one_matrix(b) && !turn_a && g.m && p->batches && cpu_elements(out) <= INT32_MAX) {
		g.m *= p->batches;
		p->batches = 1;
	}
	p->gemm = g;
	if (!gemm_fits(&g))
		return cpu_refuse(op, 0, -EINVAL, "is too large", err);
	return check_batches(op, err);
}

/* Matrix number @batch of the output's, as the operand has it: axes of extent 1 are repeated. */
static const float *matrix_at(const struct cpu_tensor *t, const struct cpu_tensor *out, size_t batch)
{
	size_t at = 0, step = cpu_extent(t, t->ndim - 2, t->ndim);

	for (uint32_t i = 0; i + 2 < out->ndim; i++) {
		size_t n = (size_t)batch_extent(out, i);

		if (batch_extent(t, i) != 1) {
			at += batch % n * step;
			step *= n;
		}
		batch /= n;
	}
	return (const float *)t->data + at;
}

static int run_matmul(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *out = &op->outputs[0];
	const struct matmul *p = op->plan;
	float *to = out->data;

	(void)err;
	for (size_t i = 0; i < p->batches; i++, to += p->gemm.m * p->gemm.n)
		gemm(&p->gemm, matrix_at(&op->inputs[0], out, i), matrix_at(&op->inputs[1], out, i), to);
	return 0;
}

const struct cpu_kernel float_matmul = { prepare_matmul, run_matmul };
