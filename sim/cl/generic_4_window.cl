/* SPDX-License-Identifier: MIT */
/* Portable OpenCL C, part 4: operations with a kernel: convolutions, matmul, pooling. */
#define GEN_PATCH 1024u /* inputs gathered at a time; 1024 products of 16 bits fit in 32 */

struct gen_window {
	struct gen_fm in;
	int top, left;	   /* of the window, may be negative */
	int height, width; /* of the (upscaled) IFM: what is outside is padding */
	uint kh, kw, dy, dx;
	uint upscale;
	uint depth;
};

static void gen_window_open(struct gen_window *w, const struct npu_mem *mem,
			    __global const struct npu_op *op, uint depth)
{
	long h, v;

	gen_fm_open(&w->in, mem, &op->a, 0, 0, depth);
	w->kh = op->kernel_h;
	w->kw = op->kernel_w;
	w->dy = op->dilation_y;
	w->dx = op->dilation_x;
	w->upscale = op->upscale;
	w->depth = op->a.depth;

	v = (long)(op->oh - 1) * op->stride_y + (long)(w->kh - 1) * w->dy + 1 - op->pad_top -
	    op->pad_bottom;
	h = (long)(op->ow - 1) * op->stride_x + (long)(w->kw - 1) * w->dx + 1 - op->pad_left -
	    op->pad_right;
	w->height = op->upscale ? (int)min(v, 2L * op->a.height) : (int)op->a.height;
	w->width = op->upscale ? (int)min(h, 2L * op->a.width) : (int)op->a.width;
}

/*
 * Where tap (ky, kx) reads. 0: outside the IFM. An element that zero upscaling puts in has a value
 * (0) but no place: *zero.
 */
static uint gen_tap(const struct gen_window *w, uint ky, uint kx, uint *y, uint *x, uint *zero)
{
	int iy = w->top + (int)(ky * w->dy), ix = w->left + (int)(kx * w->dx);

	*zero = 0;
	if (iy < 0 || iy >= w->height || ix < 0 || ix >= w->width)
		return 0;
	*y = (uint)iy;
	*x = (uint)ix;
	if (w->upscale) {
		*zero = w->upscale == NPU_UPSCALE_ZEROS && ((iy | ix) & 1);
		*y >>= 1;
		*x >>= 1;
	}
	return 1;
}

/* 8-bit inputs minus their zero point, for gen_dot_s16(). */
GEN_CALL void gen_gather_s16(const struct gen_fm *f, __global const uchar *p, uint n, short *out)
{
	long step = f->sc;
	short zp = (short)f->zero_point;

	if (f->type == GEN_U8)
		GEN_LOAD(uchar, out);
	else
		GEN_LOAD(char, out);
	for (uint i = 0; i < n; i++)
		out[i] -= zp;
}

GEN_CALL void gen_gather_s32(const struct gen_fm *f, __global const uchar *p, uint n, int *out)
{
	long step = f->sc;

	if (f->type == GEN_U16)
		GEN_LOAD(gen_u16, out);
	else if (f->type == GEN_S16)
		GEN_LOAD(gen_s16, out);
	else
		GEN_LOAD(gen_s32, out);
	for (uint i = 0; i < n; i++)
		out[i] -= f->zero_point;
}

/* Inputs [k, k + m) of the window in the order of the weights, (ky, kx, ic). */
GEN_CALL void gen_gather(const struct gen_window *w, uint k, uint m, int *patch)
{
	uint tap = k / w->depth, c = k % w->depth;
	uint ky = tap / w->kw, kx = tap % w->kw;
	uint narrow = w->in.type <= GEN_S8;
	short *patch16 = (short *)patch;

	for (uint done = 0; done < m;) {
		uint n = min(m - done, w->depth - c);
		uint y, x, zero;

		if (gen_tap(w, ky, kx, &y, &x, &zero) && !zero) {
			__global const uchar *p = gen_at(&w->in, y, x) + gen_channel(&w->in, c);

			if (w->in.brick)
				n = min(n, 16 - (c & 15));
			if (narrow)
				gen_gather_s16(&w->in, p, n, patch16 + done);
			else
				gen_gather_s32(&w->in, p, n, patch + done);
		} else if (narrow) {
			for (uint i = 0; i < n; i++)
				patch16[done + i] = 0;
		} else {
			for (uint i = 0; i < n; i++)
				patch[done + i] = 0;
		}
		done += n;
		c += n;
		if (c == w->depth) {
			c = 0;
			if (++kx == w->kw) {
				kx = 0;
				ky++;
			}
		}
	}
}

/* A loop with one sum is what LLVM makes multiply-and-add instructions of. */
GEN_CALL int gen_dot_s16(const short *a, __global const short *b, uint n)
{
	int sum = 0;

	for (uint i = 0; i < n; i++)
		sum += (int)a[i] * b[i];
	return sum;
}

