/* SPDX-License-Identifier: MIT */
/* Products of matrices. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

static int matmul(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_matmul(c, onnx_in(n, 0), onnx_in(n, 1)));
}

/* alpha * A * B + beta * C, where B and C are constants: FULLY_CONNECTED. */
static int gemm(struct onnx_import *c, const struct onnx_node *n)
{
	static const int32_t swap[2] = { 1, 0 };
	double alpha = (double)onnx_float(n, "alpha", 1), beta = (double)onnx_float(n, "beta", 1);
	struct onnx_value *a = onnx_in(n, 0), *b = onnx_in(n, 1), *add = onnx_in(n, 2), *v;

	if (a->ndim != 2 || b->ndim != 2) {
		onnx_fail(c, -EINVAL, "matrices of %u and %u axes", a->ndim, b->ndim);
		return c->rc;
	}
	a = onnx_int(n, "transA", 0) ? b_transpose(c, a, swap) : a;
	/* FULLY_CONNECTED wants the rows of what ONNX calls the transposed B. */
	b = onnx_int(n, "transB", 0) ? b : b_transpose(c, b, swap);
	b = alpha != 1 ? b_with(c, IR_MUL, b, alpha) : b;
	add = add && beta != 1 ? b_with(c, IR_MUL, add, beta) : add;
	if (!b || (onnx_in(n, 2) && !add))
		return c->rc;
	if (add && add->data && onnx_count(add) == (size_t)b->shape[0])
		return onnx_out(c, n, 0, b_linear(c, a, b, b_reshape(c, add, 1, b->shape)));
	v = b_linear(c, a, b, NULL);
	return onnx_out(c, n, 0, add ? b_add(c, v, add) : v);
}

#define NEWEST 27

const struct onnx_operator onnx_matmul[] = {
	{ "Gemm", "", 7, NEWEST, 2, gemm, 0, NULL },
	{ "MatMul", "", 1, NEWEST, 2, matmul, 0, NULL },
	{ 0 },
};
