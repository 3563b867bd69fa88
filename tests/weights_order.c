/* SPDX-License-Identifier: MIT */
/*
 * The order of weights in a stream, one weight at a time: the loops as they are documented for the
 * hardware, with nothing taken from sim/weights.c.
 */
#include "tests/weights_order.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

void put_bits(struct bit_writer *out, uint64_t value, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, out->at++) {
		if (out->at / 8 == out->size) {
			out->size = out->size ? 2 * out->size : 64;
			out->data = realloc(out->data, out->size);
			assert(out->data);
		}
		if (out->at % 8 == 0)
			out->data[out->at / 8] = 0;
		out->data[out->at / 8] |= (uint8_t)((value >> i & 1) << out->at % 8);
	}
}

void align_bits(struct bit_writer *out, unsigned int unit)
{
	while (out->at % unit)
		put_bits(out, 1, 1);
}

void list_add(struct weight_list *list, int16_t w)
{
	if (list->count == list->size) {
		list->size = list->size ? 2 * list->size : 256;
		list->w = realloc(list->w, list->size * sizeof(*list->w));
		assert(list->w);
	}
	list->w[list->count++] = w;
}

/* What a loop body needs. */
struct emitter {
	const struct npu_op *op;
	const int16_t *w;
	struct weight_list *out;
	int depth;	/* IFM */
};

static void emit(struct emitter *e, int o, int ky, int kx, int i)
{
	const struct npu_op *op = e->op;

	int tap = (o * op->kernel_h + ky) * op->kernel_w + kx;

	if (o >= (int)op->oc || i >= e->depth || ky >= op->kernel_h || kx >= op->kernel_w)
		list_add(e->out, 0);
	else
		list_add(e->out, e->w[tap * e->depth + i]);
}

static void emit_zeros(struct emitter *e, int count)
{
	while (count-- > 0)
		list_add(e->out, 0);
}

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int roundup(int value, int unit)
{
	while (value % unit)
		value++;
	return value;
}

static void u55_sub_kernel(struct emitter *e, const struct npu_config *config, int core, int oz,
			   int cob, int d, int iz, int cib, int ky0, int kx0)
{
	const struct npu_op *op = e->op;
	bool dw = op->kind == NPU_KIND_DEPTHWISE, part = !dw && op->part_kernel;
	int r = dw ? 4 : !part ? 1 : op->a.elem_log2 == 1 ? 2 : 4;
	int hh = min(8 / op->dilation_y, op->kernel_h - ky0);
	int ww = min(8 / op->dilation_x, op->kernel_w - kx0);
	int ne = roundup(hh * ww, r), iu = 8, ou_depth = (int)config->ublock_depth;

	for (int iuo = 0; iuo < (part ? cib : 1); iuo += iu)
		for (int ou = 0; ou < cob; ou += ou_depth)
			for (int t = 0; t < ne; t++)
				for (int iui = 0; iui < (part ? 1 : cib); iui += iu)
					for (int o = 0; o < ou_depth; o++)
						for (int i = 0; i < (dw ? 1 : iu); i++) {
							int c = oz + ou + o;

							if (c >= d || t / ww >= hh)
								emit_zeros(e, 1);
							else
								emit(e, c * op->cores + core,
								     ky0 + t / ww, kx0 + t % ww,
								     iz + iuo + iui + i);
						}
}

static void u55_order(struct emitter *e, const struct npu_config *config, int core)
{
	const struct npu_op *op = e->op;
	bool dw = op->kind == NPU_KIND_DEPTHWISE, part = !dw && op->part_kernel;
	int ib = part || op->a.elem_log2 == 1 ? 16 : 32, cores = op->cores, d = 0;
	int ob = ((int)op->ofm_block_depth + cores - 1 - core) / cores;

	for (int c = core; c < (int)op->oc; c += cores)
		d++;
	for (int oz = 0; oz < d; oz += ob)
		for (int iz = 0; iz < (dw ? 1 : e->depth); iz += ib) {
			int cib = dw ? 8 : part ? min(ib, e->depth - iz) : ib;

			for (int ky0 = 0; ky0 < op->kernel_h; ky0 += 8 / op->dilation_y)
				for (int kx0 = 0; kx0 < op->kernel_w; kx0 += 8 / op->dilation_x)
					u55_sub_kernel(e, config, core, oz, min(ob, d - oz), d, iz,
						       cib, ky0, kx0);
		}
}

/* Depths of microblocks by MACs and ACC_FORMAT.microblock (1x1, 1x2, 1x4, 2x2, 2x4, 4x4). */
static int u85_ublock(const struct npu_config *config, unsigned int microblock)
{
	static const int depth[5][6] = {
		{ 16, 8 }, { 0, 16, 8, 8 }, { 0, 0, 16, 16 }, { 0, 0, 32, 32, 16 },
		{ 0, 0, 64, 64, 0, 16 },
	};
	unsigned int row = 0;

	while (128u << row < config->macs)
		row++;
	return depth[row][microblock];
}

