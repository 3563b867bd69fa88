/* SPDX-License-Identifier: MIT */
/* The standard weight bit stream (SWD) of a list of weights, window by window. */
#include <errno.h>
#include <string.h>

#include "runtime/encode/swd.h"

#define ALIGN_BYTES	16u
#define END_BITS	3u

static uint32_t window_at(size_t count, size_t at)
{
	return count - at < SWD_WINDOW ? (uint32_t)(count - at) : SWD_WINDOW;
}

/*
 * Append the slices of a window. The first does without a palette if the one before has the same;
 * not with zero runs, where a palette says that a run comes first.
 */
static int put_window(struct swd_bits *out, const uint16_t *classes, const struct swd_slice *slices,
		      uint32_t count, struct swd_palette *last)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < count; i++) {
		struct swd_slice slice = slices[i];

		if (!i && !last->zero_runs && !memcmp(last, slice.palette, sizeof(*last)))
			slice.new_palette = false;
		ret = swd_put_slice(out, classes, &slice);
	}
	*last = *slices[count - 1].palette;
	return ret;
}

int swd_encode(uint16_t *symbols, size_t count, struct swd_bits *out, struct swd_search *search)
{
	/* No palette has this offset without entries. */
	struct swd_palette last = { .offset = UINT8_MAX };
	struct swd_search *own = NULL;
	int ret = 0;

	if (!count)
		return 0;
	if (!search)
		search = own = swd_search_new();
	if (!search)
		return -ENOMEM;
	for (size_t at = 0; !ret && at < count; at += SWD_WINDOW) {
		uint32_t n = window_at(count, at), slices;
		const struct swd_slice *slice;

		swd_classify(symbols + at, n);
		slices = swd_search_window(search, symbols + at, n, &slice);
		ret = put_window(out, symbols + at, slice, slices, &last);
	}
	swd_search_free(own);
	return ret ? ret : swd_put_end(out);
}

uint64_t swd_estimate(uint16_t *symbols, size_t count)
{
	struct swd_choice best;
	uint64_t bits = END_BITS, bytes;
	struct swd_hist hist;

	if (!count)
		return 0;
	for (size_t at = 0; at < count; at += SWD_WINDOW) {
		uint32_t n = window_at(count, at), least = SWD_IMPOSSIBLE;

		swd_classify(symbols + at, n);
		swd_count(symbols + at, n, &hist);
		for (int zero_runs = 0; zero_runs < 2; zero_runs++) {
			swd_choose_one(&hist, zero_runs, &best);
			if (best.bits < least)
				least = best.bits;
		}
		bits += least;
	}
	bytes = (bits + 7) / 8;
	return (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
}
