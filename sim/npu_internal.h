/* SPDX-License-Identifier: MIT */
/* What the files of the device (npu*.c) share. Nobody else includes it. */
#ifndef ACCEL_SIM_NPU_INTERNAL_H
#define ACCEL_SIM_NPU_INTERNAL_H

#include <pthread.h>

#include "sim/decode.h"
#include "sim/engine.h"
#include "sim/hash.h"
#include "sim/npu.h"
#include "sim/op.h"
#include "uapi/ethosu_regs.h"

#define NPU_PORTS		2	/* AXI0 and AXI1; SRAM and EXT on the U85 */
#define NPU_REG_WORDS		(ETHOSU_WINDOW_U85 / 4)
#define NPU_PMU_MAX_COUNTERS	8
#define NPU_LUT_RAM_SIZE	2048	/* U85 */

/* Bounds of this model, not of the hardware. */
#define NPU_MAX_STREAM		(16u << 20)	/* bytes, QSIZE's own limit */
#define NPU_MAX_OPS		(1u << 16)	/* operations of one stream */
#define NPU_MAX_CHAIN		(64u << 20)	/* bytes of chained feature maps */
#define NPU_MAX_WORK		(1ull << 40)	/* default of npu_options.work_limit */

/* What the PMU counts of an operation; which is which is npu_pmu.c's business. */
#define NPU_PMU_AMOUNTS		10

/**
 * struct npu_pmu_plan - what a plan's operations count
 * @amounts: NPU_PMU_AMOUNTS of each operation; NULL until they are known
 * @count: operations
 * @total: over all of them
 * @ports: bit per region: the port it was on
 */
struct npu_pmu_plan {
	uint64_t *amounts;
	size_t count;
	uint64_t total[NPU_PMU_AMOUNTS];
	uint8_t ports;
};

/* What one operand of an operation may touch. */
struct npu_range {
	uint8_t space;
	uint8_t channel;		/* enum npu_channel */
	int64_t lo, hi;
};

/*
 * More than an operation has: 3 feature maps of 4 tiles, 4 weight and 4 scale streams. An operation
 * that has more faults.
 */
#define NPU_MAX_RANGES		24

struct npu_ranges {
	unsigned int count;
	struct npu_range range[NPU_MAX_RANGES];
};

/* Everything a plan knows of a space: the union over its operations. */
struct npu_envelope {
	int64_t lo, hi;
	unsigned int access;		/* 0: not touched */
};

/* Why the operations of a plan stop before the last. */
enum npu_plan_limit { NPU_LIMIT_NONE, NPU_LIMIT_RANGE, NPU_LIMIT_WORK };

/**
 * struct npu_job_plan - a command stream made ready
 * @hash: of @start and @words
 * @start: NPU_SET_* state it was decoded from
 * @bytes: what it holds, for the bound of the cache
 * @stamp: when it was last used
 * @runnable: operations before the first that can not run, whatever BASEP is
 * @limit: why @runnable is less than program.count
 * @bad: @limit is NPU_LIMIT_RANGE: the range that is out of bounds
 * @pmu: what the runnable operations count
 * @chunks: operations before which the engine comes up for air, ascending; QREAD advances there
 * @envelope: of each space over the runnable operations
 * @prepared: the engine's; NULL until the first run over whole envelopes
 * @cmd_id, @cmd_addr: the constant window that is known to hold the words; id 0: none
 */
struct npu_job_plan {
	XXH128_hash_t hash;
	struct npu_state start;
	uint32_t *words;
	size_t word_count;
	size_t bytes;
	uint64_t stamp;
	struct npu_program program;
	size_t runnable;
	enum npu_plan_limit limit;
	struct npu_range bad;
	struct npu_pmu_plan pmu;
	uint32_t *chunks;
	size_t chunk_count;
	struct npu_envelope envelope[NPU_SPACES];
	struct npu_plan *prepared;
	uint64_t cmd_id, cmd_addr;
};

#define NPU_MAX_PLANS		16
#define NPU_MAX_PLAN_BYTES	(256u << 20)

struct npu_plan_cache {
	struct npu_job_plan *plan[NPU_MAX_PLANS];
	unsigned int count;
	struct npu_job_plan *last;
	size_t bytes;
	uint64_t clock;
};

struct npu_pmu {
	uint32_t pmcr;
	uint32_t enabled, overflow, irq_enabled;	/* bit 31: the cycle counter */
	uint64_t cycles;
	uint32_t count[NPU_PMU_MAX_COUNTERS];
	uint32_t type[NPU_PMU_MAX_COUNTERS];
};

struct npu_reg;

/**
 * struct npu - a device
 * @lock: everything below but what says otherwise
 * @run_lock: held by npu_run() and whoever must keep it out; taken before @lock. Protects @cache,
 *	@internal's and @chain's contents and the engine.
 * @abort: polled by the engine; accessed with __atomic builtins only
 * @started: npu_run() is due or at work: STATUS.state
 * @in_run: npu_run() is at work
 * @reset_asked: RESET was written while @in_run; @reset_level goes to PROT when it is done
 * @reset_shown: the next read of STATUS still shows reset_status
 * @resume: first operation to run, after stop_request; else 0
 * @state: NPU_SET_* state at the start of the next job (while one runs: at its start)
 */
