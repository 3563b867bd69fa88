/* SPDX-License-Identifier: MIT */
/* How good answers are: a classifier's against labels, numbers against other numbers. */
#ifndef ACCEL_RUNTIME_EVAL_SCORE_H
#define ACCEL_RUNTIME_EVAL_SCORE_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/error.h"

#define SCORE_CLASSES_MAX 4096

/**
 * struct score - what was taken for what
 * @classes: what the model tells apart
 * @count: samples
 * @threshold: NAN, or: it is class 1 that any output is above it, class 0 that none is
 * @top: how many answers a model may give for the second count
 * @in_top: samples whose class was among the @top largest
 * @confusion: [label][answer]
 */
struct score {
	unsigned int classes;
	double threshold;
	unsigned int top;
	size_t count, in_top;
	size_t *confusion;
};

/* Of one class, or the mean over all that occur. */
struct class_score {
	double precision, recall, f1;
	size_t labelled, answered;
};

/* score_init - @outputs of a model: one for each class, or one that is the probability of class 1 of two */
int score_init(struct score *s, size_t outputs, double threshold, unsigned int top,
	       struct error *err);
void score_free(struct score *s);

/* score_answer - the class that outputs stand for: without a threshold the first of the largest */
unsigned int score_answer(const struct score *s, const float *outputs, size_t n);

/* score_add - count a sample. Return: the answer. */
unsigned int score_add(struct score *s, const float *outputs, size_t n, unsigned int label);

size_t score_correct(const struct score *s);
struct class_score score_class(const struct score *s, unsigned int c);

/* score_macro - mean over the classes that are a label or an answer of any sample */
struct class_score score_macro(const struct score *s);

/**
 * struct likeness - numbers against what they should be, over many samples
 * @count: samples, @numbers: of all of them
 * @signal, @noise: sums of squares of what they should be and of the differences
 * @cosine: sum over samples
 * @worst: largest difference
 */
struct likeness {
	size_t count, numbers;
	double signal, noise, cosine, worst;
};

void likeness_add(struct likeness *l, const float *wanted, const float *got, size_t n);
double likeness_mse(const struct likeness *l);

/* In dB; INFINITY: no difference. */
double likeness_snr(const struct likeness *l);

/* Mean over samples; two vectors of zeros are alike, a vector of zeros and another are not. */
double likeness_cosine(const struct likeness *l);

#endif
