/* SPDX-License-Identifier: MIT */
/*
 * OFM blocks: all that the NPU can run, judged by the cost model.
 *
 * What is legal follows Arm's public compiler: granules of the accumulators and of SHRAM (U55, U65)
 * or of the input, accumulator, output and chaining memories (U85). Heights and widths are tried that
 * cut the OFM into different numbers of blocks; of those with as many blocks the smallest.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An operation, and what of the target its blocks depend on. */
struct search {
	const struct ethosu_arch *arch;
	const struct be_op *op;
	struct cost_op_desc desc;	/* with the block being tried */
	struct ethosu_block ublock;
	struct ethosu_block limit;
	bool twice;			/* U85: room for two blocks in each memory */
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t round_up(uint32_t a, uint32_t b)
{
	return be_div_up(a, b) * b;
}

static bool is_unary(const struct cost_op_desc *d)
{
	return !d->ifm[1].bits;
}

/* ---- U55, U65 ---- */

static enum ethosu_granule ifm_granule(const struct cost_op_desc *d)
{
	bool elt = d->kind == NPU_KIND_ELEMENTWISE;

	if (d->ifm[0].bits == 32)
		return ETHOSU_GRANULE_IFM32;
	if (d->ifm[0].bits == 16)
		return elt ? ETHOSU_GRANULE_IFM16_ELT : ETHOSU_GRANULE_IFM16;
	return elt ? ETHOSU_GRANULE_IFM8_ELT : ETHOSU_GRANULE_IFM8;
}

/* Banks for two of what takes @bytes. */
static uint32_t banks(uint64_t bytes, unsigned int granule)
{
	uint64_t n = 2 * ((bytes + ETHOSU_SHRAM_BANK - 1) / ETHOSU_SHRAM_BANK);

	n = be_align(n, granule);
	return n > UINT16_MAX ? UINT16_MAX : (uint32_t)n;
}

static bool layout_shram(const struct search *s, struct be_op *out)
{
	const struct cost_op_desc *d = &s->desc;
	struct ethosu_block ifm = cost_ifm_block(s->arch, d);
	unsigned int bytes = d->ifm[0].bits / 8;
	uint32_t lut = s->arch->lut_banks;
	uint32_t top, ib, ab, h = d->block.h;

	if (!lut && s->op->lut != BE_NONE)
		lut = ETHOSU_LUT_SIZE / ETHOSU_SHRAM_BANK;
	top = s->arch->banks - lut;
	ib = banks((uint64_t)ifm.h * ifm.w * round_up(ifm.d * bytes, 8),
		   s->arch->granule[ifm_granule(d)]);
	if (d->kind == NPU_KIND_ELEMENTWISE) {
		bool second = !is_unary(d) && !(d->ifm[1].scalar && d->ifm[0].bits <= 16);

		if (ETHOSU_SHRAM_RESERVED + ib * (second ? 2 : 1) > top)
			return false;
		out->ib_end = out->ab_start = (uint8_t)top;
		out->ib2_start = (uint8_t)(ETHOSU_SHRAM_RESERVED + ib);
		return true;
	}
	/* One row needs accumulators for one row, even if microblocks are two high. */
	if (s->op->npu->ofm.h == 1 && d->kernel_h == 1 && s->ublock.h == 2)
		h = 1;
	ab = banks((uint64_t)h * d->block.w * round_up(d->block.d, 8) * d->acc_bits / 8,
		   s->arch->granule[d->acc_bits == 40 ? ETHOSU_GRANULE_ACC40 : ETHOSU_GRANULE_ACC32]);
	if (ETHOSU_SHRAM_RESERVED + ib + ab > top)
		return false;
	out->ib_end = (uint8_t)(ETHOSU_SHRAM_RESERVED + ib);
	out->ab_start = (uint8_t)(top - ab);
	return true;
}

/* ---- U85 ---- */

static unsigned int does(const struct cost_op_desc *d)
{
	switch (d->kind) {
	case NPU_KIND_CONV:
		return ETHOSU_DOES_CONV |
		       (d->kernel_h == 1 && d->kernel_w == 1 && !d->part_kernel ? ETHOSU_DOES_CONV_1X1
										 : 0);
	case NPU_KIND_MATMUL:
		return ETHOSU_DOES_MATMUL;
	case NPU_KIND_DEPTHWISE:
		return ETHOSU_DOES_DEPTHWISE;
	case NPU_KIND_POOL:
		if (d->mode == NPU_POOL_REDUCE_SUM)
			return ETHOSU_DOES_REDUCE_SUM;
		if (d->mode == NPU_POOL_MAX || d->mode == NPU_POOL_MIN)
			return ETHOSU_DOES_MINMAX;
		if (d->mode == NPU_POOL_ARGMAX_X || d->mode == NPU_POOL_ARGMAX_Y)
			return ETHOSU_DOES_ARGMAX;
		return ETHOSU_DOES_POOL;
	case NPU_KIND_ELEMENTWISE:
		return ETHOSU_DOES_ELEMENTWISE;
	default:
		return ETHOSU_DOES_RESIZE;
	}
}

static bool ublock_fits(const struct ethosu_arch *arch, const struct cost_op_desc *d,
			unsigned int code)
{
	unsigned int width = d->ifm[0].bits == 16 ? 1 : d->ifm[0].bits >= 32 ? 2 : 0;

	if (!arch->ofm_ublock[code].d)
		return false;
	if (d->kind == NPU_KIND_POOL && d->mode == NPU_POOL_NONE)
		width = 0;
	return ethosu_ublock_does[arch->ublock_class[code]][width] & does(d);
}

/* Elementwise: a row of the block in the output memory, a broadcast operand in the chaining memory. */
static bool elementwise_fits(const struct search *s)
{
	const struct cost_op_desc *d = &s->desc;
	uint32_t bits = d->ofm.bits > d->ifm[0].bits ? d->ofm.bits : d->ifm[0].bits;
	uint32_t bricks = s->arch->cb / ETHOSU_CB_SLOTS / (ETHOSU_BRICK * d->ifm[0].bits / 8);
	uint32_t h = least((uint32_t)s->op->npu->ofm.h, d->block.h), w = least(d->ofm.w, d->block.w);
	uint32_t depth = be_div_up(least(d->ofm.d, d->block.d), ETHOSU_BRICK);

	if ((uint64_t)d->block.w * d->block.d * bits / 8 > s->arch->ob)
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		const struct cost_fm *fm = &d->ifm[i];

		if (!fm->bits || fm->scalar)
			continue;
		if (fm->d < d->ofm.d && least(s->ublock.h, h) * w > bricks)
			return false;
		if (fm->h < d->ofm.h && s->ublock.h * w * depth > bricks)
			return false;
	}
	return true;
}

