/* SPDX-License-Identifier: MIT */
/*
 * Weight and scale streams. A weight stream is bits (mlw.c, or the fast format below) that stand
 * for weights in the order in which the MAC array takes them: block by block, padded with zeros to
 * whole microblocks. Here they are put in the order [oc][ky][kx][ic].
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mlw.h"
#include "sim/weights.h"
#include "uapi/ethosu_arch.h"

#define SUB_KERNEL	8u	/* taps of a side of a sub-kernel, dilation included */
#define U55_IFM_UBLOCK	8u
#define U85_INTERLEAVE	4u	/* OFM channels that go to a core together */
#define RECORD_BYTES	10u	/* of a scale stream */

#define FWD_HEADER_BYTES	32u
#define FWD_LUT			16u
#define FWD_PER_BYTE		4u

/**
 * struct order - the order of one stream of an operation
 * @oc: OFM channels of the operation on U85, of the stream on U55/U65
 * @ic: IFM channels, 1 if depthwise
 * @core, @cores: which stream of how many
 * @ofm_block: channels of an OFM block, on U55/U65 of those of the stream
 * @ofm_ublock: and of a microblock
 * @ifm_block: IFM channels that are walked before the next tap (or, part-kernel, block of taps)
 * @ifm_ublock: that are walked for each tap
 * @ifm_step: that lie side by side in the stream
 * @tap_round: taps of a sub-kernel are padded to a multiple of this
 * @tap_pad: depthwise on U85: empty taps after each @tap_round taps
 * @sub_h, @sub_w: taps of a sub-kernel
 * @stride_y, @stride_x: U85: taps are walked with this stride, one phase after the other
 */