GEN_CALL long gen_dot_s32(const int *a, __global const short *b, uint n)
{
	long sum = 0;

	for (uint i = 0; i < n; i++)
		sum += (long)a[i] * b[i];
	return sum;
}

GEN_CALL void gen_conv(const struct gen_window *w, __global const short *weights, uint c0, uint n,
		       long *acc, int *patch)
{
	uint taps = w->kh * w->kw * w->depth;
	uint narrow = w->in.type <= GEN_S8;

	for (uint k = 0; k < taps; k += GEN_PATCH) {
		uint m = min(GEN_PATCH, taps - k);

		gen_gather(w, k, m, patch);
		for (uint i = 0; i < n; i++) {
			__global const short *row = weights + (ulong)(c0 + i) * taps + k;

			acc[i] += narrow ? gen_dot_s16((short *)patch, row, m)
					 : gen_dot_s32(patch, row, m);
		}
	}
}

GEN_CALL void gen_depthwise(const struct gen_window *w, __global const short *weights, uint c0,
			    uint n, long *acc, long *line)
{
	uint taps = w->kh * w->kw;
	uint y, x, zero;

	for (uint ky = 0; ky < w->kh; ky++) {
		for (uint kx = 0; kx < w->kw; kx++) {
			__global const short *tap = weights + (ulong)c0 * taps + ky * w->kw + kx;

			if (!gen_tap(w, ky, kx, &y, &x, &zero) || zero)
				continue;
			gen_load(&w->in, y, x, 0, c0, c0 + n, n, line);
			for (uint i = 0; i < n; i++)
				acc[i] += line[i] * tap[i * taps];
		}
	}
}

/* The second operand is read as [1][OFM channel][depth]. */
GEN_CALL void gen_matmul(const struct gen_window *w, const struct gen_fm *b, uint y, uint x,
			 uint c0, uint n, long *acc, long *line, long *row)
{
	for (uint k = 0; k < w->depth; k += GEN_LINE) {
		uint m = min(GEN_LINE, w->depth - k);

		gen_load(&w->in, y, x, 0, k, w->depth, m, line);
		for (uint i = 0; i < n; i++) {
			long sum = 0;

			gen_load(b, 0, c0 + i, 0, k, w->depth, m, row);
			for (uint j = 0; j < m; j++)
				sum += line[j] * row[j];
			acc[i] += sum;
		}
	}
}

/* The least value of an element type, without its zero point. */
static long gen_least(const struct gen_fm *f)
{
	uint bits = 8u << (f->type >> 1);

	return (f->type & 1 ? -1L << (bits - 1) : 0) - f->zero_point;
}

static long gen_greatest(const struct gen_fm *f)
{
	uint bits = 8u << (f->type >> 1);
	ulong all = ULONG_MAX >> (64 - bits);

	return (long)(f->type & 1 || bits == 64 ? all >> 1 : all) - f->zero_point;
}

/*
 * First maximum in the kernel; the output scale takes its index from bit 16 on. What lies below is
 * inferred: streams drop it.
 */
GEN_CALL void gen_argmax(const struct gen_window *w, uint along_y, uint c0, uint n, long *acc,
			 long *line, long *best)
{
	uint y, x, zero;

	gen_fill(best, n, LONG_MIN);
	for (uint ky = 0; ky < w->kh; ky++) {
		for (uint kx = 0; kx < w->kw; kx++) {
			if (!gen_tap(w, ky, kx, &y, &x, &zero))
				continue;
			gen_fill(line, n, 0);
			if (!zero)
				gen_load(&w->in, y, x, 0, c0, c0 + n, n, line);
			for (uint i = 0; i < n; i++) {
				if (line[i] > best[i]) {
					best[i] = line[i];
					acc[i] = along_y ? ky : kx;
				}
			}
		}
	}
	for (uint i = 0; i < n; i++) {
		if (best[i] == LONG_MIN)
			best[i] = gen_least(&w->in);
		acc[i] = acc[i] << 16 | ((best[i] + w->in.zero_point) & USHRT_MAX);
	}
}

GEN_CALL void gen_pool(const struct gen_window *w, uint mode, uint divide, uint c0, uint n,
		       long *acc, long *line)
{
	long count = 0;
	uint y, x, zero;

	/* A window without elements leaves the least or the greatest value. */
	if (mode == NPU_POOL_MAX || mode == NPU_POOL_MIN)
		gen_fill(acc, n, mode == NPU_POOL_MAX ? gen_least(&w->in) : gen_greatest(&w->in));
	for (uint ky = 0; ky < w->kh; ky++) {
		for (uint kx = 0; kx < w->kw; kx++) {
			if (!gen_tap(w, ky, kx, &y, &x, &zero))
				continue;
			count++;
			gen_fill(line, n, 0);
			if (!zero)
				gen_load(&w->in, y, x, 0, c0, c0 + n, n, line);
			if (mode == NPU_POOL_MAX) {
				for (uint i = 0; i < n; i++)
					acc[i] = max(acc[i], line[i]);
			} else if (mode == NPU_POOL_MIN) {
				for (uint i = 0; i < n; i++)
					acc[i] = min(acc[i], line[i]);
			} else {
				for (uint i = 0; i < n; i++)
					acc[i] += line[i];
			}
		}
	}
	if (divide && count) {
		for (uint i = 0; i < n; i++) {
			long twice = 2 * (acc[i] < 0 ? -acc[i] : acc[i]) + count;

			acc[i] = (acc[i] < 0 ? -1 : 1) * (twice / (2 * count));
		}
	}
}