static bool resize_fits(const struct search *s)
{
	const struct cost_op_desc *d = &s->desc;
	const struct ir_npu *npu = s->op->npu;
	uint32_t n = s->arch->cb / ETHOSU_CB_SLOTS / (ETHOSU_BRICK * d->ifm[0].bits / 8);
	uint64_t w = npu->resize_d_x ? ((n - 2ull) * npu->resize_n_x + 1 + npu->resize_d_x - 1) /
					       npu->resize_d_x : 1;

	if (w < 1)
		w = 1;
	return d->block.h == 1 && d->block.d <= ETHOSU_BRICK && d->block.w <= w && d->block.w <= 128;
}

static bool rams_hold(const struct search *s)
{
	const struct cost_op_desc *d = &s->desc;
	unsigned int share = s->twice ? 2 : 1;
	struct ethosu_block ifm, iau;
	uint64_t block, whole, acc;
	uint32_t unit, depth;

	acc = (uint64_t)d->block.h * d->block.w * round_up(d->block.d, ETHOSU_BRICK) *
	      (d->acc_bits == 48 ? 8 : 4);
	if (acc > s->arch->ab / share)
		return false;
	if (d->kind == NPU_KIND_POOL && d->mode == NPU_POOL_NONE)
		return true;
	ifm = cost_ifm_block(s->arch, d);
	iau = ethosu_iau(s->arch, &s->ublock, ifm.d * d->ifm[0].bits);
	unit = iau.d * 128u / d->ifm[0].bits;
	depth = round_up(least(ifm.d, d->ifm[0].d), unit);
	block = (uint64_t)ifm.h * ifm.w * depth;
	/* Without a second buffer there has to be room for the next rows at least. */
	if (!s->twice)
		block += (uint64_t)iau.h * ifm.w * depth;
	/* All of it: stripes are not all alike. */
	whole = (uint64_t)round_up((uint32_t)s->op->npu->ifm.h, iau.h) * round_up(d->ifm[0].w, iau.w) *
		round_up(d->ifm[0].d, unit);
	if (whole < block)
		block = whole;
	return block * d->ifm[0].bits / 8 <= s->arch->ib / share;
}