struct order {
	uint32_t oc, ic;
	uint32_t kernel_h, kernel_w;
	uint32_t core, cores;
	uint32_t ofm_block, ofm_ublock;
	uint32_t ifm_block, ifm_ublock, ifm_step;
	uint32_t tap_round, tap_pad;
	uint32_t sub_h, sub_w;
	uint32_t stride_y, stride_x;
	bool depthwise, part_kernel;
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t round_up(uint32_t value, uint32_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* U85: OFM channels of a microblock, 0 if the array cannot be laid out like that. */
static uint32_t u85_ofm_ublock(const struct npu_config *config, unsigned int microblock)
{
	const struct ethosu_arch *arch = ethosu_arch_find(config->arch, config->macs);

	return arch && microblock < ETHOSU_UBLOCKS ? arch->ofm_ublock[microblock].d : 0;
}

static int order_common(const struct npu_op *op, struct order *o)
{
	if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE)
		return -EINVAL;
	if (!op->ofm_block_depth || op->dilation_y - 1u >= SUB_KERNEL ||
	    op->dilation_x - 1u >= SUB_KERNEL)
		return -EINVAL;
	*o = (struct order){
		.oc = op->oc,
		.ic = op->kind == NPU_KIND_DEPTHWISE ? 1 : op->a.depth,
		.kernel_h = op->kernel_h,
		.kernel_w = op->kernel_w,
		.sub_h = SUB_KERNEL / op->dilation_y,
		.sub_w = SUB_KERNEL / op->dilation_x,
		.stride_y = 1,
		.stride_x = 1,
		.depthwise = op->kind == NPU_KIND_DEPTHWISE,
		.part_kernel = op->kind == NPU_KIND_CONV && op->part_kernel,
	};
	return 0;
}

static int u55_order(const struct npu_config *config, const struct npu_op *op, struct order *o)
{
	bool wide = op->a.elem_log2 == 1;
	int ret = order_common(op, o);

	if (ret)
		return ret;
	if (!op->cores || op->cores > config->cores || !config->ublock_depth)
		return -EINVAL;
	o->cores = op->cores;
	o->ofm_ublock = config->ublock_depth;
	o->ifm_step = U55_IFM_UBLOCK;
	o->ifm_block = o->part_kernel || wide ? 16 : 32;
	o->ifm_ublock = o->part_kernel ? U55_IFM_UBLOCK : o->ifm_block;
	o->tap_round = o->part_kernel && wide ? 2 : o->part_kernel ? 4 : 1;
	if (o->depthwise) {
		o->ifm_block = o->ifm_ublock = o->ifm_step = 1;
		o->tap_round = 4;
	}
	return 0;
}

/* What is particular to core @core of the U55/U65: every @cores-th channel. */
static int u55_core(const struct npu_op *op, struct order *o, uint32_t core)
{
	o->core = core;
	o->oc = (op->oc + o->cores - 1 - core) / o->cores;
	o->ofm_block = (op->ofm_block_depth + o->cores - 1 - core) / o->cores;
	return o->oc && !o->ofm_block ? -EINVAL : 0;
}

static int u85_order(const struct npu_config *config, const struct npu_op *op, struct order *o)
{
	bool wide = op->a.elem_log2 == 1, sparse = op->weight_sparse;
	int ret = order_common(op, o);

	if (ret)
		return ret;
	o->cores = config->cores;
	o->ofm_block = op->ofm_block_depth;
	o->ofm_ublock = u85_ofm_ublock(config, op->microblock);
	if (!o->ofm_ublock || !op->stride_y || !op->stride_x)
		return -EINVAL;
	if (o->depthwise) {
		if (sparse || op->weight_fwd)
			return -EINVAL;
		o->ifm_block = o->ifm_ublock = o->ifm_step = 1;
		o->tap_round = 10;
		o->tap_pad = !wide && config->macs <= 256 ? 0 : config->macs <= 512 ? 2 : 6;
		o->stride_y = op->stride_y;
		o->stride_x = op->stride_x;
		return 0;
	}
	o->ifm_step = sparse ? 16 : 8;
	if (o->part_kernel) {
		o->ifm_block = 16;
		o->ifm_ublock = wide && !sparse ? 8 : 16;
		o->tap_round = wide || sparse ? 10 : 5;
		o->stride_y = op->stride_y;
		o->stride_x = op->stride_x;
		return 0;
	}
	if (op->a.elem_log2 == 2 || (config->macs <= 256 && o->ofm_ublock == 16 && !sparse))
		o->ifm_block = 32;
	else
		o->ifm_block = sparse && !op->a.elem_log2 ? 128 : 64;
	o->ifm_ublock = o->ifm_block;
	o->tap_round = 1;
	return 0;
}

/* Taps of a sub-kernel in the stream, padding included. */
static uint64_t padded_taps(const struct order *o, uint32_t h, uint32_t w)
{
	uint32_t blocks = (h * w + o->tap_round - 1) / o->tap_round;

	return (uint64_t)blocks * (o->tap_round + o->tap_pad);
}

/* Weights in the stream. Every factor is the sum over one loop of the walk. */
static bool order_symbols(const struct order *o, size_t *symbols)
{
	uint64_t full_h = o->kernel_h / o->sub_h, rest_h = o->kernel_h % o->sub_h;
	uint64_t full_w = o->kernel_w / o->sub_w, rest_w = o->kernel_w % o->sub_w;
	uint64_t taps = full_h * full_w * padded_taps(o, o->sub_h, o->sub_w) +
		full_h * padded_taps(o, o->sub_h, (uint32_t)rest_w) +
		full_w * padded_taps(o, (uint32_t)rest_h, o->sub_w) +
		padded_taps(o, (uint32_t)rest_h, (uint32_t)rest_w);
	uint64_t oc = (uint64_t)(o->oc / o->ofm_block) * round_up(o->ofm_block, o->ofm_ublock) +
		round_up(o->oc % o->ofm_block, o->ofm_ublock);
	uint64_t ic = round_up(o->ic, o->ifm_ublock);
	uint64_t product;

	return !__builtin_mul_overflow(taps, oc, &product) &&
		!__builtin_mul_overflow(product, ic, &product) &&
		!__builtin_add_overflow(product, (uint64_t)0, symbols);
}

/* Where the first IFM channel of a tap is in the result. */
static inline size_t out_index(const struct order *o, uint32_t oc, uint32_t ky, uint32_t kx)
{
	return (((size_t)oc * o->kernel_h + ky) * o->kernel_w + kx) * o->ic;
}

/*
 * A tap of @channels OFM channels, each with @ifm_step IFM channels from @ic on, of which those
 * that are @present are copied. @step is from OFM channel to OFM channel in @dst, in weights.
 */
static inline const int16_t *place(const struct order *o, const int16_t *src, uint32_t channels,
				   uint32_t present, uint32_t ic, int16_t *dst, size_t step)
{
	uint32_t width = ic < o->ic ? least(o->ifm_step, o->ic - ic) : 0;
	const int16_t *from = src;

	if (o->ifm_step == 1) {
		for (uint32_t i = 0; i < present; i++)
			dst[i * step] = from[i];
	} else if (width == 8 && o->ifm_step == 8) {
		for (uint32_t i = 0; i < present; i++, from += 8)
			memcpy(dst + i * step + ic, from, 8 * sizeof(*dst));
	} else if (width) {
		for (uint32_t i = 0; i < present; i++, from += o->ifm_step)
			memcpy(dst + i * step + ic, from, width * sizeof(*dst));
	}
	return src + (size_t)channels * o->ifm_step;
}

/* One sub-kernel of the IFM channels from @iz on, for all microblocks of the OFM block at @oz. */
static const int16_t *u55_sub_kernel(const struct order *o, const int16_t *src, int16_t *out,
				     uint32_t oz, uint32_t iz, uint32_t ky, uint32_t kx)
{
	uint32_t h = least(o->sub_h, o->kernel_h - ky), w = least(o->sub_w, o->kernel_w - kx);
	uint32_t taps = h * w, padded = round_up(taps, o->tap_round);
	uint32_t block = least(o->ofm_block, o->oc - oz);
	size_t step = out_index(o, o->cores, 0, 0);

	for (uint32_t ou = 0; ou < block; ou += o->ofm_ublock) {
		uint32_t oc = oz + ou, present = least(o->ofm_ublock, o->oc - oc);
		uint32_t y = 0, x = 0;

		for (uint32_t tap = 0; tap < taps; tap++) {
			int16_t *dst = out + out_index(o, oc * o->cores + o->core, ky + y, kx + x);

			for (uint32_t i = 0; i < o->ifm_ublock; i += o->ifm_step)
				src = place(o, src, o->ofm_ublock, present, iz + i, dst, step);
			if (++x == w) {
				x = 0;
				y++;
			}
		}
		src += (size_t)(padded - taps) * o->ofm_ublock * o->ifm_ublock;
	}
	return src;
}

static void u55_place(const struct order *o, const int16_t *src, int16_t *out)
{
	for (uint32_t oz = 0; oz < o->oc; oz += o->ofm_block)
		for (uint32_t iz = 0; iz < o->ic; iz += o->ifm_block)
			for (uint32_t ky = 0; ky < o->kernel_h; ky += o->sub_h)
				for (uint32_t kx = 0; kx < o->kernel_w; kx += o->sub_w) {
					uint32_t end = least(iz + o->ifm_block, o->ic);

					for (uint32_t i = iz; i < end; i += o->ifm_ublock)
						src = u55_sub_kernel(o, src, out, oz, i, ky, kx);
				}
}

/* A tap of a microblock: groups of four channels go round the cores. */
static inline const int16_t *u85_tap(const struct order *o, const int16_t *src, int16_t *out,
				     uint32_t oz, uint32_t iz, uint32_t ky, uint32_t kx)
{
	size_t step = out_index(o, 1, 0, 0);

	for (uint32_t i = 0; i < o->ifm_ublock; i += o->ifm_step)
		for (uint32_t ou = o->core * U85_INTERLEAVE; ou < o->ofm_ublock;
		     ou += U85_INTERLEAVE * o->cores) {
			uint32_t oc = oz + ou;
			uint32_t present = oc < o->oc ? least(U85_INTERLEAVE, o->oc - oc) : 0;
			int16_t *dst = present ? out + out_index(o, oc, ky, kx) : out;

			src = place(o, src, U85_INTERLEAVE, present, iz + i, dst, step);
		}
	return src;
}

/* The taps of a sub-kernel: phase by phase of the stride, rows to and fro. */
static const int16_t *u85_sub_kernel(const struct order *o, const int16_t *src, int16_t *out,
				     uint32_t oz, uint32_t iz, uint32_t ky, uint32_t kx)
{
	uint32_t h = least(o->sub_h, o->kernel_h - ky), w = least(o->sub_w, o->kernel_w - kx);
	uint32_t left = round_up(h * w, o->tap_round);
	uint32_t tap = o->ifm_ublock * o->ofm_ublock / o->cores;

	for (uint32_t py = 0; py < least(o->stride_y, h); py++)
		for (uint32_t px = 0; px < least(o->stride_x, w); px++) {
			uint32_t rows = (h - py + o->stride_y - 1) / o->stride_y;
			uint32_t columns = (w - px + o->stride_x - 1) / o->stride_x;

			for (uint32_t y = 0; y < rows; y++)
				for (uint32_t i = 0; i < columns; i++) {
					uint32_t x = y & 1 ? columns - 1 - i : i;

					src = u85_tap(o, src, out, oz, iz,
						      ky + py + y * o->stride_y,
						      kx + px + x * o->stride_x);
					if (--left % o->tap_round == 0)
						src += (size_t)o->tap_pad * tap;
				}
		}
	if (left)
		src += (size_t)(left + o->tap_pad) * tap;
	return src;
}

static const int16_t *u85_blocks(const struct order *o, const int16_t *src, int16_t *out,
				 uint32_t oz, uint32_t iz)
{
	uint32_t ofm_end = oz + least(o->ofm_block, o->oc - oz);
	uint32_t ifm_end = iz + least(o->ifm_block, o->ic - iz);

	for (uint32_t kx = 0; kx < o->kernel_w; kx += o->sub_w)
		for (uint32_t ky = 0; ky < o->kernel_h; ky += o->sub_h)
			for (uint32_t i = iz; i < ifm_end; i += o->ifm_ublock)
				for (uint32_t oc = oz; oc < ofm_end; oc += o->ofm_ublock)
					src = u85_sub_kernel(o, src, out, oc, i, ky, kx);
	return src;
}

/* IFM blocks are walked forth for one OFM block and back for the next. */
static void u85_place(const struct order *o, const int16_t *src, int16_t *out)
{
	uint32_t blocks = (o->ic + o->ifm_block - 1) / o->ifm_block;
	bool back = false;

	for (uint32_t oz = 0; oz < o->oc; oz += o->ofm_block, back = !back)
		for (uint32_t i = 0; i < blocks; i++) {
			uint32_t block = back ? blocks - 1 - i : i;

			src = u85_blocks(o, src, out, oz, block * o->ifm_block);
		}
}

/* The header of the fast format: what an index stands for, or raw bytes and their zero point. */
struct fwd {
	unsigned int width;	/* bits of an index */
	bool raw;
	int zero_adjust;
	int16_t lut[FWD_LUT];
};

static int fwd_header(const struct npu_stream *stream, struct fwd *fwd)
{
	const uint8_t *d = stream->data;
	bool small;

	if (stream->len < FWD_HEADER_BYTES)
		return -EINVAL;
	fwd->raw = d[0] & 1;
	small = d[0] >> 1 & 1;
	if (fwd->raw && small)
		return -EINVAL;
	fwd->width = fwd->raw ? 8 : small ? 2 : 4;
	fwd->zero_adjust = (int8_t)d[13];
	for (unsigned int i = 0; i < FWD_LUT; i++) {
		unsigned int bit = 112 + 9 * i, v = d[bit / 8];

		v |= (unsigned int)d[bit / 8 + 1] << 8;
		v = v >> bit % 8 & 0x1ff;
		fwd->lut[i] = (int16_t)(v & 1 ? -(int)(v >> 1) : (int)(v >> 1));
	}
	return 0;
}

static int fwd_decode(const struct npu_stream *stream, int16_t *out, size_t count)
{
	struct fwd fwd;
	const uint8_t *d;
	unsigned int per_byte;
	int ret = fwd_header(stream, &fwd);

	if (ret)
		return ret;
	per_byte = 8 / fwd.width;
	if ((count + per_byte - 1) / per_byte > stream->len - FWD_HEADER_BYTES)
		return -EINVAL;
	d = stream->data + FWD_HEADER_BYTES;
	if (fwd.raw) {
		for (size_t i = 0; i < count; i++)
			out[i] = (int16_t)((int8_t)d[i] - fwd.zero_adjust);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned int shift = (unsigned int)(i % per_byte) * fwd.width;

		out[i] = fwd.lut[d[i / per_byte] >> shift & ((1u << fwd.width) - 1)];
	}
	return 0;
}

/*
 * In the fast format the streams of all cores are one: blocks go round the cores. Gives core after
 * core in @apart.
 */
static void fwd_deal(const struct order *o, const int16_t *merged, int16_t *apart, size_t per_core)
{
	size_t block = (size_t)o->ofm_ublock * o->ifm_ublock * o->tap_round / o->cores;

	for (size_t at = 0; at < per_core; at += block)
		for (uint32_t core = 0; core < o->cores; core++, merged += block)
			memcpy(apart + core * per_core + at, merged, block * sizeof(*merged));
}

static int u85_fwd(struct order *o, const struct npu_stream *stream, int16_t *out)
{
	int16_t *merged, *apart;
	size_t symbols, per_core;
	int ret;

	if (!order_symbols(o, &symbols) || symbols / FWD_PER_BYTE > stream->len)
		return -EINVAL;
	per_core = symbols / o->cores;
	merged = malloc(2 * symbols * sizeof(*merged));
	if (!merged)
		return -ENOMEM;
	apart = merged + symbols;
	ret = fwd_decode(stream, merged, symbols);
	if (ret)
		goto out;
	fwd_deal(o, merged, apart, per_core);
	for (o->core = 0; o->core < o->cores; o->core++)
		u85_place(o, apart + o->core * per_core, out);
out:
	free(merged);
	return ret;
}

typedef void (*order_walk)(const struct order *o, const int16_t *src, int16_t *out);

/* The @share-th part of the weights of the order are in @stream. */
static int swd_stream(const struct order *o, uint32_t share, const struct npu_stream *stream,
		      order_walk walk, int16_t *out)
{
	int16_t *weights;
	size_t symbols;
	int ret;

	if (!order_symbols(o, &symbols))
		return -EINVAL;
	symbols /= share;
	if (symbols / NPU_MLW_PER_BYTE > stream->len)
		return -EINVAL;
	weights = malloc(symbols * sizeof(*weights));
	if (!weights)
		return -ENOMEM;
	ret = npu_mlw_decode_exact(stream->data, stream->len, weights, symbols);
	if (!ret)
		walk(o, weights, out);
	free(weights);
	return ret;
}

size_t npu_weights_count(const struct npu_op *op)
{
	uint64_t count = (uint64_t)op->kernel_h * op->kernel_w, len = 0;
	uint32_t ic = op->kind == NPU_KIND_DEPTHWISE ? 1 : op->a.depth;

	for (unsigned int i = 0; i < NPU_MAX_CORES; i++)
		len += op->weight_len[i];
	if (__builtin_mul_overflow(count, op->oc, &count) ||
	    __builtin_mul_overflow(count, ic, &count) || count > SIZE_MAX / sizeof(int16_t))
		return 0;
	if (len && count / NPU_MLW_PER_BYTE > len)
		return 0;
	return (size_t)count;
}

int npu_weights_decode(const struct npu_config *config, const struct npu_op *op,
		       const struct npu_stream streams[NPU_MAX_CORES], int16_t *out, size_t count)
{
	struct order o;
	int ret;

	if (!count || count != npu_weights_count(op))
		return -EINVAL;
	if (config->arch == 85) {
		ret = u85_order(config, op, &o);
		if (!ret && op->weight_fwd)
			return u85_fwd(&o, &streams[0], out);
		for (o.core = 0; !ret && o.core < o.cores; o.core++)
			ret = swd_stream(&o, o.cores, &streams[o.core], u85_place, out);
		return ret;
	}
	ret = u55_order(config, op, &o);
	for (uint32_t core = 0; !ret && core < o.cores; core++) {
		ret = u55_core(op, &o, core);
		if (!ret && o.oc)
			ret = swd_stream(&o, 1, &streams[core], u55_place, out);
	}
	return ret;
}

static uint64_t get_le(const uint8_t *data, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)data[i] << 8 * i;
	return value;
}

