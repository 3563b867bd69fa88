/* SPDX-License-Identifier: MIT */
/* How far a quantised graph's tensors are from those of the float graph. */
#ifndef ACCEL_RUNTIME_QUANTISE_SQNR_H
#define ACCEL_RUNTIME_QUANTISE_SQNR_H

#include "runtime/quantise/data.h"

#define SQNR_SAMPLES	16	/* enough for a comparison of layers */

/**
 * sqnr_measure - signal against difference, of each tensor
 * @g: float graph
 * @q: quantised graph
 * @map: of each tensor of @g that of @q, IR_NONE: none
 * @samples: how many, taken evenly from @data
 * @out: of each tensor of @g, decibel; INFINITY: the same; NAN: not compared
 */
int sqnr_measure(const struct ir_graph *g, const struct ir_graph *q, const uint32_t *map,
		 const struct quantise_data *data, size_t samples, double *out, struct error *err);

#endif
