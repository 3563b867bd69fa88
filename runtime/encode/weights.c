/* SPDX-License-Identifier: MIT */
/* A layer's constants slice by slice, and which format codes its weights best. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encode/pack.h"

/* Weights a cycle: the public performance model of the U85. */
#define FAST_RATE_TABLE		64.0	/* below 16 different weights */
#define FAST_RATE		32.0
#define FAST_TABLE		16
#define STANDARD_RATE		8.0	/* of a decoder, up to half zeros */
#define STANDARD_ZEROS		60.0	/* more for each part of zeros beyond that */
#define ZEROS_LEAST		0.5
#define ZEROS_MOST		0.9

void wenc_layer_ohwi(struct wenc_layer *layer)
{
	layer->step_i = 1;
	layer->step_x = (ptrdiff_t)layer->ic;
	layer->step_y = layer->step_x * (ptrdiff_t)layer->kw;
	layer->step_o = layer->step_y * (ptrdiff_t)layer->kh;
}

void wenc_layer_hwo(struct wenc_layer *layer)
{
	layer->step_i = 0;
	layer->step_o = 1;
	layer->step_x = (ptrdiff_t)layer->oc;
	layer->step_y = layer->step_x * (ptrdiff_t)layer->kw;
}

double wenc_decode_cycles(enum wenc_format format, unsigned int streams, uint64_t symbols,
			  uint64_t zeros, unsigned int distinct)
{
	double part;

	if (!symbols)
		return 0;
	if (WENC_IS_FAST(format))
		return (double)symbols / (distinct < FAST_TABLE ? FAST_RATE_TABLE : FAST_RATE);
	part = (double)zeros / (double)symbols;
	part = part < ZEROS_LEAST ? ZEROS_LEAST : part > ZEROS_MOST ? ZEROS_MOST : part;
	return (double)symbols / (streams * (STANDARD_RATE + (part - ZEROS_LEAST) * STANDARD_ZEROS));
}

static uint64_t count_zeros(const uint16_t *symbols, size_t count)
{
	uint64_t zeros = 0;

	for (size_t i = 0; i < count; i++)
		zeros += !symbols[i];
	return zeros;
}

static struct wenc_range close_range(const struct swd_bits *out, size_t from)
{
	return (struct wenc_range){ (uint32_t)from, (uint32_t)(out->len - from) };
}

/**
 * struct job - one slice being encoded
 * @folded: its weights
 * @symbols: room for one stream, or in the fast format for all of them twice
 */
struct job {
	const struct wenc_layer *layer;
	const struct wenc_config *config;
	const struct wenc_scale *scales;
	enum wenc_format format;
	struct wenc_order order;
	uint16_t *folded, *symbols;
	struct swd_bits *out;
	struct wenc_slice *slice;
	struct error *err;
};

static int put_scales(struct job *j, uint32_t core, uint32_t step)
{
	struct wenc_slice *slice = j->slice;
	size_t from = j->out->len;
	int ret;

	if (!j->scales)
		return 0;
	ret = wenc_put_scales(j->out, j->config, j->scales, slice->first + core,
			      slice->first + slice->channels, step, j->order.ublock, j->err);
	slice->scales[core] = close_range(j->out, from);
	return ret;
}

static int put_standard(struct job *j, uint32_t stream, uint64_t *zeros)
{
	uint64_t count = wenc_order_symbols(&j->order, stream);
	size_t from = j->out->len;
	int ret;

	wenc_order_emit(&j->order, j->folded, stream, j->symbols);
	if (j->config->arch == 85)
		*zeros += count_zeros(j->symbols, count);
	ret = swd_encode(j->symbols, count, j->out, j->config->search);
	j->slice->weights[stream] = close_range(j->out, from);
	j->slice->symbols += count;
	return ret;
}