/* Where the fields of a record are: bias, scale, and the bits of the scale that count. */
struct record {
	unsigned int bias_bytes, scale_bytes, shift_at;
	uint32_t scale_mask;
};

static const struct record record_u55 = { 5, 4, 9, UINT32_MAX };
static const struct record record_u85_32 = { 4, 4, 8, 0x7fffffff };
static const struct record record_u85_48 = { 6, 2, 8, 0x7fff };

static struct npu_bias get_record(const struct record *form, const uint8_t *data)
{
	unsigned int spare = 64 - 8 * form->bias_bytes;

	return (struct npu_bias){
		.bias = (int64_t)(get_le(data, form->bias_bytes) << spare) >> spare,
		.scale = (uint32_t)get_le(data + form->bias_bytes, form->scale_bytes) &
			form->scale_mask,
		.shift = data[form->shift_at] & 0x3f,
	};
}

int npu_scales_decode(const struct npu_config *config, const struct npu_op *op,
		      const struct npu_stream streams[NPU_MAX_CORES], struct npu_bias *out)
{
	const struct record *form = &record_u55;
	uint32_t cores = op->cores;

	if (config->arch == 85) {
		form = op->acc48 ? &record_u85_48 : &record_u85_32;
		cores = 1;
	}
	if (!cores || cores > NPU_MAX_CORES)
		return -EINVAL;
	for (uint32_t core = 0; core < cores; core++) {
		const struct npu_stream *s = &streams[core];
		uint32_t records = ((uint64_t)op->oc + cores - 1 - core) / cores;

		if (s->len / RECORD_BYTES < records)
			return -EINVAL;
		for (uint32_t i = 0; i < records; i++) {
			const uint8_t *record = s->data + (size_t)i * RECORD_BYTES;

			out[i * cores + core] = get_record(form, record);
		}
	}
	return 0;
}
