/* SPDX-License-Identifier: MIT */
/* Tests: what the simulated NPU would touch, against what the validator says that a stream may. */
#ifndef ACCEL_TESTS_VALIDATE_ORACLE_H
#define ACCEL_TESTS_VALIDATE_ORACLE_H

#include "driver/ethosu_validate.h"
#include "sim/decode.h"

enum oracle_verdict {
	ORACLE_GOOD,		/* touches nothing but what it may */
	ORACLE_UNMODELLED,	/* so far; then comes what the simulator does not run */
	ORACLE_STRAY,		/* touches more */
	ORACLE_FAULT,		/* no stream for this NPU, although it was accepted */
};

/**
 * struct oracle - a judgement
 * @why: of a verdict that is not good
 * @ops: operations looked at
 * @walked: those whose every run of bytes was walked through as the access log does
 */
struct oracle {
	enum oracle_verdict verdict;
	char why[256];
	unsigned long ops;
	unsigned long walked;
};

/* Judge a stream that was accepted with @use, run from registers that hold @start. */
void oracle_judge(struct oracle *o, const struct npu_config *config, const struct npu_state *start,
		  const uint32_t *words, size_t count, const struct ethosu_stream_use *use);

/* Does the simulator find nothing wrong with a stream, wherever its buffers are? */
bool oracle_runs(const struct npu_config *config, const uint32_t *words, size_t count);

#endif
