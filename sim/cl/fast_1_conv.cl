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
	long step = fm->brick ? 16 : fm->stride_x, group = fm_group(fm);
	bytes16 f = (bytes16)((uchar)flip);

	if (step == depth) {
		copy_flip(to, from, (long)run * depth, flip);
		return;
	}
	for (int c = 0; c < depth; c += 16, from += group, to += 16) {
		if (depth - c >= 16)
			for (int i = 0; i < run; i++)
				*(__global bytes16 *)(to + (long)i * depth) =
					*(__global const bytes16 *)(from + i * step) ^ f;
		else
			for (int i = 0; i < run; i++)
				copy_flip(to + (long)i * depth, from + i * step, depth - c, flip);
	}
}

/* One staged row: @x0 is the IFM column of its first pixel and may be negative. */
static void stage_row(__global uchar *to, const struct npu_mem *mem, __global const struct npu_fm *fm,
		      __global const struct npu_task *t, int y, int x0)
{
	int depth = (int)fm->depth, width = (int)t->width, x = 0, end;

	if (y < 0 || y >= (int)fm->height) {
		fill_bytes(to, (long)width * depth, (uchar)t->pad_value);
		return;
	}
	if (x0 < 0) {
		x = min(-x0, width);
		fill_bytes(to, (long)x * depth, (uchar)t->pad_value);
	}
	end = min((int)fm->width - x0, width);
	while (x < end) {
		uint col = (uint)(x0 + x);
		int run = end - x;

		if (col < fm->width0)
			run = min(run, (int)(fm->width0 - col));
		stage_run(to + (long)x * depth, mem_at(mem, fm->space, fm_pixel(fm, (uint)y, col)), fm, run,
			  t->flip_in);
		x += run;
	}
	if (x < width)
		fill_bytes(to + (long)x * depth, (long)(width - x) * depth, (uchar)t->pad_value);
}

/* The end of 8 pixels for one vector of channels. */
static inline void conv_out(__global uchar *out, __global const int *at,
			    __global const struct npu_channels *ch, __global const struct npu_task *t,
			    int n, int16 a0, int16 a1, int16 a2, int16 a3, int16 a4, int16 a5, int16 a6,
			    int16 a7)
{
	float16 m = *(__global const float16 *)ch->m, c = *(__global const float16 *)ch->c;
	float16 worst = (float16)(0);
#define D(p) int16 r##p = requant(a##p, m, c, &worst);
	PIXELS(D)
#undef D
	if (above_limit(worst, *(__global const float16 *)ch->limit)) {
#define D(p) r##p = requant_exact(a##p, ch, t->rounding);
		PIXELS(D)
#undef D
	}
	store4(out, at, r0, r1, r2, r3, t, n);
	store4(out, at + 4, r4, r5, r6, r7, t, n);
}

