/* SPDX-License-Identifier: MIT */
/* The passes over a graph that comes from ONNX, in order. */
#include "runtime/onnx/passes.h"

#include "runtime/compile/passes.h"
#include "runtime/onnx/layout.h"
#include "runtime/onnx/pattern.h"
#include "runtime/onnx/qdq.h"

int onnx_passes(struct ir_graph *g, const struct onnx_options *opt, struct error *err)
{
	int rc = pass_sweep(g, err);

	if (opt->as_written || rc)
		return rc;
	rc = pass_pattern(g, err);
	if (!rc)
		rc = pass_layout(g, err);
	if (!rc)
		rc = pass_share(g, err);
	if (!rc)
		rc = pass_transposed(g, err);
	if (!rc)
		rc = pass_qdq(g, err);
	return rc ? rc : pass_sweep(g, err);
}
