/* SPDX-License-Identifier: MIT */
/*
 * Waits: which transfers and kernel operations must be over before a command may begin.
 *
 * Operations of one kind run in order, and blocks of kernel operations too: what follows a kernel
 * operation waits for its data by BLOCKDEP alone (be_blockdep.c). Between kernels and transfers, and
 * between transfers, nothing waits unless told to.
 */
#include "runtime/compile/be_stream.h"

#include <string.h>

static void add_access(struct be_footprint *f, uint8_t space, bool write, int64_t lo, int64_t hi)
{
	if (lo < hi && f->count < BE_MAX_ACCESSES)
		f->access[f->count++] = (struct be_access){ .space = space, .write = write,
							    .lo = lo, .hi = hi };
}

static void add_tile(struct be_footprint *f, const struct npu_fm *fm, bool write, int64_t base,
		     uint32_t height)
{
	int64_t es = 1 << fm->elem_log2, lo = base, hi = base;
	int64_t sx = fm->brick ? ETHOSU_BRICK * es : fm->stride_x;
	int64_t reach[3];

	if (!height || !fm->width || !fm->depth)
		return;
	reach[0] = fm->stride_y * (height - 1);
	reach[1] = sx * (fm->width - 1);
	reach[2] = fm->brick ? fm->stride_c * ((fm->depth - 1) / ETHOSU_BRICK) : 0;
	for (unsigned int i = 0; i < 3; i++) {
		if (reach[i] < 0)
			lo += reach[i];
		else
			hi += reach[i];
	}
	hi += es * (fm->brick ? ETHOSU_BRICK : (int64_t)fm->depth);
	add_access(f, fm->space, write, lo, hi);
}

static void add_fm(struct be_footprint *f, const struct npu_fm *fm, bool write)
{
	uint32_t first = fm->height < fm->height0 ? fm->height : fm->height0;

	if (fm->broadcast & NPU_BROADCAST_SCALAR || fm->space == NPU_SPACE_CHAIN)
		return;
	add_tile(f, fm, write, fm->base[0], first);
	add_tile(f, fm, write, fm->base[2], fm->height - first);
}

static void kernel_footprint(const struct ethosu_arch *arch, const struct be_kernel *k,
			     struct be_footprint *f)
{
	const struct npu_op *op = &k->op;

	f->count = 0;
	add_fm(f, &op->a, false);
	add_fm(f, &op->b, false);
	add_fm(f, &op->ofm, true);
	if (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE) {
		for (unsigned int i = 0; i < NPU_MAX_CORES; i++)
			add_access(f, op->weight_space, false, (int64_t)op->weight_base[i],
				   (int64_t)op->weight_base[i] + op->weight_len[i]);
		for (unsigned int i = 0; i < 2; i++)
			add_access(f, op->scale_space, false, (int64_t)op->scale_base[i],
				   (int64_t)op->scale_base[i] + op->scale_len[i]);
	}
	if (k->lut != BE_NONE)
		add_access(f, NPU_SPACE_INTERNAL, false, arch->lut_offset,
			   arch->lut_offset + ETHOSU_LUT_SIZE);
	/* Without banks of their own, tables lie where accumulators may. */
	if (arch->family != 85 && !arch->lut_banks)
		add_access(f, NPU_SPACE_INTERNAL, k->lut == BE_NONE, arch->lut_offset,
			   arch->lut_offset + ETHOSU_LUT_SIZE);
}

static void dma_footprint(const struct npu_op *op, struct be_footprint *f)
{
	uint64_t read = op->dma_len, written = op->dma_len;

	f->count = 0;
	if (op->dma_src_indexed) {
		/* Any row may be read; rows follow each other. */
		read *= (uint64_t)op->dma_idx_max + 1;
		written *= op->dma_rows;
		add_access(f, op->dma_idx_space, false, (int64_t)op->dma_idx,
			   (int64_t)(op->dma_idx + 4ull * op->dma_rows));
	}
	add_access(f, op->dma_src_space, false, (int64_t)op->dma_src,
		   (int64_t)(op->dma_src + read));
	add_access(f, op->dma_dst_space, true, (int64_t)op->dma_dst,
		   (int64_t)(op->dma_dst + written));
}

static bool conflict(const struct be_footprint *a, const struct be_footprint *b)
{
	for (unsigned int i = 0; i < a->count; i++) {
		const struct be_access *x = &a->access[i];

		for (unsigned int j = 0; j < b->count; j++) {
			const struct be_access *y = &b->access[j];

			if (x->space == y->space && (x->write || y->write) && x->lo < y->hi &&
			    y->lo < x->hi)
				return true;
		}
	}
	return false;
}

/*
 * The newest of what is out there that conflicts: that many may be left running, and what is older
 * is over then.
 */
static int wait_for(struct be_footprint *list, unsigned int *count, const struct be_footprint *f)
{
	for (unsigned int i = 0; i < *count; i++) {
		if (!conflict(&list[i], f))
			continue;
		*count = i;
		return (int)i;
	}
	return -1;
}

static void push(struct be_footprint *list, unsigned int *count, unsigned int room,
		 const struct be_footprint *f)
{
	unsigned int keep = *count < room ? *count : room - 1;

	memmove(list + 1, list, keep * sizeof(*list));
	list[0] = *f;
	*count = keep + 1;
}

void be_deps_init(struct be_deps *d, const struct ethosu_arch *arch)
{
	memset(d, 0, sizeof(*d));
	d->arch = arch;
}

void be_deps_kernel(struct be_deps *d, const struct be_kernel *k, struct be_waits *out)
{
	struct be_footprint f;

	kernel_footprint(d->arch, k, &f);
	out->kernel = -1;
	out->dma = wait_for(d->dmas, &d->dma_count, &f);
	out->blockdep = d->any ? be_blockdep(d->arch, &d->last, k) : 0;
	push(d->kernels, &d->kernel_count, ETHOSU_KERNELS_IN_FLIGHT, &f);
	d->last = *k;
	d->any = true;
}

void be_deps_dma(struct be_deps *d, const struct npu_op *op, struct be_waits *out)
{
	struct be_footprint f;

	dma_footprint(op, &f);
	out->dma = wait_for(d->dmas, &d->dma_count, &f);
	out->kernel = wait_for(d->kernels, &d->kernel_count, &f);
	out->blockdep = 0;
	push(d->dmas, &d->dma_count, d->arch->dma_in_flight, &f);
}
