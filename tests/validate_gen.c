/* SPDX-License-Identifier: MIT */
/*
 * Tests: command streams by the million. Some are real ones with a few commands changed, most are put
 * together anew: operations of real streams with some registers changed, or with registers drawn
 * together so that they make sense. Registers that are as they should be are mostly not set again.
 */
#include "tests/validate_gen.h"

#include <string.h>

#include "uapi/ethosu_isa.h"

#define KNOWN0		(1u << 31)
#define KNOWN1		(1ull << 63)
#define ADDRESS_MASK	((1ull << ETHOSU_ADDRESS_BITS) - 1)

/* Registers that go to a stream at most, and words of a whole one that is changed. */
#define OP_WORDS	400
#define WHOLE_WORDS	700

#define R0(name)	(ETHOSU_##name & 0xff)
#define R1(name)	(ETHOSU_##name)

uint32_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)(z >> 32);
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((uint64_t)rng_next(r) * n >> 32);
}

static bool one_in(struct rng *r, uint32_t n)
{
	return !rng_below(r, n);
}

/* A stream being written. */
struct writer {
	const struct ethosu_hw *hw;
	struct rng *rng;
	uint32_t *words;
	size_t count;
	struct gen_regs now;	/* as the commands so far leave them */
	unsigned int tables;	/* loaded */
};

static void put(struct writer *w, uint32_t word)
{
	w->words[w->count++] = word;
}

static bool is_dma_reg0(unsigned int reg)
{
	return reg >= R0(SET_DMA0_SRC_REGION) && reg <= R0(SET_DMA0_IDX_REGION);
}

static bool is_dma_reg1(unsigned int reg)
{
	return reg >= R1(SET_DMA0_SRC) && reg <= R1(SET_DMA0_IDX_SKIP1);
}

/* Set what an operation needs: what differs, and now and then what does not. */
static void set_regs(struct writer *w, const struct gen_regs *want, bool dma)
{
	const struct ethosu_hw *hw = w->hw;
	bool all = one_in(w->rng, 64);

	for (unsigned int i = 0; i < sizeof(want->cmd0) / sizeof(want->cmd0[0]); i++) {
		if ((want->cmd0[i] == w->now.cmd0[i] && !all) || is_dma_reg0(i) != dma ||
		    !hw->cmd0[ETHOSU_OPCODE_KIND + i])
			continue;
		put(w, (ETHOSU_OPCODE_KIND + i) | (uint32_t)want->cmd0[i] << ETHOSU_PARAM_SHIFT);
		w->now.cmd0[i] = want->cmd0[i];
	}
	for (unsigned int i = 0; i < sizeof(want->cmd1) / sizeof(want->cmd1[0]); i++) {
		if ((want->cmd1[i] == w->now.cmd1[i] && !all) || is_dma_reg1(i) != dma ||
		    !hw->cmd1[i])
			continue;
		put(w, i | 1u << ETHOSU_CONTROL_SHIFT |
			       (uint32_t)(want->cmd1[i] >> 32) << ETHOSU_PARAM_SHIFT);
		put(w, (uint32_t)want->cmd1[i]);
		w->now.cmd1[i] = want->cmd1[i];
	}
}

/* ---- values ---- */

static uint16_t change16(struct rng *r, uint32_t known, uint16_t v)
{
	uint16_t mask = (uint16_t)known;

	if (one_in(r, 128))
		mask = 0xffff;
	switch (rng_below(r, 8)) {
	case 0:
		return v ^ (uint16_t)(1u << rng_below(r, 16) & mask);
	case 1:
		return (uint16_t)(v + 1) & mask;
	case 2:
		return (uint16_t)(v - 1) & mask;
	case 3:
		return 0;
	case 4:
		return one_in(r, 4) ? mask : v >> 1;
	case 5:
		return (uint16_t)rng_next(r) & mask;
	default:
		return (uint16_t)rng_below(r, 40) & mask;
	}
}

