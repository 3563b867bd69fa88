/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * What tells one Ethos-U configuration from another inside: array shapes, memories, limits, output
 * rates. One table for the strict checks and the cost model of the simulator and for the compiler.
 *
 * There is no public description of the hardware. The numbers are those of Arm's public compiler
 * (ethos-u-vela 5.2.0: its architecture and performance tables), that is: what streams known to run
 * on silicon were made with.
 */
#ifndef ETHOSU_ARCH_H
#define ETHOSU_ARCH_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define ETHOSU_UBLOCKS		6	/* codes of ACC_FORMAT.microblock */
#define ETHOSU_SHRAM_BANK	1024	/* bytes */
#define ETHOSU_SHRAM_RESERVED	2	/* banks at the bottom, for output staging: IB starts above */
#define ETHOSU_LUT_SIZE		2048	/* bytes of table memory: 8 slots of 256 */
#define ETHOSU_LUT_SLOT		256
#define ETHOSU_CB_SLOTS		6	/* U85: chaining buffers */
#define ETHOSU_BRICK		16	/* channels of NHCWB16 and of an accumulator on U85 */
#define ETHOSU_SPLIT_DEPTH	16	/* a block that is not all of the depth is a multiple of it */
#define ETHOSU_SUB_KERNEL	8	/* taps of a kernel are walked 8 x 8, dilated, at a time */
#define ETHOSU_KERNELS_IN_FLIGHT 2
#define ETHOSU_CHAIN_LENGTH	4	/* U85: operations handed on through chaining buffers */
#define ETHOSU_CHAIN_INPUTS	3	/* operands of a chain that come from memory */
#define ETHOSU_STREAM_ALIGN	16	/* of weight, scale and table addresses and lengths */
#define ETHOSU_SCALE_RECORD	10	/* bytes of a channel's bias and scale */
#define ETHOSU_MAX_STRIDE	3	/* that Vela has the hardware do; the register has 4 */
#define ETHOSU_MAX_DILATION	2
#define ETHOSU_MAX_EXTENT	65536	/* of H, W and C */
#define ETHOSU_MAX_KERNEL_H	64	/* convolutions and averages */
#define ETHOSU_MAX_KERNEL_AREA	4096
#define ETHOSU_MAX_POOL_H	256	/* other pooling */
#define ETHOSU_MAX_POOL_AREA	65536
#define ETHOSU_DIV_CYCLES	33	/* an element of U85's DIV */

/* Height, width and depth of a block of elements. */
struct ethosu_block {
	uint16_t h, w, d;
};

/* U55 and U65: what an area of SHRAM holds. Its size is a multiple of a number of banks. */
enum ethosu_granule {
	ETHOSU_GRANULE_IFM8,
	ETHOSU_GRANULE_IFM16,
	ETHOSU_GRANULE_IFM8_ELT,	/* of elementwise operations */
	ETHOSU_GRANULE_IFM16_ELT,
	ETHOSU_GRANULE_IFM32,
	ETHOSU_GRANULE_ACC16,
	ETHOSU_GRANULE_ACC32,
	ETHOSU_GRANULE_ACC40,
	ETHOSU_GRANULES,
};

/* U85: what a layout of the MAC array can be used for. */
#define ETHOSU_DOES_CONV	(1u << 0)
#define ETHOSU_DOES_CONV_1X1	(1u << 1)	/* 1x1 kernel, depth-first */
#define ETHOSU_DOES_MATMUL	(1u << 2)
#define ETHOSU_DOES_DEPTHWISE	(1u << 3)
#define ETHOSU_DOES_POOL	(1u << 4)
#define ETHOSU_DOES_MINMAX	(1u << 5)	/* pooling that takes the least or the most */
#define ETHOSU_DOES_ARGMAX	(1u << 6)
#define ETHOSU_DOES_REDUCE_SUM	(1u << 7)
#define ETHOSU_DOES_ELEMENTWISE	(1u << 8)
#define ETHOSU_DOES_RESIZE	(1u << 9)

/* Kinds of layouts, for ethosu_ublock_does. */
enum ethosu_ublock_class {
	ETHOSU_UBLOCK_SPATIAL,	/* 128, 256: 8 deep */
	ETHOSU_UBLOCK_DEEP,	/* 128, 256: 16 deep */
	ETHOSU_UBLOCK_ANY,	/* 512 */
	ETHOSU_UBLOCK_CONV,	/* 1024, 2048: the deep ones */
	ETHOSU_UBLOCK_WIDE,	/* 1024, 2048: 16 deep */
	ETHOSU_UBLOCK_CLASSES,
};

