/* SPDX-License-Identifier: MIT */
/* Reference engine: reading and writing feature maps, one element at a time, bounds checked. */
#include "sim/ref_fm.h"

#include <errno.h>
#include <string.h>

#define BRICK 16	/* channels of an NHCWB16 brick */

bool ref_stopped(const struct ref_job *job)
{
	return job->err || __atomic_load_n(job->abort, __ATOMIC_RELAXED);
}

uint8_t *ref_bytes(struct ref_job *job, unsigned int space, int64_t addr, uint64_t len)
{
	const struct npu_space_map *map;

	if (job->err)
		return NULL;
	if (space >= NPU_SPACES)
		goto outside;
	map = &job->maps[space];
	if (!map->base || addr < map->lo || addr > map->hi || len > (uint64_t)(map->hi - addr))
		goto outside;
	return map->base + (addr - map->lo);

outside:
	job->err = -EIO;
	return NULL;
}

/*
 * Sums of addresses wrap rather than overflow: strides are the stream's, ref_bytes() looks at the
 * result.
 */
static int64_t offset(int64_t base, uint32_t index, int64_t stride)
{
	return (int64_t)((uint64_t)base + (uint64_t)index * (uint64_t)stride);
}

int64_t ref_fm_address(const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c)
{
	int64_t elem = INT64_C(1) << fm->elem_log2;
	bool right = x >= fm->width0;
	uint32_t rows = right ? fm->height1 : fm->height0;
	bool lower = y >= rows;
	int64_t addr = fm->base[2 * lower + right];

	if (right)
		x -= fm->width0;
	if (lower)
		y -= rows;
	addr = offset(addr, y, fm->stride_y);
	if (!fm->brick) {
		addr = offset(addr, x, fm->stride_x);
		return offset(addr, c, elem);
	}
	addr = offset(addr, x, BRICK * elem);
	addr = offset(addr, c / BRICK, fm->stride_c);
	return offset(addr, c % BRICK, elem);
}

static int64_t sign_extend(uint64_t raw, unsigned int bits)
{
	return (int64_t)(raw << (64 - bits)) >> (64 - bits);
}

int64_t ref_fm_load(struct ref_job *job, const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c)
{
	unsigned int len = 1u << fm->elem_log2;
	const uint8_t *p = ref_bytes(job, fm->space, ref_fm_address(fm, y, x, c), len);
	uint64_t raw = 0;

	if (!p)
		return 0;
	for (unsigned int i = 0; i < len; i++)
		raw |= (uint64_t)p[i] << (8 * i);
	return fm->is_signed ? sign_extend(raw, 8 * len) : (int64_t)raw;
}

int64_t ref_fm_lowest(const struct npu_fm *fm)
{
	unsigned int bits = 8u << fm->elem_log2;

	return fm->is_signed ? (int64_t)(UINT64_MAX << (bits - 1)) : 0;
}

int64_t ref_fm_highest(const struct npu_fm *fm)
{
	unsigned int bits = 8u << fm->elem_log2;

	/* Values are held in 64 signed bits: an unsigned 64-bit type counts as one bit less. */
	if (fm->is_signed || bits == 64)
		return (int64_t)(UINT64_MAX >> (64 - (bits - 1)));
	return (int64_t)(UINT64_MAX >> (64 - bits));
}

void ref_fm_store(struct ref_job *job, const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c,
		  int64_t value)
{
	unsigned int len = 1u << fm->elem_log2;
	uint8_t *p = ref_bytes(job, fm->space, ref_fm_address(fm, y, x, c), len);

	if (!p)
		return;
	if (value < ref_fm_lowest(fm))
		value = ref_fm_lowest(fm);
	if (value > ref_fm_highest(fm))
		value = ref_fm_highest(fm);
	for (unsigned int i = 0; i < len; i++)
		p[i] = (uint8_t)((uint64_t)value >> (8 * i));
}
