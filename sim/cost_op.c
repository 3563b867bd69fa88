/* SPDX-License-Identifier: MIT */
/*
 * Cycles and bytes of one operation.
 *
 * Block by block: the MAC array works on one OFM block while the output stage scales and writes the
 * one before. The slower of the two sets the pace, or the rate at which blocks can be issued; the
 * first block's read and the last one's write are seen whole. Beside that each memory must move the
 * bytes. The formulas are those of Vela's performance model, floats where it has them.
 */
#include "sim/cost.h"

#include <math.h>
#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t div_up(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

static uint32_t round_up(uint32_t a, uint32_t b)
{
	return div_up(a, b) * b;
}

/*
 * Cycles or bytes as a whole number. Registers can ask for more than any device lives to see; sums
 * over a stream must not wrap then.
 */
static uint64_t whole(double value)
{
	return value < (double)COST_MOST ? (uint64_t)value : COST_MOST;
}

static bool is_u85(const struct ethosu_arch *arch)
{
	return arch->family == 85;
}

static bool is_reduce_sum(const struct cost_op_desc *d)
{
	return d->kind == NPU_KIND_POOL && d->mode == NPU_POOL_REDUCE_SUM;
}

/* Each output channel comes of the input channel of the same number. */
static bool is_channelwise(const struct cost_op_desc *d)
{
	return d->kind == NPU_KIND_DEPTHWISE || (d->kind == NPU_KIND_POOL && !is_reduce_sum(d));
}

static bool uses_macs(const struct cost_op_desc *d)
{
	return d->kind != NPU_KIND_ELEMENTWISE && d->kind != NPU_KIND_RESIZE;
}

static const struct ethosu_block *ofm_ublock(const struct ethosu_arch *arch,
					     const struct cost_op_desc *d)
{
	const struct ethosu_block *u = &arch->ofm_ublock[is_u85(arch) ? d->microblock %
									ETHOSU_UBLOCKS : 0];
	unsigned int i;

	if (u->d)
		return u;
	/* Not one the device has; any will do, so that there is a number. */
	for (i = 0; !arch->ofm_ublock[i].d; i++)
		;
	return &arch->ofm_ublock[i];
}

/* ---- blocks ---- */

static uint32_t ifm_block_depth(const struct ethosu_arch *arch, const struct cost_op_desc *d)
{
	uint32_t c = d->ifm[0].d;
	unsigned int bits = d->ifm[0].bits;
	bool deep;

	if (d->kind == NPU_KIND_ELEMENTWISE || d->kind == NPU_KIND_RESIZE || is_channelwise(d))
		return d->block.d;
	if (!is_u85(arch)) {
		if (bits == 16)
			return round_up(least(c, 16), 4);
		return d->part_kernel && d->kind == NPU_KIND_CONV ? round_up(least(c, 16), 8)
								  : round_up(least(c, 32), 8);
	}
	if (d->part_kernel && d->kind == NPU_KIND_CONV)
		return 16;
	deep = arch->macs <= 256 && ofm_ublock(arch, d)->d == 16;
	if (bits == 32 || (deep && !d->sparse))
		return 32;
	return d->sparse && bits == 8 ? 128 : 64;
}

/* Extent of the input that @n outputs of an axis need. */
static uint32_t ifm_span(uint32_t n, unsigned int stride, unsigned int taps, unsigned int upscale)
{
	uint64_t span = (uint64_t)(n - 1) * stride + taps + (upscale == NPU_UPSCALE_NEAREST);

	return (uint32_t)(upscale ? (span + 1) / 2 : span);
}

static unsigned int sub_kernel_span(unsigned int taps, unsigned int dilation)
{
	return least((taps - 1) * dilation + 1, ETHOSU_SUB_KERNEL);
}

struct ethosu_block cost_ifm_block(const struct ethosu_arch *arch, const struct cost_op_desc *d)
{
	struct ethosu_block granule = arch->ofm_ublock[0], block = d->block;
	uint32_t h, w;