struct npu {
	const struct npu_config *config;
	const struct npu_bus_ops *bus;
	void *bus_ctx;
	const struct npu_engine_ops *engine_ops;
	struct npu_engine *engine;
	uint64_t chunk_work;
	uint64_t work_limit;
	bool strict;
	uint64_t addr_limit;		/* first address the device cannot form */

	pthread_mutex_t run_lock;
	pthread_mutex_t lock;

	const struct npu_reg *reg[NPU_REG_WORDS];	/* does not change */
	uint32_t store[NPU_REG_WORDS];
	uint32_t qread;
	uint32_t status_faults;		/* sticky fault bits and the faulting_* fields */
	uint16_t irq_history;
	bool irq_raised, cmd_end;
	bool started, in_run, stop_asked;
	bool reset_asked, reset_shown;
	uint32_t reset_level;
	size_t resume;
	bool irq_wanted, irq_told, irq_telling;
	int abort;
	struct npu_pmu pmu;
	struct npu_state state;
	struct npu_stats stats;

	uint8_t *internal;
	size_t internal_size;
	uint8_t *chain;
	size_t chain_size;
	struct npu_plan_cache cache;
};

/* npu_regs.c */
void npu_regs_init(struct npu *npu);

/* All registers to their reset values. Lock held, npu_run() not at work. */
void npu_regs_reset(struct npu *npu, uint32_t level);

/* A lo/hi pair of the stored registers, 40 bits (U55: 32). Lock held. */
uint64_t npu_reg_addr(const struct npu *npu, uint32_t offset);

/* Port that memory attribute @attr (a field of REGIONCFG or QCONFIG) leads to. Lock held. */
unsigned int npu_port(const struct npu *npu, unsigned int attr);

/*
 * Bring the interrupt line to the level the registers ask for. Lock held; dropped around the
 * callback. Calls from several threads are told in order, by the one that came first.
 */
void npu_irq_update(struct npu *npu);

/* npu_pmu.c */
uint32_t npu_pmu_read(const struct npu *npu, uint32_t offset);
void npu_pmu_write(struct npu *npu, uint32_t offset, uint32_t value);
void npu_pmu_reset(struct npu *npu);
bool npu_pmu_irq(const struct npu *npu);
unsigned int npu_pmu_counters(const struct npu *npu);

/**
 * npu_pmu_prepare - find what operations count, if it is not known yet
 * @count: operations of @program
 * @ports: bit per region: the port it is on
 *
 * Return: 0 or -ENOMEM.
 */
int npu_pmu_prepare(const struct npu_config *config, const struct npu_program *program,
		    size_t count, unsigned int ports, struct npu_pmu_plan *plan);

/*
 * Count operations [first, first + count) of @plan that ran, and @cmd_bytes fetched. @plan may be
 * NULL if @count is 0. Lock held.
 */
void npu_pmu_account(struct npu *npu, const struct npu_pmu_plan *plan, size_t first, size_t count,
		     uint64_t cmd_bytes);

/* NPU_OP_PMU_MASK. Lock held. */
void npu_pmu_mask(struct npu *npu, uint16_t param);

/* npu_work.c: of an operation, in npu_options.work_limit's unit. */
uint64_t npu_op_work(const struct npu_op *op);

/* npu_plan.c */
/**
 * npu_plan_find - the plan of a stream, decoded if it is new
 * @bytes, @len: the stream, @len a multiple of 4
 * @addr, @win: where it was read; @win may be NULL if @len is 0
 *
 * run_lock held.
 *
 * Return: 0, -ENOMEM.
 */
int npu_plan_find(struct npu *npu, const uint8_t *bytes, size_t len, uint64_t addr,
		  const struct npu_window *win, struct npu_job_plan **out);
void npu_plan_window_gone(struct npu *npu, uint64_t id);
void npu_plan_drop_all(struct npu *npu);

/* Ranges of one operation, in order. -ERANGE, and *bad filled, if one is out of its space. */
int npu_op_ranges(const struct npu *npu, const struct npu_op *op, uint64_t chain_size,
		  struct npu_ranges *out, struct npu_range *bad);

/* npu_job.c: the work of npu_run(), but for telling the last interrupt. run_lock held. */
void npu_job_run(struct npu *npu);

/* npu_log.c */
/* NPU_ACCESS_* of an enum npu_channel. */
unsigned int npu_channel_access(unsigned int channel);

/**
 * npu_log_runs - every contiguous run an operation touches
 * @base: BASEP of each region
 * @idx: where the space of an indexed DMA's table is
 * @fn: called for each run, merged with its neighbour where they touch; nonzero ends the walk
 *
 * Runs in the device's own memories are left out. The walk of an indexed DMA ends at the first
 * index out of range.
 *
 * Return: what @fn returned, or 0.
 */
int npu_log_runs(const struct npu_op *op, const uint64_t base[NPU_REGIONS],
		 const struct npu_space_map *idx,
		 int (*fn)(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel),
		 void *ctx);

void npu_trace(struct npu *npu, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
