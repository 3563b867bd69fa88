/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the command stream decoder and the disassembler on words of any kind. Input: a byte
 * that picks the configuration (low bits), whether to disassemble as well and whether as JSON
 * (highest bits), then the words.
 *
 * Checked besides crashes: what comes out is bounded; every operation lies at a command of the
 * stream; the bytes it may touch lie in the family's address range and in spaces that exist, or
 * npu_op_extents() said that they do not; the corners of each feature map, by the address formula,
 * lie in them; a parse error has a reason. The mutator knows the commands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/disasm.h"
#include "sim/decode.h"
#include "uapi/ethosu_isa.h"

#define CONFIGS	    11
#define FLAG_DISASM 0x40u
#define FLAG_JSON   0x80u
#define OPS_MAX	    65536 /* of sim/decode.c */
#define EVENTS_MAX  65536
/* The disassembler looks at one command at a time, so the first few tell as much as all of them. */
#define DISASM_WORDS 128
#define JSON_WORDS   16

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static FILE *nowhere;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_decode: %s\n", what);
	abort();
}

struct limits {
	int64_t address;
	int64_t chain;
};

static int extent(void *ctx, unsigned int space, int64_t lo, int64_t hi, enum npu_channel channel)
{
	const struct limits *limits = ctx;

	check(space < NPU_SPACES, "no such space");
	check(lo >= 0 && lo < hi && hi <= limits->address, "range outside the addresses");
	check(space != NPU_SPACE_CHAIN || hi <= limits->chain,
	      "range outside the chaining buffers");
	check(channel >= NPU_CH_IFM && channel <= NPU_CH_DMA_WRITE, "no such channel");
	return 0;
}

/* The address of an element as sim/op.h defines it, wide enough for any registers. */
static __int128 address(const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c)
{
	unsigned int right = x >= fm->width0, lower = y >= (right ? fm->height1 : fm->height0);
	__int128 es = 1 << fm->elem_log2, a = fm->base[2 * lower + right];

	if (lower)
		y -= right ? fm->height1 : fm->height0;
	if (right)
		x -= fm->width0;
	a += (__int128)y * fm->stride_y;
	if (!fm->brick)
		return a + (__int128)x * fm->stride_x + c * es;
	return a + x * 16 * es + (__int128)(c / 16) * fm->stride_c + c % 16 * es;
}

/* Ends of an axis and both sides of where it is cut. */
static unsigned int places(uint32_t size, uint32_t cut0, uint32_t cut1, uint32_t out[6])
{
	const uint32_t all[6] = { 0, size - 1, cut0 - 1, cut0, cut1 - 1, cut1 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < 6; i++)
		if (all[i] < size)
			out[n++] = all[i];
	return n;
}

/* The corners of a map's tiles lie in the range that is reported for it. */
static void check_fm(const struct npu_config *config, const struct npu_fm *fm)
{
	uint32_t ys[6], xs[6], cs[6];
	unsigned int ny, nx, nc;
	int64_t lo, hi;
	int rc = npu_fm_extent(config, fm, &lo, &hi);

	check(fm->elem_log2 <= 3 && fm->is_signed <= 1 && fm->brick <= 1, "no such element");
	if (fm->broadcast & NPU_BROADCAST_SCALAR || !fm->height) {
		check(!rc && !lo && !hi, "bytes of what is not in memory");
		return;
	}
	check(fm->width && fm->depth && fm->width0 && fm->height0 && fm->height1,
	      "empty map or tile");
	if (rc)
		return;
	ny = places(fm->height, fm->height0, fm->height1, ys);
	nx = places(fm->width, fm->width0, fm->width0, xs);
	nc = places(fm->depth, (fm->depth - 1) / 16 * 16, 16, cs);
	for (unsigned int i = 0; i < ny * nx * nc; i++) {
		__int128 a = address(fm, ys[i / nc / nx], xs[i / nc % nx], cs[i % nc]);

		check(a >= lo && a + (1 << fm->elem_log2) <= hi, "element outside its range");
	}
}

static void check_op(const struct npu_config *config, const struct npu_op *op)
{
	check(op->round <= NPU_ROUND_TO_LOWER && op->lut <= NPU_LUT_SIGMOID_BUILTIN,
	      "no such output stage");
	check(op->ofm_scale.shift < 64 && op->a_scale.shift < 64 && op->b_scale.shift < 64,
	      "shift");
	if (op->kind == NPU_KIND_DMA)
		return;
	check(op->oh && op->ow && op->oc && op->kernel_h && op->kernel_w, "empty operation");
	check(op->transpose <= NPU_TRANSPOSE_CWH && op->cores <= config->cores,
	      "no such operation");
	check((uint64_t)op->ofm.height * op->ofm.width * op->ofm.depth ==
		      (uint64_t)op->oh * op->ow * op->oc,
	      "transposed OFM of another size");
	check_fm(config, &op->a);
	check_fm(config, &op->b);
	check_fm(config, &op->ofm);
}

