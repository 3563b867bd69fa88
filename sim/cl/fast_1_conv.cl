/* SPDX-License-Identifier: MIT */
/*
 * 8-bit convolution as an implicit matrix product: the IFM rows of a tile are staged as unsigned
 * bytes, pixels dense, with the padding in place; then 8 pixels by 32 (or 16) output channels are
 * kept in registers while the kernel rows go by, 4 bytes at a time.
 */

/* A run of pixels that lie at equal distances in memory, to dense unsigned bytes. */
static void stage_run(__global uchar *to, __global const uchar *from, __global const struct npu_fm *fm,
		      int run, uint flip)
{
	int depth = (int)fm->depth;
	long step = fm_step(fm), group = fm_group(fm);
	int word = (int)(flip * 0x01010101u);

	if (step == depth) {
		copy_flip(to, from, run * depth, flip);
		return;
	}
	/*
	 * Last group first: if it is of fewer than 16 channels, what it writes too much is overwritten by the
	 * first group of the next pixel.
	 */
	PLAIN_LOOP
	for (int c = (depth - 1) / 16 * 16; c >= 0; c -= 16) {
		__global const uchar *p = from + c / 16 * group;
		__global uchar *q = to + c;

		if (depth - c < 16) {
			PLAIN_LOOP
			for (int i = 0; i < run; i++, p += step, q += depth)
				*(__global ints4 *)q = load_part(p, depth - c) ^ word;
			continue;
		}
		PLAIN_LOOP
		for (int i = 0; i < run; i++, p += step, q += depth)
			*(__global ints4 *)q = *(__global const ints4 *)p ^ word;
	}
}

/* One staged row: @x0 is the IFM column of its first pixel and may be negative. */
static void stage_row(__global uchar *to, const struct npu_mem *mem, __global const struct npu_fm *fm,
		      __global const struct npu_task *t, int y, int x0)
{
	int depth = (int)fm->depth, width = (int)t->width, x, end;

	if (y < 0 || y >= (int)fm->height) {
		fill_bytes(to, width * depth, t->pad_value);
		return;
	}
	x = clamp(-x0, 0, width);
	end = clamp((int)fm->width - x0, x, width);
	fill_bytes(to, x * depth, t->pad_value);
	PLAIN_LOOP
	while (x < end) {
		uint col = (uint)(x0 + x);
		int run = end - x;

		if (col < fm->width0)
			run = min(run, (int)(fm->width0 - col));
		stage_run(to + x * depth, mem_at(mem, fm->space, fm_pixel(fm, (uint)y, col)), fm, run,
			  t->flip_in);
		x += run;
	}
	fill_bytes(to + x * depth, (width - x) * depth, t->pad_value);
}

/* The end of 8 pixels for one vector of channels. */
__attribute__((always_inline)) static inline void conv_out(__global uchar *out, __global const int *at,
			    __global const struct npu_channels *ch, __global const struct npu_task *t,
			    int n, int16 a0, int16 a1, int16 a2, int16 a3, int16 a4, int16 a5, int16 a6,
			    int16 a7)
{
	float16 m = *(__global const float16 *)ch->m, c = *(__global const float16 *)ch->c;
	int16 flip = (int16)((int)ch->flip), r0, r1, r2, r3, r4, r5, r6, r7;

	if (ch->moved) {
		int16 odd = *(__global const int16 *)ch->odd, by = *(__global const int16 *)ch->by;

#define D(p) a##p = move_odd(a##p, odd, by);
		PIXELS(D)
#undef D
	}
	if (!ch->checked) {
#define D(p) r##p = round_plain(scaled(a##p, m, c, flip));
		PIXELS(D)
#undef D
	} else {
		float16 worst = (float16)(0), w0 = worst, w1 = worst, w2 = worst;

		r0 = requant(a0, m, c, flip, &worst);
		r1 = requant(a1, m, c, flip, &w0);
		r2 = requant(a2, m, c, flip, &w1);
		r3 = requant(a3, m, c, flip, &w2);
		r4 = requant(a4, m, c, flip, &worst);
		r5 = requant(a5, m, c, flip, &w0);
		r6 = requant(a6, m, c, flip, &w1);
		r7 = requant(a7, m, c, flip, &w2);
		w0 = w0 > w1 ? w0 : w1;
		worst = worst > w2 ? worst : w2;
		worst = worst > w0 ? worst : w0;
		if (above_limit(worst, *(__global const float16 *)ch->limit)) {
#define D(p) r##p = requant_again(a##p, ch, t);
			PIXELS(D)
#undef D
		}
	}
	store4(out, at, pack4(r0, r1, r2, r3, t), n);
	store4(out, at + 4, pack4(r4, r5, r6, r7, t), n);
}

