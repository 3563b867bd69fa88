/* SPDX-License-Identifier: MIT */
/*
 * What a model is compiled for or estimated on: an NPU, the memories around it, and what is put
 * where.
 *
 * Systems and memory modes are data: those of the built-in file systems/ethos-u.json, and those of
 * any *.json that users add in a folder (target_set_load()). docs/systems.md describes the format.
 */
#ifndef ACCEL_RUNTIME_TARGET_H
#define ACCEL_RUNTIME_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"
#include "sim/cost.h"

#define TARGET_NAME_MAX	64

/* Regions of a command stream, as Vela and the drivers number them. */
enum target_region { TARGET_CONSTANTS, TARGET_ARENA, TARGET_STAGING, TARGET_INPUTS, TARGET_OUTPUTS };

/**
 * struct target_system - memories around an NPU
 * @family: 55, 65 or 85
 * @clock_hz: of the NPU
 * @memory: by enum cost_memory_index
 * @flash: the external one is flash: it cannot be written
 */
struct target_system {
	char name[TARGET_NAME_MAX];
	unsigned int family;
	double clock_hz;
	struct cost_memory memory[COST_MEMORIES];
	bool flash;
};

/**
 * struct target_mode - which memory is for what
 * @constants, @arena, @staging: enum cost_memory_index: weights; inputs, outputs and what does not
 *	fit elsewhere; buffers that are the stream's own
 * @staging_size: bytes that @staging may take, 0: no limit
 */
struct target_mode {
	char name[TARGET_NAME_MAX];
	uint8_t constants, arena, staging;
	uint64_t staging_size;
};

/**
 * struct target - all of it
 * @cost: the same for the cost model; @cost.arch is the NPU
 */
struct target {
	struct target_system system;
	struct target_mode mode;
	struct cost_target cost;
};

/* System and mode of a family unless told otherwise. */
struct target_default {
	unsigned int family;
	char system[TARGET_NAME_MAX], mode[TARGET_NAME_MAX];
};

/**
 * struct target_set - all systems and modes there are
 *
 * A name that comes twice is the later one's: users can change what is built in.
 */
struct target_set {
	struct target_system *systems;
	size_t system_count;
	struct target_mode *modes;
	size_t mode_count;
	struct target_default *defaults;
	size_t default_count;
};

/**
 * target_set_load - the built-in set and what users added
 * @out: free with target_set_free()
 *
 * Folders, each one's *.json in the order of their names: share/accel/systems beside bin/accel,
 * $XDG_CONFIG_HOME/accel/systems or ~/.config/accel/systems, and those of $ACCEL_SYSTEMS, separated
 * by colons. Only of the last a folder that is missing is an error.
 *
 * Return: 0, -EINVAL (a broken file, @err names it), -ENOENT, -ENOMEM, what file_read() gives.
 */
int target_set_load(struct target_set *out, struct error *err);
void target_set_free(struct target_set *set);

/**
 * target_set_parse - add the systems and modes of one file
 * @text, @len: JSON
 * @name: for messages
 *
 * Return: 0, -EINVAL, -ENOMEM. What came before an error stays.
 */
int target_set_parse(struct target_set *set, const char *text, size_t len, const char *name,
		     struct error *err);

/**
 * target_find - put a target together
 * @npu: "ethos-u65-256" or "u65-256"
 * @system, @mode: names, in any case and with '-' for '_'; NULL: the default of the family
 *
 * Return: 0, or -ENOENT: @err names what there is.
 */
int target_find(const struct target_set *set, const char *npu, const char *system,
		const char *mode, struct target *out, struct error *err);

/* target_make - the same of parts at hand. -EINVAL: flash as arena or staging, another family. */
int target_make(const struct ethosu_arch *arch, const struct target_system *system,
		const struct target_mode *mode, struct target *out, struct error *err);

/* The NPU called @name, "ethos-" may be left out; NULL. */
const struct ethosu_arch *target_arch(const char *name);

#endif
