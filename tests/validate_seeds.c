/* SPDX-License-Identifier: MIT */
/* Tests: real streams, and the operations in them, as seeds for the generator. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/tflite.h"
#include "tests/validate_gen.h"
#include "uapi/ethosu_isa.h"

/* What a walk over folders, which takes no context, fills. */
static struct gen *filling;

static void *grow(void *array, size_t count, size_t size)
{
	/* To the next power of two, when there is one. */
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		abort();
	return array;
}

static bool is_work(uint32_t word)
{
	switch (word & ETHOSU_OPCODE_MASK) {
	case ETHOSU_OP_CONV:
	case ETHOSU_OP_DEPTHWISE:
	case ETHOSU_OP_POOL:
	case ETHOSU_OP_ELEMENTWISE:
	case ETHOSU_OP_RESIZE:
	case ETHOSU_OP_DMA_START:
		return true;
	default:
		return false;
	}
}

static void add_op(struct gen *g, unsigned int family, uint32_t word, const struct gen_regs *regs)
{
	size_t n = g->op_count[family];

	g->ops[family] = grow(g->ops[family], n, sizeof(**g->ops));
	g->ops[family][n] = (struct gen_op){ .regs = *regs, .word = word };
	g->op_count[family]++;
}

static void add_ops(struct gen *g, unsigned int family, const uint32_t *words, size_t count)
{
	struct gen_regs regs = { .cmd0 = { 0 } };

	for (size_t i = 0; i < count; i++) {
		unsigned int opcode = words[i] & ETHOSU_OPCODE_MASK;
		uint32_t param = words[i] >> ETHOSU_PARAM_SHIFT;

		if (words[i] >> ETHOSU_CONTROL_SHIFT & 1) {
			regs.cmd1[opcode] = (uint64_t)param << 32 | words[i + 1];
			i++;
		} else if (opcode & ETHOSU_OPCODE_KIND) {
			regs.cmd0[opcode & 0xff] = (uint16_t)param;
		} else if (is_work(words[i])) {
			add_op(g, family, words[i], &regs);
		}
	}
}

static unsigned int config_index(const struct gen *g, uint32_t config)
{
	unsigned int i = 0;

	while (i < GEN_CONFIGS && g->configs[i]->config != config)
		i++;
	return i;
}

static void add_stream(struct gen *g, const struct container *c)
{
	unsigned int config = config_index(g, c->config);
	struct gen_stream *s;

	if (config == GEN_CONFIGS)
		return;
	g->streams = grow(g->streams, g->stream_count, sizeof(*g->streams));
	s = &g->streams[g->stream_count++];
	*s = (struct gen_stream){ malloc(4 * c->words + 1), c->words, config };
	if (!s->words)
		abort();
	memcpy(s->words, c->stream, 4 * c->words);
	add_ops(g, g->configs[config]->arch == 85, s->words, s->count);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	const char *base = path + walk->base;
	struct container c;
	struct tflite file;
	struct error err;

	(void)st;
	if (type != FTW_F || strncmp(base, "vela-", strlen("vela-")) || !strstr(base, ".tflite") ||
	    tflite_read(path, &file, &err))
		return 0;
	for (uint32_t i = 0; i < file.operator_count; i++) {
		const struct tflite_operator *op = &file.operators[i];

		if (op->builtin == TFLITE_BUILTIN_CUSTOM && op->input_count > 3 &&
		    !container_parse(file.tensors[op->inputs[0]].data.data,
				     file.tensors[op->inputs[0]].data.len, &c, &err))
			add_stream(filling, &c);
	}
	tflite_free(&file);
	return 0;
}

/* Files come in the order of the directory: sorted, a seed means the same everywhere. */
static int by_words(const void *a, const void *b)
{
	const struct gen_stream *x = a, *y = b;

	if (x->config != y->config)
		return x->config < y->config ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return memcmp(x->words, y->words, 4 * x->count);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct gen_op));
}

static size_t drop_doubles(struct gen_op *ops, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!kept || by_bytes(&ops[kept - 1], &ops[i]))
			ops[kept++] = ops[i];
	return kept;
}

size_t gen_init(struct gen *g, char *const *folders)
{
	static const char *const names[GEN_CONFIGS] = {
		"u65-256", "u65-512", "u85-128", "u85-256", "u85-512", "u85-1024", "u85-2048",
	};

	memset(g, 0, sizeof(*g));
	for (unsigned int i = 0; i < GEN_CONFIGS; i++) {
		g->configs[i] = npu_config_find(names[i]);
		if (ethosu_hw_init(&g->hw[i], g->configs[i]->id, g->configs[i]->config))
			abort();
	}
	filling = g;
	for (; *folders; folders++)
		nftw(*folders, visit, 16, 0);
	filling = NULL;
	if (g->stream_count)
		qsort(g->streams, g->stream_count, sizeof(*g->streams), by_words);
	for (unsigned int i = 0; i < 2; i++) {
		if (!g->op_count[i])
			continue;
		qsort(g->ops[i], g->op_count[i], sizeof(**g->ops), by_bytes);
		g->op_count[i] = drop_doubles(g->ops[i], g->op_count[i]);
	}
	return g->stream_count;
}

void gen_free(struct gen *g)
{
	for (size_t i = 0; i < g->stream_count; i++)
		free(g->streams[i].words);
	free(g->streams);
	free(g->ops[0]);
	free(g->ops[1]);
}