/* The streams of all decoders dealt into one, block by block. */
static int put_fast(struct job *j, unsigned int *distinct)
{
	uint32_t streams = j->order.streams;
	uint64_t each = wenc_order_symbols(&j->order, 0);
	size_t block = j->order.fast_block, from = j->out->len;
	uint16_t *apart = j->symbols, *merged = apart + each * streams, *to = merged;
	struct fast_code code;
	int ret;

	for (uint32_t s = 0; s < streams; s++)
		wenc_order_emit(&j->order, j->folded, s, apart + s * each);
	for (size_t at = 0; at < each; at += block)
		for (uint32_t s = 0; s < streams; s++, to += block)
			memcpy(to, apart + s * each + at, block * sizeof(*to));
	fast_choose(merged, each * streams, WENC_IS_SPARSE(j->format), &code);
	if (!code.width)
		return error_set(j->err, -ERANGE, "weights of OFM channels %u to %u span more than the fast format's 256 values",
				 j->slice->first, j->slice->first + j->slice->channels - 1);
	ret = fast_put(j->out, &code, merged, each * streams);
	j->slice->weights[0] = close_range(j->out, from);
	j->slice->symbols = each * streams;
	*distinct = code.distinct;
	return ret;
}

static int put_streams(struct job *j)
{
	bool u85 = j->config->arch == 85;
	unsigned int distinct = 0;
	uint64_t zeros = 0;
	int ret = 0;

	if (u85)
		ret = put_scales(j, 0, 1);
	if (!ret && WENC_IS_FAST(j->format))
		ret = put_fast(j, &distinct);
	for (uint32_t s = 0; !ret && !WENC_IS_FAST(j->format) && s < j->order.streams; s++) {
		if (!u85)
			ret = put_scales(j, s, j->order.streams);
		if (!ret)
			ret = put_standard(j, s, &zeros);
	}
	if (u85)
		j->slice->decode_cycles = wenc_decode_cycles(j->format, j->order.streams,
							     j->slice->symbols, zeros, distinct);
	return ret;
}

static int encode_slice(struct job *j)
{
	struct wenc_slice *slice = j->slice;
	size_t room = 0, from = j->out->len;
	int ret;

	ret = wenc_order_init(&j->order, j->layer, j->config, slice->channels,
			      WENC_IS_SPARSE(j->format), j->err);
	if (ret)
		return ret;
	for (uint32_t s = 0; s < j->order.streams; s++) {
		uint64_t count = wenc_order_symbols(&j->order, s);

		if (WENC_IS_FAST(j->format))
			room += 2 * count;
		else if (count > room)
			room = count;
	}
	ret = wenc_fold(j->layer, slice->first, slice->channels, &j->folded, j->err);
	if (ret)
		goto free_order;
	ret = -ERANGE;
	if (WENC_IS_SPARSE(j->format) && !wenc_is_sparse(j->layer, j->folded, slice->channels)) {
		error_set(j->err, ret, "weights of OFM channels %u to %u are not 2:4 sparse",
			  slice->first, slice->first + slice->channels - 1);
		goto free_folded;
	}
	ret = -ENOMEM;
	if (room <= SIZE_MAX / sizeof(*j->symbols))
		j->symbols = malloc((room + !room) * sizeof(*j->symbols));
	if (!j->symbols)
		goto free_folded;
	ret = put_streams(j);
	slice->range = close_range(j->out, from);
	if (!ret && j->out->len > UINT32_MAX)
		ret = error_set(j->err, -ERANGE, "more than 4 GiB of constants");
	free(j->symbols);
	j->symbols = NULL;
free_folded:
	free(j->folded);
free_order:
	wenc_order_free(&j->order);
	return ret;
}

static int encode_as(const struct wenc_layer *layer, const struct wenc_config *config,
		     const struct wenc_scale *scales, const uint32_t *starts, uint32_t count,
		     enum wenc_format format, struct wenc_blob *blob, struct error *err)
{
	struct swd_bits out = { 0 };
	struct job job = {
		.layer = layer, .config = config, .scales = scales, .format = format, .out = &out,
		.err = err,
	};
	int ret = 0;

	*blob = (struct wenc_blob){ .slice_count = count, .format = format };
	blob->slices = calloc(count, sizeof(*blob->slices));
	if (!blob->slices)
		return -ENOMEM;
	for (uint32_t i = 0; !ret && i < count; i++) {
		job.slice = &blob->slices[i];
		job.slice->first = starts[i];
		job.slice->channels = (i + 1 < count ? starts[i + 1] : layer->oc) - starts[i];
		ret = encode_slice(&job);
	}
	blob->data = out.data;
	blob->size = out.len;
	if (ret)
		wenc_blob_free(blob);
	return ret;
}

void wenc_blob_free(struct wenc_blob *blob)
{
	free(blob->data);
	free(blob->slices);
	*blob = (struct wenc_blob){ 0 };
}