static uint64_t change40(struct rng *r, uint64_t known, uint64_t v)
{
	uint64_t mask = known & ~KNOWN1, small = rng_below(r, 4096);

	if (one_in(r, 128))
		mask = 0xffffffffffffull;
	switch (rng_below(r, 12)) {
	case 0:
		return (v + 16) & mask;
	case 1:
		return (v - 16) & mask;
	case 2:
		return (2 * v) & mask;
	case 3:
		return (0 - v) & mask;
	case 4:
		return 0;
	case 5:
		return (ADDRESS_MASK - small) & mask;
	case 6:
		return ((1ull << 39) + small - 2048) & mask;
	case 7:
		return ((1ull << 32) + small - 2048) & mask;
	case 8:
		return ((uint64_t)rng_next(r) << 32 | rng_next(r)) & mask;
	case 9:
		return (v ^ 1ull << rng_below(r, 40)) & mask;
	case 10:
		return (v + small % 3 - 1) & mask;
	default:
		return (small & ~15ull) & mask;
	}
}

static void change_reg(const struct ethosu_hw *hw, struct rng *r, struct gen_regs *regs, bool dma)
{
	unsigned int i;

	for (;;) {
		if (one_in(r, 2)) {
			i = rng_below(r, sizeof(regs->cmd0) / sizeof(regs->cmd0[0]));
			if (!hw->cmd0[ETHOSU_OPCODE_KIND + i] || is_dma_reg0(i) != dma)
				continue;
			regs->cmd0[i] = change16(r, hw->cmd0[ETHOSU_OPCODE_KIND + i],
						 regs->cmd0[i]);
		} else {
			i = rng_below(r, sizeof(regs->cmd1) / sizeof(regs->cmd1[0]));
			if (!hw->cmd1[i] || is_dma_reg1(i) != dma)
				continue;
			regs->cmd1[i] = change40(r, hw->cmd1[i], regs->cmd1[i]);
		}
		return;
	}
}

/* ---- registers that make sense together ---- */

/* Where a feature map's registers are, and its extent. */
struct fm_regs {
	uint8_t precision, width0, height0, height1, region, base0, stride_x, stride_y, stride_c;
};