	block.d = (uint16_t)ifm_block_depth(arch, d);
	if (is_u85(arch))
		granule = ethosu_iau(arch, ofm_ublock(arch, d), block.d * d->ifm[0].bits);
	h = ifm_span(block.h, d->stride_y, sub_kernel_span(d->kernel_h, d->dilation_y), d->upscale);
	w = ifm_span(block.w, d->stride_x, sub_kernel_span(d->kernel_w, d->dilation_x), d->upscale);
	block.h = (uint16_t)least(round_up(h, granule.h), UINT16_MAX);
	block.w = (uint16_t)least(round_up(w, granule.w), UINT16_MAX);
	return block;
}

/* ---- memory ---- */

/* Bytes that @elements of a map cost, moved in runs of what lies together of a block. */
static uint64_t burst_bytes(const struct ethosu_arch *arch, const struct cost_memory *m, bool read,
			    const struct cost_fm *fm, const struct ethosu_block *block,
			    uint64_t elements)
{
	unsigned int cores = is_u85(arch) ? 1 : arch->cores;
	uint64_t whole = (uint64_t)fm->bits * block->w * block->d;
	uint64_t run, bytes = elements * fm->bits / 8;

	/* That a stride in bytes is compared with a depth in elements is the model's. */
	if (fm->brick && (uint64_t)fm->w * fm->bits * 2 == block->d)
		run = whole;
	else if (fm->brick)
		run = 16ull * fm->bits * block->w * (read ? 1 : cores);
	else if ((read || block->d <= 16) && (uint64_t)fm->d * fm->bits / 8 == block->d)
		run = whole;
	else if (read)
		run = (uint64_t)fm->bits * block->d;
	else
		run = least(least(512, 16u * fm->bits * cores), (uint32_t)block->d * fm->bits);
	run /= 8;
	if (run > m->burst)
		run = m->burst;
	return run ? bytes * m->burst / run : bytes;
}

static uint64_t clipped(const struct cost_fm *fm, const struct ethosu_block *block)
{
	return (uint64_t)least(fm->h, block->h) * least(fm->w, block->w) * least(fm->d, block->d);
}

static bool in_memory(const struct cost_fm *fm)
{
	return fm->bits && !fm->scalar && !fm->chained;
}

/* Until one block of every input is there. */
static uint64_t first_read(const struct cost_target *t, const struct cost_op_desc *d,
			   const struct ethosu_block *block)
{
	uint64_t cycles = 0;

	for (unsigned int i = 0; i < 2; i++) {
		const struct cost_fm *fm = &d->ifm[i];
		const struct cost_memory *m = &t->memory[fm->memory];
		uint64_t bytes;

		if (!in_memory(fm))
			continue;
		bytes = burst_bytes(t->arch, m, true, fm, block, clipped(fm, block));
		cycles = most(cycles,
			      m->read_latency + whole((double)bytes / m->bandwidth));
	}
	return cycles;
}

static uint64_t last_write(const struct cost_target *t, const struct cost_op_desc *d)
{
	const struct cost_memory *m = &t->memory[d->ofm.memory];
	uint64_t bytes;

	if (!in_memory(&d->ofm))
		return 0;
	bytes = burst_bytes(t->arch, m, false, &d->ofm, &d->block, clipped(&d->ofm, &d->block));
	return m->write_latency + whole((double)bytes / m->bandwidth);
}

/* U85: the channels that share a memory's ports. COST_WRITE has no read buffer. */
#define COST_WRITE	ETHOSU_READ_CHANNELS
#define COST_CHANNELS	(ETHOSU_READ_CHANNELS + 1)

