/* SPDX-License-Identifier: MIT */
/* What does not change an operation's results: its block, the SHRAM layout, waits, BLOCKDEP. */
#include "sim/decode_internal.h"

void decode_wait(struct decoder *d, unsigned int opcode, unsigned int param)
{
	bool u85 = d->config->arch == 85, dma = opcode == ETHOSU_OP_DMA_WAIT;
	uint8_t *wait = dma ? &d->pending.dma_wait : &d->pending.kernel_wait;
	uint32_t n;

	if (dma)
		n = u85 ? ETHOSU_GET(OP_DMA_WAIT_K_U85, param) : ETHOSU_GET(OP_DMA_WAIT_K, param);
	else
		n = u85 ? ETHOSU_GET(OP_KERNEL_WAIT_N_U85, param)
			: ETHOSU_GET(OP_KERNEL_WAIT_N, param);
	if (n < *wait)
		*wait = (uint8_t)n;
}

/* Chaining buffers that the feature maps of @op are in. */
static uint8_t chains(const struct npu_state *s, const struct npu_op *op)
{
	unsigned int bits = 0;

	if (op->ofm.space == NPU_SPACE_CHAIN)
		bits |= 1u << STATE0(s, SET_OFM_REGION, REGION);
	if (STATE0(s, SET_IFM_PRECISION, STORAGE) == ETHOSU_ACTIVATION_STORAGE_CHAINED &&
	    (op->a.space == NPU_SPACE_CHAIN || op->b.space == NPU_SPACE_CHAIN))
		bits |= 1u << STATE0(s, SET_IFM_REGION, REGION);
	if (STATE0(s, SET_IFM2_PRECISION, STORAGE) == ETHOSU_ACTIVATION_STORAGE_CHAINED &&
	    op->b.space == NPU_SPACE_CHAIN)
		bits |= 1u << STATE0(s, SET_IFM2_REGION, REGION);
	return (uint8_t)bits;
}

void decode_aux(struct decoder *d, const struct npu_op *op, struct npu_op_aux *aux)
{
	const struct npu_state *s = &d->program->state;

	*aux = d->pending;
	d->pending = (struct npu_op_aux){ .dma_wait = NPU_NO_WAIT, .kernel_wait = NPU_NO_WAIT };
	if (op->kind == NPU_KIND_DMA)
		return;
	if (d->config->arch == 85) {
		aux->block_h = (uint16_t)(STATE0(s, SET_OFM_BLK_HEIGHT_M1, HEIGHT_M1_U85) + 1);
		aux->block_w = (uint16_t)(STATE0(s, SET_OFM_BLK_WIDTH_M1, WIDTH_M1_U85) + 1);
		aux->block_d = (uint16_t)(STATE0(s, SET_OFM_BLK_DEPTH_M1, DEPTH_M1_U85) + 1);
		aux->acc_format = (uint8_t)STATE0(s, SET_ACC_FORMAT, ACC_FORMAT_U85);
		aux->microblock = (uint8_t)STATE0(s, SET_ACC_FORMAT, MICROBLOCK);
		aux->blockdep = (uint8_t)STATE0(s, SET_BLOCKDEP, BLOCKDEP_U85);
		aux->chains = chains(s, op);
		return;
	}
	aux->block_h = (uint16_t)(STATE0(s, SET_OFM_BLK_HEIGHT_M1, HEIGHT_M1) + 1);
	aux->block_w = (uint16_t)(STATE0(s, SET_OFM_BLK_WIDTH_M1, WIDTH_M1) + 1);
	aux->block_d = (uint16_t)(STATE0(s, SET_OFM_BLK_DEPTH_M1, DEPTH_M1) + 1);
	aux->ib_end = (uint8_t)STATE0(s, SET_IFM_IB_END, IB_END);
	aux->ib2_start = (uint8_t)STATE0(s, SET_IFM2_IB_START, IB_START);
	aux->ab_start = (uint8_t)STATE0(s, SET_AB_START, AB_START);
	aux->acc_format = (uint8_t)STATE0(s, SET_ACC_FORMAT, ACC_FORMAT);
	aux->blockdep = (uint8_t)STATE0(s, SET_BLOCKDEP, BLOCKDEP);
	aux->parallel = STATE0(s, SET_PARALLEL_MODE, PARALLEL_MODE);
}
