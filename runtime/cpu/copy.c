/* SPDX-License-Identifier: MIT */
/* Operators that give a tensor another shape. */
#include <errno.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

static int prepare(struct cpu_op *op, struct error *err)
{
	if (!op->inputs[0].data)
		return cpu_refuse(op, 0, -EINVAL, "is left out", err);
	if (op->inputs[0].type != op->outputs[0].type ||
	    cpu_elements(&op->inputs[0]) != cpu_elements(&op->outputs[0]))
		return cpu_refuse(op, op->input_count, -EINVAL,
				  "is of another type or size than the input", err);
	return 0;
}

static int run(const struct cpu_op *op, struct error *err)
{
	(void)err;
	memmove(op->outputs[0].data, op->inputs[0].data, cpu_bytes(&op->outputs[0]));
	return 0;
}

const struct cpu_kernel cpu_copy = { prepare, run };
