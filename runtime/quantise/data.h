/* SPDX-License-Identifier: MIT */
/* Samples as the quantiser takes them, and graphs run on them. */
#ifndef ACCEL_RUNTIME_QUANTISE_DATA_H
#define ACCEL_RUNTIME_QUANTISE_DATA_H

#include "runtime/cpu/graph.h"

/**
 * struct quantise_data - where samples come from
 * @count: how many there are
 * @get: fill @inputs, real numbers for each input of the graph, with sample @index
 * @progress: called with what is done, how much of it and out of how much; NULL: nobody wants to know
 */
struct quantise_data {
	size_t count;
	int (*get)(void *ctx, size_t index, float *const *inputs, struct error *err);
	void *ctx;
	void (*progress)(const char *what, size_t done, size_t total);
};

/**
 * struct data_run - a graph that runs on samples
 * @c: its operators
 * @values: the sample, an array for each input
 */
struct data_run {
	const struct ir_graph *g;
	struct cpu_graph *c;
	float **values;
};

/**
 * data_open - make a graph ready
 * @keep: every tensor can be read after a run
 * @out: data_close() in any case
 */
int data_open(const struct ir_graph *g, bool keep, struct data_run *out, struct error *err);
void data_close(struct data_run *run);

/* data_load - put a sample into the inputs' memory: as real numbers, or quantised as the inputs are */
int data_load(struct data_run *run, const struct quantise_data *data, size_t index,
	      struct error *err);

/* data_sample - data_load() and cpu_graph_run(), from the initial state */
int data_sample(struct data_run *run, const struct quantise_data *data, size_t index,
		struct error *err);

/* data_real - elements of a tensor as real numbers */
void data_real(const struct ir_tensor *t, const void *data, size_t first, size_t count, float *out);

#endif
