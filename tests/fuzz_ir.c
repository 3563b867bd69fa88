/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the text of a graph: parser, verifier, printer; a graph that is well formed goes through
 * the passes and the lowering, too. What is printed parses to a graph that prints the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/target/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct ir_graph *g, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f)
		abort();
	ir_print(g, f);
	fclose(f);
	return text;
}

static void round_trip(const struct ir_graph *g)
{
	struct ir_graph *again = NULL;
	size_t len = 0, again_len = 0;
	char *text = print(g, &len), *second;
	struct error err;

	if (ir_parse(text, len, "printed", &again, &err)) {
		fprintf(stderr, "fuzz_ir: what was printed does not parse: %s\n", err.text);
		abort();
	}
	second = print(again, &again_len);
	if (len != again_len || memcmp(text, second, len)) {
		fprintf(stderr, "fuzz_ir: printed again it is another text\n");
		abort();
	}
	ir_free(again);
	free(text);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct target target = { .system.family = size % 2 ? 85 : 65 };
	const struct compile_options options = { .target = &target };
	struct ir_graph *g = NULL;
	struct error err = { "" };

	if (ir_parse((const char *)data, size, "fuzz", &g, &err))
		return 0;
	if (!ir_verify(g, &err)) {
		round_trip(g);
		if (!compile_lower(g, &options, &err))
			round_trip(g);
	}
	ir_free(g);
	return 0;
}
