// SPDX-License-Identifier: MIT
/*
 * libFuzzer: any bytes into the ONNX importer. The graph that comes of it must be one that ir_verify() and the
 * CPU take, or refuse with a reason.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/graph.h"
#include "runtime/onnx/onnx.h"

#define ELEMENTS_MAX	(1u << 22)	/* of a graph's tensors together, for a CPU graph */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says whether passes run, the others are the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *wanted = NULL;
	struct onnx_options opt = { .wanted = &wanted };
	struct error err = { "" };
	struct cpu_graph *c;
	struct ir_graph *g;
	uint64_t elements = 0;

	if (!size)
		return 0;
	opt.as_written = data[0] & 1;
	if (onnx_import_bytes(data + 1, size - 1, "fuzz", NULL, &opt, &g, &err)) {
		assert(err.text[0]);
		free(wanted);
		return 0;
	}
	free(wanted);
	for (uint32_t i = 0; i < g->tensor_count; i++)
		elements += ir_tensor_elements(&g->tensors[i]);
	if (elements < ELEMENTS_MAX && !cpu_graph_create(g, &c, &err))
		cpu_graph_free(c);
	ir_free(g);
	return 0;
}
