/* SPDX-License-Identifier: MIT */
/*
 * The weight encoder: its order against the documented loops of weights_order.c, what it writes
 * against the simulator's decoder, and arguments that are wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/encode/order.h"
#include "runtime/encode/pack.h"
#include "runtime/encode/swd.h"
#include "runtime/encode/weights.h"
#include "sim/weights.h"
#include "tests/weights_order.h"

#define LAYERS		1500
#define STREAMS		4000

static uint64_t rng_state = 1;

static uint32_t draw(uint32_t below)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((rng_state >> 33) % below);
}

/* --- Bit streams --- */

static int16_t unfold(uint16_t folded)
{
	return (int16_t)(folded & 1 ? -(folded >> 1) : folded >> 1);
}

static uint16_t fold(int value)
{
	return (uint16_t)(value < 0 ? -value << 1 | 1 : value << 1);
}

static int peaked(int width)
{
	int sum = 0;

	for (int i = 0; i < 4; i++)
		sum += (int)draw((uint32_t)width + 1) - width / 2;
	return sum > 255 ? 255 : sum < -255 ? -255 : sum / 2;
}

/* Weights of many kinds, that change on the way. */
static void draw_stream(uint16_t *w, size_t count)
{
	static const uint8_t zeros_in_16[] = { 0, 0, 4, 12, 15 };
	uint32_t style = 0, palette[32], palette_size = 1, zeros = 0, width = 1;
	size_t until = 0;

	for (size_t i = 0; i < count; i++) {
		if (i == until) {
			style = draw(5);
			zeros = zeros_in_16[draw(5)];
			width = 1u << draw(9);
			palette_size = 1 + draw(32);
			for (uint32_t k = 0; k < palette_size; k++)
				palette[k] = fold((int)draw(511) - 255);
			until = i + 1 + (draw(3) ? draw((uint32_t)count) : draw(50));
		}
		if (style == 0)
			w[i] = 0;
		else if (style == 1)
			w[i] = fold((int)draw(511) - 255);
		else if (style == 2)
			w[i] = (uint16_t)palette[draw(palette_size)];
		else
			w[i] = fold(peaked((int)width));
		if (draw(16) < zeros)
			w[i] = 0;
	}
}

static void check_stream(const uint16_t *w, size_t count)
{
	uint16_t *spoilt = malloc(count * sizeof(*spoilt));
	int16_t *got = NULL;
	struct swd_bits out = { 0 };

	memcpy(spoilt, w, count * sizeof(*w));
	assert_int_equal(swd_encode(spoilt, count, &out, NULL), 0);
	assert_int_equal(out.fill, 0);
	assert_int_equal(out.len % 16, 0);
	assert_int_equal(npu_mlw_decode(out.data, out.len, count, &got), count);
	for (size_t i = 0; i < count; i++)
		if (got[i] != unfold(w[i]))
			fail_msg("weight %zu of %zu: %d for %d", i, count, got[i], unfold(w[i]));
	free(got);
	free(spoilt);
	free(out.data);
}

static void test_streams(void **state)
{
	static uint16_t w[8000];

	(void)state;
	for (unsigned int i = 0; i < STREAMS; i++) {
		size_t count = 1 + draw(i % 16 ? 400 : 8000);

		draw_stream(w, count);
		check_stream(w, count);
	}
}

static void test_long_streams(void **state)
{
	size_t count = 3 * SWD_WINDOW + 77;
	uint16_t *w = calloc(count, sizeof(*w));

	(void)state;
	check_stream(w, count);			/* zeros */
	w[count - 1] = w[40000] = 6;
	check_stream(w, count);
	for (size_t i = 0; i < count; i++)	/* slices of the greatest length */
		w[i] = 4;
	check_stream(w, count);
	for (size_t i = 0; i < count; i++)
		w[i] = fold(peaked(9));
	check_stream(w, count);
	for (int i = 0; i < 4; i++) {
		draw_stream(w, count);
		check_stream(w, count);
	}
	free(w);
}

/*
 * By arithmetic: n times +1 takes 23 + 13 bits of headers, a bit each in chunks of 12, and 3 at the
 * end. Or, fixed width of one bit, 4 more for a palette of twice that, but no chunks.
 */
