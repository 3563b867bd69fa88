/* SPDX-License-Identifier: MIT */
/* Model files to graphs. */
#ifndef ACCEL_RUNTIME_COMPILE_IMPORT_H
#define ACCEL_RUNTIME_COMPILE_IMPORT_H

#include "runtime/ir/ir.h"
#include "runtime/tflite.h"

/**
 * import_tflite - the graph of a TFLite model
 * @model: on success its file belongs to the graph; tflite_free() is due either way
 * @name: of the graph
 *
 * Operators that this does not know become IR_OTHER.
 *
 * Return: 0, -EINVAL (@err names operator or tensor), -ENOTSUP, -ENOMEM.
 */
int import_tflite(struct tflite *model, const char *name, struct ir_graph **out,
		  struct error *err);

#endif