/* What WENC_AUTO compares. */
static double blob_cost(const struct wenc_config *config, const struct wenc_blob *blob)
{
	double cost = WENC_IS_SPARSE(blob->format) ? config->op_cycles_sparse : config->op_cycles;

	if (config->goal == WENC_GOAL_SIZE)
		return (double)blob->size;
	for (uint32_t i = 0; i < blob->slice_count; i++) {
		const struct wenc_slice *slice = &blob->slices[i];
		double fetch = config->latency;

		for (unsigned int s = 0; config->bytes_per_cycle > 0 && s < WENC_MAX_STREAMS; s++)
			fetch += slice->weights[s].length / config->bytes_per_cycle;
		cost += fetch > slice->decode_cycles ? fetch : slice->decode_cycles;
	}
	return cost;
}

/* Of all formats the best; those that the weights do not allow are passed over. */
static int encode_best(const struct wenc_layer *layer, const struct wenc_config *config,
		       const struct wenc_scale *scales, const uint32_t *starts, uint32_t count,
		       struct wenc_blob *out, struct error *err)
{
	double best = 0;
	int ret;

	ret = encode_as(layer, config, scales, starts, count, WENC_STANDARD, out, err);
	if (ret || config->arch != 85 || layer->depthwise)
		return ret;
	best = blob_cost(config, out);
	for (int format = WENC_SPARSE; format < WENC_AUTO; format++) {
		struct wenc_blob blob;
		double cost;

		ret = encode_as(layer, config, scales, starts, count, (enum wenc_format)format,
				&blob, NULL);
		if (ret == -ERANGE)
			continue;
		if (ret) {
			wenc_blob_free(out);
			return ret;
		}
		cost = blob_cost(config, &blob);
		if (cost < best) {
			struct wenc_blob old = *out;

			best = cost;
			*out = blob;
			blob = old;
		}
		wenc_blob_free(&blob);
	}
	return 0;
}

int wenc_encode(const struct wenc_layer *layer, const struct wenc_config *config,
		const struct wenc_scale *scales, const uint32_t *starts, uint32_t start_count,
		struct wenc_blob *out, struct error *err)
{
	static const uint32_t whole;
	enum wenc_format format = config->format;

	*out = (struct wenc_blob){ 0 };
	if (!starts) {
		starts = &whole;
		start_count = 1;
	}
	if (!start_count || starts[0])
		return error_set(err, -EINVAL, "depth slices do not begin at OFM channel 0");
	for (uint32_t i = 0; i < start_count; i++)
		if (starts[i] >= (i + 1 < start_count ? starts[i + 1] : layer->oc))
			return error_set(err, -EINVAL,
					 "depth slice %u begins at OFM channel %u and has none", i,
					 starts[i]);
	if (format == WENC_AUTO)
		return encode_best(layer, config, scales, starts, start_count, out, err);
	if (format != WENC_STANDARD && (config->arch != 85 || layer->depthwise))
		return error_set(err, -EINVAL, "only convolutions of the Ethos-U85 have fast or sparse weights");
	return encode_as(layer, config, scales, starts, start_count, format, out, err);
}

int wenc_estimate(const struct wenc_layer *layer, const struct wenc_config *config, uint32_t first,
		  uint32_t channels, struct wenc_size *out, struct error *err)
{
	struct wenc_order order;
	uint16_t *folded, *symbols;
	int ret;

	*out = (struct wenc_size){ 0 };
	if (first >= layer->oc || channels > layer->oc - first)
		return error_set(err, -EINVAL, "OFM channels %u to %u of %u", first,
				 first + channels, layer->oc);
	ret = wenc_order_init(&order, layer, config, channels, config->format == WENC_SPARSE, err);
	if (ret)
		return ret;
	ret = wenc_fold(layer, first, channels, &folded, err);
	if (ret)
		goto free_order;
	for (uint32_t s = 0; !ret && s < order.streams; s++) {
		uint64_t count = wenc_order_symbols(&order, s);

		symbols = count <= SIZE_MAX / sizeof(*symbols) ?
			malloc((count + !count) * sizeof(*symbols)) : NULL;
		if (!symbols) {
			ret = -ENOMEM;
			break;
		}
		wenc_order_emit(&order, folded, s, symbols);
		out->symbols += count;
		out->zeros += count_zeros(symbols, count);
		out->bytes += swd_estimate(symbols, count);
		free(symbols);
	}
	free(folded);
free_order:
	wenc_order_free(&order);
	return ret;
}
