/* SPDX-License-Identifier: MIT */
/*
 * Does an operation's block fit where the NPU keeps it? SHRAM in banks on U55 and U65, a RAM each
 * for inputs, accumulators, outputs and chaining on U85.
 */
#include "sim/cost_stream.h"
#include "sim/strict_internal.h"
#include "uapi/ethosu_isa.h"

static uint32_t div_up(uint64_t a, uint32_t b)
{
	return (uint32_t)(a / b + (a % b != 0));
}

static uint32_t round_up(uint32_t a, uint32_t b)
{
	return div_up(a, b) * b;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The block, the operation as the cost model has it, and the input block it needs. */
struct view {
	const struct npu_op *op;
	const struct npu_op_aux *aux;
	struct cost_op_desc desc;
	struct ethosu_block ifm;
	struct ethosu_block unit;
};

static int check_block(struct strict *s, const struct view *v)
{
	const struct ethosu_block *max = &s->arch->max_block, *u = &v->unit, *b = &v->desc.block;
	unsigned int deep = s->config->arch == 85 ? 8 : u->d;

	if (b->h > max->h || b->w > max->w || b->d > max->d)
		return strict_fail(s, "block", "%u x %u x %u, at most %u x %u x %u", b->h, b->w,
				   b->d, max->h, max->w, max->d);
	if (v->op->kind != NPU_KIND_RESIZE && (b->h % u->h || b->w % u->w))
		return strict_fail(s, "block", "%u x %u x %u, not of microblocks %u x %u x %u",
				   b->h, b->w, b->d, u->h, u->w, u->d);
	if (b->d % deep || (b->d < v->op->oc && b->d % ETHOSU_SPLIT_DEPTH))
		return strict_fail(s, "block", "depth %u of %u, not a multiple of %u", b->d,
				   v->op->oc, b->d % deep ? deep : ETHOSU_SPLIT_DEPTH);
	return 0;
}

/* ---- U55, U65 ---- */

/* Banks of an area that holds @bytes twice. */
static uint32_t double_banks(uint64_t bytes, unsigned int granule)
{
	return round_up(2 * div_up(bytes, ETHOSU_SHRAM_BANK), granule);
}

static unsigned int ifm_granule(const struct ethosu_arch *arch, const struct npu_op *op)
{
	bool elementwise = op->kind == NPU_KIND_ELEMENTWISE;
	unsigned int which = op->a.elem_log2 == 2   ? ETHOSU_GRANULE_IFM32
			     : op->a.elem_log2 == 1 ? ETHOSU_GRANULE_IFM16
						    : ETHOSU_GRANULE_IFM8;

	if (elementwise && op->a.elem_log2 < 2)
		which += ETHOSU_GRANULE_IFM8_ELT - ETHOSU_GRANULE_IFM8;
	return arch->granule[which];
}

static uint32_t acc_banks(const struct strict *s, const struct view *v)
{
	const struct ethosu_block *b = &v->desc.block;
	bool wide = v->aux->acc_format == ETHOSU_U65_ACC_FORMAT_I40;
	/* One row needs no accumulators for a second. */
	bool flat = v->unit.h == 2 && v->op->oh == 1 && v->op->kernel_h == 1;
	uint64_t count = (uint64_t)(flat ? 1 : b->h) * b->w * round_up(b->d, 8);

	return double_banks(count * (wide ? 5 : 4),
			    s->arch->granule[wide ? ETHOSU_GRANULE_ACC40 : ETHOSU_GRANULE_ACC32]);
}

static int check_elementwise(struct strict *s, const struct view *v, uint32_t ib, uint32_t top)
{
	const struct npu_op *op = v->op;
	bool scalar = (op->a.broadcast | op->b.broadcast) & NPU_BROADCAST_SCALAR;
	bool second = (op->b.height && !scalar) || (scalar && op->a.elem_log2 == 2);
	uint32_t start = ETHOSU_SHRAM_RESERVED + ib, end;

	if (!second)
		return start > top ? strict_fail(s, "shram", "IFM of %u banks, %u there are", ib,
						 top - ETHOSU_SHRAM_RESERVED) : 0;
	end = v->aux->ib2_start + ib;
	if (v->aux->ib2_start < start)
		return strict_fail(s, "shram", "IFM2 from bank %u, the IFM ends at %u",
				   v->aux->ib2_start, start);
	if (end > top)
		return strict_fail(s, "shram", "IFM2 in banks %u to %u, the last is %u",
				   v->aux->ib2_start, end - 1, top - 1);
	return 0;
}

static int check_shram(struct strict *s, const struct view *v)
{
	const struct npu_op *op = v->op;
	uint64_t column = round_up((uint32_t)v->ifm.d << op->a.elem_log2, 8);
	uint32_t ib = double_banks((uint64_t)v->ifm.h * v->ifm.w * column,
				   ifm_granule(s->arch, op));
	uint32_t top = s->arch->banks, ab;
	const struct npu_op_aux *aux = v->aux;

	/* Where tables have no banks of their own they take two only for those that use one. */
	top -= s->arch->lut_banks ? s->arch->lut_banks
				  : strict_table_bytes(op) ? ETHOSU_LUT_SIZE / ETHOSU_SHRAM_BANK : 0;
	if (op->kind == NPU_KIND_ELEMENTWISE)
		return check_elementwise(s, v, ib, top);
	if (aux->ib_end < ETHOSU_SHRAM_RESERVED + ib)
		return strict_fail(s, "shram", "IFM block %u x %u x %u takes %u banks, IB_END is %u",
				   v->ifm.h, v->ifm.w, v->ifm.d, ib, aux->ib_end);
	if (aux->ab_start < aux->ib_end)
		return strict_fail(s, "shram", "AB_START %u below IB_END %u", aux->ab_start,
				   aux->ib_end);
	ab = acc_banks(s, v);
	if (aux->ab_start + ab > top)
		return strict_fail(s, "shram", "accumulators in banks %u to %u, the last is %u",
				   aux->ab_start, aux->ab_start + ab - 1, top - 1);
	return 0;
}

/* ---- U85 ---- */

static unsigned int what_it_does(const struct npu_op *op)
{
	switch (op->kind) {
	case NPU_KIND_CONV:
		if (op->kernel_h * op->kernel_w == 1 && !op->part_kernel)
			return ETHOSU_DOES_CONV | ETHOSU_DOES_CONV_1X1;
		return ETHOSU_DOES_CONV;
	case NPU_KIND_MATMUL:
		return ETHOSU_DOES_MATMUL;
	case NPU_KIND_DEPTHWISE:
		return ETHOSU_DOES_DEPTHWISE;
	case NPU_KIND_ELEMENTWISE:
		return ETHOSU_DOES_ELEMENTWISE;
	case NPU_KIND_RESIZE:
		return ETHOSU_DOES_RESIZE;
	}
	switch (op->mode) {
	case NPU_POOL_REDUCE_SUM:
		return ETHOSU_DOES_REDUCE_SUM;
	case NPU_POOL_MAX:
	case NPU_POOL_MIN:
		return ETHOSU_DOES_POOL | ETHOSU_DOES_MINMAX;
	case NPU_POOL_ARGMAX_X:
	case NPU_POOL_ARGMAX_Y:
		return ETHOSU_DOES_ARGMAX;
	}
	return ETHOSU_DOES_POOL;
}

static bool is_wide_copy(const struct npu_op *op)
{
	return op->kind == NPU_KIND_POOL && op->mode == NPU_POOL_NONE;
}

static int check_microblock(struct strict *s, const struct view *v)
{
	unsigned int microblock = v->aux->microblock, bits = v->op->a.elem_log2;
	unsigned int does;

	if (microblock >= ETHOSU_UBLOCKS || !s->arch->ofm_ublock[microblock].d)
		return strict_fail(s, "microblock", "%u is none of this NPU", microblock);
	/* A copy of wide data counts as pooling of bytes. */
	if (is_wide_copy(v->op))
		bits = 0;
	does = ethosu_ublock_does[s->arch->ublock_class[microblock]][bits > 2 ? 2 : bits];
	if (!(does & what_it_does(v->op)))
		return strict_fail(s, "microblock",
				   "%u x %u x %u does not do this operation on %u bits", v->unit.h,
				   v->unit.w, v->unit.d, 8u << bits);
	return 0;
}

/* Extents of the block once the output's axes are swapped. */
static int check_turned(struct strict *s, const struct view *v)
{
	const struct ethosu_block *b = &v->desc.block;
	bool to_c_w = v->op->transpose == NPU_TRANSPOSE_HCW || v->op->transpose == NPU_TRANSPOSE_CHW;
	bool to_c_h = v->op->transpose == NPU_TRANSPOSE_WCH || v->op->transpose == NPU_TRANSPOSE_CWH;

	if (v->op->ofm.brick && ((to_c_w && b->w % ETHOSU_BRICK) || (to_c_h && b->h % ETHOSU_BRICK)))
		return strict_fail(s, "transpose", "block %u x %u x %u ends within a brick", b->h,
				   b->w, b->d);
	if (v->op->transpose >= NPU_TRANSPOSE_HCW && b->d > 128)
		return strict_fail(s, "transpose", "block depth %u becomes height or width",
				   b->d);
	if (v->op->reverse == NPU_REVERSE_C && (v->op->ofm.brick || b->d > ETHOSU_BRICK))
		return strict_fail(s, "reverse", "channels in blocks of %u%s", b->d,
				   v->op->ofm.brick ? ", bricks" : "");
	return 0;
}

static int check_rams(struct strict *s, const struct view *v)
{
	const struct ethosu_block *b = &v->desc.block;
	struct ethosu_block iau = ethosu_iau(s->arch, &v->unit,
					     (unsigned int)v->ifm.d << (v->op->a.elem_log2 + 3));
	unsigned int bytes = 1u << v->op->a.elem_log2;
	unsigned int granule = iau.d * 16u / bytes;
	const struct npu_fm *a = &v->op->a;
	uint64_t acc, ifm, whole;

	acc = (uint64_t)b->h * b->w * round_up(b->d, ETHOSU_BRICK) *
	      (v->aux->acc_format == ETHOSU_U85_ACC_FORMAT_I48 ? 8 : 4);
	if (acc > s->arch->ab)
		return strict_fail(s, "accumulators", "block %u x %u x %u takes %llu bytes of %u",
				   b->h, b->w, b->d, (unsigned long long)acc, s->arch->ab);
	ifm = (uint64_t)v->ifm.h * v->ifm.w * round_up(least(v->ifm.d, a->depth), granule) * bytes;
	whole = (uint64_t)round_up(a->height, iau.h) * round_up(a->width, iau.w) *
		round_up(a->depth, granule) * bytes;
	if (ifm > s->arch->ib && whole > s->arch->ib)
		return strict_fail(s, "ifm", "block %u x %u x %u takes %llu bytes of %u", v->ifm.h,
				   v->ifm.w, v->ifm.d, (unsigned long long)ifm, s->arch->ib);
	return 0;
}

/* A broadcast operand waits in a chaining buffer while the block goes by. */
static int check_broadcast(struct strict *s, const struct view *v, const struct npu_fm *fm)
{
	const struct ethosu_block *b = &v->desc.block;
	uint32_t h = least(b->h, v->op->oh), w = least(b->w, v->op->ow);
	uint32_t d = least(b->d, v->op->oc), need;
	uint32_t bricks = s->arch->cb / ETHOSU_CB_SLOTS / (ETHOSU_BRICK << fm->elem_log2);

	if (fm->space >= NPU_REGIONS || !fm->height || fm->broadcast & NPU_BROADCAST_SCALAR)
		return 0;
	if (fm->broadcast & NPU_BROADCAST_C) {
		need = least(v->unit.h, h) * w;
		return need > bricks && h * w > bricks
			       ? strict_fail(s, "broadcast", "depth: %u bricks of %u", need, bricks)
			       : 0;
	}
	if (!(fm->broadcast & NPU_BROADCAST_H))
		return 0;
	need = least(v->unit.h, h) * w * div_up(d, ETHOSU_BRICK);
	return need > bricks ? strict_fail(s, "broadcast", "height: %u bricks of %u", need, bricks)
			     : 0;
}

static int check_output_row(struct strict *s, const struct view *v)
{
	const struct ethosu_block *b = &v->desc.block;
	/* What lies beyond the output is not made: Vela's blocks may reach there. */
	uint32_t row = least(b->w, v->op->ow) * least(b->d, v->op->oc) << v->op->a.elem_log2;
	int rc;

	if (row > s->arch->ob)
		return strict_fail(s, "output", "a row of the block %u x %u x %u takes %u bytes of %u",
				   b->h, b->w, b->d, row, s->arch->ob);
	rc = check_broadcast(s, v, &v->op->a);
	return rc ? rc : check_broadcast(s, v, &v->op->b);
}

static int check_resize(struct strict *s, const struct view *v)
{
	const struct ethosu_block *b = &v->desc.block;
	int64_t bricks = s->arch->cb / ETHOSU_CB_SLOTS / (ETHOSU_BRICK << v->op->a.elem_log2);
	int64_t step = v->op->resize_step_x ? v->op->resize_step_x : 1;
	int64_t wide = ((bricks - 2) * v->op->resize_n_x + 1 + step - 1) / step;

	wide = wide < 1 ? 1 : wide > s->arch->max_block.w ? s->arch->max_block.w : wide;
	if (b->h != 1 || b->d > ETHOSU_BRICK || b->w > wide)
		return strict_fail(s, "resize", "block %u x %u x %u, at most 1 x %lld x %d", b->h,
				   b->w, b->d, (long long)wide, ETHOSU_BRICK);
	return 0;
}

static int check_u85(struct strict *s, const struct view *v)
{
	int rc = check_turned(s, v);

	if (rc || is_wide_copy(v->op))
		return rc;
	if (v->op->kind == NPU_KIND_ELEMENTWISE)
		return check_output_row(s, v);
	return v->op->kind == NPU_KIND_RESIZE ? check_resize(s, v) : check_rams(s, v);
}

int strict_block(struct strict *s, const struct npu_op *op, const struct npu_op_aux *aux)
{
	const struct cost_target target = { .arch = s->arch };
	struct view v = { .op = op, .aux = aux };
	int rc;

	cost_describe(&target, s->program, s->op, s->op + 1, &v.desc);
	v.unit = s->arch->ofm_ublock[0];
	if (s->config->arch == 85) {
		/* Before anything is divided by it. */
		v.unit = s->arch->ofm_ublock[aux->microblock % ETHOSU_UBLOCKS];
		rc = check_microblock(s, &v);
		if (rc)
			return rc;
	}
	v.ifm = cost_ifm_block(s->arch, &v.desc);
	rc = check_block(s, &v);
	if (rc)
		return rc;
	return s->config->arch == 85 ? check_u85(s, &v) : check_shram(s, &v);
}
