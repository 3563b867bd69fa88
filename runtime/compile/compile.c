/* SPDX-License-Identifier: MIT */
/* The front end: its passes in order. */
#include "runtime/compile/compile.h"

#include "runtime/compile/lower.h"
#include "runtime/target/target.h"

int compile_lower(struct ir_graph *g, const struct compile_options *opt, struct error *err)
{
	return lower_graph(g, opt->target->system.family == 85, opt->no_cpu, err);
}
