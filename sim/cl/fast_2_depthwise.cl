/* SPDX-License-Identifier: MIT */
/*
 * 8-bit depthwise convolution, 16 channels at a time. The dot product takes 4 bytes of one lane, so 4
 * kernel rows are interleaved: line[q][x] holds for each channel the bytes of rows 4q..4q+3 at column
 * x, and one dot product a column does up to 4 taps.
 */

/* Columns of one line: the bytes of up to 4 rows interleaved. row[i] steps by step[i] bytes. */
static inline void interleave(__global int16 *line, __global const uchar **row, const long *step, int rows,
			      int n, int flip)
{
	for (int x = 0; x < n; x++) {
		uint16 v = __builtin_convertvector(*(__global const bytes16 *)(row[0] + x * step[0]), uint16);

		for (int i = 1; i < rows; i++)
			v |= __builtin_convertvector(*(__global const bytes16 *)(row[i] + x * step[i]), uint16)
			     << (uint)(8 * i);
		line[x] = as_int16(v) ^ flip;
	}
}

/* The same for a group of fewer than 16 channels, of which no byte more may be read. */
static void interleave_tail(__global int16 *line, __global const uchar **row, const long *step, int rows,
			    int n, int flip, int channels)
{
	for (int x = 0; x < n; x++) {
		int v[16] __attribute__((aligned(64)));

		for (int c = 0; c < 16; c++)
			v[c] = 0;
		for (int i = 0; i < rows; i++)
			for (int c = 0; c < channels; c++)
				v[c] |= (int)row[i][x * step[i] + c] << (8 * i);
		line[x] = *(int16 *)v ^ flip;
	}
}

/*
 * Build the line of kernel rows [4q, 4q + rows) for OFM row @y: @pad is a pixel of 16 zero points as the
 * IFM stores them.
 */
static void build_line(__global int16 *line, const struct npu_mem *mem, __global const struct npu_op *op,
		       __global const struct npu_task *t, __global const uchar *pad, int y, int q, int rows,
		       int group, int channels)
{
	__global const struct npu_fm *fm = &op->a;
	int flip = (int)(t->flip_in * 0x01010101u);
	int left = min((int)op->pad_left, (int)t->width);
	int inside = clamp((int)fm->width, 0, (int)t->width - left);
	int16 outside = (int16)((int)((uint)t->pad_value * 0x01010101u));
	__global const uchar *row[4];
	long step[4];

	for (int i = 0; i < rows; i++) {
		int iy = y * op->stride_y - op->pad_top + (4 * q + i) * op->dilation_y;
		int valid = iy >= 0 && iy < (int)fm->height;

		row[i] = valid ? mem_at(mem, fm->space, fm_pixel(fm, (uint)iy, 0) + group * fm_group(fm)) : pad;
		step[i] = valid ? fm_step(fm) : 0;
	}
	for (int x = 0; x < left; x++)
		line[x] = outside;
	if (channels < 16)
		interleave_tail(line + left, row, step, rows, inside, flip, channels);
	else if (rows == 3)
		interleave(line + left, row, step, 3, inside, flip);
	else
		interleave(line + left, row, step, rows, inside, flip);
	for (int x = left + inside; x < (int)t->width; x++)
		line[x] = outside;
}

__attribute__((noinline)) static void depthwise_8(__global const int16 *line, __global const int *from,
						  __global const int16 *w, __global uchar *out,
						  __global const int *at,
						  __global const struct npu_channels *ch,
						  __global const struct npu_task *t, int quads, int kernel_w,
						  int dilation, int n)
{
	int16 first = *(__global const int16 *)ch->init;
#define D(p) int16 a##p = first; __global const int16 *i##p = line + from[p];
	PIXELS(D)
#undef D
	for (int q = 0; q < quads; q++) {
		for (int k = 0; k < kernel_w; k++) {
			int16 w0 = *w++;
#define D(p) a##p = dot4(a##p, i##p[k * dilation], w0);
			PIXELS(D)
#undef D
		}
#define D(p) i##p += t->width;
		PIXELS(D)
#undef D
	}
	conv_out(out, at, ch, t, n, a0, a1, a2, a3, a4, a5, a6, a7);
}

/* One tile: rows [tile * rows, ...) of the OFM, all channels. */
static void depthwise_tile(const struct npu_mem *mem, __global const struct npu_op *op,
			   __global const struct npu_task *t, __global const uchar *blob,
			   __global uchar *scratch, uint tile)
{
	int y0 = (int)(tile * t->rows), rows = min((int)t->rows, (int)op->oh - y0), ow = (int)op->ow;
	int quads = ((int)op->kernel_h + 3) / 4;
	__global int *from = (__global int *)(scratch + NPU_SCRATCH_TABLE);
	__global int *at = from + NPU_TILE_PIXELS;
	__global uchar *pad = (__global uchar *)(at + NPU_TILE_PIXELS);
	__global int16 *line = (__global int16 *)scratch;
	__global const struct npu_channels *ch = (__global const struct npu_channels *)(blob + t->channels);
	long group = fm_group(&op->ofm);

	ramp(from, 0, op->stride_x, ow);
	ramp(at, 0, fm_step(&op->ofm), ow);
	repeat_last(from, ow);
	repeat_last(at, ow);
	fill_bytes(pad, 16, (uchar)(t->pad_value ^ t->flip_in));
	for (int g = 0; g < (int)t->vectors; g++) {
		__global const int16 *w = (__global const int16 *)(blob + t->panel) + g * quads * op->kernel_w;
		int channels = min((int)op->oc - 16 * g, 16);

		for (int y = 0; y < rows; y++) {
			__global uchar *out = mem_at(mem, op->ofm.space,
						     fm_pixel(&op->ofm, (uint)(y0 + y), 0) + g * group);

			for (int q = 0; q < quads; q++)
				build_line(line + q * (int)t->width, mem, op, t, pad, y0 + y, q,
					   min((int)op->kernel_h - 4 * q, 4), g, channels);
			for (int p = 0; p < ow; p += NPU_PIXELS)
				depthwise_8(line, from + p, w, out, at + p, ch + g, t, quads, op->kernel_w,
					    op->dilation_x, channels);
		}
	}
}