static void check_program(const struct npu_config *config, const uint32_t *words, size_t count,
			  const struct npu_program *program)
{
	struct limits limits = {
		.address = config->arch == 55 ? 1ll << 32 : 1ll << ETHOSU_ADDRESS_BITS,
		.chain = (int64_t)program->chain_size,
	};

	check(program->count <= OPS_MAX && program->event_count <= EVENTS_MAX,
	      "counts without bound");
	check(program->end_offset <= 4 * count && program->end_offset % 4 == 0, "ends outside");
	if (program->end == NPU_STOP_END)
		check(program->end_offset &&
			      (words[program->end_offset / 4 - 1] & 0xffff) == ETHOSU_OP_STOP,
		      "ends without STOP");
	else
		check(program->why[0] && memchr(program->why, 0, sizeof(program->why)),
		      "no reason");
	for (size_t i = 0; i < program->count; i++) {
		const struct npu_op *op = &program->ops[i];
		int rc = npu_op_extents(config, op, extent, &limits);

		check(rc == 0 || rc == -ERANGE, "extents neither fit nor not");
		check(op->kind < NPU_KIND_COUNT && op->cores <= NPU_MAX_CORES, "no such operation");
		check(op->offset % 4 == 0 && op->offset < 4 * count,
		      "operation outside the stream");
		check(!(words[op->offset / 4] & ETHOSU_OPCODE_KIND), "operation at no operation");
		check_op(config, op);
	}
	for (size_t i = 0; i < program->event_count; i++)
		check(program->events[i].before_op <= program->count &&
			      program->events[i].offset < 4 * count,
		      "event outside the stream");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	nowhere = fopen("/dev/null", "w");
	check(nowhere, "/dev/null");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct npu_state zero;
	const struct npu_config *config;
	struct npu_program program;
	uint32_t *words;
	size_t count;
	int rc;

	if (!size)
		return 0;
	count = (size - 1) / 4;
	config = &npu_configs[data[0] % FLAG_DISASM % CONFIGS];
	words = malloc(4 * count + !count);
	check(words, "no memory");
	memcpy(words, data + 1, 4 * count);
	check(!npu_decode(config, &zero, words, count, &program), "no memory");
	check_program(config, words, count, &program);
	if (data[0] & FLAG_DISASM) {
		size_t most = data[0] & FLAG_JSON ? JSON_WORDS : DISASM_WORDS;

		count = count < most ? count : most;
		rc = disasm_print(nowhere, config->arch, words, count, data[0] & FLAG_JSON);
		check(rc >= 0 && (size_t)rc <= count, "disassembly failed");
	}
	npu_program_free(&program);
	free(words);
	return 0;
}

static uint32_t next(unsigned int *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Small, at a limit, or anything. */
static uint32_t some_value(unsigned int *seed)
{
	static const uint32_t limits[] = { 0,	   1,	   0x7f,       0xff,	   0x7fff,
					   0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };

	switch (next(seed) % 3) {
	case 0:
		return next(seed) % 32;
	case 1:
		return limits[next(seed) % (sizeof(limits) / sizeof(limits[0]))];
	default:
		return next(seed) << 12 ^ next(seed);
	}
}

static unsigned int some_command(uint32_t command[2], unsigned int *seed)
{
	static const struct {
		uint16_t opcode;
		uint16_t two_words;
	} commands[] = {
#define COMMAND(name, opcode, two_words, archs) { opcode, two_words },
		ETHOSU_COMMANDS(COMMAND, ETHOSU_SKIP_F)
	};
	unsigned int i = next(seed) % (sizeof(commands) / sizeof(commands[0]));

	command[0] = commands[i].opcode | (uint32_t)commands[i].two_words << ETHOSU_CONTROL_SHIFT |
		     some_value(seed) << ETHOSU_PARAM_SHIFT;
	command[1] = some_value(seed);
	return commands[i].two_words + 1u;
}

/* A new command, or a new value for one that is there, before or at any word. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t count = size ? (size - 1) / 4 : 0, at = count ? next(&seed) % count : 0;
	uint32_t command[2], old;
	size_t len;
	uint8_t *p = data + 1 + 4 * at;

	if (!count || next(&seed) % 4 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	len = 4 * some_command(command, &seed);
	memcpy(&old, p, sizeof(old));
	switch (next(&seed) % 4) {
	case 0:
		if (size + len > max_size)
			break;
		memmove(p + len, p, size - 1 - 4 * at);
		memcpy(p, command, len);
		return size + len;
	case 1:
		memmove(p, p + 4, size - 1 - 4 * at - 4);
		return size - 4;
	case 2:
		old = some_value(&seed);
		break;
	default:
		old = (old & 0xffff) | some_value(&seed) << ETHOSU_PARAM_SHIFT;
		break;
	}
	memcpy(p, &old, sizeof(old));
	return size;
}