/* Bytes per cycle of one channel: what can be in flight over the latency, 80 % of it twice. */
static double channel_bandwidth(const struct ethosu_arch *arch, const struct cost_memory *m,
				unsigned int channel)
{
	unsigned int words = m->burst / 16 ? m->burst / 16 : 1;
	bool write = channel == COST_WRITE;
	double bursts = (write ? m->writes : m->reads) * m->ports * 0.8;
	double bandwidth;

	if (!write && (double)arch->credits[channel] / words < bursts)
		bursts = (double)arch->credits[channel] / words;
	bandwidth = m->burst * bursts / (write ? m->write_latency : m->read_latency) * 0.8;
	return bandwidth < m->bandwidth ? bandwidth : m->bandwidth;
}

struct traffic {
	const struct cost_target *target;
	struct cost_result *out;
	uint64_t channel[COST_MEMORIES][COST_CHANNELS];
};

static void add_read(struct traffic *t, unsigned int memory, unsigned int channel,
		     enum cost_traffic what, uint64_t bytes)
{
	const struct cost_memory *m = &t->target->memory[memory];

	t->out->read[memory][what] += bytes;
	if (bytes && is_u85(t->target->arch))
		t->channel[memory][channel] +=
			whole((double)bytes / channel_bandwidth(t->target->arch, m, channel));
}

static void add_ifm(struct traffic *t, unsigned int channel, const struct cost_fm *fm,
		    const struct ethosu_block *block, uint64_t elements)
{
	if (in_memory(fm))
		add_read(t, fm->memory, channel, COST_FEATURE_MAPS,
			 burst_bytes(t->target->arch, &t->target->memory[fm->memory], true, fm,
				     block, elements));
}

static uint64_t stored_elements(const struct cost_fm *fm)
{
	return (uint64_t)fm->h * fm->w * (fm->brick ? round_up(fm->d, ETHOSU_BRICK) : fm->d);
}

static void add_ofm(struct traffic *t, const struct cost_op_desc *d)
{
	const struct cost_memory *m = &t->target->memory[d->ofm.memory];
	uint64_t bytes;

	if (!in_memory(&d->ofm))
		return;
	bytes = burst_bytes(t->target->arch, m, false, &d->ofm, &d->block,
			    stored_elements(&d->ofm));
	t->out->write[d->ofm.memory] += bytes;
	if (is_u85(t->target->arch) && m->writes)
		t->channel[d->ofm.memory][COST_WRITE] +=
			whole((double)bytes / channel_bandwidth(t->target->arch, m, COST_WRITE));
}

/* The input is read again for each OFM block, weights for each block in height and width. */
static void mac_traffic(struct traffic *t, const struct cost_op_desc *d,
			const struct ethosu_block *ifm_block)
{
	const struct cost_fm *ifm = &d->ifm[0];
	uint64_t refetch = (uint64_t)div_up(d->ofm.h, least(d->ofm.h, d->block.h)) *
			   div_up(d->ofm.w, least(d->ofm.w, d->block.w));
	uint64_t blocks = refetch;
	uint64_t fetch = (uint64_t)least(ifm->h, ifm_block->h) * least(ifm->w, ifm_block->w) *
			 (ifm->brick ? round_up(ifm->d, ETHOSU_BRICK) : ifm->d);

	if (!is_channelwise(d))
		blocks *= div_up(d->ofm.d, least(d->ofm.d, d->block.d));
	t->out->blocks = refetch * div_up(d->ofm.d, least(d->ofm.d, d->block.d));
	fetch *= div_up(d->kernel_w, ETHOSU_SUB_KERNEL) * div_up(d->kernel_h, ETHOSU_SUB_KERNEL);
	add_ifm(t, ETHOSU_READ_IFM, ifm, ifm_block, fetch * blocks);
	if (d->kind == NPU_KIND_MATMUL)
		add_ifm(t, ETHOSU_READ_IFM_STREAM, &d->ifm[1], ifm_block,
			stored_elements(&d->ifm[1]) * refetch);
	add_read(t, d->weight_memory, d->fast ? ETHOSU_READ_WEIGHT_FAST : ETHOSU_READ_WEIGHT,
		 COST_WEIGHTS, d->weight_bytes * refetch);
	add_read(t, d->scale_memory, ETHOSU_READ_SCALE, COST_SCALES, d->scale_bytes * refetch);
}