#define FM(name)                                                                                   \
	{                                                                                          \
		R0(SET_##name##_PRECISION), R0(SET_##name##_WIDTH0_M1),                            \
			R0(SET_##name##_HEIGHT0_M1), R0(SET_##name##_HEIGHT1_M1),                  \
			R0(SET_##name##_REGION), R1(SET_##name##_BASE0), R1(SET_##name##_STRIDE_X), \
			R1(SET_##name##_STRIDE_Y), R1(SET_##name##_STRIDE_C)                       \
	}
static const struct fm_regs fms[] = { FM(IFM), FM(IFM2), FM(OFM) };

static uint32_t some_size(struct rng *r)
{
	switch (rng_below(r, 16)) {
	case 0:
		return 1 + rng_below(r, 0x10000);
	case 1:
		return 1 + rng_below(r, 600);
	case 2:
	case 3:
		return 1;
	default:
		return 1 + rng_below(r, 24);
	}
}

static uint64_t some_base(struct rng *r)
{
	switch (rng_below(r, 16)) {
	case 0:
		return ((uint64_t)rng_next(r) << 8) & ADDRESS_MASK;
	case 1:
		return rng_below(r, 0x10000);
	case 2:
		return (ADDRESS_MASK - rng_below(r, 0x100000)) & ~15ull;
	default:
		return rng_below(r, 0x10000) & ~15u;
	}
}

static void some_fm(struct rng *r, struct gen_regs *regs, const struct fm_regs *fm, uint32_t h,
		    uint32_t w, uint32_t c, bool ofm, bool u85)
{
	unsigned int es_log2 = rng_below(r, 3), brick = rng_below(r, 2);
	uint64_t es = 1ull << es_log2;
	uint64_t x = brick ? 16 * es : c * es, y = w * (brick ? (c + 15) / 16 * 16 * es : x);

	regs->cmd0[fm->precision] = (uint16_t)(rng_below(r, 2) | es_log2 << (ofm ? 1 : 2) |
					       brick << 6 | (ofm ? rng_below(r, 2) << 8 : 0));
	if (u85 && one_in(r, 6))
		regs->cmd0[fm->precision] |= (uint16_t)(rng_below(r, 4) << 14);
	regs->cmd0[fm->region] = (uint16_t)rng_below(r, 8);
	regs->cmd0[fm->width0] = (uint16_t)(one_in(r, 4) ? rng_below(r, w + 2) : w - 1);
	regs->cmd0[fm->height0] = (uint16_t)(one_in(r, 4) ? rng_below(r, h + 2) : h - 1);
	regs->cmd0[fm->height1] = (uint16_t)(one_in(r, 4) ? rng_below(r, h + 2) : h - 1);
	for (unsigned int i = 0; i < 4; i++)
		regs->cmd1[fm->base0 + i] = i && one_in(r, 3) ? 0 : some_base(r);
	regs->cmd1[fm->stride_x] = x;
	regs->cmd1[fm->stride_y] = y;
	regs->cmd1[fm->stride_c] = brick ? w * 16 * es : es;
	for (unsigned int i = 0; i < 3; i++)
		if (one_in(r, 8))
			regs->cmd1[fm->stride_x + i] = change40(r, ADDRESS_MASK,
								regs->cmd1[fm->stride_x + i]);
}

static void some_streams(struct rng *r, struct gen_regs *regs)
{
	static const uint8_t bases[] = {
		R1(SET_WEIGHT_BASE), R1(SET_WEIGHT1_BASE), R1(SET_WEIGHT2_BASE),
		R1(SET_WEIGHT3_BASE), R1(SET_SCALE_BASE),
	};

	regs->cmd0[R0(SET_WEIGHT_REGION)] = (uint16_t)rng_below(r, 8);
	regs->cmd0[R0(SET_SCALE_REGION)] = (uint16_t)rng_below(r, 8);
	/* Lengths follow their bases. */
	for (unsigned int i = 0; i < sizeof(bases); i++) {
		regs->cmd1[bases[i]] = some_base(r) & ~15ull;
		regs->cmd1[bases[i] + 1] = 16 * (1 + rng_below(r, 200));
	}
	if (one_in(r, 8))
		regs->cmd1[bases[rng_below(r, 5)] + 1] = rng_next(r) & (one_in(r, 2) ? ~15u : ~0u);
}

/* What the kernel would read of the IFM along an axis. */
static uint32_t reach(uint32_t ofm, uint32_t stride, uint32_t kernel, uint32_t pad, uint32_t up)
{
	uint32_t n = (ofm - 1) * stride + kernel;

	n = n > pad ? n - pad : 1;
	return up ? (n + 1) / 2 : n;
}

static void some_kernel(const struct ethosu_hw *hw, struct rng *r, struct gen_regs *regs)
{
	uint32_t oh = some_size(r), ow = some_size(r), oc = some_size(r);
	uint32_t kh = one_in(r, 3) ? some_size(r) : 1, kw = one_in(r, 3) ? some_size(r) : 1;
	uint32_t sy = one_in(r, 3) ? rng_below(r, 4) : 0, sx = one_in(r, 3) ? rng_below(r, 4) : 0;
	uint32_t ic = one_in(r, 4) ? some_size(r) : oc, pads[4] = { 0 };
	uint32_t up = one_in(r, 6) ? 1 + rng_below(r, 2) : 0, ih, iw;
	bool u85 = hw->arch == 85;

	memset(regs, 0, sizeof(*regs));
	if (one_in(r, 3))
		for (unsigned int i = 0; i < 4; i++)
			pads[i] = rng_below(r, one_in(r, 8) ? 128 : 3);
	regs->cmd0[R0(SET_OFM_HEIGHT_M1)] = (uint16_t)(oh - 1);
	regs->cmd0[R0(SET_OFM_WIDTH_M1)] = (uint16_t)(ow - 1);
	regs->cmd0[R0(SET_OFM_DEPTH_M1)] = (uint16_t)(oc - 1);
	regs->cmd0[R0(SET_IFM_DEPTH_M1)] = (uint16_t)(ic - 1);
	regs->cmd0[R0(SET_KERNEL_HEIGHT_M1)] = (uint16_t)(kh - 1);
	regs->cmd0[R0(SET_KERNEL_WIDTH_M1)] = (uint16_t)(kw - 1);
	regs->cmd0[R0(SET_KERNEL_STRIDE)] =
		(uint16_t)((sx & 1) | (sy & 1) << 1 | sx >> 1 << 6 | sy >> 1 << 9 |
			   rng_below(r, 8) << 2);
	regs->cmd0[R0(SET_IFM_UPSCALE)] = (uint16_t)up;
	for (unsigned int i = 0; i < 4; i++)
		regs->cmd0[R0(SET_IFM_PAD_TOP) + i] = (uint16_t)pads[i];
	/* Top, left, right, bottom. */
	ih = reach(oh, sy + 1, kh, pads[0] + pads[3], up);
	iw = reach(ow, sx + 1, kw, pads[1] + pads[2], up);
	some_fm(r, regs, &fms[0], ih, iw, ic, false, u85);
	some_fm(r, regs, &fms[1], oh, ow, oc, false, u85);
	some_fm(r, regs, &fms[2], oh, ow, oc, true, u85);
	some_streams(r, regs);
	if (u85 && one_in(r, 4))
		regs->cmd0[R0(SET_OFM_PRECISION)] |= (uint16_t)(rng_below(r, 32) << 9);
	if (one_in(r, 4))
		regs->cmd0[R0(SET_IFM2_BROADCAST)] = (uint16_t)rng_below(r, u85 ? 9 : 256) &
						     (u85 ? 15 : 0xc7);
	if (u85 && one_in(r, 4))
		regs->cmd0[R0(SET_IFM_BROADCAST)] = (uint16_t)rng_below(r, 9);
	if (one_in(r, 6))
		regs->cmd0[R0(SET_ACTIVATION)] =
			u85 ? (uint16_t)(rng_below(r, 12) | rng_below(r, 8) << 5) :
			      (uint16_t)((16 + rng_below(r, 8)) |
					 (one_in(r, 2) ? rng_below(r, 6) << 12 : 0));
	if (u85 && one_in(r, 16))
		regs->cmd0[R0(SET_ACC_FORMAT)] =
			(uint16_t)(rng_below(r, 2) | rng_below(r, 8) << 4 | rng_below(r, 6) << 8);
	if (u85)
		regs->cmd0[R0(SET_WEIGHT_FORMAT)] = one_in(r, 4) ? rng_below(r, 2) | 16 : 0;
	else
		regs->cmd0[R0(SET_PARALLEL_MODE)] = hw->streams == 2 ? rng_below(r, 2) : 0;
}

static uint32_t some_kernel_op(const struct ethosu_hw *hw, struct rng *r)
{
	switch (rng_below(r, hw->arch == 85 ? 6 : 5)) {
	case 0:
		return ETHOSU_OP_CONV | (hw->arch == 85 && one_in(r, 4)) << ETHOSU_PARAM_SHIFT;
	case 1:
		return ETHOSU_OP_DEPTHWISE;
	case 2:
		return ETHOSU_OP_POOL | rng_below(r, hw->arch == 85 ? 8 : 3) << ETHOSU_PARAM_SHIFT;
	case 5:
		return ETHOSU_OP_RESIZE | rng_below(r, 3) << ETHOSU_PARAM_SHIFT;
	default:
		return ETHOSU_OP_ELEMENTWISE | rng_below(r, 10) << ETHOSU_PARAM_SHIFT;
	}
}

static void some_dma(const struct ethosu_hw *hw, struct rng *r, struct gen_regs *regs)
{
	uint32_t src = rng_below(r, 8), dst = rng_below(r, 8), mode = rng_below(r, 3);

	memset(regs, 0, sizeof(*regs));
	src |= mode << 9;
	if (hw->arch == 65)
		dst |= rng_below(r, 3) << 9;
	else if (one_in(r, 3))
		*(one_in(r, 2) ? &src : &dst) |= 1 << 11;
	if (one_in(r, 16))
		src |= 1 << 8;
	if (one_in(r, 6))
		dst |= 1 << 8;
	regs->cmd0[R0(SET_DMA0_SRC_REGION)] = (uint16_t)src;
	regs->cmd0[R0(SET_DMA0_DST_REGION)] = (uint16_t)dst;
	regs->cmd0[R0(SET_DMA0_IDX_REGION)] = (uint16_t)rng_below(r, 8);
	regs->cmd0[R0(SET_DMA0_SIZE0)] = (uint16_t)some_size(r);
	regs->cmd0[R0(SET_DMA0_SIZE1)] = (uint16_t)some_size(r);
	regs->cmd1[R1(SET_DMA0_SRC)] = some_base(r);
	regs->cmd1[R1(SET_DMA0_DST)] = dst & 1 << 8 ? rng_below(r, hw->internal_size) : some_base(r);
	regs->cmd1[R1(SET_DMA0_LEN)] = one_in(r, 8) ? some_base(r) : some_size(r);
	/* Strides or skips: small ones of either sign, or anything. */
	for (unsigned int i = 0; i < 4; i++)
		regs->cmd1[R1(SET_DMA0_SRC_STRIDE0) + i] =
			one_in(r, 8) ? change40(r, ADDRESS_MASK, 64) :
				       ((uint64_t)rng_below(r, 600) - (one_in(r, 4) ? 300 : 0)) &
					       ADDRESS_MASK;
	regs->cmd1[R1(SET_DMA0_IDX)] = some_base(r);
	regs->cmd1[R1(SET_DMA0_IDX_MAX)] = one_in(r, 8) ? rng_next(r) >> 1 : some_size(r);
	regs->cmd1[R1(SET_DMA0_IDX_SKIP1)] = one_in(r, 2) ? 0 : change40(r, ADDRESS_MASK, 64);
}

/* ---- streams ---- */

/* A copy into table memory, all of it. */
static void load_tables(struct writer *w)
{
	struct gen_regs regs = w->now;

	regs.cmd0[R0(SET_DMA0_SRC_REGION)] = (uint16_t)rng_below(w->rng, 8);
	regs.cmd0[R0(SET_DMA0_DST_REGION)] = 1 << 8 | 3;
	regs.cmd1[R1(SET_DMA0_SRC)] = some_base(w->rng);
	regs.cmd1[R1(SET_DMA0_DST)] = w->hw->internal_size - 2048;
	regs.cmd1[R1(SET_DMA0_LEN)] = 2048;
	set_regs(w, &regs, true);
	put(w, ETHOSU_OP_DMA_START);
	w->tables = 1;
}

/* An operation that leaves in a chaining buffer what the next takes from it, and more. */
static void fill_chain(struct writer *w, const struct gen_regs *next, uint32_t buffer)
{
	struct gen_regs regs = *next;

	regs.cmd0[R0(SET_IFM_PRECISION)] &= 0x3fff;
	regs.cmd0[R0(SET_IFM2_PRECISION)] &= 0x3fff;
	regs.cmd0[R0(SET_OFM_PRECISION)] = 2 << 14 | 1 << 8 | 2 << 1;
	regs.cmd0[R0(SET_OFM_REGION)] = (uint16_t)buffer;
	regs.cmd0[R0(SET_ACTIVATION)] = 0;
	regs.cmd0[R0(SET_IFM_REGION)] = 1;
	regs.cmd0[R0(SET_IFM2_REGION)] = 1;
	set_regs(w, &regs, false);
	put(w, ETHOSU_OP_ELEMENTWISE);
}

static bool takes_table(const struct ethosu_hw *hw, const struct gen_regs *regs)
{
	unsigned int function = regs->cmd0[R0(SET_ACTIVATION)] & 31;

	return hw->arch == 85 ? function : function >= 16;
}

static bool chained(const struct gen_regs *regs, unsigned int precision)
{
	return regs->cmd0[precision] >> 14 == ETHOSU_ACTIVATION_STORAGE_CHAINED;
}

static void some_between(struct writer *w)
{
	switch (rng_below(w->rng, 40)) {
	case 0:
		put(w, ETHOSU_OP_IRQ | rng_next(w->rng) << ETHOSU_PARAM_SHIFT);
		break;
	case 1:
	case 2:
		put(w, ETHOSU_OP_PMU_MASK | rng_below(w->rng, 2) << ETHOSU_PARAM_SHIFT);
		break;
	case 3:
		put(w, ETHOSU_OP_BRANCH | 1u << ETHOSU_CONTROL_SHIFT);
		put(w, 4 * rng_below(w->rng, 100));
		break;
	case 4:
	case 5:
	case 6:
		put(w, ETHOSU_OP_KERNEL_WAIT | rng_below(w->rng, 2) << ETHOSU_PARAM_SHIFT);
		break;
	case 7:
	case 8:
	case 9:
		put(w, ETHOSU_OP_DMA_WAIT | rng_below(w->rng, 4) << ETHOSU_PARAM_SHIFT);
		break;
	}
}

static void some_op(const struct gen *g, struct writer *w)
{
	unsigned int family = w->hw->arch == 85;
	struct rng *r = w->rng;
	struct gen_regs regs;
	uint32_t word;
	bool dma;

	if (g->op_count[family] && !one_in(r, 3)) {
		const struct gen_op *op = &g->ops[family][rng_below(r, g->op_count[family])];

		regs = op->regs;
		word = op->word;
		dma = (word & ETHOSU_OPCODE_MASK) == ETHOSU_OP_DMA_START;
		if (w->hw->streams < 2)
			regs.cmd0[R0(SET_PARALLEL_MODE)] = 0;
		for (unsigned int n = rng_below(r, 4); n; n--)
			change_reg(w->hw, r, &regs, dma);
	} else {
		dma = one_in(r, 4);
		word = ETHOSU_OP_DMA_START;
		if (!dma)
			word = some_kernel_op(w->hw, r);
		if (dma)
			some_dma(w->hw, r, &regs);
		else
			some_kernel(w->hw, r, &regs);
	}
	if (!dma && !w->tables && takes_table(w->hw, &regs) && !one_in(r, 8))
		load_tables(w);
	if (!dma && family && chained(&regs, R0(SET_IFM_PRECISION)) && !one_in(r, 8))
		fill_chain(w, &regs, regs.cmd0[R0(SET_IFM_REGION)] & 7);
	if (!dma && family && chained(&regs, R0(SET_IFM2_PRECISION)) && !one_in(r, 8))
		fill_chain(w, &regs, regs.cmd0[R0(SET_IFM2_REGION)] & 7);
	set_regs(w, &regs, dma);
	some_between(w);
	put(w, word);
}

static size_t new_stream(const struct gen *g, struct writer *w)
{
	do
		some_op(g, w);
	while (w->count < GEN_WORDS - 4 * OP_WORDS && one_in(w->rng, 2));
	put(w, ETHOSU_OP_STOP | 0xffffu << ETHOSU_PARAM_SHIFT);
	return w->count;
}

/* The word where the command that holds word @at starts. */
static size_t command_start(const uint32_t *words, size_t at)
{
	size_t i = 0, next = 0;

	while (next <= at) {
		i = next;
		next += words[i] >> ETHOSU_CONTROL_SHIFT & 1 ? 2 : 1;
	}
	return i;
}

static size_t command_words(const uint32_t *words, size_t count, size_t at)
{
	return words[at] >> ETHOSU_CONTROL_SHIFT & 1 && count - at > 1 ? 2 : 1;
}

static void change_command(const struct ethosu_hw *hw, struct rng *r, uint32_t *command)
{
	unsigned int opcode = command[0] & ETHOSU_OPCODE_MASK;
	uint64_t bits;

	if (!(command[0] >> ETHOSU_CONTROL_SHIFT & 1)) {
		uint32_t known = opcode < 0x200 ? hw->cmd0[opcode] : KNOWN0 | 0xffff;
		uint16_t param = (uint16_t)(command[0] >> ETHOSU_PARAM_SHIFT);

		command[0] = (command[0] & 0xffff) |
			     (uint32_t)change16(r, known, param) << ETHOSU_PARAM_SHIFT;
		return;
	}
	bits = (uint64_t)(command[0] >> ETHOSU_PARAM_SHIFT) << 32 | command[1];
	bits = change40(r, opcode <= 0x100 ? hw->cmd1[opcode] : ADDRESS_MASK, bits);
	command[0] = (command[0] & 0xffff) | (uint32_t)(bits >> 32) << ETHOSU_PARAM_SHIFT;
	command[1] = (uint32_t)bits;
}

static size_t some_command(const struct ethosu_hw *hw, struct rng *r, uint32_t command[2])
{
	bool two = one_in(r, 2);

	command[0] = rng_below(r, two ? 0x101 : 0x200) | two << ETHOSU_CONTROL_SHIFT;
	command[1] = 0;
	change_command(hw, r, command);
	return two ? 2 : 1;
}

size_t gen_mutate(const struct ethosu_hw *hw, struct rng *r, uint32_t *words, size_t count,
		  size_t max)
{
	size_t at, len, more;
	uint32_t command[2];

	if (!count)
		return 0;
	at = command_start(words, rng_below(r, (uint32_t)count));
	len = command_words(words, count, at);
	switch (rng_below(r, 16)) {
	case 0:		/* any bit */
		words[rng_below(r, (uint32_t)count)] ^= 1u << rng_below(r, 32);
		return count;
	case 1:		/* one less */
		memmove(words + at, words + at + len, 4 * (count - at - len));
		return count - len;
	case 2:		/* one more */
	case 3:
		more = some_command(hw, r, command);
		if (count + more > max)
			return count;
		memmove(words + at + more, words + at, 4 * (count - at));
		memcpy(words + at, command, 4 * more);
		return count + more;
	case 4:		/* the end missing */
		return one_in(r, 8) ? at : count;
	default:
		if (len == 2 || !(words[at] >> ETHOSU_CONTROL_SHIFT & 1))
			change_command(hw, r, words + at);
		return count;
	}
}

size_t gen_make(const struct gen *g, struct rng *r, uint32_t *words, unsigned int *config)
{
	struct writer w = { .rng = r, .words = words };
	size_t count;

	if (g->stream_count && one_in(r, 12)) {
		const struct gen_stream *s = &g->streams[rng_below(r, (uint32_t)g->stream_count)];

		if (s->count <= WHOLE_WORDS) {
			*config = s->config;
			memcpy(words, s->words, 4 * s->count);
			count = s->count;
			for (unsigned int n = 1 + rng_below(r, 4); n; n--)
				count = gen_mutate(&g->hw[*config], r, words, count, GEN_WORDS);
			return count;
		}
	}
	*config = rng_below(r, GEN_CONFIGS);
	w.hw = &g->hw[*config];
	count = new_stream(g, &w);
	if (one_in(r, 32))
		count = gen_mutate(w.hw, r, words, count, GEN_WORDS);
	return count;
}
