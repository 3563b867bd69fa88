/* SPDX-License-Identifier: MIT */
/* What a graph is worth: its answers on samples, and what it costs on a target as integers. */
#ifndef ACCEL_RUNTIME_COMPRESS_JUDGE_H
#define ACCEL_RUNTIME_COMPRESS_JUDGE_H

#include "runtime/cost/estimate.h"
#include "runtime/eval/score.h"
#include "runtime/ir/ir.h"
#include "runtime/samples/samples.h"

/**
 * struct judgement - of a graph
 * @count, @correct: samples that have labels, and that it answers right
 * @likeness: of its outputs to those of another graph
 */
struct judgement {
	size_t count, correct;
	struct likeness likeness;
};

/**
 * judge - run a graph on samples
 * @against: outputs are compared with this one's, NULL: with nobody's
 * @what, @progress: what is being done; NULL: nobody wants to know
 */
int judge(const struct ir_graph *g, const struct ir_graph *against, struct samples *samples,
	  const char *what, void (*progress)(const char *what, size_t done, size_t total),
	  struct judgement *out, struct error *err);

/**
 * struct price - of a graph of integers
 * @constants: bytes of weights, scales and tables; @flash: and of command streams
 * @cycles, @us: of one inference
 */
struct price {
	uint64_t constants, flash, cycles;
	double us;
};

/* judge_price - compile it for a target and estimate it */
int judge_price(const struct ir_graph *integers, const struct target *target, struct price *out,
		struct error *err);

#endif