static void stream_traffic(struct traffic *t, const struct cost_op_desc *d,
			   const struct ethosu_block *ifm_block)
{
	/* U55 and U65 read a broadcast operand again and again. */
	struct cost_fm as_output = d->ofm;

	t->out->blocks = (uint64_t)div_up(d->ofm.h, d->block.h) * div_up(d->ofm.w, d->block.w) *
			 div_up(d->ofm.d, d->block.d);
	for (unsigned int i = 0; i < 2; i++) {
		as_output.brick = d->ifm[i].brick;
		add_ifm(t, ETHOSU_READ_IFM_STREAM, &d->ifm[i], ifm_block,
			stored_elements(is_u85(t->target->arch) ? &d->ifm[i] : &as_output));
	}
}

static void memory_cycles(struct traffic *t)
{
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		uint64_t bytes = t->out->write[m];
		uint64_t *cycles = &t->out->memory_cycles[m];

		for (unsigned int i = 0; i < COST_TRAFFIC; i++)
			bytes += t->out->read[m][i];
		*cycles = whole((double)bytes / t->target->memory[m].bandwidth);
		for (unsigned int i = 0; i < COST_CHANNELS; i++)
			*cycles = most(*cycles, t->channel[m][i]);
	}
}

/* ---- the output stage ---- */

static bool is_binary(const struct cost_op_desc *d)
{
	return d->kind == NPU_KIND_ELEMENTWISE && d->ifm[1].bits;
}

static unsigned int rate_u65(const struct cost_op_desc *d)
{
	if (d->kind == NPU_KIND_ELEMENTWISE) {
		if (d->ifm[0].bits == 32)
			return is_binary(d) ? ETHOSU_RATE_ELT32_BINARY : ETHOSU_RATE_ELT32_UNARY;
		if (d->mode == NPU_ELT_MUL)
			return d->ofm.bits == 32 ? ETHOSU_RATE_MUL32 : ETHOSU_RATE_MUL;
		return d->mode == NPU_ELT_ADD || d->mode == NPU_ELT_SUB ? ETHOSU_RATE_ADD
									 : ETHOSU_RATE_OTHER;
	}
	if (d->acc_bits == 40)
		return ETHOSU_RATE_MUL;
	return d->kind == NPU_KIND_POOL && d->mode == NPU_POOL_MAX ? ETHOSU_RATE_MAX_POOL
								   : ETHOSU_RATE_OTHER;
}

static unsigned int rate_u85(const struct cost_op_desc *d)
{
	unsigned int in = d->ifm[0].bits, out = d->ofm.bits;

	if (d->ofm.chained && (in == 32 || out == 32))
		return ETHOSU_RATE_IN32;
	if (out == 64)
		return ETHOSU_RATE_OUT64;
	if (is_binary(d) && in == 32)
		return out == 32 ? ETHOSU_RATE_IN32_OUT32 : ETHOSU_RATE_IN32;
	return out == 32 ? ETHOSU_RATE_OUT32 : out == 16 ? ETHOSU_RATE_OUT16 : ETHOSU_RATE_OUT8;
}

static double resize_rate(const struct ethosu_arch *arch, const struct cost_op_desc *d)
{
	double scale_y = round((double)d->ofm.h / d->ifm[0].h);
	double scale_x = round((double)d->ofm.w / d->ifm[0].w);
	bool high = scale_y >= arch->macs / 512.0 && scale_x >= arch->macs / 512.0;
	unsigned int row = (high ? ETHOSU_RATE_RESIZE8_HIGH : ETHOSU_RATE_RESIZE8) +
			   (d->ofm.bits > 8);

	return arch->rate[row];
}