/* 8 pixels by 2 vectors; the second has @n channels. @row: from kernel row to kernel row. */
__attribute__((noinline)) static void conv_8x2(__global const uchar *in, __global const int *from,
					       __global const int16 *w, __global uchar *out,
					       __global const int *at, long group,
					       __global const struct npu_channels *ch,
					       __global const struct npu_task *t, int kernel_h, long row,
					       int n)
{
	int16 first = *(__global const int16 *)ch[0].init, second = *(__global const int16 *)ch[1].init;
	int k4 = (int)t->k4;
#define D(p) int16 a##p = first, b##p = second; __global const uchar *i##p = in + from[p];
	PIXELS(D)
#undef D
	for (int y = 0; y < kernel_h; y++) {
		for (int k = 0; k < k4; k++) {
			int16 w0 = w[0], w1 = w[1];

			w += 2;
#define D(p) { int16 x = splat4(i##p + 4 * k); a##p = dot4(a##p, x, w0); b##p = dot4(b##p, x, w1); }
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

/* 8 pixels by 1 vector of @n channels. */
__attribute__((noinline)) static void conv_8x1(__global const uchar *in, __global const int *from,
					       __global const int16 *w, __global uchar *out,
					       __global const int *at,
					       __global const struct npu_channels *ch,
					       __global const struct npu_task *t, int kernel_h, long row,
					       int n)
{
	int16 first = *(__global const int16 *)ch->init;
	int k4 = (int)t->k4;
#define D(p) int16 a##p = first; __global const uchar *i##p = in + from[p];
	PIXELS(D)
#undef D
	for (int y = 0; y < kernel_h; y++) {
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

/*
 * 16 pixels by 1 vector, for the short loops of few channels: the second 8 pixels lie @next bytes from
 * the first ones, so that they need no pointers of their own.
 */
__attribute__((noinline)) static void conv_16x1(__global const uchar *in, __global const int *from,
						long next, __global const int16 *w, __global uchar *out,
						__global const int *at,
						__global const struct npu_channels *ch,
						__global const struct npu_task *t, int kernel_h, long row,
						int n)
{
	int16 first = *(__global const int16 *)ch->init;
	int k4 = (int)t->k4;
#define D(p) int16 a##p = first, b##p = first; __global const uchar *i##p = in + from[p];
	PIXELS(D)
#undef D
	for (int y = 0; y < kernel_h; y++) {
		for (int k = 0; k < k4; k++) {
			int16 w0 = *w++;
			long k0 = 4 * k, k1 = k0 + next;
#define D(p) a##p = dot4(a##p, splat4(i##p + k0), w0); b##p = dot4(b##p, splat4(i##p + k1), w0);
			PIXELS(D)
#undef D
		}
#define D(p) i##p += row;
		PIXELS(D)
#undef D
	}
	conv_out(out, at, ch, t, n, a0, a1, a2, a3, a4, a5, a6, a7);
	conv_out(out, at + 8, ch, t, n, b0, b1, b2, b3, b4, b5, b6, b7);
}

/* The pixels of a tile by one vector. */
static void conv_single(__global const uchar *in, __global const int *from, int pixels,
			__global const int16 *w, __global uchar *out, __global const int *at,
			__global const struct npu_channels *ch, __global const struct npu_task *t,
			__global const struct npu_op *op, long row, int n)
{
	int p = 0;

	/* Groups of 8 that do not cross a row's end are all alike. */
	if (!(op->ow % 8))
		for (; p + 16 <= pixels; p += 16)
			conv_16x1(in, from + p, from[p + 8] - from[p], w, out, at + p, ch, t, op->kernel_h, row, n);
	for (; p < pixels; p += NPU_PIXELS)
		conv_8x1(in, from + p, w, out, at + p, ch, t, op->kernel_h, row, n);
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
	int depth = (int)op->a.depth, pitch = (int)t->width * depth, ow = (int)op->ow, n = 0;
	int staged = (rows - 1) * op->stride_y + ((int)op->kernel_h - 1) * op->dilation_y + 1;
	__global int *from = (__global int *)(scratch + NPU_SCRATCH_TABLE);
	__global int *at = from + NPU_TILE_PIXELS;
	__global const int16 *w = (__global const int16 *)(blob + t->panel);
	__global const struct npu_channels *ch = (__global const struct npu_channels *)(blob + t->channels);
	long group = fm_group(&op->ofm), row = (long)pitch * op->dilation_y;
	long origin = fm_pixel(&op->ofm, (uint)y0, 0);
	__global uchar *out = mem_at(mem, op->ofm.space, origin);
	int steps = op->kernel_h * (int)t->k4;

	for (int y = 0; y < staged; y++)
		stage_row(scratch + (long)y * pitch, mem, &op->a, t, y0 * op->stride_y - op->pad_top + y,
			  -(int)op->pad_left);
	for (int y = 0; y < rows; y++, n += ow) {
		ramp(from + n, y * op->stride_y * pitch, op->stride_x * depth, ow);
		ramp(at + n, (int)(fm_pixel(&op->ofm, (uint)(y0 + y), 0) - origin), fm_step(&op->ofm), ow);
	}
	repeat_last(from, n);
	repeat_last(at, n);
	for (; pair < last; pair++) {
		int v = 2 * pair, left = (int)op->oc - 16 * v;
		__global const int16 *panel = w + (long)v * steps;

		if (left <= 16) {
			conv_single(scratch, from, n, panel, out + v * group, at, ch + v, t, op, row, left);
			continue;
		}
		for (int p = 0; p < n; p += NPU_PIXELS)
			conv_8x2(scratch, from + p, panel, out + v * group, at + p, group, ch + v, t,
				 op->kernel_h, row, min(left - 16, 16));
	}
}
