/* SPDX-License-Identifier: MIT */
/* What is done to a graph that comes from ONNX. Each keeps what it computes, but for rounding. */
#ifndef ACCEL_RUNTIME_ONNX_PASSES_H
#define ACCEL_RUNTIME_ONNX_PASSES_H

#include "runtime/onnx/onnx.h"

/* onnx_passes - all of them, or with as_written only what tidies up */
int onnx_passes(struct ir_graph *g, const struct onnx_options *opt, struct error *err);

#endif
