/* SPDX-License-Identifier: MIT */
/*
 * The simulated NPU: an Arm Ethos-U55, U65 or U85 as its driver sees it, over a bus you supply.
 *
 * The model has no threads, no clock and no global state. Registers are read and written with
 * npu_read() and npu_write(), from any thread. Writing CMD.transition_to_running_state makes the
 * device running; npu_run() then does the work on the thread that calls it, with the registers
 * still readable (and RESET and CMD writable) from others.
 */
#ifndef ACCEL_SIM_NPU_H
#define ACCEL_SIM_NPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct npu;

/**
 * struct npu_config - a member of the family
 * @name: "ethos-u65-256" and so on
 * @arch: 55, 65 or 85
 * @macs: multiply-accumulates per cycle
 * @cores: weight decoders that share an operation's channels (weight streams): U65-512 2, U85
 *	1, 1, 2, 4, 4, else 1
 * @ublock_depth: OFM channels of a microblock (U55/U65; on U85 it depends on ACC_FORMAT.microblock)
 * @shram_kib: SHRAM (U55, U65), 0 on U85
 * @id, @config: what the ID and CONFIG registers read
 */
struct npu_config {
	const char *name;
	unsigned int arch;
	unsigned int macs;
	unsigned int cores;
	unsigned int ublock_depth;
	unsigned int shram_kib;
	uint32_t id;
	uint32_t config;
};

/* All configurations, ended by one without a name. */
extern const struct npu_config npu_configs[];

/* The configuration called @name, or NULL. "u65-256" is accepted for "ethos-u65-256". */
const struct npu_config *npu_config_find(const char *name);

#define NPU_ACCESS_READ		1u
#define NPU_ACCESS_WRITE	2u

/**
 * struct npu_window - a stretch of memory the bus lets the NPU reach
 * @host: where it is in this process
 * @addr: bus address of its first byte
 * @size: bytes
 * @id: names this mapping for as long as it lives; never used again for another (see
 *	npu_window_gone()). Not 0.
 * @access: NPU_ACCESS_* granted
 * @constant: the bus vouches that no one changes the bytes while the mapping lives (the constants
 *	of a loaded program). The device then need not look at them anew for each job. Implies that
 *	writing is not granted.
 */
struct npu_window {
	void *host;
	uint64_t addr;
	uint64_t size;
	uint64_t id;
	unsigned int access;
	bool constant;
};

enum npu_channel {
	NPU_CH_CMD,
	NPU_CH_IFM,
	NPU_CH_IFM2,
	NPU_CH_WEIGHT,
	NPU_CH_SCALE,
	NPU_CH_DMA_READ,
	NPU_CH_DMA_INDEX,
	NPU_CH_OFM,
	NPU_CH_DMA_WRITE,
};

/**
 * struct npu_access_log - one contiguous access
 * @addr: bus address
 * @len: bytes
 * @offset: of the command that made it in the stream, in bytes
 * @channel: enum npu_channel
 * @access: NPU_ACCESS_READ or NPU_ACCESS_WRITE
 * @granted: false: the bus refused it and the device faulted
 */
struct npu_access_log {
	uint64_t addr;
	uint64_t len;
	uint32_t offset;
	uint8_t channel;
	uint8_t access;
	bool granted;
};

/**
 * struct npu_bus_ops - what the device is attached to
 * @resolve: find the window that holds [addr, addr + len) and grants @access. 0 and @win filled, or
 *	-EFAULT. The window must stay valid until npu_run() returns. Called from npu_run() only.
 * @irq: level of the interrupt line, on changes only. Called with no lock of the device held.
 * @log: told every access, a contiguous run at a time, after it was made. Optional; costs speed.
 * @trace: told in words why the device faulted, or what guest error it saw. Optional.
 * @defined: strict mode: do all bytes of [addr, addr + len) hold data when the job starts? If not,
 *	*@bad is the first that does not. Called from npu_run() only. Optional: they all do.
 */
