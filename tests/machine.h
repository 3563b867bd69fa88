/* SPDX-License-Identifier: MIT */
/*
 * The device as a driver sees it, on a fake engine that copies memory for DMA, does nothing for
 * other operations, and can be held in the middle or told to fail. Register values and streams are
 * written out from the ISA facts, not taken from the code under test.
 */
#ifndef ACCEL_TESTS_MACHINE_H
#define ACCEL_TESTS_MACHINE_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/decode.h"
#include "sim/engine.h"
#include "sim/npu_internal.h"
#include "tests/test_bus.h"

/*
 * The fake engine. Each device has its own controls; they travel in npu_options.cache_dir, which
 * this engine has no other use for.
 */
struct controls {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hold;		/* stop before operation @hold_at until @hold falls */
	size_t hold_at;
	bool held;
	int fail;		/* what operation @fail_at ends with */
	size_t fail_at;
	int fail_prepare;	/* what the next prepare of more than one operation returns */
	unsigned int prepared, released, runs, gone;
	size_t last_first, last_count;
	size_t ops;
};

/* Registers, from the appendix A tables. */
#define ID		0x00
#define STATUS		0x04
#define CMD		0x08
#define RESET		0x0c
#define QBASE		0x10
#define QREAD		0x18
#define QCONFIG		0x1c
#define QSIZE		0x20
#define PROT		0x24
#define CONFIG		0x28
#define REGIONCFG	0x3c
#define BASEP(i)	(0x80 + 8 * (i))

#define RUNNING		0x1
#define IRQ_RAISED	0x2
#define BUS_ERROR	0x4
#define IN_RESET	0x8
#define PARSE_ERROR	0x10
#define END_REACHED	0x20
#define PMU_RAISED	0x40

/* Commands of U55 and U65. */
#define SET0(op, param)		((uint32_t)(param) << 16 | (op))
#define SET1(op, value)		(0x4000u | (op)), (uint32_t)(value)
#define STOP(mask)		SET0(0x000, mask)
#define IRQ(mask)		SET0(0x001, mask)
#define DMA_START		SET0(0x010, 0)
#define PMU_MASK(on)		SET0(0x013, on)
#define DMA_SRC_REGION(r)	SET0(0x130, r)
#define DMA_DST_REGION(r)	SET0(0x131, r)
#define DMA_SRC(at)		SET1(0x030, at)
#define DMA_DST(at)		SET1(0x031, at)
#define DMA_LEN(len)		SET1(0x032, len)

#define DMA(src_region, src, dst_region, dst, len) \
	DMA_SRC_REGION(src_region), DMA_DST_REGION(dst_region), DMA_SRC(src), DMA_DST(dst), \
	DMA_LEN(len), DMA_START
#define DMA_WORDS	9

#define CMD_ADDR	0x100000ull
#define CONST_ADDR	0x200000ull
#define ARENA_ADDR	0x300000ull
#define WINDOW_SIZE	0x1000

/* A device on a bus with a command, a read-only and a read-write window; regions 0 and 1 placed. */
struct fixture {
	struct controls controls;
	struct test_bus bus;
	struct npu_window *cmd, *constants, *arena;
	struct npu *npu;
};

/* Hold the engine before an operation; wait until it is there; let it go. */
void machine_hold(struct controls *controls, size_t at);
void machine_wait_held(struct controls *controls);
void machine_let_go(struct controls *controls);

/* A device of that configuration, past its reset; its end. */
void machine_open(struct fixture *f, const char *config, const struct npu_bus_ops *ops);
void machine_close(struct fixture *f);

/* Put a stream into place; begin; begin and run to the end: STATUS. */
void machine_load(struct fixture *f, const uint32_t *words, size_t count);
void machine_start(struct fixture *f);
uint32_t machine_run(struct fixture *f);

/* The device has stopped with that fault and raised its interrupt. */
void machine_expect_fault(struct fixture *f, uint32_t status, uint32_t fault, uint32_t qread);

/* npu_run() for pthread_create(). */
void *machine_run_thread(void *npu);

#define RUN(f, ...) ({ \
	const uint32_t words_[] = { __VA_ARGS__ }; \
	machine_load(f, words_, sizeof(words_) / sizeof(words_[0])); \
	machine_run(f); \
})

#endif
