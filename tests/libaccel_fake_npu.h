/* SPDX-License-Identifier: MIT */
/*
 * Streams for the fake NPU, two words a command:
 *   FAKE_STOP			the end
 *   FAKE_GATE, 0		wait until the gate opens
 *   FAKE_LOG, tag		append a tag to the log
 *   FAKE_COPY, FAKE_ARG(from, to, bytes)	copy from a region's start to another's
 *   anything else		a fault
 */
#ifndef TESTS_LIBACCEL_FAKE_NPU_H
#define TESTS_LIBACCEL_FAKE_NPU_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_STOP 0xffff0000u	/* as the real one: NPU_OP_STOP, mask 0xffff */
#define FAKE_GATE 0xf1u
#define FAKE_LOG 0xf2u
#define FAKE_COPY 0xf3u
#define FAKE_FAULT 0xffu
#define FAKE_ARG(from, to, bytes) ((from) | (to) << 8 | (uint32_t)(bytes) << 16)

/* The region whose window must be constant if a copy reads it, and that of no other. */
#define FAKE_CONSTANTS 0

#define FAKE_LOG_MAX 4096

void fake_reset(void);
/* Until so many jobs stand at the gate. */
void fake_wait_at_gate(unsigned int jobs);
/* Let so many jobs pass, those that come later included. */
void fake_open_gate(unsigned int jobs);
/* Copy the log to @tags; how many there are. */
unsigned int fake_log(uint32_t *tags);
/* Until so many tags are in it. */
void fake_wait_log(unsigned int tags);
unsigned int fake_windows_gone(void);
/* Until every NPU was destroyed; false if that takes longer. Then they are counted anew. */
bool fake_wait_all_gone(unsigned int seconds);
/* Whether it was the calling thread that ran the last job of all. */
bool fake_ran_here(void);

#endif
