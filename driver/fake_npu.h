/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* KUnit: registers that look like an NPU, the driver bound to them, and a client of it. */
#ifndef ETHOSU_FAKE_NPU_H
#define ETHOSU_FAKE_NPU_H

#include <kunit/test.h>

#include "ethosu_device.h"

#define FAKE_BYTES	256	/* of each region that a job uses */

/**
 * struct fake - what a case works with; kunit.priv
 * @edev: the driver's
 * @dev: of it
 * @files, @client: two open files
 * @user: a page of user memory, from which structures are handed in
 * @stream: a command stream that copies region 0 to region 1
 * @in, @out: buffers for those
 */
struct fake {
	struct platform_device *pdev;
	struct ethosu_device *edev;
	struct drm_device *dev;
	struct file *files[2];
	struct drm_file *client[2];
	void __user *user;
	u32 stream[2];
	u32 in[2];
	u32 out[2];
};

/* For struct kunit_suite. */
int fake_init(struct kunit *test);
void fake_exit(struct kunit *test);

/* The device goes away. */
void fake_unplug(struct fake *fake);

/* How many jobs the NPU was told to run, and where the stream of the last is. */
unsigned int fake_started(void);
u64 fake_qbase(void);

/* The job that runs ends: well if @errors, bits of STATUS, is 0. Raises the interrupt if @irq. */
void fake_end(u32 errors, bool irq);
/* A reset does not end from now on, or it does. */
void fake_stick(bool stuck);
/* The NPU is further in its command stream, or back at its start. */
void fake_move(u32 qread);

/* A queue of a client. @timeout_ms: of its jobs; 0: none of their own. */
u32 fake_queue(struct kunit *test, int client, u32 priority, u32 timeout_ms);
/* QUEUE_SUBMIT of so many equal jobs. @in, @out: syncobjs, 0: none. Return: its value. */
int fake_submit(struct kunit *test, int client, u32 queue, u32 count, u32 in, u32 out, u64 *seqno);
u32 fake_syncobj(struct kunit *test, int client);
struct drm_ethosux_job_info fake_info(struct kunit *test, int client, u32 queue, u64 seqno);
/* Wait for as long as it takes, or 10 s, then fail the case. */
void fake_wait(struct kunit *test, int client);

#endif
