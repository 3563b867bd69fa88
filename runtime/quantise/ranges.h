/* SPDX-License-Identifier: MIT */
/* From what values were seen to the range that is worth representing. */
#ifndef ACCEL_RUNTIME_QUANTISE_RANGES_H
#define ACCEL_RUNTIME_QUANTISE_RANGES_H

#include "runtime/quantise/histogram.h"

enum range_method { RANGE_MINMAX, RANGE_PERCENTILE, RANGE_MSE, RANGE_ENTROPY, RANGE_METHODS };

/* "minmax", ...; NULL beyond. */
const char *range_method_name(int method);

/**
 * range_find - ends of the range
 * @levels: of the integer type, 256 or 65536
 * @symmetric: [-high, high] will be represented
 * @percentile: of the values that RANGE_PERCENTILE keeps, in percent, the rest shared by both ends
 * @low, @high: low <= 0 <= high, within what was seen (and 0)
 *
 * RANGE_MSE: least sum of squares of rounding and clamping. RANGE_ENTROPY: least divergence of the
 * clamped values' distribution from what 128 levels leave of it.
 */
void range_find(const struct histogram *h, int method, unsigned int levels, bool symmetric,
		double percentile, float *low, float *high);

/**
 * range_quant - scale and zero point of a range
 * @bits: 8: asymmetric, zero point in [-128, 127]; 16: symmetric
 *
 * The scale is a positive normal number, 0 is represented exactly.
 */
void range_quant(float low, float high, unsigned int bits, float *scale, int32_t *zero_point);

#endif