#define ETHOSU_DOES_WIDE_DATA \
	(ETHOSU_DOES_REDUCE_SUM | ETHOSU_DOES_ELEMENTWISE | ETHOSU_DOES_MINMAX | ETHOSU_DOES_RESIZE)
#define ETHOSU_DOES_CHANNELWISE \
	(ETHOSU_DOES_DEPTHWISE | ETHOSU_DOES_POOL | ETHOSU_DOES_MINMAX | ETHOSU_DOES_ARGMAX)
#define ETHOSU_DOES_SPATIAL \
	(ETHOSU_DOES_CONV | ETHOSU_DOES_MATMUL | ETHOSU_DOES_REDUCE_SUM | ETHOSU_DOES_ELEMENTWISE | \
	 ETHOSU_DOES_RESIZE)
#define ETHOSU_DOES_BUT_MATMUL \
	((ETHOSU_DOES_SPATIAL & ~ETHOSU_DOES_MATMUL) | ETHOSU_DOES_CHANNELWISE)

/* U85: ETHOSU_DOES_* by kind of layout and log2 of the IFM's element size in bytes. */
static const uint16_t ethosu_ublock_does[ETHOSU_UBLOCK_CLASSES][3] = {
	[ETHOSU_UBLOCK_SPATIAL] = { ETHOSU_DOES_SPATIAL,
				    ETHOSU_DOES_SPATIAL | ETHOSU_DOES_CHANNELWISE,
				    ETHOSU_DOES_WIDE_DATA },
	[ETHOSU_UBLOCK_DEEP] = { ETHOSU_DOES_CHANNELWISE | ETHOSU_DOES_ELEMENTWISE |
					 ETHOSU_DOES_RESIZE,
				 ETHOSU_DOES_CONV_1X1 | ETHOSU_DOES_ELEMENTWISE |
					 ETHOSU_DOES_RESIZE,
				 ETHOSU_DOES_ELEMENTWISE | ETHOSU_DOES_RESIZE },
	[ETHOSU_UBLOCK_ANY] = { ETHOSU_DOES_SPATIAL | ETHOSU_DOES_CHANNELWISE,
				ETHOSU_DOES_SPATIAL | ETHOSU_DOES_CHANNELWISE,
				ETHOSU_DOES_WIDE_DATA },
	[ETHOSU_UBLOCK_CONV] = { ETHOSU_DOES_CONV | ETHOSU_DOES_MATMUL | ETHOSU_DOES_ELEMENTWISE,
				 ETHOSU_DOES_CONV | ETHOSU_DOES_MATMUL | ETHOSU_DOES_ELEMENTWISE,
				 ETHOSU_DOES_ELEMENTWISE },
	[ETHOSU_UBLOCK_WIDE] = { ETHOSU_DOES_BUT_MATMUL, ETHOSU_DOES_BUT_MATMUL,
				 ETHOSU_DOES_WIDE_DATA },
};

/* U85: read channels that share the read buffer. Credits are units of 16 bytes in flight. */
enum ethosu_read_channel {
	ETHOSU_READ_MEM2MEM,
	ETHOSU_READ_IFM_STREAM,
	ETHOSU_READ_WEIGHT,
	ETHOSU_READ_WEIGHT_FAST,
	ETHOSU_READ_IFM,
	ETHOSU_READ_SCALE,
	ETHOSU_READ_CHANNELS,
};

/* Cycles of an output element, in units of 1/32. U55, U65; then U85. */
#define ETHOSU_RATE_UNIT	32

enum ethosu_output_rate {
	ETHOSU_RATE_ELT32_UNARY,
	ETHOSU_RATE_ELT32_BINARY,
	ETHOSU_RATE_MUL32,		/* MUL with an OFM of 32 bits */
	ETHOSU_RATE_MUL,		/* and whatever has accumulators of 40 bits */
	ETHOSU_RATE_ADD,
	ETHOSU_RATE_MAX_POOL,
	ETHOSU_RATE_OTHER,
	ETHOSU_RATE_LUT,		/* table, tanh, sigmoid in the output stage */
	ETHOSU_RATE_RELU,		/* a clamp that is not that of the type */

