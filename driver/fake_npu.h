/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* KUnit: registers that look like NPUs, the driver bound to them, and clients of it. */
#ifndef ETHOSU_FAKE_NPU_H
#define ETHOSU_FAKE_NPU_H

#include <kunit/test.h>

#include "ethosu_device.h"

#define FAKE_BYTES	256	/* of each region that a job uses */
#define FAKE_SRAM	0x1000	/* of each core */
#define FAKE_USER	(8 * PAGE_SIZE)

/**
 * struct fake - what a case works with; kunit.priv
 * @edev: the driver's
 * @dev: of it
 * @files, @client: two open files
 * @user: FAKE_USER bytes of user memory, from which structures are handed in
 * @stream: a command stream that copies region 0 to region 1
 * @in, @out: buffers for those
 * @cores: NPUs there are. With more than one, jobs do not wait for others that use the same buffers.
 * @sram_size: that jobs ask for from now on
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
	unsigned int cores;
	u32 sram_size;
};

/* For struct kunit_suite: one NPU without SRAM, or as many as that. */
int fake_init(struct kunit *test);
int fake_init_cores(struct kunit *test, unsigned int cores, bool sram);
void fake_exit(struct kunit *test);

/* The device goes away. */
void fake_unplug(struct fake *fake);

/* How many jobs an NPU was told to run, how often to reset, and whether it runs one. */
unsigned int fake_started(unsigned int core);
unsigned int fake_resets(unsigned int core);
bool fake_runs(unsigned int core);
/* An address register: ETHOSU_REG_QBASE or one of ETHOSU_REG_BASEP. */
u64 fake_address(unsigned int core, u32 reg);
/* FAKE_SRAM bytes as the NPU has them. */
u8 *fake_sram(unsigned int core);

/* The job that runs ends: well if @errors, bits of STATUS, is 0. Raises the interrupt if @irq. */
void fake_end(unsigned int core, u32 errors, bool irq);
/* A reset does not end from now on, or it does. */
void fake_stick(unsigned int core, bool stuck);
/* The NPU is further in its command stream, or back at its start. */
void fake_move(unsigned int core, u32 qread);

/* FAKE_BYTES for the NPU. Return: handle. */
u32 fake_buffer(struct kunit *test, int client);
/* A queue of a client. @core_mask: 0: all. @timeout_ms: of its jobs; 0: none of their own. */
u32 fake_queue_on(struct kunit *test, int client, u32 core_mask, u32 priority, u32 timeout_ms);
u32 fake_queue(struct kunit *test, int client, u32 priority, u32 timeout_ms);
/* QUEUE_SUBMIT of so many equal jobs. @in, @out: syncobjs, 0: none. Return: its value. */
int fake_submit(struct kunit *test, int client, u32 queue, u32 count, u32 in, u32 out, u64 *seqno);
u32 fake_syncobj(struct kunit *test, int client);
struct drm_ethosux_job_info fake_info(struct kunit *test, int client, u32 queue, u64 seqno);
struct drm_ethosux_queue_get_state fake_state(struct kunit *test, int client, u32 queue);
/* Wait for as long as it takes, or 10 s, then fail the case. */
void fake_wait(struct kunit *test, int client);

#endif
