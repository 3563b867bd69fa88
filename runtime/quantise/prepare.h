/* SPDX-License-Identifier: MIT */
/* A float graph as the quantiser wants it. */
#ifndef ACCEL_RUNTIME_QUANTISE_PREPARE_H
#define ACCEL_RUNTIME_QUANTISE_PREPARE_H

#include "runtime/ir/ir.h"

/**
 * prepare - the same function with fewer values between its operations
 * @out: a graph of its own
 *
 * Constants are folded, clamps become activations and go into the operation before them, products and
 * sums with constants per channel go into the layer before them, matrices that are constants become
 * layers. A tensor that the model quantises and dequantises itself has that as its quantisation.
 *
 * Return: 0; -EINVAL: a constant that is not finite, @err names it and an operation that reads it;
 * -ENOMEM.
 */
int prepare(const struct ir_graph *g, struct ir_graph **out, struct error *err);

/**
 * dense_to_conv - FULLY_CONNECTED whose outputs differ in the size of their weights as convolutions
 * @out: a graph of its own, NULL: there is nothing to change
 */
int dense_to_conv(const struct ir_graph *g, struct ir_graph **out, struct error *err);

#endif