/* The limits hold for the block as it is stored, too. */
static bool turned_fits(const struct search *s)
{
	const struct cost_op_desc *d = &s->desc;
	const struct ethosu_block *b = &d->block;
	bool w_to_c = d->transpose == NPU_TRANSPOSE_HCW || d->transpose == NPU_TRANSPOSE_CHW;
	bool h_to_c = d->transpose == NPU_TRANSPOSE_WCH || d->transpose == NPU_TRANSPOSE_CWH;

	if (d->reverse == NPU_REVERSE_C && b->d > ETHOSU_BRICK)
		return false;
	if ((w_to_c || h_to_c) && b->d > 128)
		return false;
	return !d->ofm.brick || ((!w_to_c || b->w % ETHOSU_BRICK == 0) &&
				 (!h_to_c || b->h % ETHOSU_BRICK == 0));
}

static bool legal_u85(const struct search *s)
{
	if ((s->desc.transpose || s->desc.reverse) && !turned_fits(s))
		return false;
	if (s->desc.kind == NPU_KIND_ELEMENTWISE)
		return elementwise_fits(s);
	if (s->desc.kind == NPU_KIND_RESIZE)
		return resize_fits(s);
	return rams_hold(s);
}

/* ---- the search ---- */

struct found {
	double cost;
	uint64_t bytes, blocks;
	struct cost_op_desc desc;
	uint8_t ib_end, ib2_start, ab_start;
	bool any;
};

static void judge(const struct be *be, struct search *s, struct found *best)
{
	struct be_op shram = { 0 };
	struct cost_result cost;
	uint64_t bytes = 0;
	double price;

	if (s->arch->family == 85 ? !legal_u85(s) : !layout_shram(s, &shram))
		return;
	cost_op(&be->target->cost, &s->desc, &cost);
	for (unsigned int i = 0; i < COST_MEMORIES; i++)
		for (unsigned int j = 0; j < COST_TRAFFIC; j++)
			bytes += cost.read[i][j];
	price = be_price(be, &cost);
	if (best->any &&
	    (price > best->cost ||
	     (price >= best->cost &&
	      (bytes > best->bytes || (bytes == best->bytes && cost.blocks >= best->blocks)))))
		return;
	*best = (struct found){ .cost = price, .bytes = bytes, .blocks = cost.blocks,
				.desc = s->desc, .ib_end = shram.ib_end,
				.ib2_start = shram.ib2_start, .ab_start = shram.ab_start,
				.any = true };
}

/* The next larger extent that makes fewer blocks of @whole; 0: there is none. */
static uint32_t next_extent(uint32_t whole, uint32_t now, uint32_t step, uint32_t limit)
{
	uint32_t count = now ? be_div_up(whole, now) : 0;
	uint32_t next;

	if (!now)
		return step;
	if (count <= 1)
		return 0;
	next = round_up(be_div_up(whole, count - 1), step);
	/* Rounding may have kept the count. */
	if (next <= now)
		next = now + step;
	return next <= limit ? next : 0;
}

