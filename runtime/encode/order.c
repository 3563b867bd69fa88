/* SPDX-License-Identifier: MIT */
/*
 * The order in which the MAC array takes weights: OFM block by OFM block, in it IFM block by IFM
 * block, in that sub-kernel by sub-kernel, and so on to microblocks, padded with zeros to whole
 * ones. All families walk the same loops; what differs is in struct wenc_order, worked out once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encode/order.h"

#define SUB_KERNEL	8u	/* taps of a side of a sub-kernel, dilation included */
#define U55_IFM_UBLOCK	8u
#define U85_GROUP	4u	/* OFM channels that go to a stream together */
#define EXTENT_MAX	65536u	/* registers of 16 bits hold an extent less 1 */

/* Depth of U85's microblocks, by log2(MACs / 128) and ACC_FORMAT.microblock; 0: there is none. */
static const uint8_t u85_ublock[5][6] = {
	/* 1x1 1x2 1x4 2x2 2x4 4x4 */
	{ 16,   8,  0,  0,  0,  0 },
	{  0,  16,  8,  8,  0,  0 },
	{  0,   0, 16, 16,  0,  0 },
	{  0,   0, 32, 32, 16,  0 },
	{  0,   0, 64, 64,  0, 16 },
};

/* And its weight streams. */
static const uint8_t u85_streams[5] = { 1, 1, 2, 4, 4 };

