/* SPDX-License-Identifier: MIT */
/* What the parts of be_stage share: units, and what is known of them while transfers are planned. */
#ifndef ACCEL_RUNTIME_COMPILE_BE_STAGE_H
#define ACCEL_RUNTIME_COMPILE_BE_STAGE_H

#include "runtime/compile/be.h"
#include "runtime/compile/be_timeline.h"

#define BE_STAGE_DEPTH	16	/* least channels of a part */

struct memo;

/**
 * struct planned - a unit, and the moment before it
 * @before: time before its transfers are asked for
 * @cost: of the kernel, with its constants where they are now
 * @used: bytes of transfers that live while it runs
 * @weights, @scales: bytes, an estimate
 * @transfer: that it waits for
 * @map: transfer of its IFM, BE_NONE: none
 */
struct planned {
	struct be_unit unit;
	struct be_timeline before;
	struct cost_result cost;
	uint64_t used;
	uint32_t weights, scales;
	uint8_t staged;
	uint32_t transfer, map;
	uint32_t graph_op;
	bool run_starts;	/* the CPU has worked: nothing is copied across */
};

struct planner {
	struct be *be;
	struct planned *units;
	uint32_t count, room;
	struct be_timeline now;
	uint64_t limit;
	double *density;	/* of each operation: encoded bytes a weight */
	bool alone;		/* no transfer together with others, and of all or nothing */
	uint32_t rounds;	/* how often a unit's operation comes back: stripes */
	double toll;		/* price of a cycle in which something is copied */
	uint32_t parts;		/* that an operation is being tried in; 0: something else is done */
	struct memo **memos;	/* by operation */
};

/* May the operation be cut in depth? */
bool be_stage_may_cut(const struct planner *p, const struct be_op *op);

/* Set what unit @u costs, with as much staged as it says. */
void be_stage_price(const struct planner *p, uint32_t u);

/* Bytes that are copied for a unit. */
uint64_t be_stage_bytes(const struct planned *x);

#endif
