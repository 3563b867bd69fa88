/* SPDX-License-Identifier: MIT */
/* Models on the same samples, side by side. */
#ifndef ACCEL_RUNTIME_EVAL_EVALUATE_H
#define ACCEL_RUNTIME_EVAL_EVALUATE_H

#include "runtime/eval/engine.h"
#include "runtime/eval/score.h"
#include "runtime/npy.h"

/**
 * struct column - a model and what came of it
 * @engine: what runs it
 * @device: spec and description, empty: on the CPU
 * @samples: as its inputs want them; columns whose inputs are alike share them (@shared)
 * @score: of a classifier, by its first output
 * @likeness: of each output, against the float model's or the targets
 * @twin: column of the same model on the reference, for one on an NPU; -1: none
 * @identical, @same_answer: samples whose outputs are the twin's byte for byte; whose answer is
 * @seconds: that it took, inputs' quantisation included
 */
struct column {
	struct engine *engine;
	char device[256];
	char description[256];
	struct samples *samples;
	bool shared;
	struct score score;
	struct likeness *likeness;
	int twin;
	size_t identical, same_answer;
	double seconds;
};

/**
 * struct evaluation - all of them
 * @columns, @column_count: the float model's comes first, if there is one (@has_float)
 * @targets, @target_count: arrays that outputs should be, first axis samples; NULL: the float model's
 *	outputs, if there are any
 * @count: samples
 * @classes: that samples have labels for, 0: none
 * @top, @threshold: as struct score has them
 * @progress: called now and then, may be NULL
 */
struct evaluation {
	struct column *columns;
	unsigned int column_count;
	bool has_float;
	struct npy *targets;
	uint32_t target_count;
	size_t count;
	unsigned int classes;
	unsigned int top;
	double threshold;
	void (*progress)(size_t done, size_t count);
};

/**
 * evaluate - run all columns on all samples
 *
 * Return: 0; -EINVAL: models that cannot be compared, or do not fit the labels; what running gives.
 */
int evaluate(struct evaluation *e, struct error *err);

/* True if columns have a likeness: to targets, or to a float model. */
bool evaluation_compares(const struct evaluation *e, unsigned int column);

#endif
