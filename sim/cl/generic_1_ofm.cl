/* SPDX-License-Identifier: MIT */
/*
 * Portable OpenCL C, part 1: where results go. The axes of an OFM may be transposed or reversed on
 * the way to memory.
 */

/* Which stored axis (0 rows, 1 columns, 2 channels) the operation's H, W and C become. */
__constant uchar gen_axis[8][3] = {
	[NPU_TRANSPOSE_HWC] = { 0, 1, 2 },
	[NPU_TRANSPOSE_WHC] = { 1, 0, 2 },
	[NPU_TRANSPOSE_HCW] = { 0, 2, 1 },
	[NPU_TRANSPOSE_WCH] = { 2, 0, 1 },
	[4] = { 0, 1, 2 },
	[5] = { 0, 1, 2 },
	[NPU_TRANSPOSE_CHW] = { 1, 2, 0 },
	[NPU_TRANSPOSE_CWH] = { 2, 1, 0 },
};

/* How one row of the operation is stored. */
struct gen_ofm {
	struct gen_fm fm;
	uint mapped; /* elements are placed one by one: no constant steps */
	uint axis[3];
	uint reverse;
	uint size[3]; /* stored extent */
};

GEN_CALL void gen_ofm_open(struct gen_ofm *o, const struct npu_mem *mem,
			   __global const struct npu_op *op)
{
	__global const struct npu_fm *fm = &op->ofm;
	struct gen_fm *f = &o->fm;
	uint whole = fm->width0 >= fm->width && fm->height0 >= fm->height;
	long step[3];

	gen_fm_open(f, mem, fm, 0, 0, 0);
	o->reverse = op->reverse;
	o->size[0] = fm->height;
	o->size[1] = fm->width;
	o->size[2] = fm->depth;
	for (uint i = 0; i < 3; i++)
		o->axis[i] = gen_axis[op->transpose & 7][i];
	o->mapped = 0;
	if (!op->transpose && !op->reverse)
		return;

	/* Bricks keep a constant step along every axis but the channels. */
	if (!whole || (f->brick && (o->axis[2] != 2 || op->reverse == NPU_REVERSE_C))) {
		o->mapped = 1;
		return;
	}
	step[0] = f->sy;
	step[1] = f->sx;
	step[2] = f->sc;
	if (op->reverse) {
		uint axis = op->reverse - 1;

		f->tile[0] += (long)(o->size[axis] - 1) * step[axis];
		step[axis] = -step[axis];
	}
	f->sy = step[o->axis[0]];
	f->sx = step[o->axis[1]];
	f->sc = step[o->axis[2]];
	if (!f->brick)
		f->sb = 16 * f->sc;
	f->width0 = UINT_MAX;
	f->height0 = UINT_MAX;
}

static __global uchar *gen_ofm_element(const struct gen_ofm *o, uint y, uint x, uint c)
{
	uint at[3];

	at[o->axis[0]] = y;
	at[o->axis[1]] = x;
	at[o->axis[2]] = c;
	if (o->reverse)
		at[o->reverse - 1] = o->size[o->reverse - 1] - 1 - at[o->reverse - 1];
	return gen_at(&o->fm, at[0], at[1]) + gen_channel(&o->fm, at[2]);
}

/* n values to (x, c0 + c) of row y on; the order of gen_load(). */
GEN_CALL void gen_store(const struct gen_ofm *o, uint y, uint x, uint c0, uint c, uint slab, uint n,
			const long *v)
{
	for (uint done = 0; done < n;) {
		__global uchar *p;
		long step = 0;
		uint m = 1;

		if (o->mapped)
			p = gen_ofm_element(o, y, x, c0 + c);
		else
			m = gen_run(&o->fm, y, x, c0, c, slab, n - done, &p, &step);
		gen_store_run(p, step, m, o->fm.type, v + done);
		done += m;
		c += m;
		if (c >= slab) {
			x += c / slab;
			c %= slab;
		}
	}
}
