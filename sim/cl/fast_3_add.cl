/* SPDX-License-Identifier: MIT */
/*
 * ADD and SUB of bytes. The value before rounding is within @limit's distance of the float expression
 * a * ma + b * mb + c; only where that is too near a tie are the integers done.
 */

/* One operand's scaling as the hardware does it. */
static long add_operand(long v, __global const struct npu_scale *s)
{
	long product = v * (long)s->scale, high, mask;
	int first;

	if (s->scale == 1 && !s->shift)
		return v;
	if (!s->dbl)
		return s->shift ? (product + (1L << (s->shift - 1))) >> s->shift : product;
	first = 31 - s->dbl;
	high = (product + (1L << (first - 1))) >> first;
	mask = (1L << (s->shift - first)) - 1;
	return (high >> (s->shift - first)) + ((high & mask) > (mask >> 1) + (high < 0));
}

static uchar add_exact(__global const struct npu_op *op, __global const struct npu_task *t, int a, int b)
{
	long x = add_operand(a, &op->a_scale), y = add_operand(b, &op->b_scale);
	long product = (op->mode == NPU_ELT_SUB ? x - y : x + y) * (long)op->ofm_scale.scale;
	int shift = op->ofm_scale.shift;
	long v;

	if (op->ofm_scale.round == NPU_ROUND_TFL && shift > 31) {
		long high = (product + (1L << 30)) >> 31, mask = (1L << (shift - 31)) - 1;

		v = (high >> (shift - 31)) + ((high & mask) > (mask >> 1) + (high < 0));
	} else {
		v = shift ? (product + (1L << (shift - 1))) >> shift : product;
	}
	return (uchar)((int)clamp(v + t->zero_point, (long)t->lo, (long)t->hi) ^ (int)t->flip_out);
}

static inline int16 widen(__global const uchar *p, uint flip)
{
	return __builtin_convertvector(as_char16(*(__global const bytes16 *)p ^ (bytes16)((uchar)flip)), int16);
}

/* Bytes one by one, in integers. */
static void add_integers(__global const uchar *a, __global const uchar *b, __global uchar *out, int n,
			 __global const struct npu_op *op, __global const struct npu_task *t,
			 __global const struct npu_add *k)
{
	for (int i = 0; i < n; i++)
		out[i] = add_exact(op, t, (char)(a[i] ^ (uchar)t->flip_in) - k->zero_a,
				   (k->scalar_b ? k->value_b : (char)(b[i] ^ (uchar)k->flip_b)) - k->zero_b);
}

/* @n bytes that lie one after the other in all maps. */
static void add_run(__global const uchar *a, __global const uchar *b, __global uchar *out, int n,
		    __global const struct npu_op *op, __global const struct npu_task *t,
		    __global const struct npu_add *k)
{
	float16 ma = (float16)(k->ma), mb = (float16)(k->mb), c = (float16)(k->c);
	int16 fixed = (int16)(k->value_b);
	int i = 0;

	for (; i + 64 <= n; i += 64) {
		float16 worst = (float16)(0);
		int16 r[4];

		for (int v = 0; v < 4; v++) {
			int16 x = widen(a + i + 16 * v, t->flip_in);
			int16 y = k->scalar_b ? fixed : widen(b + i + 16 * v, k->flip_b);

			r[v] = round_near(fma(__builtin_convertvector(x, float16), ma,
					      fma(__builtin_convertvector(y, float16), mb, c)), &worst);
		}
		if (above_limit(worst, (float16)(k->limit)))
			add_integers(a + i, b + i, out + i, 64, op, t, k);
		else
			*(__global ints16 *)(out + i) = pack4(r[0], r[1], r[2], r[3], t);
	}
	add_integers(a + i, b + i, out + i, n - i, op, t, k);
}

/* One tile: rows [tile * rows, ...). A group is 16 channels, or all of them where pixels are dense. */
static void add_tile(const struct npu_mem *mem, __global const struct npu_op *op,
		     __global const struct npu_task *t, __global const uchar *blob, uint tile)
{
	__global const struct npu_add *k = (__global const struct npu_add *)(blob + t->panel);
	int end = min((int)((tile + 1) * t->rows), (int)op->oh);

	for (int y = (int)(tile * t->rows); y < end; y++) {
		__global const uchar *a = mem_at(mem, op->a.space, fm_pixel(&op->a, (uint)y, 0));
		__global const uchar *b = k->scalar_b ? a : mem_at(mem, op->b.space, fm_pixel(&op->b, (uint)y, 0));
		__global uchar *out = mem_at(mem, op->ofm.space, fm_pixel(&op->ofm, (uint)y, 0));

		if (k->dense) {
			add_run(a, b, out, (int)(op->ow * op->oc), op, t, k);
			continue;
		}
		for (int c = 0; c < (int)op->oc; c += 16) {
			long ga = c / 16 * fm_group(&op->a), gb = k->scalar_b ? 0 : c / 16 * fm_group(&op->b);
			long go = c / 16 * fm_group(&op->ofm);
			int n = min((int)op->oc - c, 16);

			if (k->bricks && n == 16) {
				add_run(a + ga, b + gb, out + go, 16 * (int)op->ow, op, t, k);
				continue;
			}
			for (int x = 0; x < (int)op->ow; x++)
				add_run(a + ga + x * fm_step(&op->a),
					k->scalar_b ? b : b + gb + x * fm_step(&op->b),
					out + go + x * fm_step(&op->ofm), n, op, t, k);
		}
	}
}