struct npu_bus_ops {
	int (*resolve)(void *ctx, uint64_t addr, uint64_t len, unsigned int access,
		       struct npu_window *win);
	void (*irq)(void *ctx, bool level);
	void (*log)(void *ctx, const struct npu_access_log *entry);
	void (*trace)(void *ctx, const char *text);
	bool (*defined)(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad);
};

/**
 * struct npu_options - how to simulate, not what
 * @size: sizeof(struct npu_options); lets the struct grow
 * @engine: "opencl" (NULL means this) or "reference", plain C and slow
 * @cl_platform: part of the name of the OpenCL platform to use, NULL: $ACCEL_CL_PLATFORM, else the
 *	first PoCL platform, else the first platform
 * @cl_path: "auto" (NULL means this), "portable": OpenCL C with no x86 code, "vnni" and so on
 * @threads: to use for one job; 0: 1
 * @cache_dir: for compiled kernels; NULL: $XDG_CACHE_HOME/accel or ~/.cache/accel
 * @work_limit: multiply-accumulates, elements and bytes one job may take; the operation that would
 *	exceed it raises a bus error, where hardware would be busy for minutes. 0: 2^40
 * @strict: refuse, as a parse error, what hardware would not run right: blocks that do not fit,
 *	missing waits, reads of memory that nobody wrote (docs/strict.md)
 */
struct npu_options {
	size_t size;
	const char *engine;
	const char *cl_platform;
	const char *cl_path;
	unsigned int threads;
	const char *cache_dir;
	uint64_t work_limit;
	bool strict;
};

/**
 * npu_create - a device in its state after power-on
 * @out: the device; the caller frees it with npu_destroy()
 * @config: kept by reference
 * @ops, @ctx: the bus; @ops is kept by reference
 * @opt: NULL for the defaults
 * @err, @err_len: receives one line that says what went wrong and what to do; may be NULL
 *
 * Return: 0, -ENODEV (no OpenCL platform), -ENOMEM, -EINVAL (unknown option), -EIO (the kernels do
 * not build).
 */
int npu_create(struct npu **out, const struct npu_config *config, const struct npu_bus_ops *ops,
	       void *ctx, const struct npu_options *opt, char *err, size_t err_len);
void npu_destroy(struct npu *npu);

/* Size of the register window in bytes: 4 KiB on U55 and U65, 8 KiB on U85. */
size_t npu_reg_size(const struct npu *npu);

/* 32-bit register access. An offset not on 4 bytes or outside the window reads 0, ignores writes. */
uint32_t npu_read(struct npu *npu, uint32_t offset);
void npu_write(struct npu *npu, uint32_t offset, uint32_t value);

/* Power-on reset, as a board's reset line does it. Waits for a running npu_run() to stop. */
void npu_power_on_reset(struct npu *npu);

/* True while STATUS.state is running: npu_run() has something to do or is at it. */
bool npu_running(struct npu *npu);

/**
 * npu_run - execute until the stream stops, faults, or the device is reset
 *
 * Returns at once if the device is not running. One thread at a time per device; a second caller
 * waits for the first. Always returns, whatever the stream.
 */
void npu_run(struct npu *npu);

/* The bus took back the window called @id. Not during npu_run(). */
void npu_window_gone(struct npu *npu, uint64_t id);

/**
 * struct npu_stats - what the simulation did, for people who measure it
 * @jobs: completed npu_run() calls that found work
 * @plan_hits, @plan_misses: command streams found prepared, or prepared anew
 * @ops: operations executed
 * @device: what executes, "PoCL ... (vnni)"
 */
struct npu_stats {
	uint64_t jobs;
	uint64_t plan_hits;
	uint64_t plan_misses;
	uint64_t ops;
	char device[96];
};

void npu_get_stats(struct npu *npu, struct npu_stats *stats);

#endif