/* How taps are walked and padded. */
struct walk {
	uint32_t sub_h, sub_w;
	uint32_t stride_y, stride_x;	/* one phase of the stride after the other */
	uint32_t round;			/* taps are padded to a multiple */
	uint32_t pad;			/* and this many follow each such group */
	bool columns_first;		/* sub-kernels: down, then across */
	bool serpentine;
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t round_up(uint32_t value, uint32_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static void u55_parameters(struct wenc_order *o, struct walk *walk, const struct wenc_layer *layer,
			   const struct wenc_config *config)
{
	bool wide = config->ifm_bits == 16, part = config->part_kernel && !layer->depthwise;

	o->streams = config->cores;
	o->spread = config->cores;
	for (uint32_t i = 0; i < 2; i++)
		o->block[i] = (config->ofm_block_depth + config->cores - 1 - i) / config->cores;
	o->ublock = config->arch == 55 && config->macs == 32 ? 4 : 8;
	o->lanes = o->ublock;
	o->ifm_step = U55_IFM_UBLOCK;
	o->ifm_block = part || wide ? 16 : 32;
	o->ifm_walk = part ? U55_IFM_UBLOCK : o->ifm_block;
	walk->round = !part ? 1 : wide ? 2 : 4;
	if (layer->depthwise) {
		o->ifm_block = o->ifm_walk = o->ifm_step = 1;
		walk->round = 4;
	}
}

static int u85_parameters(struct wenc_order *o, struct walk *walk, const struct wenc_layer *layer,
			  const struct wenc_config *config, bool sparse, struct error *err)
{
	bool wide = config->ifm_bits == 16, part = config->part_kernel && !layer->depthwise;
	bool small = config->macs <= 256;
	unsigned int row = 0;

	while (row < 5 && 128u << row != config->macs)
		row++;
	if (row == 5)
		return error_set(err, -EINVAL, "no Ethos-U85 has %u MACs", config->macs);
	if (config->microblock > 5 || !u85_ublock[row][config->microblock])
		return error_set(err, -EINVAL, "an Ethos-U85-%u has no microblock %u", config->macs,
				 config->microblock);
	o->streams = u85_streams[row];
	o->spread = 1;
	o->block[0] = o->block[1] = config->ofm_block_depth;
	o->ublock = u85_ublock[row][config->microblock];
	o->lanes = o->ublock / o->streams;
	o->turn = true;
	walk->columns_first = true;
	walk->serpentine = true;
	if (layer->depthwise || part) {
		walk->stride_y = layer->stride_y;
		walk->stride_x = layer->stride_x;
	}
	if (layer->depthwise) {
		o->ifm_block = o->ifm_walk = o->ifm_step = 1;
		walk->round = 10;
		walk->pad = !wide && small ? 0 : config->macs <= 512 ? 2 : 6;
		return 0;
	}
	o->ifm_step = sparse ? 16 : 8;
	if (part) {
		o->ifm_block = 16;
		o->ifm_walk = wide && !sparse ? 8 : 16;
		walk->round = wide || sparse ? 10 : 5;
	} else {
		if (config->ifm_bits == 32 || (small && o->ublock == 16 && !sparse))
			o->ifm_block = 32;
		else
			o->ifm_block = sparse && config->ifm_bits == 8 ? 128 : 64;
		o->ifm_walk = o->ifm_block;
	}
	return 0;
}

/* The taps of the sub-kernel at (y0, x0), appended to o->taps. */
static void list_taps(struct wenc_order *o, const struct walk *walk, const struct wenc_layer *layer,
		      uint32_t y0, uint32_t x0, uint32_t *at)
{
	uint32_t h = least(walk->sub_h, layer->kh - y0), w = least(walk->sub_w, layer->kw - x0);
	uint32_t left = round_up(h * w, walk->round);

	for (uint32_t py = 0; py < least(walk->stride_y, h); py++)
		for (uint32_t px = 0; px < least(walk->stride_x, w); px++) {
			uint32_t rows = (h - py + walk->stride_y - 1) / walk->stride_y;
			uint32_t columns = (w - px + walk->stride_x - 1) / walk->stride_x;

			for (uint32_t i = 0; i < rows * columns; i++) {
				uint32_t y = i / columns, x = i % columns;

				if (walk->serpentine && y & 1)
					x = columns - 1 - x;
				y = y0 + py + y * walk->stride_y;
				x = x0 + px + x * walk->stride_x;
				o->taps[(*at)++] = y * layer->kw + x;
				if (--left % walk->round == 0)
					for (uint32_t p = 0; p < walk->pad; p++)
						o->taps[(*at)++] = ORDER_NO_TAP;
			}
		}
	if (left)
		for (left += walk->pad; left; left--)
			o->taps[(*at)++] = ORDER_NO_TAP;
}

static int list_kernels(struct wenc_order *o, const struct walk *walk,
			const struct wenc_layer *layer)
{
	uint32_t down = (layer->kh + walk->sub_h - 1) / walk->sub_h;
	uint32_t across = (layer->kw + walk->sub_w - 1) / walk->sub_w;
	uint32_t most = round_up(walk->sub_h * walk->sub_w, walk->round), at = 0;
	size_t room = (size_t)down * across;

	most += most / walk->round * walk->pad;
	o->kernels = calloc(room, sizeof(*o->kernels));
	o->taps = calloc(room, most * sizeof(*o->taps));
	if (!o->kernels || !o->taps)
		return -ENOMEM;
	for (uint32_t i = 0; i < room; i++) {
		uint32_t y = walk->columns_first ? i % down : i / across;
		uint32_t x = walk->columns_first ? i / down : i % across;

		o->kernels[i].first = at;
		list_taps(o, walk, layer, y * walk->sub_h, x * walk->sub_w, &at);
		o->kernels[i].count = at - o->kernels[i].first;
	}
	o->kernel_count = (uint32_t)room;
	return 0;
}

static int check(const struct wenc_layer *layer, const struct wenc_config *config,
		 uint32_t channels, struct error *err)
{
	if (config->arch != 55 && config->arch != 65 && config->arch != 85)
		return error_set(err, -EINVAL, "there is no Ethos-U%u", config->arch);
	if (config->ifm_bits != 8 && config->ifm_bits != 16 && config->ifm_bits != 32)
		return error_set(err, -EINVAL, "an IFM of %u bits", config->ifm_bits);
	if (!channels || channels > EXTENT_MAX || !layer->ic || layer->ic > EXTENT_MAX)
		return error_set(err, -EINVAL, "%u OFM and %u IFM channels: 1 to %u are possible",
				 channels, layer->ic, EXTENT_MAX);
	if (layer->depthwise && layer->ic != 1)
		return error_set(err, -EINVAL, "depthwise weights with %u IFM channels each",
				 layer->ic);
	if (!layer->kh || layer->kh > EXTENT_MAX || !layer->kw || layer->kw > EXTENT_MAX ||
	    (uint64_t)layer->kh * layer->kw > EXTENT_MAX)
		return error_set(err, -EINVAL, "a kernel of %ux%u", layer->kh, layer->kw);
	if (layer->dilation_y - 1 > 1 || layer->dilation_x - 1 > 1)
		return error_set(err, -EINVAL, "dilation %ux%u: 1 and 2 are possible",
				 layer->dilation_y, layer->dilation_x);
	if (!layer->stride_y || layer->stride_y > 4 || !layer->stride_x || layer->stride_x > 4)
		return error_set(err, -EINVAL, "stride %ux%u: 1 to 4 are possible",
				 layer->stride_y, layer->stride_x);
	if (config->arch != 85 &&
	    (!config->cores || config->cores > (config->arch == 65 ? 2 : 1)))
		return error_set(err, -EINVAL, "%u cores on an Ethos-U%u", config->cores,
				 config->arch);
	if (!config->ofm_block_depth || config->ofm_block_depth > EXTENT_MAX ||
	    (config->arch != 85 && config->ofm_block_depth < config->cores))
		return error_set(err, -EINVAL, "an OFM block of depth %u",
				 config->ofm_block_depth);
	return 0;
}

int wenc_order_init(struct wenc_order *o, const struct wenc_layer *layer,
		    const struct wenc_config *config, uint32_t channels, bool sparse,
		    struct error *err)
{
	struct walk walk = {
		.sub_h = SUB_KERNEL, .sub_w = SUB_KERNEL, .stride_y = 1, .stride_x = 1, .round = 1,
	};
	int ret = check(layer, config, channels, err);

	if (ret)
		return ret;
	walk.sub_h /= layer->dilation_y;
	walk.sub_w /= layer->dilation_x;
	*o = (struct wenc_order){
		.oc = channels, .taps_all = layer->kh * layer->kw, .ic = layer->ic,
	};
	if (config->arch == 85)
		ret = u85_parameters(o, &walk, layer, config, sparse, err);
	else
		u55_parameters(o, &walk, layer, config);
	if (ret)
		return ret;
	o->fast_block = (size_t)o->lanes * o->ifm_walk * walk.round;
	ret = list_kernels(o, &walk, layer);
	if (ret)
		wenc_order_free(o);
	return ret;
}

void wenc_order_free(struct wenc_order *o)
{
	free(o->taps);
	free(o->kernels);
}

/* OFM channels of the operation that stream @stream holds, not counting shares of microblocks. */
static uint32_t stream_channels(const struct wenc_order *o, uint32_t stream)
{
	return o->spread == 1 ? o->oc : (o->oc + o->spread - 1 - stream) / o->spread;
}

uint64_t wenc_order_symbols(const struct wenc_order *o, uint32_t stream)
{
	uint32_t block = o->block[stream > 0], channels = stream_channels(o, stream);
	uint64_t lanes, taps = 0;

	lanes = (uint64_t)(channels / block) * (round_up(block, o->ublock) / o->ublock) +
		round_up(channels % block, o->ublock) / o->ublock;
	for (uint32_t i = 0; i < o->kernel_count; i++)
		taps += o->kernels[i].count;
	return lanes * o->lanes * taps * round_up(o->ic, o->ifm_walk);
}

/* Where one stream's channels are. */
struct emitter {
	const struct wenc_order *o;
	const uint16_t *w;
	uint32_t stream;
	uint32_t channels;		/* of the stream */
	uint8_t lane[ORDER_MAX_LANES];	/* channels of a microblock */
};

/* One tap of a microblock: the IFM channels from @ic on. */
static uint16_t *emit_tap(const struct emitter *e, uint32_t oc, uint32_t ic, uint32_t tap,
			  uint16_t *out)
{
	const struct wenc_order *o = e->o;
	uint32_t first = o->spread == 1 ? 0 : e->stream;
	size_t per_channel = (size_t)o->taps_all * o->ic;

	if (tap == ORDER_NO_TAP) {
		size_t count = (size_t)o->lanes * o->ifm_walk;

		memset(out, 0, count * sizeof(*out));
		return out + count;
	}
	for (uint32_t i = ic; i < ic + o->ifm_walk; i += o->ifm_step) {
		uint32_t width = i < o->ic ? least(o->ifm_step, o->ic - i) : 0;
		const uint16_t *from = e->w + (size_t)tap * o->ic + i;

		for (uint32_t l = 0; l < o->lanes; l++, out += o->ifm_step) {
			uint32_t c = oc + e->lane[l];

			if (c >= e->channels || !width) {
				memset(out, 0, o->ifm_step * sizeof(*out));
				continue;
			}
			c = c * o->spread + first;
			if (width == 8 && o->ifm_step == 8) {
				memcpy(out, from + c * per_channel, 8 * sizeof(*out));
				continue;
			}
			memcpy(out, from + c * per_channel, width * sizeof(*out));
			memset(out + width, 0, (o->ifm_step - width) * sizeof(*out));
		}
	}
	return out;
}

/* All sub-kernels of the IFM block at @iz for the OFM block at @oz. */
static uint16_t *emit_blocks(const struct emitter *e, uint32_t oz, uint32_t iz, uint16_t *out)
{
	const struct wenc_order *o = e->o;
	uint32_t oz_end = least(oz + o->block[e->stream > 0], e->channels);
	uint32_t iz_end = least(iz + o->ifm_block, o->ic);

	for (uint32_t k = 0; k < o->kernel_count; k++) {
		const uint32_t *taps = o->taps + o->kernels[k].first;

		for (uint32_t ic = iz; ic < iz_end; ic += o->ifm_walk)
			for (uint32_t oc = oz; oc < oz_end; oc += o->ublock)
				for (uint32_t t = 0; t < o->kernels[k].count; t++)
					out = emit_tap(e, oc, ic, taps[t], out);
	}
	return out;
}

void wenc_order_emit(const struct wenc_order *o, const uint16_t *w, uint32_t stream, uint16_t *out)
{
	struct emitter e = {
		.o = o, .w = w, .stream = stream, .channels = stream_channels(o, stream),
	};
	uint32_t blocks = (o->ic + o->ifm_block - 1) / o->ifm_block, n = 0;
	bool back = false;

	for (uint32_t lane = 0; lane < o->ublock; lane++)
		if (o->spread > 1 || lane / U85_GROUP % o->streams == stream)
			e.lane[n++] = (uint8_t)lane;
	for (uint32_t oz = 0; oz < e.channels; oz += o->block[stream > 0]) {
		for (uint32_t i = 0; i < blocks; i++) {
			uint32_t block = back ? blocks - 1 - i : i;

			out = emit_blocks(&e, oz, block * o->ifm_block, out);
		}
		back = o->turn && !back;
	}
}
