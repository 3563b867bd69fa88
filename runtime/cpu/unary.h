/* SPDX-License-Identifier: MIT */
/* Functions of one variable as tables: for the CPU's kernels and for the NPU's tables. */
#ifndef ACCEL_RUNTIME_CPU_UNARY_H
#define ACCEL_RUNTIME_CPU_UNARY_H

#include <stdint.h>

#include "runtime/ir/ir_ops.h"

/* Quantisation of one side. */
struct unary_quant {
	float scale;
	int32_t zero_point;
};

/**
 * unary_table8 - a function of 8-bit numbers
 * @kind: operation
 * @type: ELEM_INT8 or ELEM_UINT8
 * @options: of the operation, NULL if it has none
 * @out: results for the lowest to the highest value of @type, as bytes
 *
 * Return: NULL, or why there is no such table.
 */
const char *unary_table8(unsigned int kind, int type, const struct ir_options *options,
			 struct unary_quant in, struct unary_quant to, uint8_t out[256]);

/**
 * unary_table16 - a function of int16 as TFLite interpolates it
 * @out: points at every 128th value from -32768 on
 *
 * Return: NULL, or why there is no such table.
 */
const char *unary_table16(unsigned int kind, struct unary_quant in, struct unary_quant to,
			  int16_t out[513]);

/* The points for any function over [@low, @high], results scaled to the range of int16. */
void unary_points16(double (*function)(double x), double low, double high, double out_low,
		    double out_high, int16_t out[513]);

#endif
