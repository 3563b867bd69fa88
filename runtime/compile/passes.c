/* SPDX-License-Identifier: MIT */
/* What passes share. */
#include "runtime/compile/passes.h"

#include <stdlib.h>

struct use *passes_uses(const struct ir_graph *g)
{
	struct use *uses = calloc(g->tensor_count ? g->tensor_count : 1, sizeof(*uses));

	if (!uses)
		return NULL;
	for (uint32_t t = 0; t < g->tensor_count; t++)
		uses[t].writer = uses[t].reader = IR_NONE;
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];

		for (uint32_t k = 0; k < op->input_count; k++) {
			if (op->inputs[k] == IR_NONE)
				continue;
			uses[op->inputs[k]].reader = i;
			uses[op->inputs[k]].readers++;
		}
		for (uint32_t k = 0; k < op->output_count; k++) {
			struct use *u = &uses[op->outputs[k]];

			u->writer = u->writers ? IR_NONE : i;
			u->writers++;
		}
	}
	for (uint32_t t = 0; t < g->tensor_count; t++)
		uses[t].readers += g->tensors[t].output >= 0;
	return uses;
}

void passes_compact(struct ir_graph *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->op_count; i++)
		if (g->ops[i].kind != IR_KIND_COUNT)
			g->ops[n++] = g->ops[i];
	g->op_count = n;
}
