/* SPDX-License-Identifier: MIT */
/*
 * The standard weight bit stream (SWD), the encoder's side.
 *
 * A stream is a chain of slices. A weight is folded to (magnitude << 1 | sign), a palette maps that
 * to an index, and the index is coded: as a fixed number of bits, or Golomb-Rice, a quotient in
 * unary and a remainder. With zero runs on, zeros are not weights, but every weight is followed by
 * the length of the run of zeros after it, Golomb-Rice coded too. Slices that share a palette are a
 * section here; zero runs are on or off for a whole section.
 *
 * The encoder works on classes: the folded value, but for a zero how many divisors of a run code
 * (1, 2, 4, 8) divide its place in its run, because the quotient of a run of n zeros with divisor d
 * is the number of places 1..n that d divides. So a histogram of classes says what any code costs.
 */
#ifndef ACCEL_RUNTIME_ENCODE_SWD_H
#define ACCEL_RUNTIME_ENCODE_SWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWD_VALUES	512u	/* folded: a sign and 8 bits */
#define SWD_CLASSES	515u	/* class 0: a zero at an odd place; SWD_VALUES and on: 2, 4, 8 */
#define SWD_PALETTE_MAX	32u
#define SWD_SLICE_MAX	32767u	/* weights */
#define SWD_WINDOW	(4 * SWD_SLICE_MAX)	/* weights and zeros, searched at a time */
#define SWD_QUOTIENT_MAX	31u	/* no encoder known makes longer ones */
#define SWD_CHUNK	12u	/* unary bits of a chunk */
#define SWD_WORTH	8u	/* modes that take more than this part more are not of interest */
#define SWD_NO_INDEX	UINT16_MAX
#define SWD_IMPOSSIBLE	UINT32_MAX

/* How the weights of a slice are coded: 0..5 Golomb-Rice of that divisor, 6..11 truncated, fixed. */
enum { SWD_TRUNCATED = 6, SWD_FIXED = 12, SWD_MODES };

/* And zero runs: 0..3 the divisor. */
#define SWD_RUN_MODES	4u

/**
 * struct swd_palette - how folded values become indices
 * @size: entries, 0 or 2..32; index i < @size is entry[i]
 * @offset: value of index @size, 0..31
 * @bits: of an entry and, without entries, of an index of fixed width
 * @zero_runs: zeros are coded as runs
 */
struct swd_palette {
	uint8_t size, offset, bits;
	bool zero_runs;
	uint16_t entry[SWD_PALETTE_MAX];
};

/* How many there are of each class. */
struct swd_hist {
	uint32_t count[SWD_CLASSES];
};

/**
 * struct swd_choice - parameters of a slice
 * @bits: that they cost, headers included, parts of chunks not counted; SWD_IMPOSSIBLE
 */
struct swd_choice {
	struct swd_palette palette;
	uint8_t mode, run_mode;
	uint32_t bits;
};

/**
 * struct swd_slice - a slice of the stream
 * @start, @end: its classes
 * @palette: the section's
 * @new_palette: is first of its section
 */
struct swd_slice {
	uint32_t start, end;
	const struct swd_palette *palette;
	uint8_t mode, run_mode;
	bool new_palette;
};

/* A growing stream of bits, the least significant first. */
struct swd_bits {
	uint8_t *data;
	size_t len, size;
	uint64_t word;
	unsigned int fill;	/* bits in @word */
};

/* --- swd_palette.c: what codes cost --- */

/* Turn folded values into classes, in place. */
void swd_classify(uint16_t *symbols, size_t count);

/* Histogram of classes. */
void swd_count(const uint16_t *classes, size_t count, struct swd_hist *hist);

static inline uint32_t swd_zeros(const struct swd_hist *hist)
{
	return hist->count[0] + hist->count[SWD_VALUES] + hist->count[SWD_VALUES + 1] +
		hist->count[SWD_VALUES + 2];
}

/* Index of each folded value, SWD_NO_INDEX if it has none. */
void swd_index(const struct swd_palette *palette, uint16_t index[SWD_VALUES]);

/* Bits of an index of fixed width. */
unsigned int swd_width(const struct swd_palette *palette);

/**
 * swd_choose - find the palette for a histogram
 * @best: for each mode the cheapest, zero runs coded the cheapest way; a mode may be impossible that
 *	takes over 1/SWD_WORTH more than the cheapest of all
 *
 * Return: the mode that is the cheapest of all.
 */
unsigned int swd_choose(const struct swd_hist *hist, bool zero_runs,
			struct swd_choice best[SWD_MODES]);

/* What swd_choose() would find in the mode that it returns. */
void swd_choose_one(const struct swd_hist *hist, bool zero_runs, struct swd_choice *best);

/**
 * swd_slice_bits - the exact size of a slice, header included
 * @slice: its palette and new_palette; mode and run_mode are set to the cheapest
 * @index: of its palette
 * @hist: of its classes
 * @high_value: none of its values is greater
 *
 * Return: bits, SWD_IMPOSSIBLE if a value has no index.
 */
uint32_t swd_slice_bits(struct swd_slice *slice, const uint16_t index[SWD_VALUES],
			const struct swd_hist *hist, uint32_t high_value);

/* Unary bits of a chunk of zero runs. */
static inline uint32_t swd_run_chunk(unsigned int run_mode)
{
	return run_mode == SWD_RUN_MODES - 1 ? 8 : SWD_CHUNK;
}

/* Unary bits with the last chunk filled up. */
static inline uint32_t swd_filled(uint32_t bits, uint32_t chunk)
{
	return (bits + chunk - 1) / chunk * chunk;
}

/* Bits of a slice's header. */
uint32_t swd_header_bits(const struct swd_palette *palette, bool new_palette);

/* --- swd_search.c: where to cut --- */

struct swd_search;

/* Working memory for windows, one after the other. NULL: none left. */
struct swd_search *swd_search_new(void);
void swd_search_free(struct swd_search *search);

/**
 * swd_search_window - cut a window into sections and slices
 * @classes, @count: 1 to SWD_WINDOW
 * @slices: on return the slices, valid until the next call
 *
 * Return: number of slices.
 */
uint32_t swd_search_window(struct swd_search *search, const uint16_t *classes, uint32_t count,
			   const struct swd_slice **slices);

/* --- swd_put.c: bits --- */

/* Make room for @more bytes after out->len. Returns 0 or -ENOMEM. */
int swd_grow(struct swd_bits *out, size_t more);

/* Append a slice. Returns 0 or -ENOMEM. */
int swd_put_slice(struct swd_bits *out, const uint16_t *classes, const struct swd_slice *slice);

/* Append the end of the stream, fill up to 16 bytes. */
int swd_put_end(struct swd_bits *out);

/* --- swd.c: all of it --- */

/**
 * swd_encode - encode a stream
 * @symbols: folded weights; spoilt
 * @out: bytes are appended; the caller frees out->data
 * @search: working memory, or NULL: its own
 *
 * Return: 0 or -ENOMEM.
 */
int swd_encode(uint16_t *symbols, size_t count, struct swd_bits *out, struct swd_search *search);

/* swd_estimate - bytes with one slice a window. @symbols are spoilt. */
uint64_t swd_estimate(uint16_t *symbols, size_t count);

#endif