double cost_output_rate(const struct ethosu_arch *arch, const struct cost_op_desc *d)
{
	double rate, activation = 0;
	bool turned;

	if (!is_u85(arch)) {
		rate = arch->rate[rate_u65(d)];
		if (d->activation)
			activation = arch->rate[d->activation == COST_ACT_LUT ? ETHOSU_RATE_LUT
									       : ETHOSU_RATE_RELU];
		return (rate > activation ? rate : activation) / ETHOSU_RATE_UNIT;
	}
	if (d->kind == NPU_KIND_ELEMENTWISE && d->mode == NPU_ELT_DIV)
		return ETHOSU_DIV_CYCLES;
	rate = d->kind == NPU_KIND_RESIZE ? resize_rate(arch, d) : arch->rate[rate_u85(d)];
	turned = d->transpose == NPU_TRANSPOSE_WHC || d->transpose == NPU_TRANSPOSE_WCH ||
		 d->transpose == NPU_TRANSPOSE_CWH || d->reverse == NPU_REVERSE_W;
	if (turned)
		activation = arch->rate[ETHOSU_RATE_ACTIVATION_TURNED];
	else if (d->activation || d->transpose || d->reverse)
		activation = arch->rate[ETHOSU_RATE_ACTIVATION];
	return (rate > activation ? rate : activation) / ETHOSU_RATE_UNIT;
}

/* ---- the MAC array ---- */

/* U85: weights a cycle in the fast format, all decoders together; with few values it may be twice that. */
#define FAST_RATE	32u

/* An OFM block in microblocks, and what else the cycles of a sub-kernel depend on. */
struct array {
	struct ethosu_block n, ofm_n;
	uint32_t ifm_depth;
	uint64_t weights;	/* cycles that decoding the weights of a microblock takes */
	unsigned int bits;
	unsigned int delay;	/* of the accumulators */
	bool part_kernel;
};

static struct ethosu_block in_ublocks(const struct ethosu_block *b, const struct ethosu_block *u)
{
	return (struct ethosu_block){
		.h = (uint16_t)div_up(b->h, u->h),
		.w = (uint16_t)div_up(b->w, u->w),
		.d = (uint16_t)div_up(b->d, u->d),
	};
}

static uint64_t volume(const struct ethosu_block *b)
{
	return (uint64_t)b->h * b->w * b->d;
}

static uint64_t delay_cycles(const struct ethosu_arch *arch, const struct array *a,
			     const struct cost_op_desc *d, uint64_t steps)
{
	uint64_t delay = 0;

	if (a->n.h * a->n.w == 1)
		delay = a->n.d == 1 ? a->delay * steps : a->delay * (steps - 1) * a->n.d;
	if (arch->macs == 32 && d->acc_bits == 40 && (a->n.h == 1 || a->n.w == 1) && a->n.d > 1)
		delay += (uint64_t)a->delay * a->n.d;
	return a->part_kernel ? delay * div_up(a->ifm_depth, 8) : delay;
}

/* One pass over @taps of the kernel for an OFM block and an IFM block in depth. */
static uint64_t sub_kernel_cycles(const struct ethosu_arch *arch, const struct array *a,
				  const struct cost_op_desc *d, uint32_t taps)
{
	uint64_t area = (uint64_t)a->n.h * a->n.w;
	uint64_t steps, cycles;

	if (d->kind == NPU_KIND_DEPTHWISE) {
		steps = div_up(taps, 4);
		cycles = most(a->weights, 4 * area * (a->bits / 8)) * steps * a->n.d;
	} else if (is_channelwise(d)) {
		steps = 1;
		cycles = (taps > 4 ? taps : 4) * area * a->n.d;
		if (arch->macs != 32)
			cycles *= a->bits / 2;
	} else if (a->part_kernel) {
		steps = div_up(taps, a->bits == 16 ? 2 : 4);
		cycles = most(a->weights, 4 * area) * steps * a->n.d * div_up(a->ifm_depth, 8);
	} else {
		steps = taps;
		cycles = is_u85(arch) ? most(a->weights, a->ifm_depth / 8 * area) * (a->bits / 8)
				      : most(a->weights, 4 * area);
		cycles *= steps * a->n.d;
	}
	if (is_u85(arch) && d->sparse)
		cycles /= 2;
	return cycles + delay_cycles(arch, a, d, steps);
}

