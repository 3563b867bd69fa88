/* SPDX-License-Identifier: MIT */
/* Faults to order: what is to go wrong, and with which job. */
#ifndef ACCEL_SERVER_FAULT_H
#define ACCEL_SERVER_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind {
	FAULT_HANG,		/* the job never ends */
	FAULT_LOST_IRQ,		/* the job ends, no interrupt says so */
	FAULT_SPURIOUS_IRQ,	/* an interrupt as the job begins */
	FAULT_BUS_ERROR,	/* memory refuses from the access on that .access names */
	FAULT_PARSE_ERROR,	/* the command stream arrives damaged */
	FAULT_RESET_STUCK,	/* the reset never ends; counted in resets, not jobs */
	FAULT_SLOW,		/* the job takes .ms longer, and is seen to get on */
	FAULT_VANISH,		/* the device is gone: every register reads all ones */
	FAULT_KINDS
};

/**
 * struct fault - one --fault option
 * @first: the job (reset) it befalls, from 1; 0: none of this kind
 * @every: if not 0, each @every-th one from @first on
 * @access: FAULT_BUS_ERROR: 1 is the fetch of the command stream
 * @ms: FAULT_SLOW
 */
struct fault {
	uint64_t first;
	uint64_t every;
	uint64_t access;
	uint64_t ms;
};

struct faults {
	struct fault kind[FAULT_KINDS];
};

extern const char *const fault_names[FAULT_KINDS];

/**
 * fault_parse - take one option, KIND[:N][:KEY=VALUE...]
 * @faults: later options of a kind replace earlier ones
 * @err: receives what is wrong with @text
 *
 * Return: 0, -EINVAL.
 */
int fault_parse(struct faults *faults, const char *text, char *err, size_t err_len);

/* Does it befall the @n-th one? */
bool fault_hits(const struct fault *fault, uint64_t n);

#endif
