/* SPDX-License-Identifier: MIT */
/*
 * 8-bit depthwise convolution, 16 channels at a time. The IFM rows of a tile are staged as bricks of 16
 * unsigned bytes a pixel, padding in place. 4 pixels of a row are then 64 bytes side by side; turned
 * over they have the 4 taps of each channel together, as the dot product wants them.
 */

/* 4 pixels of 16 channels to 16 channels of 4 pixels. */
static inline int16 turn(__global const uchar *p)
{
#if NPU_VBMI
	typedef char c64 __attribute__((vector_size(64)));
	const int16 order = (int16)(0x30201000, 0x31211101, 0x32221202, 0x33231303, 0x34241404, 0x35251505,
				    0x36261606, 0x37271707, 0x38281808, 0x39291909, 0x3a2a1a0a, 0x3b2b1b0b,
				    0x3c2c1c0c, 0x3d2d1d0d, 0x3e2e1e0e, 0x3f2f1f0f);
	int16 v = *(__global const ints16 *)p;

	__asm__("vpermb %1,%2,%0" : "=v"(v) : "v"(v), "v"(order));
	return v;
#else
	uint16 v = __builtin_convertvector(*(__global const bytes16 *)p, uint16);

	v |= __builtin_convertvector(*(__global const bytes16 *)(p + 16), uint16) << 8;
	v |= __builtin_convertvector(*(__global const bytes16 *)(p + 32), uint16) << 16;
	v |= __builtin_convertvector(*(__global const bytes16 *)(p + 48), uint16) << 24;
	return as_int16(v);
#endif
}

/* 1 pixel by 1 vector of @n channels, for what is really a weighted mean of the whole map. */
__attribute__((noinline)) static void depthwise_1(__global const uchar *in, __global const int16 *w,
						  __global uchar *out, __global const struct npu_channels *ch,
						  __global const struct npu_task *t, int kernel_h, long row,
						  int n)
{
	int16 a0 = *(__global const int16 *)ch->init, a1 = (int16)(0);
	int quads = (int)t->k4;

	for (int y = 0; y < kernel_h; y++, in += row) {
		int q = 0;

		for (; q + 2 <= quads; q += 2, w += 2) {
			a0 = dot4(a0, turn(in + 64 * q), w[0]);
			a1 = dot4(a1, turn(in + 64 * q + 64), w[1]);
		}
		if (q < quads)
			a0 = dot4(a0, turn(in + 64 * q), *w++);
	}
	a0 += a1;
	if (!t->raw) {
		conv_out_1(out, ch, t, n, a0);
		return;
	}
	for (int i = 0; i < n; i++)
		((__global int_unaligned *)out)[i] = ((int *)&a0)[i];
}