/* All channels to one. */
GEN_CALL void gen_reduce_sum(const struct gen_window *w, uint n, long *acc, long *line)
{
	long sum = 0;
	uint y, x, zero;

	for (uint ky = 0; ky < w->kh; ky++) {
		for (uint kx = 0; kx < w->kw; kx++) {
			if (!gen_tap(w, ky, kx, &y, &x, &zero) || zero)
				continue;
			for (uint c = 0; c < w->depth; c += GEN_LINE) {
				uint m = min(GEN_LINE, w->depth - c);

				gen_load(&w->in, y, x, 0, c, w->depth, m, line);
				for (uint i = 0; i < m; i++)
					sum += line[i];
			}
		}
	}
	gen_fill(acc, n, sum);
}

GEN_CALL void gen_scale_channels(__global const struct cl_bias *bias, uint round, uint n, long *acc)
{
	for (uint i = 0; i < n; i++)
		acc[i] += bias[i].bias;
	if (!gen_fits(acc, n, UINT_MAX)) {
		for (uint i = 0; i < n; i++)
			acc[i] = gen_scale_wide(acc[i], bias[i].scale, bias[i].shift & 63, round,
						31);
	} else if (round == NPU_ROUND_TFL) {
		for (uint i = 0; i < n; i++)
			acc[i] = gen_two_step(acc[i] * bias[i].scale, bias[i].shift & 63, 31);
	} else if (round == NPU_ROUND_NATURAL) {
		for (uint i = 0; i < n; i++)
			acc[i] = gen_natural(acc[i] * bias[i].scale, bias[i].shift & 63);
	} else {
		for (uint i = 0; i < n; i++)
			acc[i] = gen_round(acc[i] * bias[i].scale, bias[i].shift & 63, round);
	}
}

GEN_CALL void gen_window_row(const struct npu_mem *mem, __global const struct npu_op *op,
			     __global const short *weights, __global const struct cl_bias *bias,
			     uint y)
{
	uint kind = op->kind, mode = op->mode, width = op->ow, depth = op->oc;
	uint pool = kind == NPU_KIND_POOL;
	uint channelwise = kind == NPU_KIND_DEPTHWISE || (pool && mode != NPU_POOL_REDUCE_SUM);
	uint per_channel = op->per_channel, round = op->round;
	uint divide = pool && mode == NPU_POOL_AVERAGE && op->hw_divide;
	struct gen_window w;
	struct gen_output out;
	struct gen_ofm ofm;
	struct gen_fm b;
	long acc[GEN_LINE], line[GEN_LINE], row[GEN_LINE];
	int patch[GEN_PATCH];

	gen_window_open(&w, mem, op, channelwise ? depth : 0);
	w.top = (int)(y * op->stride_y) - op->pad_top;
	if (kind == NPU_KIND_MATMUL)
		gen_fm_open(&b, mem, &op->b, 1, depth, op->a.depth);
	gen_ofm_open(&ofm, mem, op);
	gen_output_open(&out, mem, op, !per_channel && !divide);

	for (uint x = 0; x < width; x++) {
		w.left = (int)(x * op->stride_x) - op->pad_left;
		for (uint c = 0; c < depth; c += GEN_LINE) {
			uint n = min(GEN_LINE, depth - c);

			gen_fill(acc, n, 0);
			if (kind == NPU_KIND_CONV)
				gen_conv(&w, weights, c, n, acc, patch);
			else if (kind == NPU_KIND_DEPTHWISE)
				gen_depthwise(&w, weights, c, n, acc, line);
			else if (kind == NPU_KIND_MATMUL)
				gen_matmul(&w, &b, y, x, c, n, acc, line, row);
			else if (mode == NPU_POOL_ARGMAX_X || mode == NPU_POOL_ARGMAX_Y)
				gen_argmax(&w, mode == NPU_POOL_ARGMAX_Y, c, n, acc, line, row);
			else if (mode == NPU_POOL_REDUCE_SUM)
				gen_reduce_sum(&w, n, acc, line);
			else
				gen_pool(&w, mode, divide, c, n, acc, line);
			if (per_channel && !pool && kind != NPU_KIND_MATMUL)
				gen_scale_channels(bias + c, round, n, acc);
			gen_finish(&out, acc, n);
			gen_store(&ofm, y, x, 0, c, depth, n, acc);
		}
	}
}
