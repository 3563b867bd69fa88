/* SPDX-License-Identifier: MIT */
/* A first decoder, until the one on the ISA tables is in. */
#pragma GCC diagnostic ignored "-Wshadow"
#include "sim/decode.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
static int64_t addr(const struct npu_state *s, int i)
{
	uint64_t v = s->cmd1[i];
	return (int64_t)((v & 0xffffffff) | ((v >> 32) & 0xff) << 32);
}
static int64_t sgn(int64_t v)
{
	return (v << 24) >> 24;
}
static void fm(const struct npu_state *s, struct npu_fm *f, int b0, int c1, unsigned prec, int zp,
	       int h, int w, int d, int ofm)
{
	memset(f, 0, sizeof *f);
	for (int i = 0; i < 4; i++)
		f->base[i] = addr(s, c1 + i);
	f->stride_x = sgn(addr(s, c1 + 4));
	f->stride_y = sgn(addr(s, c1 + 5));
	f->stride_c = sgn(addr(s, c1 + 6));
	f->width0 = s->cmd0[b0 + (ofm ? 0x1a : 0x0a)] + 1;
	f->height0 = s->cmd0[b0 + (ofm ? 0x1b : 0x0b)] + 1;
	f->height1 = s->cmd0[b0 + (ofm ? 0x1c : 0x0c)] + 1;
	f->space = s->cmd0[b0 + (ofm ? 0x1f : 0x0f)] & 7;
	f->is_signed = prec & 1;
	f->elem_log2 = ofm ? (prec >> 1) & 3 : (prec >> 2) & 3;
	f->brick = (prec >> 6) & 1;
	f->height = h;
	f->width = w;
	f->depth = d;
	f->zero_point = f->is_signed ? (int16_t)zp : (uint16_t)zp;
}
int npu_decode(const struct npu_config *c, const struct npu_state *st, const uint32_t *w, size_t n,
	       struct npu_program *out)
{
	memset(out, 0, sizeof *out);
	out->state = *st;
	struct npu_state *s = &out->state;
	size_t cap = 0;
	out->end = NPU_STOP_PARSE_ERROR;
	for (size_t i = 0; i < n; i++) {
		unsigned op = w[i] & 0x3ff, ctl = (w[i] >> 14) & 3, p = w[i] >> 16;
		uint32_t off = 4 * i;
		if (ctl > 1 || (w[i] >> 10 & 15)) {
			snprintf(out->why, 160, "reserved bits set in %08x", w[i]);
			out->end_offset = off;
			return 0;
		}
		if (ctl == 1) {
			if (op & 0x100) {
				snprintf(out->why, 160, "branch");
				out->end_offset = off;
				return 0;
			}
			if (++i >= n) {
				snprintf(out->why, 160, "command cut short");
				out->end_offset = off;
				return 0;
			}
			s->cmd1[op & 0xff] = (uint64_t)p << 32 | w[i];
			continue;
		}
		if (op & 0x100) {
			s->cmd0[op & 0xff] = p;
			continue;
		}
		if (op == 0) {
			out->end = NPU_STOP_END;
			out->end_offset = off + 4;
			out->stop_mask = p;
			return 0;
		}
		if (op == 0x11 || op == 0x12)
			continue;
		if (op == 1 || op == 0x13) {
			if (out->event_count >= 65536 || out->count >= 65536)
				break;
			struct npu_event *ev =
				realloc(out->events, (out->event_count + 1) * sizeof *ev);
			if (!ev)
				return -ENOMEM;
			out->events = ev;
			out->events[out->event_count++] =
				(struct npu_event){ off, (uint32_t)out->count, (uint16_t)op,
						    (uint16_t)p };
			continue;
		}
		if (op != 2 && op != 3 && op != 5 && op != 6 && op != 0x10 &&
		    !(op == 7 && c->arch == 85)) {
			snprintf(out->why, 160, "unknown operation %x", op);
			out->end_offset = off;
			return 0;
		}
		if (out->count >= 65536) {
			snprintf(out->why, 160, "too many operations");
			out->end_offset = off;
			return 0;
		}
		if (out->count == cap) {
			cap = cap ? 2 * cap : 64;
			out->ops = realloc(out->ops, cap * sizeof *out->ops);
		}
		struct npu_op *o = &out->ops[out->count++];
		memset(o, 0, sizeof *o);
		o->offset = off;
		if (op == 0x10) {
			o->kind = NPU_KIND_DMA;
			unsigned sr = s->cmd0[0x30], dr = s->cmd0[0x31];
			o->dma_src_space = sr & 0x100 ? 8 : sr & 7;
			o->dma_dst_space = dr & 0x100 ? 8 : dr & 7;
			o->dma_src = addr(s, 0x30);
			o->dma_dst = addr(s, 0x31);
			o->dma_len = addr(s, 0x32);
			o->dma_rows = o->dma_planes = 1;
			unsigned mode = (sr >> 9) & 3;
			if (c->arch == 85) {
				if (mode) {
					o->dma_rows = s->cmd0[0x32];
					if (mode == 2)
						o->dma_planes = s->cmd0[0x33];
					o->dma_src_step[0] = sgn(addr(s, 0x33));
					o->dma_src_step[1] = sgn(addr(s, 0x34));
					o->dma_dst_step[0] = sgn(addr(s, 0x35));
					o->dma_dst_step[1] = sgn(addr(s, 0x36));
				}
				o->dma_src_indexed = (sr >> 11) & 1;
				o->dma_dst_indexed = (dr >> 11) & 1;
				if (o->dma_src_indexed || o->dma_dst_indexed) {
					o->dma_idx_space = s->cmd0[0x34] & 7;
					o->dma_idx = addr(s, 0x37);
					o->dma_idx_max = (uint32_t)s->cmd1[0x38] & 0x7fffffff;
					o->dma_idx_step = sgn(addr(s, 0x39));
					if (!mode) {
						o->dma_rows = s->cmd0[0x32];
					}
				}
			} else {
				unsigned dm = (dr >> 9) & 3, m = mode > dm ? mode : dm;
				if (m) {
					o->dma_rows = s->cmd0[0x32];
					if (m == 2)
						o->dma_planes = s->cmd0[0x33];
					int64_t L = o->dma_len;
					o->dma_src_step[0] = L + (mode ? sgn(addr(s, 0x33)) : 0);
					o->dma_dst_step[0] = L + (dm ? sgn(addr(s, 0x33)) : 0);
					o->dma_src_step[1] = o->dma_src_step[0] * o->dma_rows +
							     (mode == 2 ? sgn(addr(s, 0x34)) : 0);
					o->dma_dst_step[1] = o->dma_dst_step[0] * o->dma_rows +
							     (dm == 2 ? sgn(addr(s, 0x34)) : 0);
				}
			}
			continue;
		}
		int u85 = c->arch == 85;
		int oh = s->cmd0[0x12] + 1, ow = s->cmd0[0x11] + 1, oc = s->cmd0[0x13] + 1,
		    ic = s->cmd0[0x04] + 1;
		unsigned ip = s->cmd0[0x05], op_ = s->cmd0[0x14], ks = s->cmd0[0x22];
		o->oh = oh;
		o->ow = ow;
		o->oc = oc;
		int th = oh, tw = ow, tc = oc;
		if (u85) {
			o->transpose = (op_ >> 11) & 7;
			o->reverse = (op_ >> 9) & 3;
			int d[3] = { oh, ow, oc };
			static const int8_t P[8][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 },
							{ 1, 2, 0 }, { 0, 1, 2 }, { 0, 1, 2 },
							{ 2, 0, 1 }, { 2, 1, 0 } };
			th = d[P[o->transpose][0]];
			tw = d[P[o->transpose][1]];
			tc = d[P[o->transpose][2]];
		}
		fm(s, &o->ofm, 0, 0x10, op_, s->cmd0[0x18], th, tw, tc, 1);
		o->stride_x = 1 + (ks & 1) + 2 * ((ks >> 6) & 1);
		o->stride_y = 1 + ((ks >> 1) & 1) + 2 * ((ks >> 9) & 1);
		o->part_kernel = (ks >> 2) & 1;
		o->dilation_x = 1 + ((ks >> 3) & 1);
		o->dilation_y = 1 + ((ks >> 4) & 1);
		o->kernel_w = s->cmd0[0x20] / o->dilation_x + 1;
		o->kernel_h = s->cmd0[0x21] / o->dilation_y + 1;
		o->pad_top = s->cmd0[0];
		o->pad_left = s->cmd0[1];
		o->pad_right = s->cmd0[2];
		o->pad_bottom = s->cmd0[3];
		o->upscale = s->cmd0[7] & 3;
		int ih = (oh - 1) * o->stride_y + s->cmd0[0x21] + 1 - o->pad_top - o->pad_bottom,
		    iw = (ow - 1) * o->stride_x + s->cmd0[0x20] + 1 - o->pad_left - o->pad_right;
		if (op == 7) {
			ih = s->cmd0[0x21] + 1;
			iw = s->cmd0[0x20] + 1;
			ic = oc;
		}
		if (op == 6) {
			ih = oh;
			iw = ow;
			ic = oc;
			o->kernel_h = o->kernel_w = o->stride_x = o->stride_y = 1;
			o->pad_top = o->pad_left = o->pad_bottom = o->pad_right = 0;
		}
		if (o->upscale) {
			ih = (ih + 1) / 2;
			iw = (iw + 1) / 2;
		}
		fm(s, &o->a, 0, 0, ip, s->cmd0[0x09], ih, iw, ic, 0);
		unsigned b1 = s->cmd0[0x08];
		if (u85 && op == 6) {
			fm(s, &o->a, 0, 0, ip, s->cmd0[0x09], b1 & 1 ? 1 : oh, b1 & 2 ? 1 : ow,
			   b1 & 4 ? 1 : oc, 0);
			o->a.broadcast = b1 & 8 ? 8 : b1 & 7;
			if (b1 & 8)
				o->scalar = (int32_t)s->cmd1[0x27];
		}
		unsigned act = s->cmd0[0x25], fn = act & 31, clip = (act >> 12) & 7;
		o->act_min = o->ofm.is_signed ? (int16_t)s->cmd0[0x26] : s->cmd0[0x26];
		o->act_max = o->ofm.is_signed ? (int16_t)s->cmd0[0x27] : s->cmd0[0x27];
		o->clamp = o->ofm.elem_log2 < 2 || clip;
		if (clip == 3) {
			o->act_min = o->act_min < -128 ? -128 : o->act_min;
			o->act_max = o->act_max > 127 ? 127 : o->act_max;
		}
		if (u85) {
			static const uint8_t L[32] = {
				[1] = NPU_LUT_U8_U8,  [4] = NPU_LUT_S8_S8,   [5] = NPU_LUT_S8_S16,
				[7] = NPU_LUT_S8_S32, [8] = NPU_LUT_S16_S16, [9] = NPU_LUT_S16_S32,
				[10] = NPU_LUT_TANH,  [11] = NPU_LUT_SIGMOID
			};
			static const uint16_t Z[12] = { 0, 256,	 0,    0,    256,  512,
							0, 1024, 2048, 2048, 2048, 2048 };
			o->lut = L[fn];
			o->lut_offset = fn < 12 ? ((act >> 5) & 7) * Z[fn] : 0;
			o->clamp = !((act >> 12) & 1);
		} else if (fn >= 16) {
			o->lut_offset = c->shram_kib * 1024 - 2048 + (fn - 16) * 256;
			o->lut = o->ofm.elem_log2 == 2	 ? NPU_LUT_S8_S32
				 : o->ofm.elem_log2 == 1 ? NPU_LUT_S16_S16
				 : o->ofm.is_signed	 ? NPU_LUT_S8_S8
							 : NPU_LUT_U8_U8;
		} else if (!u85 && fn == 3)
			o->lut = NPU_LUT_TANH_BUILTIN;
		else if (!u85 && fn == 4)
			o->lut = NPU_LUT_SIGMOID_BUILTIN;
		if (o->ofm.elem_log2 == 2 && !o->lut)
			o->ofm.zero_point = 0;
		static const uint8_t rm[4] = { NPU_ROUND_TFL, NPU_ROUND_TO_ZERO, NPU_ROUND_NATURAL,
					       NPU_ROUND_TFL };
		o->round = rm[(op_ >> 14) & 3];
		o->per_channel = !((op_ >> 8) & 1);
		o->ofm_scale = (struct npu_scale){ (uint32_t)s->cmd1[0x24],
						   (s->cmd1[0x24] >> 32) & 63, o->round, 0, 0 };
		static const uint8_t rm85[8] = { NPU_ROUND_TFL,
						 NPU_ROUND_NATURAL,
						 NPU_ROUND_DOUBLE_ASYMMETRIC,
						 NPU_ROUND_SYMMETRIC,
						 NPU_ROUND_TO_ZERO,
						 NPU_ROUND_TO_LOWER,
						 0,
						 0 };
		if (u85) {
			unsigned p = s->cmd1[0x24] >> 32;
			o->round = rm85[p >> 13];
			o->ofm_scale = (struct npu_scale){ (uint32_t)s->cmd1[0x24] & 0x7fffffff,
							   p & 63, o->round, 0, 0 };
		}
		o->acc48 = (s->cmd0[0x24] & 3) == 1;
		o->ofm_block_depth = s->cmd0[0x17] + 1;
		o->cores = c->cores == 2 && s->cmd0[0x23] ? 2 : 1;
		o->weight_space = s->cmd0[0x28] & 7;
		o->scale_space = s->cmd0[0x29] & 7;
		o->weight_base[0] = addr(s, 0x20);
		o->weight_len[0] = (uint32_t)s->cmd1[0x21];
		o->scale_base[0] = addr(s, 0x22);
		o->scale_len[0] = (uint32_t)s->cmd1[0x23];
		o->weight_base[1] = addr(s, 0x90);
		o->weight_len[1] = (uint32_t)s->cmd1[0x91];
		o->scale_base[1] = addr(s, 0x92);
		o->scale_len[1] = (uint32_t)s->cmd1[0x93];
		if (u85) {
			o->microblock = (s->cmd0[0x24] >> 8) & 7;
			o->weight_fwd = s->cmd0[0x2e] & 1;
			o->weight_sparse = (s->cmd0[0x2e] >> 4) & 1;
			o->cores = o->weight_fwd ? 1 : c->cores;
			for (int k = 1; k < 4; k++) {
				o->weight_base[k] = addr(s, 0x8e + 2 * k);
				o->weight_len[k] = (uint32_t)s->cmd1[0x8f + 2 * k];
				o->scale_len[k] = 0;
			}
		}
		if (op == 2 && u85 && (p & 1)) {
			o->kind = NPU_KIND_MATMUL;
			fm(s, &o->b, 0x80, 0x80, s->cmd0[0x85], s->cmd0[0x89], 1, oc, ic, 0);
		} else if (op == 2) {
			o->kind = NPU_KIND_CONV;
		} else if (op == 7) {
			o->kind = NPU_KIND_RESIZE;
			o->mode = p & 3;
			o->resize_n_x = s->cmd0[0x2a] + 1;
			o->resize_n_y = s->cmd0[0x2b] + 1;
			o->resize_off_x = (int16_t)(s->cmd0[0x2c] << 4) >> 4;
			o->resize_off_y = (int16_t)(s->cmd0[0x2d] << 4) >> 4;
			for (int k = 0; k < 2; k++) {
				uint64_t v = s->cmd1[0x96 + k];
				uint32_t st =
					((v >> 32) & 15) * (k ? o->resize_n_y : o->resize_n_x) +
					(v & 0x7ff);
				if (k)
					o->resize_step_y = st;
				else
					o->resize_step_x = st;
			}
		} else if (op == 3) {
			o->kind = NPU_KIND_DEPTHWISE;
		} else if (op == 5) {
			o->kind = NPU_KIND_POOL;
			o->mode = p & 7;
			o->hw_divide = o->mode == 1 && (u85 || o->pad_top || o->pad_left ||
							o->pad_right || o->pad_bottom);
			if (o->mode == 4) {
				fm(s, &o->b, 0x80, 0x80, s->cmd0[0x85], s->cmd0[0x89], oh, ow, oc,
				   0);
				o->a = o->b;
				o->mode = 3;
				o->kernel_h = o->kernel_w = 1;
			}
		} else if (op == 6) {
			o->kind = NPU_KIND_ELEMENTWISE;
			o->mode = p & 63;
			unsigned bc = s->cmd0[0x80];
			fm(s, &o->b, 0x80, 0x80, s->cmd0[0x85], s->cmd0[0x89], bc & 1 ? 1 : oh,
			   bc & 2 ? 1 : ow, bc & 4 ? 1 : oc, 0);
			o->b.broadcast = bc & 7;
			if (u85) {
				if (bc & 8) {
					o->b.broadcast = 8;
					o->scalar = (int32_t)s->cmd1[0x27];
				}
				for (int k = 0; k < 2; k++) {
					uint64_t v = s->cmd1[0x25 + k];
					unsigned p2 = v >> 32;
					struct npu_scale sc = { (uint32_t)v & 0x7fffffff, p2 & 63,
								(p2 >> 13) & 1, (p2 >> 6) & 31, 0 };
					if (!sc.scale && !sc.shift)
						sc.scale = 1;
					if (k)
						o->b_scale = sc;
					else
						o->a_scale = sc;
				}
			} else if (bc & 0x80) {
				o->b.broadcast = 8;
				o->scalar = o->b.is_signed ? (int16_t)s->cmd0[0x81] : s->cmd0[0x81];
			}
			if (!u85) {
				int K = o->a.elem_log2 ? 15 : 20;
				unsigned sm = (ip >> 8) & 3;
				struct npu_scale opa = { (uint32_t)s->cmd1[0x25],
							 (s->cmd1[0x25] >> 32) & 63,
							 rm[(ip >> 14) & 3], K, 0 },
						 one = { 1u << 30, 31 - K, 0, K, 0 };
				if (bc & 0x40) {
					struct npu_fm t = o->a;
					o->a = o->b;
					o->b = t;
				}
				if (o->mode != NPU_ELT_ADD && o->mode != NPU_ELT_SUB) {
					o->a_scale = o->b_scale = (struct npu_scale){ 1, 0, 1, 0, 0 };
				} else if (sm == 1) {
					o->a_scale = opa;
					o->b_scale = one;
				} else if (sm == 2) {
					o->a_scale = one;
					o->b_scale = opa;
				} else {
					o->a_scale = (struct npu_scale){ (uint16_t)s->cmd1[0x25], 0,
									 1, 0, 0 };
					o->b_scale = (struct npu_scale){ (uint16_t)s->cmd1[0x26], 0,
									 1, 0, 0 };
					if (!o->a_scale.scale)
						o->a_scale.scale = 1;
					if (!o->b_scale.scale)
						o->b_scale.scale = 1;
				}
			}
		} else {
			out->count--;
			snprintf(out->why, 160, "op %x", op);
			out->end_offset = off;
			return 0;
		}
		if (u85) {
			unsigned st[3] = { ip >> 14, (unsigned)s->cmd0[0x85] >> 14, op_ >> 14 };
			struct npu_fm *f[3] = { &o->a, &o->b, &o->ofm };
			unsigned rg[3] = { s->cmd0[0x0f], s->cmd0[0x8f], s->cmd0[0x1f] };
			for (int k = 0; k < 3; k++)
				if (st[k] == 2 && (k != 1 || o->kind == NPU_KIND_ELEMENTWISE) &&
				    !(f[k]->broadcast & 8)) {
					int es = 1 << f[k]->elem_log2;
					memset(f[k]->base, 0, sizeof f[k]->base);
					f[k]->space = NPU_SPACE_CHAIN;
					f[k]->base[0] = (int64_t)rg[k] << 17;
					f[k]->brick = 0;
					f[k]->stride_x = (int64_t)f[k]->depth * es;
					f[k]->stride_y = f[k]->stride_x * f[k]->width;
					f[k]->stride_c = es;
					f[k]->width0 = f[k]->width;
					f[k]->height0 = f[k]->height1 = f[k]->height;
					out->chain_size = 1 << 20;
				}
		}
	}
	snprintf(out->why, 160, "no STOP");
	out->end_offset = (uint32_t)(4 * n);
	return 0;
}
void npu_program_free(struct npu_program *p)
{
	free(p->ops);
	free(p->events);
}
int npu_fm_extent(const struct npu_config *c, const struct npu_fm *f, int64_t *lo, int64_t *hi)
{
	(void)c;
	int64_t es = 1 << f->elem_log2;
	int64_t h0 = f->height < f->height0 ? f->height : f->height0;
	int64_t cb = f->brick ? ((f->depth + 15) / 16 - 1) * f->stride_c + 16 * es : f->depth * es;
	int64_t l = f->base[0], h = f->base[0] + (h0 - 1) * f->stride_y +
				    (f->width - 1) * (f->brick ? 16 * es : f->stride_x) + cb;
	if (f->height > f->height0) {
		int64_t l2 = f->base[2], h2 = l2 + (f->height - h0 - 1) * f->stride_y +
					      (f->width - 1) * (f->brick ? 16 * es : f->stride_x) +
					      cb;
		if (l2 < l)
			l = l2;
		if (h2 > h)
			h = h2;
	}
	*lo = l;
	*hi = h;
	return 0;
}
int npu_op_extents(const struct npu_config *c, const struct npu_op *o,
		   int (*fn)(void *, unsigned, int64_t, int64_t, enum npu_channel), void *x)
{
	int64_t l, h;
	int r;
	if (o->kind == NPU_KIND_DMA) {
		r = fn(x, o->dma_src_space, o->dma_src, o->dma_src + o->dma_len, NPU_CH_DMA_READ);
		return r ? r
			 : fn(x, o->dma_dst_space, o->dma_dst, o->dma_dst + o->dma_len,
			      NPU_CH_DMA_WRITE);
	}
	npu_fm_extent(c, &o->a, &l, &h);
	if ((r = fn(x, o->a.space, l, h, NPU_CH_IFM)))
		return r;
	if (o->kind == NPU_KIND_ELEMENTWISE && !(o->b.broadcast & 8)) {
		npu_fm_extent(c, &o->b, &l, &h);
		if ((r = fn(x, o->b.space, l, h, NPU_CH_IFM2)))
			return r;
	}
	if (o->kind <= NPU_KIND_DEPTHWISE)
		for (unsigned k = 0; k < o->cores; k++) {
			if ((r = fn(x, o->weight_space, o->weight_base[k],
				    o->weight_base[k] + o->weight_len[k], NPU_CH_WEIGHT)))
				return r;
			if ((r = fn(x, o->scale_space, o->scale_base[k],
				    o->scale_base[k] + o->scale_len[k], NPU_CH_SCALE)))
				return r;
		}
	npu_fm_extent(c, &o->ofm, &l, &h);
	return fn(x, o->ofm.space, l, h, NPU_CH_OFM);
}
