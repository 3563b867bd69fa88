/* SPDX-License-Identifier: MIT */
/* The passes over a graph that comes from ONNX, in order. */
#include "runtime/onnx/passes.h"

#include "runtime/compile/passes.h"

int onnx_passes(struct ir_graph *g, const struct onnx_options *opt, struct error *err)
{
	(void)opt;
	return pass_sweep(g, err);
}
