/* SPDX-License-Identifier: MIT */
/* checkops: random numbers, memory and feature map layouts. */
#include <string.h>

#include "tests/checkops.h"

uint64_t rng_next(struct rng *rng)
{
	/* splitmix64 */
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t rng_range(struct rng *rng, int64_t lo, int64_t hi)
{
	return lo + (int64_t)(rng_next(rng) % ((uint64_t)hi - (uint64_t)lo + 1));
}

bool rng_one_in(struct rng *rng, unsigned int n)
{
	return rng_next(rng) % n == 0;
}

void rng_fill(struct rng *rng, void *data, size_t len)
{
	uint8_t *out = data;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = rng_next(rng);

		memcpy(out + i, &v, len - i < 8 ? len - i : 8);
	}
}

unsigned int check_any_space(struct rng *rng)
{
	static const uint8_t spaces[] = { 1, 2, 5, NPU_SPACE_CHAIN };

	return spaces[rng_next(rng) % sizeof(spaces)];
}

static bool is_free(const struct check_mem *mem, unsigned int space, size_t from, size_t len)
{
	if (from + len > mem->space[space].size)
		return false;
	for (unsigned int i = 0; i < mem->taken_count; i++) {
		const struct range *r = &mem->taken[i];

		if (r->space == space && from < r->to && from + len > r->from)
			return false;
	}
	return true;
}

void check_mem_reset(struct check_mem *mem)
{
	mem->streams_used = 0;
	mem->taken_count = 0;
	mem->hot_count = 0;
}

void check_mem_next(struct check_mem *mem)
{
	for (unsigned int i = 0; i < mem->taken_count; i++)
		mem->hot[mem->hot_count++ % CHECK_RANGES] = mem->taken[i];
	if (mem->hot_count > CHECK_RANGES)
		mem->hot_count = CHECK_RANGES;
	mem->taken_count = 0;
}

int64_t check_take(struct check_mem *mem, struct rng *rng, unsigned int space, size_t len,
		   unsigned int align)
{
	const struct arena *arena = &mem->space[space];

	if (len > arena->size || mem->taken_count == CHECK_RANGES)
		return -1;
	for (int attempt = 0; attempt < 40; attempt++) {
		size_t from = (size_t)rng_range(rng, 0, (int64_t)(arena->size - len));

		if (mem->hot_count && rng_one_in(rng, 2)) {
			const struct range *hot = &mem->hot[rng_next(rng) % mem->hot_count];

			if (hot->space == space)
				from = hot->from;
		}
		from -= from % align;
		if (!is_free(mem, space, from, len))
			continue;
		mem->taken[mem->taken_count++] = (struct range){ space, from, from + len };
		return arena->lo + (int64_t)from;
	}
	return -1;
}

int64_t check_fm_address(const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c)
{
	uint32_t es = 1u << fm->elem_log2;
	unsigned int right = x >= fm->width0;
	uint32_t rows = right ? fm->height1 : fm->height0;
	unsigned int low = y >= rows;
	int64_t at = fm->base[right + 2 * low];

	at += (int64_t)(y - (low ? rows : 0)) * fm->stride_y;
	if (right)
		x -= fm->width0;
	if (!fm->brick)
		return at + (int64_t)x * fm->stride_x + c * es;
	return at + x * 16 * es + (int64_t)(c / 16) * fm->stride_c + c % 16 * es;
}

void check_fm_type(struct rng *rng, struct npu_fm *fm, unsigned int elem_log2, bool is_signed)
{
	unsigned int bits = 8u << elem_log2;

	fm->elem_log2 = (uint8_t)elem_log2;
	fm->is_signed = is_signed;
	fm->zero_point = 0;
	if (bits == 8 || (bits == 16 && rng_one_in(rng, 8)))
		fm->zero_point = (int32_t)(is_signed ?
			rng_range(rng, -(1 << (bits - 1)), (1 << (bits - 1)) - 1) :
			rng_range(rng, 0, (1 << bits) - 1));
}