/* A block that is not all of the depth is a multiple of 16. */
static uint32_t next_depth(const struct search *s, uint32_t now)
{
	uint32_t step = s->arch->family == 85 ? ETHOSU_BRICK : s->ublock.d;
	uint32_t whole = round_up(s->desc.ofm.d, step);
	uint32_t next;

	if (!now)
		return least(whole, ETHOSU_SPLIT_DEPTH);
	if (now >= s->desc.ofm.d)
		return 0;
	next = next_extent(s->desc.ofm.d, now, step, s->limit.d);
	if (next && next < s->desc.ofm.d)
		next = round_up(next, ETHOSU_SPLIT_DEPTH);
	return next <= s->limit.d ? next : 0;
}

static void search_area(const struct be *be, struct search *s, struct found *best)
{
	struct cost_op_desc *d = &s->desc;
	bool resize = d->kind == NPU_KIND_RESIZE;
	uint32_t step_w = resize ? 1 : s->ublock.w, step_h = resize ? 1 : s->ublock.h;

	for (uint32_t h = step_h; h; h = next_extent(d->ofm.h, h, step_h, s->limit.h)) {
		for (uint32_t w = step_w; w; w = next_extent(d->ofm.w, w, step_w, s->limit.w)) {
			d->block.h = (uint16_t)h;
			d->block.w = (uint16_t)w;
			judge(be, s, best);
		}
	}
}

static void search_depths(const struct be *be, struct search *s, struct found *best)
{
	for (uint32_t depth = next_depth(s, 0); depth; depth = next_depth(s, depth)) {
		s->desc.block.d = (uint16_t)depth;
		search_area(be, s, best);
	}
}

static void search_orders(const struct be *be, struct search *s, struct found *best)
{
	s->desc.part_kernel = false;
	if (s->arch->family != 85 || ublock_fits(s->arch, &s->desc, s->desc.microblock))
		search_depths(be, s, best);
	if (s->desc.kind != NPU_KIND_CONV)
		return;
	s->desc.part_kernel = true;
	if (s->arch->family != 85 || ublock_fits(s->arch, &s->desc, s->desc.microblock))
		search_depths(be, s, best);
}

static void search_all(const struct be *be, struct search *s, struct found *best)
{
	bool sparse = s->desc.sparse;

	if (s->arch->family != 85) {
		s->ublock = s->arch->ofm_ublock[0];
		search_orders(be, s, best);
		return;
	}
	for (unsigned int code = 0; code < ETHOSU_UBLOCKS; code++) {
		if (!s->arch->ofm_ublock[code].d)
			continue;
		s->ublock = s->arch->ofm_ublock[code];
		s->desc.microblock = (uint8_t)code;
		s->desc.sparse = false;
		search_orders(be, s, best);
		if (!sparse)
			continue;
		s->desc.sparse = true;
		search_orders(be, s, best);
	}
	s->desc.sparse = sparse;
}

