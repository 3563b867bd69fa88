/* SPDX-License-Identifier: MIT */
/* The table of operators that can be imported, of all groups, and its page of documentation. */
#include <stdlib.h>
#include <string.h>

#include "runtime/onnx/import.h"

static const struct onnx_operator *const groups[] = {
#define X(name) onnx_##name,
	ONNX_GROUPS(X)
#undef X
};

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

const struct onnx_operator *onnx_operator_find(const char *name, const char *domain)
{
	for (size_t i = 0; i < GROUP_COUNT; i++)
		for (const struct onnx_operator *op = groups[i]; op->name; op++)
			if (!strcmp(op->name, name) && !strcmp(op->domain, domain))
				return op;
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct onnx_operator *const *x = a, *const *y = b;
	int order = strcmp((*x)->domain, (*y)->domain);

	return order ? order : strcmp((*x)->name, (*y)->name);
}

void onnx_print_operators(FILE *f)
{
	const struct onnx_operator **all;
	size_t count = 0, n = 0;

	for (size_t i = 0; i < GROUP_COUNT; i++)
		for (const struct onnx_operator *op = groups[i]; op->name; op++)
			count++;
	all = calloc(count + 1, sizeof(*all));
	if (!all)
		return;
	for (size_t i = 0; i < GROUP_COUNT; i++)
		for (const struct onnx_operator *op = groups[i]; op->name; op++)
			all[n++] = op;
	qsort(all, count, sizeof(*all), by_name);
	fputs("# ONNX operators\n\n"
	      "What can be imported from ONNX, and from which versions of the operator set. Tensors are of\n"
	      "integers of 8 to 64 bits, bool, float, float16, bfloat16 or double; all numbers become float.\n"
	      "Made by `accel info --onnx-operators`.\n\n"
	      "Extents have to be known: those that a model leaves open are given with `--shape NAME=N,N,...`.\n"
	      "What depends on extents and constants only is computed at import. External data is read from\n"
	      "files beside the model. Images become NHWC; transpositions are moved until they cancel, so that\n"
	      "a convolutional network has one at most where it begins and one where it ends.\n\n"
	      "| operator | versions | limits |\n| --- | --- | --- |\n", f);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "| %s%s%s | %d to %d | %s |\n", all[i]->domain, *all[i]->domain ? "." : "",
			all[i]->name, all[i]->since, all[i]->until, all[i]->note ? all[i]->note : "");
	fprintf(f, "\n%zu operators.\n", count);
	free(all);
}