/* Bytes of a tile with the strides of the map. */
static size_t tile_bytes(const struct npu_fm *fm, uint32_t rows, uint32_t columns)
{
	size_t es = 1u << fm->elem_log2, x = fm->brick ? 16 * es : (size_t)fm->stride_x;
	size_t y = (size_t)(fm->stride_y < 0 ? -fm->stride_y : fm->stride_y);
	size_t run = fm->brick ? (size_t)(fm->depth - 1) / 16 * (size_t)fm->stride_c +
		     (fm->depth < 16 ? fm->depth : 16) * es : fm->depth * es;

	if (!rows || !columns)
		return 0;
	return (rows - 1) * y + (columns - 1) * x + run;
}

static void draw_strides(struct rng *rng, struct npu_fm *fm, uint32_t columns, uint32_t rows)
{
	int64_t es = 1 << fm->elem_log2, bricks = (fm->depth + 15) / 16;
	bool gaps = rng_one_in(rng, 2);

	if (!fm->brick) {
		fm->stride_c = es;
		fm->stride_x = fm->depth * es + (gaps ? es * rng_range(rng, 0, 5) : 0);
		fm->stride_y = columns * fm->stride_x + (gaps ? es * rng_range(rng, 0, 40) : 0);
		return;
	}
	fm->stride_x = 16 * es;
	if (rng_one_in(rng, 4)) {	/* planes of bricks */
		fm->stride_y = columns * 16 * es + (gaps ? 16 * rng_range(rng, 0, 4) : 0);
		fm->stride_c = rows * fm->stride_y + (gaps ? 16 * rng_range(rng, 0, 4) : 0);
		return;
	}
	fm->stride_c = columns * 16 * es + (gaps ? 16 * rng_range(rng, 0, 4) : 0);
	fm->stride_y = bricks * fm->stride_c + (gaps ? 16 * rng_range(rng, 0, 4) : 0);
}

bool check_fm_draw(struct check_mem *mem, struct rng *rng, struct npu_fm *fm)
{
	uint32_t es = 1u << fm->elem_log2, rows[4], columns[4];
	bool split = rng_one_in(rng, 4);

	fm->space = (uint8_t)check_any_space(rng);
	fm->brick = rng_one_in(rng, 2);
	fm->width0 = fm->width;
	fm->height0 = fm->height;
	fm->height1 = fm->height;
	if (split) {
		fm->width0 =
			(uint32_t)rng_range(rng, rng_one_in(rng, 2) ? 1 : fm->width, fm->width);
		fm->height0 = (uint32_t)rng_range(rng, 1, fm->height);
		fm->height1 = rng_one_in(rng, 2) ? fm->height0 :
			      (uint32_t)rng_range(rng, 1, fm->height);
	}
	draw_strides(rng, fm, fm->width, fm->height);
	rows[0] = fm->height0;
	rows[1] = fm->height1;
	rows[2] = fm->height - fm->height0;
	rows[3] = fm->height - fm->height1;
	for (int t = 0; t < 4; t++)
		columns[t] = t & 1 ? fm->width - fm->width0 : fm->width0;

	/* Rows from the bottom up, as U65 streams have them for reversed outputs. */
	if (!split && rng_one_in(rng, 10))
		fm->stride_y = -fm->stride_y;
	for (int t = 0; t < 4; t++) {
		size_t len = tile_bytes(fm, rows[t], columns[t]);

		fm->base[t] = 0;
		if (!len)
			continue;
		fm->base[t] = check_take(mem, rng, fm->space, len, fm->brick ? 16 : es);
		if (fm->base[t] < 0)
			return false;
		if (fm->stride_y < 0)
			fm->base[t] -= (rows[t] - 1) * fm->stride_y;
	}
	return true;
}

void check_fm_writable(struct check_mem *mem, const struct npu_fm *fm)
{
	struct arena *arena = &mem->space[fm->space];

	for (uint32_t y = 0; y < fm->height; y++) {
		for (uint32_t x = 0; x < fm->width; x++) {
			for (uint32_t c = 0; c < fm->depth; c++)
				memset(arena->writable +
					       (check_fm_address(fm, y, x, c) - arena->lo),
				       1, 1u << fm->elem_log2);
		}
	}
}
