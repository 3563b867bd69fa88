/* SPDX-License-Identifier: MIT */
/*
 * Waits and tables.
 *
 * Kernels and copies run beside each other: only NPU_OP_DMA_WAIT and NPU_OP_KERNEL_WAIT hold one up
 * for the other. The queues hold two kernels and one to four copies; what is older has ended, since
 * there was room for what came after. Kernel after kernel is BLOCKDEP's business.
 */
#include "sim/strict_internal.h"

#include <errno.h>

#define QUEUE_MAX	8

/* Operations that may still run, the newest last. A chain is one. */
struct queue {
	size_t first[QUEUE_MAX], end[QUEUE_MAX];
	unsigned int count, depth;
};

static void push(struct queue *q, size_t first, size_t end)
{
	if (q->count == q->depth) {
		for (unsigned int i = 1; i < q->count; i++) {
			q->first[i - 1] = q->first[i];
			q->end[i - 1] = q->end[i];
		}
		q->count--;
	}
	q->first[q->count] = first;
	q->end[q->count++] = end;
}

/* A wait: only the newest @left may still run. */
static void retire(struct queue *q, unsigned int left)
{
	unsigned int gone = q->count > left ? q->count - left : 0;

	for (unsigned int i = gone; i < q->count; i++) {
		q->first[i - gone] = q->first[i];
		q->end[i - gone] = q->end[i];
	}
	q->count -= gone;
}

/* Which bytes of the NPU's own memory hold tables. */
struct tables {
	uint8_t loaded[ETHOSU_LUT_SIZE / ETHOSU_STREAM_ALIGN];
};

struct hazards {
	struct strict *s;
	struct queue kernels, copies;
	struct tables tables;
};

static bool shares_shram(const struct strict *s)
{
	return s->config->arch != 85 && !s->arch->lut_banks;
}

/* Does the kernel @op read or destroy bytes of a table that @copy writes? */
static bool table_conflict(const struct strict *s, const struct npu_op *op,
			   const struct npu_op *copy)
{
	unsigned int bytes = strict_table_bytes(op);

	if (copy->dma_dst_space != NPU_SPACE_INTERNAL)
		return false;
	if (!bytes)
		return shares_shram(s);
	return op->lut_offset < copy->dma_dst + copy->dma_len &&
	       op->lut_offset + bytes > copy->dma_dst;
}

/* Does operation @at use memory with one of @q that may still run? Return: 0, or a fault. */
static int check_queue(struct hazards *h, const struct queue *q, size_t at, const char *rule)
{
	const struct npu_op *ops = h->s->program->ops, *op = &ops[at];
	int rc;

	h->s->op = at;
	for (unsigned int i = q->count; i-- > 0;) {
		for (size_t k = q->first[i]; k < q->end[i]; k++) {
			const struct npu_op *other = &ops[k];
			bool copy = op->kind == NPU_KIND_DMA;

			rc = copy != (other->kind == NPU_KIND_DMA) &&
			     table_conflict(h->s, copy ? other : op, copy ? op : other);
			if (!rc)
				rc = strict_conflict(h->s, op, other);
			if (rc)
				return rc < 0 ? rc
					      : strict_fail(h->s, rule,
							    "uses memory with the operation at 0x%x, "
							    "which may still run", other->offset);
		}
	}
	return 0;
}

static int check_table(struct hazards *h, size_t at)
{
	const struct npu_op *op = &h->s->program->ops[at];
	unsigned int bytes = strict_table_bytes(op), base = h->s->arch->lut_offset;

	if (!bytes) {
		/* Its accumulators may lie where tables were. */
		if (shares_shram(h->s))
			h->tables = (struct tables){ { 0 } };
		return 0;
	}
	h->s->op = at;
	if (op->lut_offset < base || op->lut_offset + bytes > base + (unsigned int)ETHOSU_LUT_SIZE)
		return strict_fail(h->s, "table", "[0x%x, 0x%x), tables are at 0x%x",
				   op->lut_offset, op->lut_offset + bytes, base);
	for (unsigned int i = 0; i < bytes; i += ETHOSU_STREAM_ALIGN)
		if (!h->tables.loaded[(op->lut_offset - base + i) / ETHOSU_STREAM_ALIGN])
			return strict_fail(h->s, "table", "at 0x%x of %u bytes: not loaded%s",
					   op->lut_offset, bytes,
					   shares_shram(h->s) ? " since an operation without one"
							      : "");
	return 0;
}

static void load_table(struct hazards *h, const struct npu_op *copy)
{
	unsigned int base = h->s->arch->lut_offset;

	if (copy->dma_dst_space != NPU_SPACE_INTERNAL)
		return;
	/* Its bounds were checked, and that it goes by 16 bytes. */
	for (uint64_t at = copy->dma_dst; at < copy->dma_dst + copy->dma_len;
	     at += ETHOSU_STREAM_ALIGN)
		h->tables.loaded[(at - base) / ETHOSU_STREAM_ALIGN] = 1;
}

/* The waits that stand before operation @i. */
static void take_waits(struct hazards *h, const struct npu_op_aux *aux)
{
	if (aux->dma_wait != NPU_NO_WAIT)
		retire(&h->copies, aux->dma_wait);
	if (aux->kernel_wait != NPU_NO_WAIT)
		retire(&h->kernels, aux->kernel_wait);
}

static int check_copy(struct hazards *h, size_t i)
{
	int rc = check_queue(h, &h->copies, i, "missing DMA_WAIT");

	if (!rc)
		rc = check_queue(h, &h->kernels, i, "missing KERNEL_WAIT");
	if (rc)
		return rc;
	load_table(h, &h->s->program->ops[i]);
	push(&h->copies, i, i + 1);
	return 0;
}

static int check_kernel(struct hazards *h, size_t i)
{
	int rc = check_queue(h, &h->copies, i, "missing DMA_WAIT");

	if (rc)
		return rc;
	if (strict_chained(&h->s->program->ops[i]) && h->kernels.count)
		h->kernels.end[h->kernels.count - 1] = i + 1;
	else
		push(&h->kernels, i, i + 1);
	return check_table(h, i);
}

int strict_hazards(struct strict *s)
{
	struct hazards h = {
		.s = s,
		.kernels = { .depth = ETHOSU_KERNELS_IN_FLIGHT },
		.copies = { .depth = s->arch->dma_in_flight },
	};
	int rc = 0;

	for (size_t i = 0; i < s->program->count && !rc; i++) {
		take_waits(&h, &s->program->aux[i]);
		rc = s->program->ops[i].kind == NPU_KIND_DMA ? check_copy(&h, i)
							      : check_kernel(&h, i);
	}
	return rc;
}