/* Cycles of one OFM block. */
static uint64_t block_cycles(const struct ethosu_arch *arch, const struct array *a,
			     const struct cost_op_desc *d)
{
	uint64_t cycles = 0;

	for (uint32_t x = 0; x < d->kernel_w; x += ETHOSU_SUB_KERNEL) {
		uint32_t w = least(d->kernel_w - x, ETHOSU_SUB_KERNEL);
		uint32_t whole = d->kernel_h / ETHOSU_SUB_KERNEL, rest = d->kernel_h % ETHOSU_SUB_KERNEL;

		if (whole)
			cycles += whole * sub_kernel_cycles(arch, a, d, w * ETHOSU_SUB_KERNEL);
		if (rest)
			cycles += sub_kernel_cycles(arch, a, d, w * rest);
	}
	if (!is_channelwise(d))
		cycles *= div_up(d->ifm[0].d, a->ifm_depth);
	return is_u85(arch) ? cycles : cycles / arch->cores;
}

static void set_array(const struct ethosu_arch *arch, const struct cost_op_desc *d,
		      const struct ethosu_block *ifm_block, struct array *a)
{
	struct ethosu_block u = *ofm_ublock(arch, d);
	const struct ethosu_block ofm = { (uint16_t)least(d->ofm.h, UINT16_MAX),
					  (uint16_t)least(d->ofm.w, UINT16_MAX),
					  (uint16_t)least(d->ofm.d, UINT16_MAX) };
	const struct ethosu_block block = { (uint16_t)least(ofm.h, d->block.h),
					    (uint16_t)least(ofm.w, d->block.w),
					    (uint16_t)least(ofm.d, d->block.d) };
	bool wide_acc = d->acc_bits > 32;

	/* One row of an even width: the array is laid out along it. */
	if (!is_u85(arch) && u.h == 2 && d->kind == NPU_KIND_CONV && d->ofm.h == 1 &&
	    d->ofm.w % 2 == 0 && d->kernel_h == 1)
		u = (struct ethosu_block){ 1, 4, u.d };
	*a = (struct array){
		.n = in_ublocks(&block, &u),
		.ofm_n = in_ublocks(&ofm, &u),
		.ifm_depth = least(d->ifm[0].d, ifm_block->d),
		.weights = is_u85(arch) && d->fast ? 32u * u.d / FAST_RATE :
			   32u * u.d / (8u * (is_u85(arch) ? arch->cores : 1)),
		.bits = d->ifm[0].bits,
		.delay = arch->macs == 32 ? (wide_acc ? 7 : 3) : wide_acc && arch->macs <= 128 ? 3 : 2,
		.part_kernel = d->kind == NPU_KIND_CONV && d->part_kernel,
	};
	/* A reduction over no channels at all does not exist. */
	if (!a->ifm_depth)
		a->ifm_depth = 1;
}

static uint64_t mac_count(const struct cost_op_desc *d)
{
	double macs = (double)d->ofm.h * d->ofm.w * d->ofm.d * d->kernel_h * d->kernel_w;

	if (!is_channelwise(d))
		macs *= d->ifm[0].d;
	return whole(macs);
}

