/* SPDX-License-Identifier: MIT */
/* From a float graph to one of integers. */
#ifndef ACCEL_RUNTIME_QUANTISE_H
#define ACCEL_RUNTIME_QUANTISE_H

#include "runtime/quantise/data.h"
#include "runtime/quantise/optimiser.h"
#include "runtime/quantise/ranges.h"

/**
 * struct quantise_options - all zero but for quantise_defaults()
 * @method: enum range_method, of activations
 * @percentile: for RANGE_PERCENTILE, percent of the values that are kept
 * @per_tensor: one scale for all of a layer's weights
 * @int16: activations of 16 bits wherever there is a kernel
 * @mixed: the layers that lose most get activations of 16 bits, at most @mixed_share of them
 * @float_below: operations (no layers) whose own output has fewer decibels above its noise stay float;
 *	0: none
 * @io_float: the graph's inputs and outputs stay float
 * @equalise: cross-layer equalisation
 * @bias_correction: undo the shift of the mean that rounded weights make
 * @adaround: learn how weights are rounded, with @optimiser
 */
struct quantise_options {
	int method;
	double percentile;
	bool per_tensor;
	bool int16;
	bool mixed;
	double mixed_share;
	double float_below;
	bool io_float;
	bool equalise;
	bool bias_correction;
	bool adaround;
	struct optimiser_options optimiser;
};

void quantise_defaults(struct quantise_options *opt);

/**
 * struct quantise_layer - how well a tensor is represented
 * @name: of the tensor; belongs to the report
 * @kind: of the operation that computes it
 * @bits: 8, 16, 32 for float
 * @sqnr: signal against the difference to float, decibel; INFINITY: no difference
 */
struct quantise_layer {
	char *name;
	unsigned int kind;
	unsigned int bits;
	double sqnr;
};

/**
 * struct quantise_report - what came of it
 * @layers: one for each float tensor that an operation computes, in order
 * @outputs: mean of @sqnr of the graph's outputs
 * @ops8, @ops16, @ops_float: operations by the type they compute in; others have nothing to do with
 *	float numbers
 * @samples: that were used
 * @learned: what learned rounding left of the layers' error, as a ratio; NAN: none was learned
 */
struct quantise_report {
	struct quantise_layer *layers;
	uint32_t layer_count;
	double outputs;
	uint32_t ops8, ops16, ops_float;
	size_t samples;
	double learned;
};

void quantise_report_free(struct quantise_report *r);

/**
 * quantise - the graph in integers
 * @g: graph operations; what is not float in it stays as it is
 * @data: to calibrate with
 * @out: a graph of its own
 * @report: NULL: not wanted. Free with quantise_report_free().
 *
 * Operations without an integer kernel stay float, between DEQUANTIZE and QUANTIZE.
 *
 * Return: 0; -EINVAL: no samples, weights or activations that are not finite, a broken graph; -ENOTSUP:
 * an operation that cannot be computed at all; -ENOMEM. @err names operator or tensor.
 */
int quantise(const struct ir_graph *g, const struct quantise_data *data,
	     const struct quantise_options *opt, struct ir_graph **out,
	     struct quantise_report *report, struct error *err);

#endif
