/* SPDX-License-Identifier: MIT */
/* What an evaluation found, as a table and as JSON. */
#ifndef ACCEL_RUNTIME_EVAL_REPORT_H
#define ACCEL_RUNTIME_EVAL_REPORT_H

#include <jansson.h>

#include "runtime/eval/evaluate.h"

/**
 * report_text - print
 * @confusion: what was taken for what, even of several models
 */
void report_text(const struct evaluation *e, bool confusion);

/* report_json - NULL: a name is not UTF-8. One model's numbers are at the top, as ever. */
json_t *report_json(const struct evaluation *e);

/* Share of right answers, 0 to 1. */
double report_top1(const struct column *c);

#endif
