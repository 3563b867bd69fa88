/* SPDX-License-Identifier: MIT */
/* What values a graph's tensors take on samples. */
#ifndef ACCEL_RUNTIME_QUANTISE_CALIBRATE_H
#define ACCEL_RUNTIME_QUANTISE_CALIBRATE_H

#include "runtime/quantise/data.h"
#include "runtime/quantise/histogram.h"

/**
 * struct tensor_stats - of one tensor
 * @histogram: of all of its elements
 * @channels: extent of the last axis, 0: not of float32, or not seen
 * @channel_min, @channel_max, @channel_sum: of each index of the last axis
 * @rows: elements of a channel that were seen
 */
struct tensor_stats {
	struct histogram *histogram;
	uint32_t channels;
	float *channel_min, *channel_max;
	double *channel_sum;
	uint64_t rows;
};

/**
 * struct stats - of a graph
 * @tensors: one for each, constants' are empty
 */
struct stats {
	uint32_t count;
	struct tensor_stats *tensors;
};

/**
 * calibrate - run a float graph on samples and keep statistics of its activations
 * @data: at least one sample
 * @limit: no more samples than that, taken evenly; 0: all
 * @out: free with stats_free()
 *
 * The activations themselves are not kept.
 *
 * Return: 0; -EINVAL: no samples, or a value that is not finite (@err names tensor and sample);
 * what @data and the graph give.
 */
int calibrate(const struct ir_graph *g, const struct quantise_data *data, size_t limit,
	      struct stats **out, struct error *err);
void stats_free(struct stats *s);

#endif
