/* SPDX-License-Identifier: MIT */
/* What convolutions share. */
#ifndef ACCEL_RUNTIME_COMPILE_LOWER_CONV_H
#define ACCEL_RUNTIME_COMPILE_LOWER_CONV_H

#include "runtime/compile/lower.h"

/**
 * struct conv - operands
 * @bias: or IR_NONE
 * @float_product: TFLite multiplies the scales as float (FULLY_CONNECTED)
 */
struct conv {
	uint32_t ifm, weights, bias, ofm;
	int activation;
	bool float_product;
};

/* Why types and quantisation cannot be done, or NULL. */
const char *lower_conv_types(const struct lower *l, const struct conv *c);

/* Fill in biases, scales, zero points of weights, rounding and accumulators. */
int lower_conv_channels(struct lower *l, const struct conv *c, uint32_t channels,
			struct ir_npu *npu);

#endif
