/* SPDX-License-Identifier: MIT */
/* Images sampled at other places. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define NEWEST	27

/* Place of a name in a list that ends with NULL, -1: it is not there. */
static int32_t find(const char *const *names, const char *name)
{
	for (int32_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static int grid_sample(struct onnx_import *c, const struct onnx_node *n)
{
	/* Names of version 16 lie behind those of version 20. */
	static const char *const modes[] = { "linear", "nearest", "cubic", "bilinear", "", "bicubic", NULL };
	static const char *const paddings[] = { "zeros", "border", "reflection", NULL };
	struct onnx_value *x = onnx_in(n, 0), *grid = onnx_in(n, 1);
	struct ir_options o = {
		.mode = find(modes, onnx_string(c, n, "mode", "linear")),
		.padding = find(paddings, onnx_string(c, n, "padding_mode", "zeros")),
		.align_corners = onnx_int(n, "align_corners", 0) != 0,
	};
	int32_t shape[4];

	if (o.mode < 0 || o.padding < 0)
		onnx_fail(c, -EINVAL, "mode or padding_mode");
	else if (x->ndim != 4 || grid->ndim != 4)
		onnx_fail(c, -ENOTSUP, "an input of %u axes", x->ndim);
	if (c->rc)
		return c->rc;
	o.mode %= 3;
	shape[0] = x->shape[0];
	shape[1] = x->shape[1];
	shape[2] = grid->shape[1];
	shape[3] = grid->shape[2];
	return onnx_out(c, n, 0, onnx_op(c, IR_GRID_SAMPLE, &o, 2, (struct onnx_value *[]){ x, grid },
					 ELEM_FLOAT32, 4, shape));
}

const struct onnx_operator onnx_sample[] = {
	{ "GridSample", "", 16, NEWEST, 2, grid_sample, 0, "images of two axes" },
	{ 0 },
};
