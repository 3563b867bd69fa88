/* SPDX-License-Identifier: MIT */
/* A pruned network taught by the one that it was made from. */
#ifndef ACCEL_RUNTIME_TRAIN_DISTILL_H
#define ACCEL_RUNTIME_TRAIN_DISTILL_H

#include "runtime/quantise/optimiser.h"
#include "runtime/train/examples.h"

#define DISTILL_HELD_OUT	8	/* of the samples every so manieth, from the first on */

/**
 * struct distill_options - how
 * @descent: batch and epochs are of samples; the rate rises at first and then falls to 0 by a cosine
 * @augment: of enum augment
 * @inner: what values between layers weigh against the outputs, 0: nothing
 */
struct distill_options {
	struct optimiser_options descent;
	unsigned int augment;
	double inner;
};

/**
 * struct distill_report - how it went, on the samples that were held out
 * @held_out, @learned: how many samples
 * @before, @after: error of the outputs as a part of their power
 * @agreed_before, @agreed: samples whose largest output is the original's
 * @best: epoch that @after is of, 0: none was better than the beginning
 */
struct distill_report {
	size_t held_out, learned;
	double before, after;
	size_t agreed_before, agreed;
	uint32_t best;
};

/**
 * distill - gradient descent through the whole network, towards what the original gives
 * @original, @changed: graphs with the same tensors; weights of @changed that are 0 stay so
 * @count: samples to use, 0: all; of which every DISTILL_HELD_OUT-th is held out
 * @progress: called with what is done and how much of it; NULL: nobody wants to know
 *
 * What is kept are the weights of the epoch that did best on the samples held out, or those of the
 * beginning.
 *
 * Return: 0; -EINVAL: inputs that are not float32, fewer than two samples; -ERANGE: the loss is no longer
 * finite; -ENOTSUP: an operation without a gradient; what samples and graphs give.
 */
int distill(const struct ir_graph *original, const struct ir_graph *changed, struct samples *samples,
	    size_t count, const struct distill_options *options,
	    void (*progress)(const char *what, size_t done, size_t total), struct distill_report *report,
	    struct error *err);

#endif
