/* SPDX-License-Identifier: MIT */
/* Where a model of integers leaves its float model: tensor by tensor. */
#ifndef ACCEL_RUNTIME_EVAL_COMPARE_H
#define ACCEL_RUNTIME_EVAL_COMPARE_H

#include "runtime/eval/engine.h"
#include "runtime/eval/score.h"

/**
 * struct compare_tensor - a tensor that both graphs have
 * @tensor: of the integer graph
 * @op: kind of the operation that makes it, "input" if none does
 * @order: in which it is computed, from 0
 * @from: the float graph's tensor
 * @planes, @channels: 0, or: the float tensor has its channels first, the other last
 * @low, @high: of the float tensor
 * @ends: elements that are the lowest or highest integer, of how many
 */
struct compare_tensor {
	struct engine_tensor tensor;
	const char *op;
	uint32_t order;
	uint32_t from;
	size_t planes, channels;
	struct likeness likeness;
	float low, high;
	size_t ends;
};

/**
 * struct comparison - all of them, worst signal to noise ratio first
 * @unmatched: tensors of the integer graph that the float graph has not
 */
struct comparison {
	struct compare_tensor *tensors;
	uint32_t count, unmatched;
	size_t samples;
};

/**
 * compare_graphs - run both on the same samples
 * @wanted, @got: the float graph and the integer one; tensors are matched by name
 * @wanted_samples, @got_samples: the same samples, as their inputs take them
 * @progress: called now and then, may be NULL
 * @out: names in it are @got's; free with comparison_free()
 *
 * Return: 0; -EINVAL: no tensor in common, a value that is not finite; what running gives.
 */
int compare_graphs(const struct ir_graph *wanted, const struct ir_graph *got,
		   struct samples *wanted_samples, struct samples *got_samples,
		   void (*progress)(size_t done, size_t count), struct comparison *out,
		   struct error *err);
void comparison_free(struct comparison *c);

/**
 * compare_write_html - as a page that needs nothing else
 * @wanted, @got: names of the models
 */
int compare_write_html(const struct comparison *c, const char *wanted, const char *got,
		       const char *path, struct error *err);

#endif
