/* SPDX-License-Identifier: MIT */
/* Reference engine: reading and writing feature maps, one element at a time, bounds checked. */
#ifndef ACCEL_SIM_REF_FM_H
#define ACCEL_SIM_REF_FM_H

#include <stdbool.h>

#include "sim/engine.h"

/**
 * struct ref_job - one npu_engine_ops.run() call
 * @config: the device
 * @maps: where the memory spaces are
 * @abort: nonzero: stop
 * @err: 0, or what stopped the current operation. Sticky: after an access outside its map loads give
 *	0 and stores do nothing, so that loops need to look only once a row.
 */
struct ref_job {
	const struct npu_config *config;
	const struct npu_space_map *maps;
	const int *abort;
	int err;
};

/* True if the operation should not go on. */
bool ref_stopped(const struct ref_job *job);

/**
 * ref_bytes - a stretch of a memory space as host memory
 *
 * Return: host address of byte @addr, or NULL with @job->err set if [addr, addr + len) is not in the map.
 */
uint8_t *ref_bytes(struct ref_job *job, unsigned int space, int64_t addr, uint64_t len);

/* Address in its space of element (y, x, c) of a feature map. */
int64_t ref_fm_address(const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c);

/* The element as its type says, zero point not subtracted. */
int64_t ref_fm_load(struct ref_job *job, const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c);

/* Store what fits, the nearest value of the type where @value does not. */
void ref_fm_store(struct ref_job *job, const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c,
		  int64_t value);

/* Smallest and largest value of a feature map's element type. */
int64_t ref_fm_lowest(const struct npu_fm *fm);
int64_t ref_fm_highest(const struct npu_fm *fm);

#endif
