/* SPDX-License-Identifier: MIT */
/*
 * Operations that turn each byte of the IFM into one byte of the OFM: copies, requantisation, activation
 * tables. All there is to know is a table of 256 bytes.
 */

/* 64 bytes looked up. */
static inline int16 map_64(int16 v, __global const uchar *table)
{
#if NPU_VBMI
	__global const int16 *part = (__global const int16 *)table;
	int16 low = v, high = v;
	typedef char c64 __attribute__((vector_size(64)));
	c64 upper = (c64)v < (c64)(int16)(0);

	/* Each looks up the low 7 bits in 128 entries; the sign bit then picks. */
	__asm__("vpermi2b %2,%1,%0" : "+v"(low) : "v"(part[0]), "v"(part[1]));
	__asm__("vpermi2b %2,%1,%0" : "+v"(high) : "v"(part[2]), "v"(part[3]));
	return (as_int16(upper) & high) | (~as_int16(upper) & low);
#else
	union {
		int16 all;
		uchar byte[64];
	} u;

	u.all = v;
	for (int i = 0; i < 64; i++)
		u.byte[i] = table[u.byte[i]];
	return u.all;
#endif
}

static void map_run(__global const uchar *in, __global uchar *out, int n, __global const uchar *table)
{
	int i = 0;

	PLAIN_LOOP
	for (; i + 64 <= n; i += 64)
		*(__global ints16 *)(out + i) = map_64(*(__global const ints16 *)(in + i), table);
	PLAIN_LOOP
	for (; i < n; i++)
		out[i] = table[in[i]];
}

/* A row of @n channels at most 16 a pixel. */
static void map_pixels(__global const uchar *in, int in_step, __global uchar *out, int out_step, int width,
		       int n, __global const uchar *table)
{
	if (n == 1) {
		PLAIN_LOOP
		for (int x = 0; x < width; x++, in += in_step, out += out_step)
			*out = table[*in];
		return;
	}
	PLAIN_LOOP
	for (int x = 0; x < width; x++, in += in_step, out += out_step) {
		PLAIN_LOOP
		for (int c = 0; c < n; c++)
			out[c] = table[in[c]];
	}
}

/* @n bytes, every @in_step-th to every @out_step-th. */
static void map_steps(__global const uchar *in, long in_step, __global uchar *out, long out_step, int n,
		      __global const uchar *table)
{
	int i = 0;

	if (in_step == 1) {
		PLAIN_LOOP
		for (; i + 64 <= n; i += 64, in += 64) {
			union {
				int16 all;
				uchar byte[64];
			} u;

			u.all = map_64(*(__global const ints16 *)in, table);
			PLAIN_LOOP
			for (int k = 0; k < 64; k++, out += out_step)
				*out = u.byte[k];
		}
	}
	PLAIN_LOOP
	for (; i < n; i++, in += in_step, out += out_step)
		*out = table[*in];
}

/*
 * One tile of one channel, higher than wide: column by column. Where rows and columns trade places a
 * column lies as a row does elsewhere.
 */
static void map_columns(const struct npu_mem *mem, __global const struct npu_op *op, int y, int end,
			__global const uchar *table)
{
	__global const uchar *in = mem_at(mem, op->a.space, fm_pixel(&op->a, (uint)y, 0));
	__global uchar *out = mem_at(mem, op->ofm.space, fm_pixel(&op->ofm, (uint)y, 0));

	for (int x = 0; x < (int)op->ow; x++, in += fm_step(&op->a), out += fm_step(&op->ofm))
		map_steps(in, op->a.stride_y, out, op->ofm.stride_y, end - y, table);
}

/* One tile: rows [tile * rows, ...). The plan's table is followed by the one in LUT memory, if any. */
static void map_tile(const struct npu_mem *mem, __global const struct npu_op *op,
		     __global const struct npu_task *t, __global const uchar *blob, __global uchar *scratch,
		     uint tile)
{
	__global const uchar *table = blob + t->panel;
	int end = min((int)((tile + 1) * t->rows), (int)op->oh), width = (int)op->ow, depth = (int)op->oc;
	int in_step = fm_step(&op->a), out_step = fm_step(&op->ofm);
	int dense = in_step == depth && out_step == depth;
	int bricks = op->a.brick && op->ofm.brick;

	if (op->lut != NPU_LUT_NONE) {
		__global const uchar *lut = mem_at(mem, NPU_SPACE_INTERNAL, op->lut_offset);

		/* Index of the table in LUT memory: the value, plus 128 if signed. */
		for (int i = 0; i < 256; i++)
			scratch[i] = lut[table[i] ^ (op->lut == NPU_LUT_S8_S8 ? 0x80 : 0)];
		table = scratch;
	}
	if (depth == 1 && (int)op->oh > width && op->a.height0 >= op->oh && op->ofm.height0 >= op->oh) {
		map_columns(mem, op, (int)(tile * t->rows), end, table);
		return;
	}
	for (int y = (int)(tile * t->rows); y < end; y++) {
		__global const uchar *in = mem_at(mem, op->a.space, fm_pixel(&op->a, (uint)y, 0));
		__global uchar *out = mem_at(mem, op->ofm.space, fm_pixel(&op->ofm, (uint)y, 0));

		if (dense) {
			map_run(in, out, width * depth, table);
			continue;
		}
		if (!op->a.brick && !op->ofm.brick && depth >= 64) {
			for (int x = 0; x < width; x++, in += in_step, out += out_step)
				map_run(in, out, depth, table);
			continue;
		}
		for (int c = 0; c < depth; c += 16, in += fm_group(&op->a), out += fm_group(&op->ofm)) {
			int n = min(depth - c, 16);

			if (bricks && n == 16)
				map_run(in, out, 16 * width, table);
			else
				map_pixels(in, in_step, out, out_step, width, n, table);
		}
	}
}