struct u85 {
	int ou, ib, iud, r, sx, sy, pc, is, streams;
};

static void u85_parameters(const struct npu_config *config, const struct npu_op *op, struct u85 *p)
{
	bool dw = op->kind == NPU_KIND_DEPTHWISE, part = !dw && op->part_kernel;
	bool wide = op->a.elem_log2 == 1, small = config->macs == 128 || config->macs == 256;

	p->streams = (int)config->cores;
	p->ou = u85_ublock(config, op->microblock);
	if (part)
		p->ib = 16;
	else if (op->a.elem_log2 == 2 || (small && p->ou == 16 && !op->weight_sparse))
		p->ib = 32;
	else if (op->weight_sparse && op->a.elem_log2 == 0)
		p->ib = 128;
	else
		p->ib = 64;
	p->iud = dw ? 1 : part && wide && !op->weight_sparse ? 8 : p->ib;
	p->r = dw ? 10 : !part ? 1 : wide || op->weight_sparse ? 10 : 5;
	p->sx = dw || part ? op->stride_x : 1;
	p->sy = dw || part ? op->stride_y : 1;
	p->pc = !wide && small ? 0 : config->macs <= 512 ? 2 : 6;
	p->is = dw ? 1 : op->weight_sparse ? 16 : 8;
}

static void u85_tap(struct emitter *e, const struct u85 *p, int stream, int oc, int iz, int ky,
		    int kx)
{
	for (int iui = 0; iui < p->iud; iui += p->is)
		for (int oo = stream * 4; oo < p->ou; oo += 4 * p->streams)
			for (int o = 0; o < 4; o++)
				for (int i = 0; i < p->is; i++)
					emit(e, oc + oo + o, ky, kx, iz + iui + i);
}

static void u85_sub_kernel(struct emitter *e, const struct u85 *p, int stream, int oc, int iz,
			   int ky0, int kx0, int hh, int ww)
{
	bool dw = e->op->kind == NPU_KIND_DEPTHWISE;
	int n = roundup(hh * ww, p->r);

	for (int ysub = 0; ysub < p->sy; ysub++)
		for (int xsub = 0; xsub < p->sx; xsub++)
			for (int y = 0; ysub + y * p->sy < hh; y++) {
				int columns = 0;

				while (xsub + columns * p->sx < ww)
					columns++;
				for (int k = 0; k < columns; k++) {
					int x = y % 2 ? columns - 1 - k : k;

					u85_tap(e, p, stream, oc, iz, ky0 + ysub + y * p->sy,
						kx0 + xsub + x * p->sx);
					n--;
					if (dw && n % p->r == 0)
						emit_zeros(e, p->pc * p->ou / p->streams);
				}
			}
	if (n > 0)
		emit_zeros(e, (n + (dw ? p->pc : 0)) * p->iud * p->ou / p->streams);
}

static void u85_order(struct emitter *e, const struct npu_config *config, int stream)
{
	const struct npu_op *op = e->op;
	bool dw = op->kind == NPU_KIND_DEPTHWISE;
	int iz = 0, step, dx = 8 / op->dilation_x, dy = 8 / op->dilation_y;
	struct u85 p;

	u85_parameters(config, op, &p);
	step = p.ib;
	for (int oz = 0; oz < (int)op->oc; oz += (int)op->ofm_block_depth) {
		int cob = min((int)op->ofm_block_depth, (int)op->oc - oz);

		for (; iz >= 0 && iz < (dw ? 1 : e->depth); iz += step) {
			int cib = dw ? 1 : min(p.ib, e->depth - iz);

			for (int kx0 = 0; kx0 < op->kernel_w; kx0 += dx)
				for (int ky0 = 0; ky0 < op->kernel_h; ky0 += dy)
					for (int iuo = 0; iuo < cib; iuo += p.iud)
						for (int ou = 0; ou < cob; ou += p.ou)
							u85_sub_kernel(e, &p, stream, oz + ou,
								       iz + iuo, ky0, kx0,
								       min(dy, op->kernel_h - ky0),
								       min(dx, op->kernel_w - kx0));
		}
		iz -= step;
		step = -step;
	}
}

void order_weights(const struct npu_config *config, const struct npu_op *op, unsigned int core,
		   const int16_t *w, struct weight_list *out)
{
	struct emitter e = { .op = op, .w = w, .out = out, .depth = (int)op->a.depth };

	if (op->kind == NPU_KIND_DEPTHWISE)
		e.depth = 1;
	if (config->arch == 85)
		u85_order(&e, config, (int)core);
	else
		u55_order(&e, config, (int)core);
}

size_t fwd_block(const struct npu_config *config, const struct npu_op *op)
{
	struct u85 p;

	u85_parameters(config, op, &p);
	return (size_t)(p.ou * p.iud * p.r / p.streams);
}