static uint32_t hash_of(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

/* All that the choice of a block depends on, but for RESIZE. */
struct question {
	struct cost_op_desc desc;
	int32_t ofm_h, ifm_h;
	bool lut;
};

#define KNOWN	256	/* answers, each in the place of an older one */

/**
 * struct be_known - blocks chosen so far
 *
 * The same is asked for an operation by pass after pass, and for others of its shape. Most is never used, and
 * not cleared either.
 */
struct be_known {
	bool any[KNOWN];
	struct {
		struct question question;
		struct found answer;
	} at[KNOWN];
};

static void find_block(struct be *be, struct be_op *op, struct found *best)
{
	struct search s = { .arch = be->arch, .op = op, .desc = op->desc,
			    .limit = be->arch->max_block };

	/* Convolutions count on the next block being read while one is worked on. */
	s.twice = s.arch->family == 85 && s.desc.kind <= NPU_KIND_MATMUL &&
		  s.desc.kind != NPU_KIND_DEPTHWISE;
	search_all(be, &s, best);
	if (!best->any && s.twice) {
		s.twice = false;
		search_all(be, &s, best);
	}
}

int be_choose_block(struct be *be, struct be_op *op)
{
	struct question question;
	struct found best = { 0 };
	uint32_t slot;

	if (!be->known) {
		be->known = malloc(sizeof(*be->known));
		if (be->known)
			memset(be->known->any, 0, sizeof(be->known->any));
	}
	/* Gaps between fields count as well. */
	memset(&question, 0, sizeof(question));
	memcpy(&question.desc, &op->desc, sizeof(question.desc));
	question.ofm_h = op->npu->ofm.h;
	question.ifm_h = op->npu->ifm.h;
	question.lut = op->lut != BE_NONE;
	slot = hash_of(&question, sizeof(question)) % KNOWN;
	if (be->known && op->npu->kind != IR_NPU_RESIZE && be->known->any[slot] &&
	    !memcmp(&be->known->at[slot].question, &question, sizeof(question)))
		best = be->known->at[slot].answer;
	else
		find_block(be, op, &best);
	if (be->known && op->npu->kind != IR_NPU_RESIZE) {
		memcpy(&be->known->at[slot].question, &question, sizeof(question));
		be->known->at[slot].answer = best;
		be->known->any[slot] = best.any;
	}
	if (!best.any)
		return be_error(be, op->index, -ENOTSUP, "no block of the NPU's memories fits it");
	op->desc = best.desc;
	op->ib_end = best.ib_end;
	op->ib2_start = best.ib2_start;
	op->ab_start = best.ab_start;
	return 0;
}

/* Operations of the same shape get the same block: large networks repeat themselves. */
struct memo {
	struct cost_op_desc *asked;	/* by operation, before the block was chosen */
	uint32_t *slots;		/* operations by hash of what was asked, BE_NONE: none */
	uint32_t mask;
};

/* An earlier operation that asked the same, or BE_NONE: @op is remembered. */
static uint32_t recall(struct memo *m, const struct be *be, uint32_t op)
{
	uint32_t at = hash_of(&m->asked[op], sizeof(m->asked[op])) & m->mask;

	for (; m->slots[at] != BE_NONE; at = (at + 1) & m->mask) {
		uint32_t other = m->slots[at];

		if (!memcmp(&m->asked[other], &m->asked[op], sizeof(*m->asked)) &&
		    (be->ops[other].lut == BE_NONE) == (be->ops[op].lut == BE_NONE))
			return other;
	}
	m->slots[at] = op;
	return BE_NONE;
}

/* A block, and whether its input had better be copied to quick memory first. */
static int choose_with_copy(struct be *be, struct be_op *op)
{
	const struct cost_target *t = &be->target->cost;
	uint32_t tensor = be_tensor_of(&op->npu->ifm);
	struct cost_op_desc direct, asked = op->desc;
	struct cost_result cost, moved = { 0 };
	struct be_op other;
	double price;
	uint64_t size;
	int rc = be_choose_block(be, op);

	if (rc || !be->staging || tensor == IR_NONE || be->tensors[tensor].made ||
	    be->g->tensors[tensor].data || be->g->tensors[tensor].variable ||
	    be->tensors[tensor].copy)
		return rc;
	size = be_align(be_tensor_size(be, tensor), BE_ALIGN);
	if (size > be->limit / 2 || be->maps[op->index] + size > be->limit)
		return 0;
	direct = op->desc;
	cost_op(t, &direct, &cost);
	price = be_price(be, &cost);
	other = *op;
	other.desc = asked;
	other.desc.ifm[0].memory = t->region[PROGRAM_STAGING];
	rc = be_choose_block(be, &other);
	if (rc)
		return rc;
	cost_op(t, &other.desc, &cost);
	moved.cycles = cost_copy_cycles(t, t->region[PROGRAM_ARENA], t->region[PROGRAM_STAGING], size);
	moved.read[t->region[PROGRAM_ARENA]][0] = size;
	if (be_price(be, &cost) + be_price(be, &moved) >= price)
		return 0;
	*op = other;
	be->tensors[tensor].copy = true;
	return 0;
}

/* Bytes of the weights with the block and order that @op got. */
static int measure(struct be *be, struct be_op *op)
{
	struct wenc_config config;
	struct wenc_layer layer;
	struct wenc_size size;
	struct error why;
	int rc = be_layer(be, op, &layer);

	if (rc)
		return rc;
	be_encoding(be, op, &config);
	rc = wenc_estimate(&layer, &config, 0, layer.oc, &size, &why);
	op->weight_bytes = size.bytes;
	return rc ? be_error(be, op->index, rc, "weights: %s", why.text) : 0;
}

/*
 * Weights of 2:4 can be dense as well: half the work on the one hand, on the other blocks that are
 * filled up further. The model that chooses blocks takes a byte for a weight either way; what they
 * really come to decides.
 */
static int choose_sparsity(struct be *be, struct be_op *op)
{
	struct be_op dense = *op;
	int rc = choose_with_copy(be, op);

	if (rc || !op->desc.sparse)
		return rc;
	dense.desc.sparse = false;
	rc = choose_with_copy(be, &dense);
	if (!rc)
		rc = measure(be, op);
	if (rc)
		return rc;
	/* Dense ones that are too slow even if they were no bytes need not be measured. */
	if (!be->opt->optimise_size && be_format_price(be, &dense, 1, false) >=
					       be_format_price(be, op, op->weight_bytes, false))
		return 0;
	rc = measure(be, &dense);
	if (rc)
		return rc;
	if (be->opt->optimise_size ? dense.weight_bytes < op->weight_bytes :
				     be_format_price(be, &dense, dense.weight_bytes, false) <
					     be_format_price(be, op, op->weight_bytes, false))
		*op = dense;
	return 0;
}

static int choose(struct be *be, struct memo *m, uint32_t i)
{
	struct be_op *op = &be->ops[i], *same;
	uint32_t other;

	be_describe(be, op->npu, &op->desc);
	op->desc.sparse = op->two_four;
	if (op->cascade != BE_NONE)
		be_describe_middle(op->npu, op->rows, &op->desc);
	/* Constants that are read more than once will be copied to quick memory. */
	if (be->copies) {
		uint8_t quick = be->target->cost.region[be->copy_region];

		op->desc.scale_memory = quick;
		if (op->desc.weight_bytes < be->limit / 2)
			op->desc.weight_memory = quick;
	}
	/* What its blocks may be depends on more than is described. */
	if (op->npu->kind == IR_NPU_RESIZE)
		return be_choose_block(be, op);
	if (op->two_four)
		return choose_sparsity(be, op);
	m->asked[i] = op->desc;
	other = recall(m, be, i);
	if (other == BE_NONE)
		return choose_with_copy(be, op);
	same = &be->ops[other];
	op->desc = same->desc;
	op->ib_end = same->ib_end;
	op->ib2_start = same->ib2_start;
	op->ab_start = same->ab_start;
	return 0;
}

int be_block(struct be *be)
{
	struct memo m = { .mask = 63 };
	int rc = 0;

	while (m.mask < 2 * be->op_count)
		m.mask = 2 * m.mask + 1;
	m.asked = calloc(be->op_count + 1, sizeof(*m.asked));
	m.slots = malloc((m.mask + 1) * sizeof(*m.slots));
	if (!m.asked || !m.slots) {
		rc = error_set(be->err, -ENOMEM, "out of memory");
		goto out;
	}
	memset(m.slots, 0xff, (m.mask + 1) * sizeof(*m.slots));
	for (uint32_t i = 0; i < be->op_count && !rc; i++)
		if (!be_is_transfer(be->ops[i].npu))
			rc = choose(be, &m, i);
out:
	free(m.asked);
	free(m.slots);
	return rc;
}
