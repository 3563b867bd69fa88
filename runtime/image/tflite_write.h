/* SPDX-License-Identifier: MIT */
/* Graphs as TFLite files, for others. */
#ifndef ACCEL_RUNTIME_TFLITE_WRITE_H
#define ACCEL_RUNTIME_TFLITE_WRITE_H

#include "runtime/ir/ir.h"

/**
 * tflite_bytes - a graph of graph operations as a TFLite file in memory
 * @data, @size: malloc'ed, the caller frees it
 *
 * Of the tensors those that are used are written, in their order. What TFLite says with more
 * operators (explicit padding) is said so.
 *
 * Return: 0; -ENOTSUP: an operation that TFLite does not have (@err names it); -EFBIG: beyond 2 GiB;
 * -ENOMEM.
 */
int tflite_bytes(const struct ir_graph *g, void **data, size_t *size, struct error *err);

/* tflite_write - tflite_bytes() as file @path, complete or not at all */
int tflite_write(const struct ir_graph *g, const char *path, struct error *err);

/**
 * tflite_legalise - the same graph in TFLite's operators, as far as it takes others to say it
 * @out: a graph of its own; NULL if @g has nothing to change
 *
 * Return: 0; -ENOTSUP: an average pool with padding that only this has; -ENOMEM.
 */
int tflite_legalise(const struct ir_graph *g, struct ir_graph **out, struct error *err);

#endif
