/* SPDX-License-Identifier: MIT */
/*
 * Constants of a convolution as the NPU reads them: weights in the order of the MAC array, coded,
 * and the stream of bias and scale records, packed slice by slice into one blob.
 *
 * No state is kept between calls and the result depends on the arguments alone, so that layers may
 * be encoded on as many threads as there are.
 */
#ifndef ACCEL_RUNTIME_ENCODE_WEIGHTS_H
#define ACCEL_RUNTIME_ENCODE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"

struct swd_search;

#define WENC_MAX_STREAMS	4	/* weight streams of one operation: U65-512 2, U85 up to 4 */
#define WENC_ALIGN		16	/* of every range in a blob, and of its length */

enum wenc_type { WENC_S8, WENC_U8, WENC_S16 };

/**
 * struct wenc_layer - the weights of one CONV, DEPTHWISE or FULLY_CONNECTED operation
 * @weights: first element: of OFM channel 0, tap (0,0), IFM channel 0
 * @type: of an element
 * @step_o, @step_y, @step_x, @step_i: elements from one OFM channel, kernel row, kernel column, IFM
 *	channel to the next; may be negative (a flipped kernel). wenc_layer_ohwi() fills them in
 * @oc: OFM channels
 * @kh, @kw: taps, dilation not counted
 * @ic: IFM channels; 1 if @depthwise
 * @stride_y, @stride_x, @dilation_y, @dilation_x: of the operation; dilation is 1 or 2
 * @depthwise: OFM channel c reads IFM channel c only
 * @zero_points, @zero_point_count: of the weights: none (0), one for all, or one a channel
 *
 * A weight less its zero point must be in -255..255.
 */
struct wenc_layer {
	const void *weights;
	enum wenc_type type;
	ptrdiff_t step_o, step_y, step_x, step_i;
	uint32_t oc, kh, kw, ic;
	uint32_t stride_y, stride_x, dilation_y, dilation_x;
	bool depthwise;
	const int32_t *zero_points;
	uint32_t zero_point_count;
};

/* Steps of weights that lie as [oc][kh][kw][ic] (TFLite CONV_2D, FULLY_CONNECTED). */
void wenc_layer_ohwi(struct wenc_layer *layer);

/* Steps of weights that lie as [kh][kw][oc] (TFLite DEPTHWISE_CONV_2D). */
void wenc_layer_hwo(struct wenc_layer *layer);

/**
 * enum wenc_format - how weights are coded
 * @WENC_STANDARD: the compressed bit stream (SWD), one stream a core
 * @WENC_SPARSE: the same in the order of U85's 2:4 sparsity
 * @WENC_FAST: U85's fast format (FWD): indices of a table or raw bytes, one stream
 * @WENC_FAST_SPARSE: raw bytes in the order of 2:4 sparsity
 * @WENC_AUTO: the best of those the weights allow, by wenc_config.goal
 */
enum wenc_format { WENC_STANDARD, WENC_SPARSE, WENC_FAST, WENC_FAST_SPARSE, WENC_AUTO };

/* True if the format sets bit 0 (fast) or bit 4 (sparse) of NPU_SET_WEIGHT_FORMAT. */
#define WENC_IS_FAST(format)	((format) == WENC_FAST || (format) == WENC_FAST_SPARSE)
#define WENC_IS_SPARSE(format)	((format) == WENC_SPARSE || (format) == WENC_FAST_SPARSE)

enum wenc_goal { WENC_GOAL_SIZE, WENC_GOAL_SPEED };

/**
 * struct wenc_config - what the order and the code depend on beside the layer
 * @arch: 55, 65 or 85
 * @macs: of the NPU, all cores together
 * @cores: streams: U55 1, U65 1, or 2 for the 512 in parallel mode; ignored for U85, which has as
 *	many as its size says
 * @ifm_bits: 8, 16 or 32
 * @ofm_block_depth: OFM_BLK_DEPTH, of all cores together
 * @part_kernel: kernel traversal: part-kernel-first, else depth-first; ignored if depthwise
 * @microblock: U85: ACC_FORMAT.microblock
 * @acc48: U85: scale records are those of 48-bit accumulators
 * @format: what to make; U55 and U65, and depthwise on all, have WENC_STANDARD only (and AUTO, which
 *	is then that)
 * @goal: of WENC_AUTO
 * @bytes_per_cycle, @latency: WENC_GOAL_SPEED: of the memory that the NPU reads weights from;
 *	0: only the decoder limits
 * @op_cycles, @op_cycles_sparse: WENC_GOAL_SPEED: what the operation takes apart from its weights,
 *	with dense and with 2:4 weights; both 0: not known, formats are compared by decoding alone
 * @search: working memory for many layers, one thread at a time, from swd_search_new(); NULL: its own
 */