/* Flipping pixels on the way to the dot product takes a step that only VNNI has to spare. */
#if NPU_AVX2
#define CONV_FLIPS 0

/*
 * 16 registers hold 8 pixels by half a vector. @w: first half-vector of the panel, @step to that of the next
 * 4 bytes.
 */
__attribute__((noinline)) static void conv_8_half(__global const uchar *in, __global const int *from,
						  __global const int8 *w, int step, int rows, int k4,
						  long row, int8 first, int16 *sums, int high)
{
#define D(p) int8 a##p = first; __global const uchar *i##p = in + from[p];
	PIXELS(D)
#undef D
	for (int y = 0; y < rows; y++) {
		for (int k = 0; k < k4; k++, w += step) {
			int8 w0 = *w;
#define D(p) a##p = dot4_half(a##p, (int8)(*(__global const int_unaligned *)(i##p + 4 * k)), w0);
			PIXELS(D)
#undef D
		}
#define D(p) i##p += row;
		PIXELS(D)
#undef D
	}
#define D(p) ((int8 *)&sums[p])[high] = a##p;
	PIXELS(D)
#undef D
}

/* 8 pixels at a time by 1 vector of @n channels; @stride vectors of the panel to that of the next 4 bytes. */
static void conv_8_vector(__global const uchar *in, __global const int *from, int pixels,
			  __global const int16 *panel, int stride, __global uchar *out,
			  __global const int *at, __global const struct npu_channels *ch,
			  __global const struct npu_task *t, __global const int16 *init, int rows, int k4, long row,
			  int n)
{
	int16 first = *init, s[NPU_PIXELS];
	__global const int8 *w = (__global const int8 *)panel;

	for (int p = 0; p < pixels; p += NPU_PIXELS, from += NPU_PIXELS, at += NPU_PIXELS) {
		conv_8_half(in, from, w, 2 * stride, rows, k4, row, first.lo, s, 0);
		conv_8_half(in, from, w + 1, 2 * stride, rows, k4, row, first.hi, s, 1);
		conv_out(out, at, ch, t, n, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
	}
}

static void conv_8x2(__global const uchar *in, __global const int *from, int pixels,
		     __global const int16 *panel, __global uchar *out, __global const int *at, long group,
		     __global const struct npu_channels *ch, __global const struct npu_task *t,
		     __global const int16 *init, int rows, int k4, long row, int flip, int n)
{
	(void)flip;
	conv_8_vector(in, from, pixels, panel, 2, out, at, ch, t, init, rows, k4, row, 16);
	conv_8_vector(in, from, pixels, panel + 1, 2, out + group, at, ch + 1, t, init + 1, rows, k4, row, n);
}

static void conv_8x1(__global const uchar *in, __global const int *from, int pixels,
		     __global const int16 *panel, __global uchar *out, __global const int *at,
		     __global const struct npu_channels *ch, __global const struct npu_task *t,
		     __global const int16 *init, int rows, int k4, long row, int n)
{
	conv_8_vector(in, from, pixels, panel, 1, out, at, ch, t, init, rows, k4, row, n);
}
#else
#define CONV_FLIPS 1

/*
 * 8 pixels at a time by 2 vectors, of which the second has @n channels. The bytes that a pixel is made of
 * lie in @rows rows of 4 * @k4, @row bytes apart.
 */
__attribute__((noinline)) static void conv_8x2(__global const uchar *in, __global const int *from,
					       int pixels, __global const int16 *panel,
					       __global uchar *out, __global const int *at, long group,
					       __global const struct npu_channels *ch,
					       __global const struct npu_task *t,
					       __global const int16 *init, int rows, int k4, long row,
					       int flip, int n)
{
	for (int p = 0; p < pixels; p += NPU_PIXELS, from += NPU_PIXELS, at += NPU_PIXELS) {
		int16 first = init[0], second = init[1];
		__global const int16 *w = panel;
#define D(p) int16 a##p = first, b##p = second; __global const uchar *i##p = in + from[p];
		PIXELS(D)
#undef D
		for (int y = 0; y < rows; y++) {
			for (int k = 0; k < k4; k++) {
				int16 w0 = w[0], w1 = w[1];

				w += 2;
#define D(p) { int16 x = splat4(i##p + 4 * k) ^ flip; a##p = dot4(a##p, x, w0); b##p = dot4(b##p, x, w1); }
				PIXELS(D)
#undef D
			}
#define D(p) i##p += row;
			PIXELS(D)
#undef D
		}
		conv_out(out, at, ch, t, 16, a0, a1, a2, a3, a4, a5, a6, a7);
		conv_out(out + group, at, ch + 1, t, n, b0, b1, b2, b3, b4, b5, b6, b7);
	}
}

/* 8 pixels at a time by 1 vector of @n channels, staged. */
__attribute__((noinline)) static void conv_8x1(__global const uchar *in, __global const int *from,
					       int pixels, __global const int16 *panel,
					       __global uchar *out, __global const int *at,
					       __global const struct npu_channels *ch,
					       __global const struct npu_task *t,
					       __global const int16 *init, int rows, int k4, long row, int n)
{
	for (int p = 0; p < pixels; p += NPU_PIXELS, from += NPU_PIXELS, at += NPU_PIXELS) {
		int16 first = *init;
		__global const int16 *w = panel;
#define D(p) int16 a##p = first; __global const uchar *i##p = in + from[p];
		PIXELS(D)
#undef D
		for (int y = 0; y < rows; y++) {
			for (int k = 0; k < k4; k++) {
				int16 w0 = *w++;
#define D(p) a##p = dot4(a##p, splat4(i##p + 4 * k), w0);
				PIXELS(D)
#undef D
			}
#define D(p) i##p += row;
			PIXELS(D)
#undef D
		}
		conv_out(out, at, ch, t, n, a0, a1, a2, a3, a4, a5, a6, a7);
	}
}

#endif

/* One vector of one pixel. */
static void conv_out_1(__global uchar *out, __global const struct npu_channels *ch,
		       __global const struct npu_task *t, int n, int16 acc)
{
	float16 worst = (float16)(0);
	int16 r;

	acc = move_odd(acc, *(__global const int16 *)ch->odd, *(__global const int16 *)ch->by);
	r = requant(acc, *(__global const float16 *)ch->m, *(__global const float16 *)ch->c,
			  (int16)((int)ch->flip), &worst);

	if (above_limit(worst, *(__global const float16 *)ch->limit))
		r = requant_again(acc, ch, t);
	store_part(out, pack4(r, r, r, r, t).s0123, n);
}

/* 1 pixel by 2 vectors, for fully connected layers: sums apart for every fourth step keep it busy. */
__attribute__((noinline)) static void conv_1x2(__global const uchar *in, __global const int16 *w,
					       __global uchar *out, long group,
					       __global const struct npu_channels *ch,
					       __global const struct npu_task *t, int rows, int k4, long row,
					       int flip, int n)
{
	int16 a0 = *(__global const int16 *)ch[0].init, b0 = *(__global const int16 *)ch[1].init;
	int16 a1 = (int16)(0), a2 = a1, a3 = a1, b1 = a1, b2 = a1, b3 = a1;

	for (int y = 0; y < rows; y++, in += row) {
		int k = 0;

		for (; k + 4 <= k4; k += 4, w += 8) {
#define D(p) { int16 x = splat4(in + 4 * (k + p)) ^ flip; \
	a##p = dot4(a##p, x, w[2 * p]); b##p = dot4(b##p, x, w[2 * p + 1]); }
			D(0) D(1) D(2) D(3)
#undef D
		}
		for (; k < k4; k++, w += 2) {
			int16 x = splat4(in + 4 * k) ^ flip;

			a0 = dot4(a0, x, w[0]);
			b0 = dot4(b0, x, w[1]);
		}
	}
	conv_out_1(out, ch, t, 16, (a0 + a1) + (a2 + a3));
	conv_out_1(out + group, ch + 1, t, n, (b0 + b1) + (b2 + b3));
}

/* Kernel rows [*low, *high) that OFM row @y has inside the IFM. */
static inline void rows_inside(__global const struct npu_op *op, int y, int *low, int *high)
{
	int top = y * op->stride_y - op->pad_top;

	*low = min(max(-top, 0), (int)op->kernel_h);
	*high = clamp((int)op->a.height - top, *low, (int)op->kernel_h);
}

/* The first of OFM rows (y, end) that has others inside, or @end. */
static inline int same_rows(__global const struct npu_op *op, int y, int end, int low, int high)
{
	int l = low, h = high;

	for (y++; y < end; y++) {
		rows_inside(op, y, &l, &h);
		if (l != low || h != high)
			break;
	}
	return y;
}

/* Where the accumulators of one or two vectors start if only kernel rows [low, high) are multiplied. */
static void fill_init(__global int16 *init, __global const struct npu_channels *ch,
		      __global const struct npu_task *t, __global const int16 *sums, int kernel_h, int low, int high,
		      int count)
{
	for (int i = 0; i < count; i++) {
		int16 first = *(__global const int16 *)ch[i].init;

		for (int ky = 0; t->row_sums && ky < kernel_h; ky++)
			if (ky < low || ky >= high)
				first += sums[ky * (int)t->vectors + i];
		init[i] = first;
	}
}

/*
 * One tile: rows [ty * rows, ...) of the OFM, and its share of the output channel vectors.
 * A pixel count that is not a multiple of 8 repeats the last pixel, which stores the same bytes again.
 */
static void conv_tile(const struct npu_mem *mem, __global const struct npu_op *op,
		      __global const struct npu_task *t, __global const uchar *blob,
		      __global uchar *scratch, uint tile)
{
	uint ty = tile / t->tiles_oc, tc = tile % t->tiles_oc;
	int y0 = (int)(ty * t->rows), rows = min((int)t->rows, (int)op->oh - y0);
	int pairs = ((int)t->vectors + 1) / 2;
	int pair = (int)tc * pairs / (int)t->tiles_oc, last = ((int)tc + 1) * pairs / (int)t->tiles_oc;
	int depth = (int)op->a.depth, pitch = (int)t->width * depth, ow = (int)op->ow, n = rows * ow;
	__global int *from = (__global int *)(scratch + NPU_SCRATCH_TABLE);
	__global int *at = from + NPU_TABLE;
	__global const int16 *w = (__global const int16 *)(blob + t->panel);
	__global const struct npu_channels *ch = (__global const struct npu_channels *)(blob + t->channels);
	__global const int16 *sums = (__global const int16 *)(blob + t->row_sums);
	__global int16 *init = (__global int16 *)(scratch + NPU_SCRATCH_TABLE - 128);
	long group = fm_group(&op->ofm), origin = fm_pixel(&op->ofm, (uint)y0, 0);
	__global uchar *out = mem_at(mem, op->ofm.space, origin);
	__global const uchar *in = scratch + t->skip;
	long row = (long)pitch * op->dilation_y;
	int in_rows = op->kernel_h, k4 = (int)t->k4, steps = in_rows * k4, flip = 0;

	if (t->direct && CONV_FLIPS) {
		/* A pixel's channels are read where they are, 16 at a time if they come in bricks. */
		long in_origin = fm_pixel(&op->a, (uint)y0 * op->stride_y, 0);

		in = mem_at(mem, op->a.space, in_origin);
		flip = (int)(t->flip_in * 0x01010101u);
		if (op->a.brick) {
			in_rows = depth / 16;
			k4 = 4;
			row = op->a.stride_c;
		}
		if (op->stride_x == 1 && op->stride_y == 1 && rows_join(&op->a, ow, fm_step(&op->a)))
			ramp(from, 0, fm_step(&op->a), rows * ow);
		else
			for (int y = 0; y < rows; y++)
				ramp(from + y * ow,
				     (int)(fm_pixel(&op->a, (uint)((y0 + y) * op->stride_y), 0) - in_origin),
				     fm_step(&op->a) * op->stride_x, ow);
	} else {
		int staged = (rows - 1) * op->stride_y + ((int)op->kernel_h - 1) * op->dilation_y + 1;

		for (int y = 0; y < staged; y++)
			stage_row(scratch + (long)y * pitch, mem, &op->a, t,
				  y0 * op->stride_y - op->pad_top + y, -(int)op->pad_left);
		for (int y = 0; y < rows; y++)
			ramp(from + y * ow, y * op->stride_y * pitch, op->stride_x * depth, ow);
	}
	ofm_table(at, &op->ofm, y0, rows, ow);
	repeat_last(from, n);
	repeat_last(at, n);
	for (; pair < last; pair++) {
		int v = 2 * pair, left = (int)op->oc - 16 * v;
		__global const int16 *panel = w + (long)v * steps;

		if (n == 1 && left > 16) {
			conv_1x2(in + from[0], panel, out + v * group, group, ch + v, t, in_rows, k4, row,
				 flip, min(left - 16, 16));
			continue;
		}
		for (int y = 0, end; y < rows; y = end) {
			int low = 0, high = in_rows, wide = left > 16 ? 2 : 1, p = y * ow;

			end = rows;
			if (t->row_sums) {
				rows_inside(op, y0 + y, &low, &high);
				end = same_rows(op, y0 + y, y0 + rows, low, high) - y0;
			}
			fill_init(init, ch + v, t, sums + v, (int)op->kernel_h, low, high, wide);
			if (wide == 2)
				conv_8x2(in + low * row, from + p, (end - y) * ow, panel + low * k4 * 2, out + v * group,
					 at + p, group, ch + v, t, init, high - low, k4, row, flip,
					 min(left - 16, 16));
			else
				conv_8x1(in + low * row, from + p, (end - y) * ow, panel + low * k4, out + v * group,
					 at + p, ch + v, t, init, high - low, k4, row, left);
		}
	}
}
