/* SPDX-License-Identifier: MIT */
/*
 * Portable OpenCL C, part 0: memory. Feature maps as one operation sees them, and runs of elements
 * between them and private lines of long.
 *
 * A line is up to GEN_LINE elements of one row in the order (x, channel). Everything is computed in
 * lines of 64-bit values: loading, arithmetic and storing are separate small loops, so the kinds of
 * operation, element types and layouts add up instead of multiplying.
 */
#define GEN_LINE 256u

/* Inlined everywhere, the kernel takes half as long again to compile. */
#define GEN_CALL __attribute__((noinline)) static

struct npu_mem {
	__global uchar *space[NPU_SPACES]; /* of byte lo[] of the space */
	long lo[NPU_SPACES];
};

struct cl_bias {
	long bias;
	uint scale;
	uint shift;
};

/* Nothing makes a guest align its feature maps. */
typedef short gen_s16 __attribute__((aligned(1)));
typedef ushort gen_u16 __attribute__((aligned(1)));
typedef int gen_s32 __attribute__((aligned(1)));
typedef uint gen_u32 __attribute__((aligned(1)));
typedef long gen_s64 __attribute__((aligned(1)));
typedef ulong gen_u64 __attribute__((aligned(1)));
typedef uint4 gen_u128 __attribute__((aligned(1)));

enum gen_type { GEN_U8, GEN_S8, GEN_U16, GEN_S16, GEN_U32, GEN_S32, GEN_U64, GEN_S64 };

/*
 * A feature map: channel c of column x is at gen_at() + gen_channel(). A broadcast axis has step 0.
 */
struct gen_fm {
	__global uchar *tile[4];
	long sy, sx;
	long sb; /* from 16 channels to the next 16 */
	long sc;
	uint width0, height0, height1;
	uint type;
	int zero_point;
	uint brick;
};

static __global uchar *gen_space(const struct npu_mem *mem, uint space, long offset)
{
	return mem->space[space] + (offset - mem->lo[space]);
}

/*
 * height, width, depth: what the operation will address. An axis that is shorter than that is not
 * walked, so that no operation can leave the extent that was checked.
 */
GEN_CALL void gen_fm_open(struct gen_fm *f, const struct npu_mem *mem,
			  __global const struct npu_fm *fm, uint height, uint width, uint depth)
{
	uint es = 1u << fm->elem_log2;

	f->type = fm->elem_log2 * 2u + (fm->is_signed ? 1u : 0u);
	f->zero_point = fm->zero_point;
	f->brick = fm->brick;
	for (uint t = 0; t < 4; t++)
		f->tile[t] = fm->broadcast & NPU_BROADCAST_SCALAR
				     ? 0
				     : gen_space(mem, fm->space, fm->base[t]);
	f->sy = fm->stride_y;
	f->sx = fm->brick ? 16 * es : fm->stride_x;
	f->sb = fm->brick ? fm->stride_c : 16 * es;
	f->sc = es;
	f->width0 = fm->width0;
	f->height0 = fm->height0;
	f->height1 = fm->height1;
	if ((fm->broadcast & NPU_BROADCAST_H) || fm->height < height) {
		f->sy = 0;
		f->height0 = UINT_MAX;
		f->height1 = UINT_MAX;
	}
	if ((fm->broadcast & NPU_BROADCAST_W) || fm->width < width) {
		f->sx = 0;
		f->width0 = UINT_MAX;
	}
	if ((fm->broadcast & NPU_BROADCAST_C) || fm->depth < depth) {
		f->sb = 0;
		f->sc = 0;
	}
}

static __global uchar *gen_at(const struct gen_fm *f, uint y, uint x)
{
	if (x < f->width0) {
		if (y < f->height0)
			return f->tile[0] + y * f->sy + x * f->sx;
		return f->tile[2] + (y - f->height0) * f->sy + x * f->sx;
	}
	x -= f->width0;
	if (y < f->height1)
		return f->tile[1] + y * f->sy + x * f->sx;
	return f->tile[3] + (y - f->height1) * f->sy + x * f->sx;
}

static long gen_channel(const struct gen_fm *f, uint c)
{
	return (long)(c >> 4) * f->sb + (long)(c & 15) * f->sc;
}

/*
 * The longest run of equally spaced elements from (y, x, c0 + c) on, at most n, in the order
 * (x, channel) with channels [c0, c0 + slab) a column.
 */