struct wenc_config {
	unsigned int arch, macs, cores;
	unsigned int ifm_bits;
	uint32_t ofm_block_depth;
	bool part_kernel;
	unsigned int microblock;
	bool acc48;
	enum wenc_format format;
	enum wenc_goal goal;
	double bytes_per_cycle, latency;
	double op_cycles, op_cycles_sparse;
	struct swd_search *search;
};

/**
 * struct wenc_scale - what one OFM channel's record says
 * @bias: U55/U65 40 bits, U85 32 or 48
 * @scale: U55/U65 32 bits, U85 31 or 15
 * @shift: 0..63
 */
struct wenc_scale {
	int64_t bias;
	uint32_t scale;
	uint8_t shift;
};

/* Bytes in a blob. */
struct wenc_range {
	uint32_t offset, length;
};

/**
 * struct wenc_slice - the constants of some OFM channels, for one NPU operation
 * @first, @channels: which
 * @range: of all that follows
 * @scales: SCALE_BASE/LENGTH, U65-512 also SCALE1; U85: [0] only
 * @weights: WEIGHT_BASE/LENGTH, WEIGHT1..3; length 0: none
 * @symbols: weights in the streams, padding included
 * @decode_cycles: U85: of the weight decoders, an estimate (see wenc_decode_cycles()); else 0
 */
struct wenc_slice {
	uint32_t first, channels;
	struct wenc_range range;
	struct wenc_range scales[2];
	struct wenc_range weights[WENC_MAX_STREAMS];
	uint64_t symbols;
	double decode_cycles;
};

/**
 * struct wenc_blob - what wenc_encode() makes
 * @data, @size: bytes, @size a multiple of 16; slice after slice, a slice is [scales of core 0]
 *	[weights of core 0][scales of core 1][weights of core 1], on U85 [scales][weights ...]
 * @slices, @slice_count: where what is
 * @format: never WENC_AUTO
 */
struct wenc_blob {
	uint8_t *data;
	size_t size;
	struct wenc_slice *slices;
	uint32_t slice_count;
	enum wenc_format format;
};

/**
 * wenc_encode - encode the weights and scales of a layer
 * @scales: layer->oc records, or NULL: no scale streams (their ranges are empty)
 * @starts, @start_count: first channels of the depth slices, ascending from 0; NULL: one slice.
 *	Every slice is for an operation of its own
 * @out: on success owned by the caller: wenc_blob_free()
 * @err: says what is wrong with which channel or parameter
 *
 * Return: 0; -EINVAL: parameters no NPU has; -ERANGE: a weight, bias or scale that does not fit its
 * field, or weights that the format asked for cannot express; -ENOMEM.
 */
int wenc_encode(const struct wenc_layer *layer, const struct wenc_config *config,
		const struct wenc_scale *scales, const uint32_t *starts, uint32_t start_count,
		struct wenc_blob *out, struct error *err);

void wenc_blob_free(struct wenc_blob *blob);

/**
 * struct wenc_size - sizes of a layer or of a slice, scales not counted
 * @bytes: of all weight streams
 * @symbols: weights in them, padding included
 * @zeros: of these, how many are 0
 */
struct wenc_size {
	uint64_t bytes, symbols, zeros;
};

/**
 * wenc_estimate - what wenc_encode() would give for WENC_STANDARD and WENC_SPARSE, from histograms
 * @first, @channels: OFM channels of the slice
 *
 * Coded with one palette and one set of parameters: what is encoded is rarely larger. Several times
 * as quick as encoding.
 *
 * Return: as wenc_encode().
 */
int wenc_estimate(const struct wenc_layer *layer, const struct wenc_config *config, uint32_t first,
		  uint32_t channels, struct wenc_size *out, struct error *err);

/**
 * wenc_decode_cycles - U85: cycles that the weight decoders take, the public model's figure
 * @streams: weight decoders
 * @distinct: different values among the weights, for the fast format
 */
double wenc_decode_cycles(enum wenc_format format, unsigned int streams, uint64_t symbols,
			  uint64_t zeros, unsigned int distinct);

#endif