static void test_least(void **state)
{
	static const struct {
		unsigned int count;
		size_t len;
	} sizes[] = { { 1, 16 }, { 84, 16 }, { 85, 16 }, { 86, 32 }, { 216, 32 }, { 217, 48 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct swd_bits out = { 0 };
		uint16_t w[256];

		for (unsigned int k = 0; k < sizes[i].count; k++)
			w[k] = fold(1);
		assert_int_equal(swd_encode(w, sizes[i].count, &out, NULL), 0);
		assert_int_equal(out.len, sizes[i].len);
		free(out.data);
	}
}

/* --- Layers --- */

static unsigned int microblock_of(const struct npu_config *config)
{
	static const uint8_t some[5][3] = {
		{ 0, 1, 1 }, { 1, 2, 3 }, { 2, 3, 3 }, { 2, 3, 4 }, { 2, 3, 5 },
	};
	unsigned int row = 0;

	while (128u << row < config->macs)
		row++;
	return some[row][draw(3)];
}

/* A layer, its weights, and the operations that its slices are for. */
struct drawn {
	struct wenc_layer layer;
	struct wenc_config config;
	uint8_t *weights;
	int32_t *zero_points;
	struct wenc_scale *scales;
	uint32_t starts[4], start_count;
};

static void draw_shape(struct drawn *d, const struct npu_config *npu)
{
	static const uint8_t taps[] = { 1, 1, 2, 3, 3, 5, 7, 9, 12, 17 };
	struct wenc_layer *l = &d->layer;

	*l = (struct wenc_layer){
		.oc = 1 + draw(draw(3) ? 24 : 150), .kh = taps[draw(10)], .kw = taps[draw(10)],
		.ic = 1 + draw(draw(3) ? 24 : 200), .stride_y = 1 + draw(4), .stride_x = 1 + draw(4),
		.dilation_y = 1 + draw(2), .dilation_x = 1 + draw(2), .depthwise = draw(3) == 0,
	};
	if (l->depthwise)
		l->ic = 1;
	while ((size_t)l->oc * l->kh * l->kw * l->ic > 20000) {
		l->kh = (l->kh + 1) / 2;
		l->kw = (l->kw + 1) / 2;
		l->ic = (l->ic + 1) / 2;
	}
	d->config = (struct wenc_config){
		.arch = npu->arch, .macs = npu->macs, .cores = npu->cores, .ifm_bits = 8u << draw(2),
		.ofm_block_depth = 8 * (1 + draw(8)), .part_kernel = draw(2), .format = WENC_AUTO,
		.goal = (enum wenc_goal)draw(2), .acc48 = npu->arch == 85 && draw(2),
		.bytes_per_cycle = draw(2) * 4.0, .latency = draw(2) * 100.0,
	};
	if (npu->arch == 85) {
		d->config.microblock = microblock_of(npu);
		d->config.ofm_block_depth = 16 * (1 + draw(9));
		d->config.cores = 0;
		if (!l->depthwise)
			d->config.format = (enum wenc_format)draw(5);
	} else if (npu->cores == 2) {
		d->config.ofm_block_depth += draw(2);	/* one channel more for core 0 */
		if (!draw(4))
			d->config.cores = 1;
	}
	d->start_count = 1 + draw(l->oc < 4 ? l->oc : 4);
	for (uint32_t i = 0; i < d->start_count; i++)
		d->starts[i] = i * (l->oc / d->start_count);
}

static void draw_weights(struct drawn *d)
{
	struct wenc_layer *l = &d->layer;
	size_t count = (size_t)l->oc * l->kh * l->kw * l->ic;
	uint32_t width = 1u << draw(9), few = draw(3) ? 0 : 1 + draw(15);

	l->type = (enum wenc_type)draw(3);
	d->weights = malloc(2 * count);
	l->weights = d->weights;
	l->zero_point_count = draw(2) ? 0 : draw(2) ? 1 : l->oc;
	d->zero_points = calloc(l->oc, sizeof(*d->zero_points));
	l->zero_points = d->zero_points;
	for (uint32_t i = 0; i < l->oc; i++)
		d->zero_points[i] = l->type == WENC_U8 ? (int)draw(256) : (int)draw(20) - 10;
	if (l->depthwise)
		wenc_layer_hwo(l);
	else
		wenc_layer_ohwi(l);
	for (size_t i = 0; i < count; i++) {
		uint32_t channel = (uint32_t)(l->depthwise ? i % l->oc : i / (count / l->oc));
		int zero = l->zero_point_count ? l->zero_points[l->zero_point_count > 1 ? channel : 0] : 0;
		int v = few ? (int)draw(few) - 3 : peaked((int)width);

		if (WENC_IS_SPARSE(d->config.format) && i % l->ic % 4 > 1)
			v = 0;
		if (WENC_IS_SPARSE(d->config.format) && (v < -100 || v > 100))
			v = 100;
		v += zero;
		if (l->type == WENC_S16) {
			v = v - zero > 255 ? zero + 255 : v - zero < -255 ? zero - 255 : v;
			((int16_t *)d->weights)[i] = (int16_t)v;
		} else if (l->type == WENC_S8) {
			d->weights[i] = (uint8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
		} else {
			d->weights[i] = (uint8_t)(v > 255 ? 255 : v < 0 ? 0 : v);
		}
	}
	/* Turned over, as a transposed convolution has it. */
	if (draw(8) == 0) {
		size_t size = l->type == WENC_S16 ? 2 : 1;

		l->weights = d->weights + size * (size_t)(l->step_y * (ptrdiff_t)(l->kh - 1) +
							  l->step_x * (ptrdiff_t)(l->kw - 1));
		l->step_y = -l->step_y;
		l->step_x = -l->step_x;
	}
}

static void draw_scales(struct drawn *d)
{
	d->scales = calloc(d->layer.oc, sizeof(*d->scales));
	for (uint32_t i = 0; i < d->layer.oc; i++) {
		struct wenc_scale *s = &d->scales[i];
		unsigned int bias_bits = d->config.arch != 85 ? 40 : d->config.acc48 ? 48 : 32;
		unsigned int scale_bits = d->config.arch != 85 ? 32 : d->config.acc48 ? 15 : 31;

		s->bias = (int64_t)((uint64_t)draw(1u << 31) << 33 | (uint64_t)draw(1u << 31) << 2) >>
			(64 - bias_bits);
		s->scale = (draw(1u << 31) << 1 | draw(2)) >> (32 - scale_bits);
		s->shift = (uint8_t)draw(64);
	}
}

/* The weight as it was given. */
static int weight_of(const struct wenc_layer *l, uint32_t o, uint32_t y, uint32_t x, uint32_t i)
{
	ptrdiff_t at = o * l->step_o + y * l->step_y + x * l->step_x + i * l->step_i;
	int zero = l->zero_point_count ? l->zero_points[l->zero_point_count > 1 ? o : 0] : 0;

	if (l->type == WENC_S16)
		return ((const int16_t *)l->weights)[at] - zero;
	if (l->type == WENC_S8)
		return ((const int8_t *)l->weights)[at] - zero;
	return ((const uint8_t *)l->weights)[at] - zero;
}

static void make_op(const struct drawn *d, const struct npu_config *npu,
		    const struct wenc_slice *slice, enum wenc_format format, struct npu_op *op)
{
	const struct wenc_layer *l = &d->layer;

	*op = (struct npu_op){
		.kind = l->depthwise ? NPU_KIND_DEPTHWISE : NPU_KIND_CONV,
		.part_kernel = d->config.part_kernel, .kernel_h = (op_u16)l->kh,
		.kernel_w = (op_u16)l->kw, .dilation_y = (op_u8)l->dilation_y,
		.dilation_x = (op_u8)l->dilation_x, .stride_y = (op_u8)l->stride_y,
		.stride_x = (op_u8)l->stride_x, .oc = slice->channels,
		.cores = (op_u8)(npu->arch != 85 ? d->config.cores :
				 WENC_IS_FAST(format) ? 1 : npu->cores),
		.ofm_block_depth = d->config.ofm_block_depth, .microblock = (op_u8)d->config.microblock,
		.weight_fwd = WENC_IS_FAST(format), .weight_sparse = WENC_IS_SPARSE(format),
		.acc48 = d->config.acc48,
		.a = { .depth = l->ic, .elem_log2 = d->config.ifm_bits == 16 },
	};
}

static struct npu_stream stream_at(const struct wenc_blob *blob, struct wenc_range range)
{
	assert_int_equal(range.offset % WENC_ALIGN, 0);
	assert_int_equal(range.length % WENC_ALIGN, 0);
	assert_true(range.length <= blob->size && range.offset <= blob->size - range.length);
	return (struct npu_stream){ blob->data + range.offset, range.length };
}

static void check_slice(const struct drawn *d, const struct npu_config *npu,
			const struct wenc_blob *blob, const struct wenc_slice *slice)
{
	const struct wenc_layer *l = &d->layer;
	struct npu_stream weights[NPU_MAX_CORES], scales[NPU_MAX_CORES] = { 0 };
	struct npu_bias *records = calloc(slice->channels, sizeof(*records));
	struct npu_op op;
	int16_t *got;
	size_t count, at = 0;

	make_op(d, npu, slice, blob->format, &op);
	for (unsigned int s = 0; s < NPU_MAX_CORES; s++) {
		weights[s] = stream_at(blob, slice->weights[s]);
		if (s < 2)
			scales[s] = stream_at(blob, slice->scales[s]);
	}
	count = npu_weights_count(&op);
	assert_int_equal(count, (size_t)slice->channels * l->kh * l->kw * l->ic);
	got = malloc(count * sizeof(*got));
	assert_int_equal(npu_weights_decode(npu, &op, weights, got, count), 0);
	for (uint32_t o = 0; o < slice->channels; o++)
		for (uint32_t y = 0; y < l->kh; y++)
			for (uint32_t x = 0; x < l->kw; x++)
				for (uint32_t i = 0; i < l->ic; i++)
					assert_int_equal(got[at++],
							 weight_of(l, slice->first + o, y, x, i));
	assert_int_equal(npu_scales_decode(npu, &op, scales, records), 0);
	for (uint32_t o = 0; o < slice->channels; o++) {
		const struct wenc_scale *want = &d->scales[slice->first + o];

		assert_true(records[o].bias == want->bias);
		assert_int_equal(records[o].scale, want->scale);
		assert_int_equal(records[o].shift, want->shift);
	}
	free(records);
	free(got);
}

/* The order alone, by the loops of the documentation. */
static void check_order(const struct drawn *d, const struct npu_config *npu)
{
	const struct wenc_layer *l = &d->layer;
	const struct wenc_slice all = { .channels = l->oc };
	bool sparse = WENC_IS_SPARSE(d->config.format);
	size_t count = (size_t)l->oc * l->kh * l->kw * l->ic;
	int16_t *w = malloc(count * sizeof(*w));
	uint16_t *folded, *symbols;
	struct wenc_order order;
	struct npu_op op;

	make_op(d, npu, &all, d->config.format, &op);
	assert_int_equal(wenc_order_init(&order, l, &d->config, l->oc, sparse, NULL), 0);
	assert_int_equal(wenc_fold(l, 0, l->oc, &folded, NULL), 0);
	for (size_t i = 0; i < count; i++)
		w[i] = unfold(folded[i]);
	op.cores = (op_u8)order.streams;
	for (uint32_t s = 0; s < order.streams; s++) {
		struct weight_list list = { 0 };

		order_weights(npu, &op, s, w, &list);
		assert_int_equal(wenc_order_symbols(&order, s), list.count);
		symbols = malloc((list.count + 1) * sizeof(*symbols));
		wenc_order_emit(&order, folded, s, symbols);
		for (size_t i = 0; i < list.count; i++)
			assert_int_equal(unfold(symbols[i]), list.w[i]);
		free(symbols);
		free(list.w);
	}
	wenc_order_free(&order);
	free(folded);
	free(w);
}

static void check_layer(const struct npu_config *npu, unsigned int seen[WENC_AUTO])
{
	struct wenc_blob blob, again;
	struct wenc_size size;
	struct error err;
	struct drawn d;
	int ret;

	draw_shape(&d, npu);
	draw_weights(&d);
	draw_scales(&d);
	check_order(&d, npu);
	ret = wenc_encode(&d.layer, &d.config, d.scales, d.starts, d.start_count, &blob, &err);
	if (ret == -ERANGE && WENC_IS_FAST(d.config.format)) {
		assert_non_null(strstr(err.text, "256 values"));
		goto out;
	}
	if (ret)
		fail_msg("%s: %s", npu->name, err.text);
	assert_true(blob.format != WENC_AUTO);
	seen[blob.format]++;
	assert_int_equal(blob.slice_count, d.start_count);
	for (uint32_t i = 0; i < blob.slice_count; i++)
		check_slice(&d, npu, &blob, &blob.slices[i]);
	assert_int_equal(wenc_encode(&d.layer, &d.config, d.scales, d.starts, d.start_count, &again,
				     NULL), 0);
	assert_int_equal(again.size, blob.size);
	assert_memory_equal(again.data, blob.data, blob.size);
	assert_int_equal(wenc_estimate(&d.layer, &d.config, 0, blob.slices[0].channels, &size, NULL),
			 0);
	if (blob.format == WENC_STANDARD)
		assert_int_equal(size.symbols, blob.slices[0].symbols);
	wenc_blob_free(&blob);
	wenc_blob_free(&again);
out:
	free(d.weights);
	free(d.zero_points);
	free(d.scales);
}

static void test_layers(void **state)
{
	unsigned int seen[WENC_AUTO] = { 0 };

	(void)state;
	for (const struct npu_config *npu = npu_configs; npu->name; npu++)
		for (unsigned int i = 0; i < LAYERS / 11; i++)
			check_layer(npu, seen);
	printf("layers decoded as they were given: %u standard, %u sparse, %u fast, %u both\n",
	       seen[WENC_STANDARD], seen[WENC_SPARSE], seen[WENC_FAST], seen[WENC_FAST_SPARSE]);
	for (int i = 0; i < WENC_AUTO; i++)
		assert_true(seen[i] > 20);
}

static void test_refused(void **state)
{
	static const int8_t w[16 * 8] = { 100, 1, 2, 3 };
	static const int32_t zero = -200;
	const struct wenc_layer good_layer = {
		.weights = w, .oc = 16, .kh = 1, .kw = 1, .ic = 8, .step_o = 8, .step_y = 8,
		.step_x = 8, .step_i = 1, .stride_y = 1, .stride_x = 1, .dilation_y = 1,
		.dilation_x = 1,
	};
	const struct wenc_config good_config = {
		.arch = 85, .macs = 256, .ifm_bits = 8, .ofm_block_depth = 16, .microblock = 1,
	};
	const uint32_t starts[] = { 0, 8, 8 };
	struct wenc_scale scales[16] = { 0 };
	struct wenc_layer layer;
	struct wenc_config config;
	struct wenc_blob blob;
	struct error err;

	(void)state;
	assert_int_equal(wenc_encode(&good_layer, &good_config, NULL, NULL, 0, &blob, &err), 0);
	assert_int_equal(blob.slices[0].scales[0].length, 0);
	wenc_blob_free(&blob);
#define REFUSE(code, says, ...) do { \
	layer = good_layer; \
	config = good_config; \
	__VA_ARGS__; \
	assert_int_equal(wenc_encode(&layer, &config, scales, NULL, 0, &blob, &err), code); \
	assert_non_null(strstr(err.text, says)); \
	assert_null(blob.data); \
	assert_null(blob.slices); \
} while (0)
	REFUSE(-EINVAL, "Ethos-U75", config.arch = 75);
	REFUSE(-EINVAL, "300 MACs", config.macs = 300);
	REFUSE(-EINVAL, "microblock 5", config.microblock = 5);
	REFUSE(-EINVAL, "microblock 9", config.microblock = 9);
	REFUSE(-EINVAL, "IFM of 24", config.ifm_bits = 24);
	REFUSE(-EINVAL, "block of depth 0", config.ofm_block_depth = 0);
	REFUSE(-EINVAL, "2 cores", config.arch = 55, config.cores = 2);
	REFUSE(-EINVAL, "depth 1", config.arch = 65, config.cores = 2, config.ofm_block_depth = 1);
	REFUSE(-EINVAL, "only convolutions", config.arch = 65, config.cores = 1,
	       config.format = WENC_FAST);
	REFUSE(-EINVAL, "only convolutions", layer.depthwise = true, layer.ic = 1,
	       config.format = WENC_SPARSE);
	REFUSE(-EINVAL, "depthwise weights", layer.depthwise = true);
	REFUSE(-EINVAL, "kernel of 0x1", layer.kh = 0);
	REFUSE(-EINVAL, "kernel of 70000x1", layer.kh = 70000);
	REFUSE(-EINVAL, "kernel of 60000x60000", layer.kh = layer.kw = 60000);
	REFUSE(-EINVAL, "has none", layer.oc = 0);
	REFUSE(-EINVAL, "0 IFM", layer.ic = 0);
	REFUSE(-EINVAL, "dilation 3x1", layer.dilation_y = 3);
	REFUSE(-EINVAL, "stride 1x5", layer.stride_x = 5);
	REFUSE(-EINVAL, "2 weight zero points", layer.zero_point_count = 2, layer.zero_points = &zero);
	REFUSE(-ERANGE, "weight (0, 0) of OFM channel 0", layer.zero_point_count = 1,
	       layer.zero_points = &zero);
	REFUSE(-ERANGE, "not 2:4 sparse", config.format = WENC_SPARSE);
	REFUSE(-ERANGE, "bias 2147483648 of OFM channel 3", scales[3].bias = INT64_C(1) << 31);
	scales[3].bias = 0;
	REFUSE(-ERANGE, "scale 2147483648 with shift 0 of OFM channel 4", scales[4].scale = 1u << 31);
	REFUSE(-ERANGE, "scale 32768", scales[4].scale = 1u << 15, config.acc48 = true);
	scales[4] = (struct wenc_scale){ .shift = 64 };
	REFUSE(-ERANGE, "shift 64", (void)0);
	assert_int_equal(wenc_encode(&good_layer, &good_config, NULL, starts, 3, &blob, &err), -EINVAL);
	assert_non_null(strstr(err.text, "depth slice 1 begins at OFM channel 8"));
	assert_int_equal(wenc_encode(&good_layer, &good_config, NULL, starts + 1, 1, &blob, &err),
			 -EINVAL);
	assert_null(blob.slices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_long_streams),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