static void mac_cycles(const struct cost_target *t, const struct cost_op_desc *d,
		       const struct ethosu_block *ifm_block, struct cost_result *out)
{
	double rate = cost_output_rate(t->arch, d) + d->chain_rate;
	uint64_t read = first_read(t, d, ifm_block), write = last_write(t, d);
	double blocks, mac, output, issue, pace_mac, pace_out, cycles;
	struct array a;

	set_array(t->arch, d, ifm_block, &a);
	blocks = (double)volume(&a.ofm_n) / (double)volume(&a.n);
	mac = (double)block_cycles(t->arch, &a, d);
	output = ceil(rate * (double)clipped(&d->ofm, &d->block));
	if (d->scale_bytes) {
		double scales = 10.0 * least(d->ofm.d, d->block.d) *
				t->memory[d->scale_memory].read_latency / 256;

		output = fmax(output, scales);
	}
	/* Four commands can be on their way. */
	issue = ((blocks > 1 ? fabs((double)write - (double)read) : 0) + mac + output) / 4;
	pace_mac = fmax(mac, issue);
	pace_out = fmax(output, issue);
	if (pace_mac > pace_out)
		cycles = floor(pace_mac * blocks) + (d->continued ? 0 : pace_out);
	else
		cycles = pace_out * blocks + pace_mac;
	out->macs = mac_count(d);
	out->mac_cycles = whole(mac * blocks);
	out->out_cycles = whole(output * blocks);
	out->npu_cycles = whole(cycles) + (d->continued ? 0 : write) + (d->continues ? 0 : read);
	out->bound = issue > mac && issue > output ? COST_BOUND_ISSUE
		     : mac > output		   ? COST_BOUND_MAC
						   : COST_BOUND_OUTPUT;
}

static void stream_cycles(const struct cost_target *t, const struct cost_op_desc *d,
			  const struct ethosu_block *ifm_block, struct cost_result *out)
{
	double rate = cost_output_rate(t->arch, d) + d->chain_rate;
	double elements = (double)stored_elements(&d->ofm);
	double edge = (double)most(first_read(t, d, ifm_block), last_write(t, d));
	double output = ceil(rate * elements);
	double issue = ceil((edge / (double)volume(&d->block) + rate) / 4 * elements);

	out->out_cycles = whole(output);
	out->npu_cycles = whole(fmax(output, issue));
	out->bound = issue > output ? COST_BOUND_ISSUE : COST_BOUND_OUTPUT;
}

void cost_op(const struct cost_target *target, const struct cost_op_desc *d,
	     struct cost_result *out)
{
	struct traffic traffic = { .target = target, .out = out };
	struct ethosu_block ifm_block;

	memset(out, 0, sizeof(*out));
	if (!volume(&d->block) || !d->ofm.h || !d->ofm.w || !d->ofm.d)
		return;
	ifm_block = cost_ifm_block(target->arch, d);
	if (uses_macs(d)) {
		mac_cycles(target, d, &ifm_block, out);
		mac_traffic(&traffic, d, &ifm_block);
	} else {
		stream_cycles(target, d, &ifm_block, out);
		stream_traffic(&traffic, d, &ifm_block);
	}
	for (const struct cost_fm *fm = d->chain_ifm; fm->bits; fm++)
		add_ifm(&traffic, ETHOSU_READ_IFM_STREAM, fm, &ifm_block, stored_elements(fm));
	add_ofm(&traffic, d);
	memory_cycles(&traffic);
	out->cycles = out->npu_cycles;
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		if (out->memory_cycles[m] <= out->cycles)
			continue;
		out->cycles = out->memory_cycles[m];
		out->bound = (uint8_t)(COST_BOUND_SRAM + m);
	}
}

uint64_t cost_copy_cycles(const struct cost_target *target, unsigned int src, unsigned int dst,
			  uint64_t bytes)
{
	const struct ethosu_arch *arch = target->arch;
	const struct cost_memory *m;
	uint64_t from = 0, to = 0;
	double bandwidth;

	if (!bytes)
		return 0;
	if (src < COST_MEMORIES) {
		m = &target->memory[src];
		bandwidth = is_u85(arch) ? channel_bandwidth(arch, m, ETHOSU_READ_MEM2MEM)
					 : m->bandwidth;
		from = whole((double)bytes / bandwidth) + m->read_latency;
	}
	if (dst < COST_MEMORIES) {
		m = &target->memory[dst];
		bandwidth = is_u85(arch) && m->writes ? channel_bandwidth(arch, m, COST_WRITE)
						      : m->bandwidth;
		to = whole((double)bytes / bandwidth) + m->write_latency;
	}
	return most(from, to);
}