	ETHOSU_RATE_OUT8 = 0,
	ETHOSU_RATE_OUT16,
	ETHOSU_RATE_OUT32,
	ETHOSU_RATE_OUT64,
	ETHOSU_RATE_IN32,		/* chained 32-bit, or two 32-bit operands to less */
	ETHOSU_RATE_IN32_OUT32,		/* two 32-bit operands to 32 bits */
	ETHOSU_RATE_ACTIVATION,
	ETHOSU_RATE_ACTIVATION_TURNED,	/* H and W swapped, or W reversed */
	ETHOSU_RATE_RESIZE8,		/* OFM / IFM below MACs / 512 */
	ETHOSU_RATE_RESIZE16,
	ETHOSU_RATE_RESIZE8_HIGH,
	ETHOSU_RATE_RESIZE16_HIGH,
	ETHOSU_RATES,
};

/**
 * struct ethosu_arch - a configuration
 * @name: "ethos-u65-256"
 * @family: 55, 65 or 85
 * @macs: multiply-accumulates per cycle, of all cores
 * @cores: U65: that take channels in turn; U85: weight decoders
 * @address_bits: of a byte address
 * @max_block: limits of an OFM block
 * @ofm_ublock: OFM microblocks, U85: by ACC_FORMAT.microblock (d 0: there is none), else [0]
 * @ublock_class: U85: enum ethosu_ublock_class, likewise
 * @ifm_ublock: IFM microblock
 * @banks: U55, U65: SHRAM of one core in banks
 * @lut_banks: at its top that are always kept for tables. 0: only an operation that uses a table
 *	must leave the two alone, others may destroy it.
 * @lut_offset: DMA address of the tables in SHRAM; U85: 0, they have a memory of their own
 * @granule: by enum ethosu_granule, banks
 * @ib, @ab, @ob, @cb: U85: bytes of IFM, accumulator, output and chaining memory
 * @iau: U85: what the IFM memory is allocated in, elements high and wide, and in depth groups of 128
 *	bits. First index 1 for the 1x4 microblocks; second by the bits of an IFM block in depth: up to
 *	128, up to 256, more.
 * @sram_ports, @ext_ports: AXI ports to each memory
 * @bus: bytes per cycle and port
 * @credits: U85: by enum ethosu_read_channel
 * @dma_in_flight: transfers that can be outstanding
 * @max_blockdep: of NPU_SET_BLOCKDEP
 * @rate: by enum ethosu_output_rate
 */
struct ethosu_arch {
	const char *name;
	uint8_t family;
	uint8_t cores;
	uint16_t macs;
	uint8_t address_bits;
	uint8_t dma_in_flight, max_blockdep;
	uint8_t banks, lut_banks;
	uint8_t sram_ports, ext_ports, bus;
	uint8_t granule[ETHOSU_GRANULES];
	uint16_t lut_offset;
	struct ethosu_block max_block, ifm_ublock;
	struct ethosu_block ofm_ublock[ETHOSU_UBLOCKS];
	uint8_t ublock_class[ETHOSU_UBLOCKS];
	struct ethosu_block iau[2][3];
	uint32_t ib, ab, ob, cb;
	uint16_t credits[ETHOSU_READ_CHANNELS];
	uint16_t rate[ETHOSU_RATES];
};

#define ETHOSU_U55_U65(shape, shape_ifm) \
	.max_block = { 32, 64, 128 }, .max_blockdep = 3, .ofm_ublock = { shape }, \
	.ifm_ublock = shape_ifm, .sram_ports = 1, .ext_ports = 1
#define ETHOSU_U85 \
	.family = 85, .address_bits = 40, .max_block = { 128, 128, 1024 }, .max_blockdep = 7, \
	.dma_in_flight = 4, .bus = 16
#define ETHOSU_SHAPE(h, w, d) { h, w, d }

