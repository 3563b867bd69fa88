/* SPDX-License-Identifier: MIT */
/* Tests: an accepted stream on the simulated NPU, with buffers of exactly the size that it was said to need. */
#ifndef ACCEL_TESTS_VALIDATE_DEVICE_H
#define ACCEL_TESTS_VALIDATE_DEVICE_H

#include "driver/ethosu_validate.h"
#include "sim/npu.h"

enum device_verdict {
	DEVICE_DONE,		/* ran to its end */
	DEVICE_DATA,		/* a fault that the contents of buffers are to blame for, or a limit */
	DEVICE_UNMODELLED,	/* ran up to what the simulator has no meaning for */
	DEVICE_BAD,		/* touched, or tried to, what it may not; or no stream at all */
	DEVICE_LARGE,		/* not run: needs too much memory */
};

struct device;

/* A device with the plain C engine; aborts if there is none. */
struct device *device_new(const struct npu_config *config);
void device_free(struct device *d);

/**
 * device_run - run a stream on a device that was reset
 * @words: not longer than the generator's
 * @fill: what the buffers hold follows from it
 * @why: of DEVICE_BAD
 */
enum device_verdict device_run(struct device *d, const uint32_t *words, size_t count,
			       const struct ethosu_stream_use *use, uint64_t fill, char *why,
			       size_t why_len);

#endif
