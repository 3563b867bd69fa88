/* SPDX-License-Identifier: MIT */
/* Scores against arithmetic on paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "runtime/eval/score.h"

#define NEAR 1e-12

static void add(struct score *s, unsigned int label, float a, float b, float c)
{
	const float outputs[3] = { a, b, c };

	score_add(s, outputs, 3, label);
}

static void test_classes(void **state)
{
	struct class_score c;
	struct score s;

	(void)state;
	assert_int_equal(score_init(&s, 3, NAN, 2, NULL), 0);
	add(&s, 0, 3, 1, 2);	/* 0: right */
	add(&s, 0, 1, 3, 2);	/* 0 taken for 1, third */
	add(&s, 1, 1, 3, 2);	/* 1: right */
	add(&s, 1, 1, 2, 3);	/* 1 taken for 2, second */
	add(&s, 1, 2, 2, 2);	/* the first of equal ones: taken for 0, second */
	assert_int_equal(s.count, 5);
	assert_int_equal(score_correct(&s), 2);
	assert_int_equal(s.in_top, 4);
	assert_int_equal(s.confusion[0 * 3 + 1], 1);
	assert_int_equal(s.confusion[1 * 3 + 0], 1);
	c = score_class(&s, 0);
	assert_float_equal(c.precision, 1.0 / 2, NEAR);
	assert_float_equal(c.recall, 1.0 / 2, NEAR);
	c = score_class(&s, 1);
	assert_float_equal(c.precision, 1.0 / 2, NEAR);
	assert_float_equal(c.recall, 1.0 / 3, NEAR);
	assert_float_equal(c.f1, 2.0 / 5, NEAR);
	/* Class 2 is an answer and never right: it counts. */
	c = score_macro(&s);
	assert_float_equal(c.precision, 1.0 / 3, NEAR);
	assert_float_equal(c.recall, (1.0 / 2 + 1.0 / 3) / 3, NEAR);
	assert_float_equal(c.f1, (1.0 / 2 + 2.0 / 5) / 3, NEAR);
	score_free(&s);
}

static void test_thresholds(void **state)
{
	const float low[2] = { 0.1f, 0.5f }, high[2] = { 0.1f, 0.6f };
	struct score s;

	(void)state;
	assert_int_equal(score_init(&s, 1, NAN, 0, NULL), 0);
	assert_int_equal(s.classes, 2);
	assert_int_equal(score_answer(&s, &low[1], 1), 0);
	assert_int_equal(score_answer(&s, &high[1], 1), 1);
	score_free(&s);
	assert_int_equal(score_init(&s, 2, 0.5, 0, NULL), 0);
	assert_int_equal(score_answer(&s, low, 2), 0);
	assert_int_equal(score_answer(&s, high, 2), 1);
	score_free(&s);
	assert_true(score_init(&s, 5000, NAN, 0, NULL) < 0);
}

static void test_likeness(void **state)
{
	const float wanted[2] = { 3, 4 }, other[2] = { 4, 3 }, nothing[2] = { 0, 0 };
	struct likeness l = { 0 };

	(void)state;
	likeness_add(&l, wanted, wanted, 2);
	assert_true(isinf(likeness_snr(&l)) && likeness_mse(&l) == 0);
	assert_float_equal(likeness_cosine(&l), 1, NEAR);
	/* Signal 25 + 25, noise 2; cosines 1 and 24 / 25. */
	likeness_add(&l, wanted, other, 2);
	assert_float_equal(likeness_snr(&l), 10 * log10(25), NEAR);
	assert_float_equal(likeness_mse(&l), 0.5, NEAR);
	assert_float_equal(likeness_cosine(&l), 0.98, NEAR);
	assert_float_equal(l.worst, 1, NEAR);
	l = (struct likeness){ 0 };
	likeness_add(&l, nothing, nothing, 2);
	assert_float_equal(likeness_cosine(&l), 1, NEAR);
	likeness_add(&l, wanted, nothing, 2);
	assert_float_equal(likeness_cosine(&l), 0.5, NEAR);
	assert_float_equal(likeness_snr(&l), 0, NEAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_likeness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