static const struct ethosu_arch ethosu_archs[] = {
	{
		ETHOSU_U55_U65(ETHOSU_SHAPE(1, 1, 4), ETHOSU_SHAPE(1, 1, 8)),
		.name = "ethos-u55-32", .family = 55, .macs = 32, .cores = 1, .bus = 8,
		.address_bits = 32, .dma_in_flight = 1, .banks = 16, .lut_offset = 0x3800,
		.granule = { 2, 2, 2, 2, 4, 4, 4, 4 },
		.rate = { 64, 96, 96, 96, 192, 32, 64, 32, 32 },
	}, {
		ETHOSU_U55_U65(ETHOSU_SHAPE(1, 1, 8), ETHOSU_SHAPE(1, 1, 8)),
		.name = "ethos-u55-64", .family = 55, .macs = 64, .cores = 1, .bus = 8,
		.address_bits = 32, .dma_in_flight = 1, .banks = 16, .lut_offset = 0x3800,
		.granule = { 2, 2, 2, 2, 4, 4, 4, 8 },
		.rate = { 32, 48, 48, 48, 96, 16, 32, 32, 32 },
	}, {
		ETHOSU_U55_U65(ETHOSU_SHAPE(1, 2, 8), ETHOSU_SHAPE(1, 2, 8)),
		.name = "ethos-u55-128", .family = 55, .macs = 128, .cores = 1, .bus = 8,
		.address_bits = 32, .dma_in_flight = 1, .banks = 24, .lut_banks = 2,
		.lut_offset = 0x5800, .granule = { 4, 4, 4, 4, 8, 4, 8, 12 },
		.rate = { 24, 40, 24, 24, 48, 8, 16, 32, 16 },
	}, {
		ETHOSU_U55_U65(ETHOSU_SHAPE(2, 2, 8), ETHOSU_SHAPE(2, 2, 8)),
		.name = "ethos-u55-256", .family = 55, .macs = 256, .cores = 1, .bus = 8,
		.address_bits = 32, .dma_in_flight = 1, .banks = 48, .lut_banks = 2,
		.lut_offset = 0xb800, .granule = { 8, 8, 8, 8, 16, 8, 16, 20 },
		.rate = { 20, 36, 16, 12, 24, 4, 8, 32, 8 },
	}, {
		ETHOSU_U55_U65(ETHOSU_SHAPE(2, 2, 8), ETHOSU_SHAPE(2, 2, 8)),
		.name = "ethos-u65-256", .family = 65, .macs = 256, .cores = 1, .bus = 16,
		.address_bits = 40, .dma_in_flight = 2, .banks = 48, .lut_banks = 2,
		.lut_offset = 0xb800, .granule = { 8, 8, 8, 8, 16, 8, 16, 20 },
		.rate = { 20, 36, 16, 12, 24, 4, 8, 32, 8 },
	}, {
		ETHOSU_U55_U65(ETHOSU_SHAPE(2, 2, 8), ETHOSU_SHAPE(2, 2, 8)),
		.name = "ethos-u65-512", .family = 65, .macs = 512, .cores = 2, .bus = 16,
		.address_bits = 40, .dma_in_flight = 2, .banks = 48, .lut_banks = 2,
		.lut_offset = 0xb800, .granule = { 8, 8, 8, 8, 16, 8, 16, 20 },
		.rate = { 10, 18, 8, 6, 12, 2, 4, 16, 4 },
	}, {
		ETHOSU_U85,
		.name = "ethos-u85-128", .macs = 128, .cores = 1, .sram_ports = 2, .ext_ports = 1,
		.ofm_ublock = { { 1, 1, 16 }, { 1, 2, 8 } },
		.ublock_class = { ETHOSU_UBLOCK_DEEP, ETHOSU_UBLOCK_SPATIAL },
		.ifm_ublock = { 1, 2, 8 },
		.ib = 8192, .ab = 8192, .ob = 2048, .cb = 768,
		.iau = { { { 1, 2, 1 }, { 1, 1, 2 }, { 1, 1, 2 } },
			 { { 1, 2, 1 }, { 1, 1, 2 }, { 1, 1, 2 } } },
		.credits = { 64, 64, 128, 128, 104, 16 },
		.rate = { 16, 16, 16, 32, 32, 32, 16, 32, 16, 32, 16, 32 },
	}, {
		ETHOSU_U85,
		.name = "ethos-u85-256", .macs = 256, .cores = 1, .sram_ports = 2, .ext_ports = 1,
		.ofm_ublock = { { 0 }, { 1, 2, 16 }, { 1, 4, 8 }, { 2, 2, 8 } },
		.ublock_class = { 0, ETHOSU_UBLOCK_DEEP, ETHOSU_UBLOCK_SPATIAL,
				  ETHOSU_UBLOCK_SPATIAL },
		.ifm_ublock = { 2, 2, 8 },
		.ib = 16384, .ab = 16384, .ob = 2048, .cb = 1536,
		.iau = { { { 2, 2, 1 }, { 1, 2, 2 }, { 1, 1, 4 } },
			 { { 1, 4, 1 }, { 1, 2, 2 }, { 1, 1, 4 } } },
		.credits = { 104, 104, 128, 128, 128, 16 },
		.rate = { 8, 8, 8, 16, 16, 16, 8, 16, 8, 16, 8, 16 },
	}, {
		ETHOSU_U85,
		.name = "ethos-u85-512", .macs = 512, .cores = 2, .sram_ports = 2, .ext_ports = 1,
		.ofm_ublock = { { 0 }, { 0 }, { 1, 4, 16 }, { 2, 2, 16 } },
		.ublock_class = { 0, 0, ETHOSU_UBLOCK_ANY, ETHOSU_UBLOCK_ANY },
		.ifm_ublock = { 2, 2, 16 },
		.ib = 16384, .ab = 32768, .ob = 4096, .cb = 3072,
		.iau = { { { 2, 2, 1 }, { 1, 2, 2 }, { 1, 1, 4 } },
			 { { 1, 4, 1 }, { 1, 2, 2 }, { 1, 1, 4 } } },
		.credits = { 128, 128, 256, 256, 128, 16 },
		.rate = { 4, 4, 8, 16, 8, 8, 4, 8, 4, 8, 4, 8 },
	}, {
		ETHOSU_U85,
		.name = "ethos-u85-1024", .macs = 1024, .cores = 4, .sram_ports = 2, .ext_ports = 2,
		.ofm_ublock = { { 0 }, { 0 }, { 1, 4, 32 }, { 2, 2, 32 }, { 2, 4, 16 } },
		.ublock_class = { 0, 0, ETHOSU_UBLOCK_CONV, ETHOSU_UBLOCK_CONV,
				  ETHOSU_UBLOCK_WIDE },
		.ifm_ublock = { 4, 2, 16 },
		.ib = 16384, .ab = 65536, .ob = 4096, .cb = 6144,
		.iau = { { { 2, 4, 1 }, { 2, 2, 2 }, { 1, 2, 4 } },
			 { { 2, 4, 1 }, { 1, 4, 2 }, { 1, 2, 4 } } },
		.credits = { 256, 256, 416, 208, 256, 16 },
		.rate = { 2, 4, 8, 16, 4, 8, 2, 4, 4, 4, 2, 4 },
	}, {
		ETHOSU_U85,
		.name = "ethos-u85-2048", .macs = 2048, .cores = 4, .sram_ports = 4, .ext_ports = 2,
		.ofm_ublock = { { 0 }, { 0 }, { 1, 4, 64 }, { 2, 2, 64 }, { 0 }, { 4, 4, 16 } },
		.ublock_class = { 0, 0, ETHOSU_UBLOCK_CONV, ETHOSU_UBLOCK_CONV, 0,
				  ETHOSU_UBLOCK_WIDE },
		.ifm_ublock = { 4, 4, 16 },
		.ib = 32768, .ab = 131072, .ob = 8192, .cb = 12288,
		.iau = { { { 4, 4, 1 }, { 2, 4, 2 }, { 2, 2, 4 } },
			 { { 4, 4, 1 }, { 2, 4, 2 }, { 1, 4, 4 } } },
		.credits = { 256, 256, 512, 256, 256, 16 },
		.rate = { 1, 2, 4, 8, 2, 4, 1, 2, 2, 2, 1, 2 },
	},
};

#undef ETHOSU_U55_U65
#undef ETHOSU_U85
#undef ETHOSU_SHAPE

#define ETHOSU_ARCHS (sizeof(ethosu_archs) / sizeof(ethosu_archs[0]))

/* The configuration of @family (55, 65, 85) with @macs, or NULL. */
static inline const struct ethosu_arch *ethosu_arch_find(unsigned int family, unsigned int macs)
{
	size_t i;

	for (i = 0; i < ETHOSU_ARCHS; i++)
		if (ethosu_archs[i].family == family && ethosu_archs[i].macs == macs)
			return &ethosu_archs[i];
	return NULL;
}

/* U85: the unit that the IFM memory is allocated in for blocks of @bits in depth. */
static inline struct ethosu_block ethosu_iau(const struct ethosu_arch *arch,
					     const struct ethosu_block *ofm_ublock,
					     unsigned int bits)
{
	unsigned int wide = ofm_ublock->h == 1 && ofm_ublock->w == 4;

	return arch->iau[wide][bits <= 128 ? 0 : bits <= 256 ? 1 : 2];
}

#endif