/* 8 pixels at a time by 1 vector of @n channels. @row: from kernel row to kernel row. */
__attribute__((noinline)) static void depthwise_8(__global const uchar *in, __global const int *from,
						  int pixels, __global const int16 *panel,
						  __global uchar *out, __global const int *at,
						  __global const struct npu_channels *ch,
						  __global const struct npu_task *t, int kernel_h, long row,
						  int n)
{
	int quads = (int)t->k4;

	for (int p = 0; p < pixels; p += NPU_PIXELS, from += NPU_PIXELS, at += NPU_PIXELS) {
		int16 first = *(__global const int16 *)ch->init;
		__global const int16 *w = panel;
#define D(p) int16 a##p = first; __global const uchar *i##p = in + from[p];
		PIXELS(D)
#undef D
		for (int y = 0; y < kernel_h; y++) {
			for (int q = 0; q < quads; q++) {
				int16 w0 = *w++;
#define D(p) a##p = dot4(a##p, turn(i##p + 64 * q), w0);
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

/*
 * The part of the IFM that lies in a tile's window, one group of channels: rows and columns of the stage
 * outside it keep their padding from group to group.
 */
static void stage_bricks(__global uchar *to, const struct npu_mem *mem, __global const struct npu_fm *fm,
			 __global const struct npu_task *t, int y0, int x0, int rows, int group, int channels)
{
	int width = (int)t->width, pitch = 16 * width, step = fm_step(fm);
	int left = clamp(-x0, 0, width), n = clamp((int)fm->width - x0, left, width) - left;
	int word = (int)(t->flip_in * 0x01010101u);
	int first = clamp(-y0, 0, rows), end = clamp((int)fm->height - y0, first, rows);
	long shift = group * fm_group(fm) + (long)(x0 + left) * step;

	to += 16 * left + first * pitch;
	if (channels == 16 && step == 16 && fm->height0 >= fm->height && first < end) {
		__global const uchar *from = mem_at(mem, fm->space, fm_pixel(fm, (uint)(y0 + first), 0) + shift);

		PLAIN_LOOP
		for (int y = first; y < end; y++, to += pitch, from += fm->stride_y)
			copy_bricks(to, from, n, word);
		return;
	}
	PLAIN_LOOP
	for (int y = first; y < end; y++, to += pitch) {
		__global const uchar *from = mem_at(mem, fm->space, fm_pixel(fm, (uint)(y0 + y), 0) + shift);

		if (channels == 16 && step == 16) {
			copy_bricks(to, from, n, word);
		} else if (channels == 16) {
			PLAIN_LOOP
			for (int x = 0; x < n; x++, from += step)
				*(__global ints4 *)(to + 16 * x) = *(__global const ints4 *)from ^ word;
		} else {
			PLAIN_LOOP
			for (int x = 0; x < n; x++, from += step)
				*(__global ints4 *)(to + 16 * x) = load_part(from, channels) ^ word;
		}
	}
}

/* One tile: rows [tile * rows, ...) of the OFM, all channels. */
static void depthwise_tile(const struct npu_mem *mem, __global const struct npu_op *op,
			   __global const struct npu_task *t, __global const uchar *blob,
			   __global uchar *scratch, uint tile)
{
	int y0 = (int)(tile * t->rows), rows = min((int)t->rows, (int)op->oh - y0), ow = (int)op->ow, n = 0;
	int pitch = 16 * (int)t->width, staged;
	__global int *from = (__global int *)(scratch + NPU_SCRATCH_TABLE);
	__global int *at = from + NPU_TABLE;
	__global const struct npu_channels *ch = (__global const struct npu_channels *)(blob + t->channels);
	long group = fm_group(&op->ofm), row = (long)pitch * op->dilation_y;
	long origin = fm_pixel(&op->ofm, (uint)y0, 0);
	__global uchar *out = mem_at(mem, op->ofm.space, origin);
	int taps = op->kernel_h * (int)t->k4;

	staged = (rows - 1) * op->stride_y + ((int)op->kernel_h - 1) * op->dilation_y + 1;
	for (int y = 0; y < rows; y++, n += ow)
		ramp(from + n, y * op->stride_y * pitch, op->stride_x * 16, ow);
	ofm_table(at, &op->ofm, y0, rows, ow);
	repeat_last(from, n);
	repeat_last(at, n);
	fill_bytes(scratch, staged * pitch, t->pad_value);
	for (int g = 0; g < (int)t->vectors; g++) {
		__global const int16 *w = (__global const int16 *)(blob + t->panel) + g * taps;
		int channels = min((int)op->oc - 16 * g, 16);

		stage_bricks(scratch, mem, &op->a, t, y0 * op->stride_y - op->pad_top, -(int)op->pad_left,
			     staged, g, channels);
		if (n == 1)
			depthwise_1(scratch, w, out + g * group, ch + g, t, op->kernel_h, row, channels);
		else
			depthwise_8(scratch, from, n, w, out + g * group, at, ch + g, t, op->kernel_h, row,
				    channels);
	}
}
