/* SPDX-License-Identifier: MIT */
/* From a decoded operation to what its cost depends on. */
#include <string.h>

#include "sim/cost_stream.h"
#include "uapi/ethosu_isa.h"

static unsigned int memory_of(const struct cost_target *target, unsigned int space)
{
	return space < NPU_REGIONS ? target->region[space] : COST_SRAM;
}

static struct cost_fm feature_map(const struct cost_target *target, const struct npu_fm *fm)
{
	return (struct cost_fm){
		.h = fm->height,
		.w = fm->width,
		.d = fm->depth,
		.bits = (uint8_t)(8u << fm->elem_log2),
		.memory = (uint8_t)memory_of(target, fm->space),
		.brick = fm->brick,
		.scalar = fm->broadcast & NPU_BROADCAST_SCALAR,
		.chained = fm->space == NPU_SPACE_CHAIN,
	};
}

/* Is there a clamp that the type would not make? */
static bool clamps(const struct npu_op *op)
{
	unsigned int bits = 8u << op->ofm.elem_log2;
	int64_t min, max;

	if (!op->clamp || bits > 16)
		return false;
	min = op->ofm.is_signed ? -(1 << (bits - 1)) : 0;
	max = op->ofm.is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
	return op->act_min > min || op->act_max < max;
}

static unsigned int acc_bits(unsigned int family, const struct npu_op_aux *aux)
{
	if (family == 85)
		return aux->acc_format == ETHOSU_U85_ACC_FORMAT_I48 ? 48 : 32;
	return aux->acc_format == ETHOSU_U65_ACC_FORMAT_I40 ? 40 : 32;
}

static bool second_operand(const struct npu_op *op)
{
	if (op->kind == NPU_KIND_MATMUL)
		return true;
	return op->kind == NPU_KIND_ELEMENTWISE &&
	       (op->b.broadcast & NPU_BROADCAST_SCALAR || op->b.height);
}

static void describe_one(const struct cost_target *target, const struct npu_op *op,
			 const struct npu_op_aux *aux, struct cost_op_desc *desc)
{
	*desc = (struct cost_op_desc){
		.kind = op->kind,
		.mode = op->mode,
		.ifm = { feature_map(target, &op->a) },
		.ofm = feature_map(target, &op->ofm),
		.kernel_h = op->kernel_h,
		.kernel_w = op->kernel_w,
		.stride_y = op->stride_y,
		.stride_x = op->stride_x,
		.dilation_y = op->dilation_y,
		.dilation_x = op->dilation_x,
		.upscale = op->upscale,
		.part_kernel = op->part_kernel,
		.sparse = op->weight_sparse,
		.fast = op->weight_fwd,
		.acc_bits = (uint8_t)acc_bits(target->arch->family, aux),
		.activation = op->lut ? COST_ACT_LUT : clamps(op) ? COST_ACT_RELU : COST_ACT_NONE,
		.transpose = op->transpose,
		.reverse = op->reverse,
		.microblock = aux->microblock,
		.block = { aux->block_h, aux->block_w, aux->block_d },
		.weight_memory = (uint8_t)memory_of(target, op->weight_space),
		.scale_memory = (uint8_t)memory_of(target, op->scale_space),
	};
	desc->ofm.h = op->oh;
	desc->ofm.w = op->ow;
	desc->ofm.d = op->oc;
	if (second_operand(op))
		desc->ifm[1] = feature_map(target, &op->b);
	if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE)
		return;
	for (unsigned int i = 0; i < op->cores && i < NPU_MAX_CORES; i++) {
		desc->weight_bytes += op->weight_len[i];
		if (op->per_channel)
			desc->scale_bytes += op->scale_len[i];
	}
}

static void chain(const struct cost_target *target, const struct npu_op *op,
		  const struct npu_op_aux *aux, struct cost_op_desc *desc)
{
	struct cost_op_desc sub;
	unsigned int n = 0;

	describe_one(target, op, aux, &sub);
	desc->chain_rate += cost_output_rate(target->arch, &sub);
	while (n < ETHOSU_CHAIN_INPUTS && desc->chain_ifm[n].bits)
		n++;
	for (unsigned int i = 0; i < 2; i++)
		if (n < ETHOSU_CHAIN_INPUTS && sub.ifm[i].bits && !sub.ifm[i].chained &&
		    !sub.ifm[i].scalar)
			desc->chain_ifm[n++] = sub.ifm[i];
	desc->ofm = sub.ofm;
}

size_t cost_describe(const struct cost_target *target, const struct npu_program *program,
		     size_t first, size_t count, struct cost_op_desc *desc)
{
	const struct npu_op *op = &program->ops[first];
	size_t n = 1;

	describe_one(target, op, &program->aux[first], desc);
	if (op->ofm.space != NPU_SPACE_CHAIN)
		return 1;
	/* The rate of the first counts its output as chained; then it is not any more. */
	desc->chain_rate = cost_output_rate(target->arch, desc);
	while (op->ofm.space == NPU_SPACE_CHAIN && first + n < count &&
	       program->ops[first + n].kind != NPU_KIND_DMA) {
		op = &program->ops[first + n];
		chain(target, op, &program->aux[first + n], desc);
		n++;
	}
	/* What cost_op() adds for the first itself. */
	desc->chain_rate -= cost_output_rate(target->arch, desc);
	return n;
}

static bool same_input(const struct npu_fm *a, const struct npu_fm *b)
{
	return a->space == b->space && a->base[0] == b->base[0] && a->stride_y == b->stride_y &&
	       a->height == b->height && a->width == b->width && a->depth == b->depth &&
	       a->brick == b->brick && a->elem_log2 == b->elem_log2;
}

/* Where channel @depth of a map starts. */
static int64_t channel(const struct npu_fm *fm, uint32_t depth)
{
	if (fm->brick)
		return fm->base[0] + (int64_t)(depth / ETHOSU_BRICK) * fm->stride_c +
		       (int64_t)(depth % ETHOSU_BRICK << fm->elem_log2);
	return fm->base[0] + ((int64_t)depth << fm->elem_log2);
}

bool cost_same_layer(const struct npu_op *op, const struct npu_op *next)
{
	if (op->kind != next->kind || (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE))
		return false;
	if (op->oh != next->oh || op->ow != next->ow || op->kernel_h != next->kernel_h ||
	    op->kernel_w != next->kernel_w || op->stride_y != next->stride_y ||
	    op->pad_top != next->pad_top || op->ofm.space != next->ofm.space ||
	    op->ofm.space == NPU_SPACE_CHAIN || op->ofm.stride_y != next->ofm.stride_y ||
	    op->ofm.brick != next->ofm.brick || op->ofm.elem_log2 != next->ofm.elem_log2)
		return false;
	if (op->kind == NPU_KIND_CONV && !same_input(&op->a, &next->a))
		return false;
	if (op->kind == NPU_KIND_DEPTHWISE &&
	    (op->a.space != next->a.space || next->a.base[0] != channel(&op->a, op->oc)))
		return false;
	return next->ofm.base[0] == channel(&op->ofm, op->oc);
}