GEN_CALL uint gen_run(const struct gen_fm *f, uint y, uint x, uint c0, uint c, uint slab, uint n,
		      __global uchar **p, long *step)
{
	uint columns = x < f->width0 ? f->width0 - x : UINT_MAX;
	uint linear = !f->brick || slab <= 16;
	uint left;

	*p = gen_at(f, y, x) + gen_channel(f, c0 + c);
	*step = f->sc;
	if (slab == 1) {
		*step = f->sx;
		return min(n, columns);
	}
	if (linear && f->sx == slab * f->sc)
		return columns > n ? n : min(n, columns * slab - c);
	left = min(n, slab - c);
	return linear ? left : min(left, 16 - ((c0 + c) & 15));
}

#define GEN_LOAD(type_, out_)                                                                      \
	do {                                                                                       \
		__global const type_ *q_ = (__global const type_ *)p;                              \
                                                                                                   \
		if (step == sizeof(type_)) {                                                       \
			for (uint i = 0; i < n; i++)                                               \
				(out_)[i] = q_[i];                                                 \
		} else {                                                                           \
			for (uint i = 0; i < n; i++)                                               \
				(out_)[i] = *(__global const type_ *)(p + i * step);               \
		}                                                                                  \
	} while (0)

GEN_CALL void gen_load_run(__global const uchar *p, long step, uint n, uint type, long *out)
{
	switch (type) {
	case GEN_U8:
		GEN_LOAD(uchar, out);
		break;
	case GEN_S8:
		GEN_LOAD(char, out);
		break;
	case GEN_U16:
		GEN_LOAD(gen_u16, out);
		break;
	case GEN_S16:
		GEN_LOAD(gen_s16, out);
		break;
	case GEN_U32:
		GEN_LOAD(gen_u32, out);
		break;
	case GEN_S32:
		GEN_LOAD(gen_s32, out);
		break;
	default:
		for (uint i = 0; i < n; i++)
			out[i] = *(__global const gen_s64 *)(p + i * step);
	}
}

/* n elements from (x, c0 + c) of row y on, minus the zero point. */
GEN_CALL void gen_load(const struct gen_fm *f, uint y, uint x, uint c0, uint c, uint slab, uint n,
		       long *out)
{
	for (uint done = 0; done < n;) {
		__global uchar *p;
		long step;
		uint m = gen_run(f, y, x, c0, c, slab, n - done, &p, &step);

		gen_load_run(p, step, m, f->type, out + done);
		done += m;
		c += m;
		if (c >= slab) {
			x += c / slab;
			c %= slab;
		}
	}
	if (f->zero_point) {
		for (uint i = 0; i < n; i++)
			out[i] -= f->zero_point;
	}
}

#define GEN_STORE(type_, lo_, hi_)                                                                 \
	do {                                                                                       \
		if (step == sizeof(type_)) {                                                       \
			__global type_ *q_ = (__global type_ *)p;                                  \
                                                                                                   \
			for (uint i = 0; i < n; i++)                                               \
				q_[i] = (type_)clamp(v[i], (long)(lo_), (long)(hi_));              \
		} else {                                                                           \
			for (uint i = 0; i < n; i++)                                               \
				*(__global type_ *)(p + i * step) =                                \
					(type_)clamp(v[i], (long)(lo_), (long)(hi_));              \
		}                                                                                  \
	} while (0)

GEN_CALL void gen_store_run(__global uchar *p, long step, uint n, uint type, const long *v)
{
	switch (type) {
	case GEN_U8:
		GEN_STORE(uchar, 0, UCHAR_MAX);
		break;
	case GEN_S8:
		GEN_STORE(char, CHAR_MIN, CHAR_MAX);
		break;
	case GEN_U16:
		GEN_STORE(gen_u16, 0, USHRT_MAX);
		break;
	case GEN_S16:
		GEN_STORE(gen_s16, SHRT_MIN, SHRT_MAX);
		break;
	case GEN_U32:
		GEN_STORE(gen_u32, 0, UINT_MAX);
		break;
	case GEN_S32:
		GEN_STORE(gen_s32, INT_MIN, INT_MAX);
		break;
	default:
		for (uint i = 0; i < n; i++)
			*(__global gen_s64 *)(p + i * step) = v[i];
	}
}
