/* SPDX-License-Identifier: MIT */
/* How many bytes weights will take once they are encoded, before they are. */
#include "runtime/compile/be.h"

#include <math.h>

#define SAMPLES	65536

double be_density(const struct be *be, const struct be_op *op)
{
	const struct ir_tensor *t;
	uint32_t count[256] = { 0 };
	double bits = 0;
	size_t step, n = 0;

	if (!be_has_streams(op->npu))
		return 0;
	t = &be->g->tensors[op->npu->weights];
	if (!t->data || !t->size)
		return 1;
	if (op->weight_bytes)
		return (double)op->weight_bytes / (double)t->size;
	step = t->size / SAMPLES + 1;
	for (size_t i = 0; i < t->size; i += step, n++)
		count[((const uint8_t *)t->data)[i]]++;
	for (unsigned int i = 0; i < 256; i++)
		if (count[i])
			bits -= count[i] * log2((double)count[i] / (double)n);
	return bits / 8 / (double)n * 1.04 + 0.01;
}
