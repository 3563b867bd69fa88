/* SPDX-License-Identifier: MIT */
/* Prints which operators run on the NPU and which on the CPU, from the tables that decide it. */
#include "runtime/compile/support.h"

#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/cpu/cpu.h"
#include "runtime/ir/ir_ops.h"

/* Results that are not TFLite's to the bit; tests/compiled.c and tests/ir_exec.c hold them to it. */
static const struct { unsigned int kind; const char *bound, *why; } differences[] = {
	{ IR_SUM, "int16 only: sums beyond the type's range", "TFLite wraps them, the NPU keeps to the range" },
	{ IR_UNIDIRECTIONAL_SEQUENCE_LSTM,
	  "outputs of one layer by 1; whole models of two layers by 3 (dtln_noise_suppression) and, on noise, "
	  "16 of 256 (micro_speech_lstm)",
	  "sigmoid and tanh of int16 are the NPU's tables, TFLite computes another approximation in its LSTM; "
	  "the results are those of Vela's lowering, byte for byte" },
};

/* Kinds by name: their numbers follow TFLite's codes. */
static unsigned int next_by_name(const char *after)
{
	unsigned int best = IR_KIND_COUNT;

	for (unsigned int kind = IR_OTHER + 1; kind < IR_KIND_COUNT; kind++) {
		const char *name = ir_kind_info(kind)->name;

		if ((!after || strcmp(name, after) > 0) &&
		    (best == IR_KIND_COUNT || strcmp(name, ir_kind_info(best)->name) < 0))
			best = kind;
	}
	return best;
}

void support_print(FILE *f)
{
	unsigned int npu = 0, cpu = 0;
	const char *name = NULL;

	fputs("# Operators\n\n"
	      "What `accel compile` places on the NPU (U55, U65 and U85 where nothing else is said), and what "
	      "can run on the CPU. An operator\noutside these limits is left to the CPU, and the compiler says "
	      "why. Results are those of TensorFlow Lite 2.14's reference\nkernels, byte for byte, unless the "
	      "table says otherwise. Made by `accel compile --operators`.\n\n"
	      "| operator | on the NPU | on the CPU |\n| --- | --- | --- |\n", f);
	for (unsigned int kind = next_by_name(NULL); kind < IR_KIND_COUNT; kind = next_by_name(name)) {
		const char *what = lower_what(kind);

		name = ir_kind_info(kind)->name;
		npu += what != NULL;
		cpu += cpu_has(kind);
		if (what || cpu_has(kind))
			fprintf(f, "| %s | %s | %s |\n", name, what ? what : "-",
				cpu_has(kind) ? "yes" : "-");
	}
	fprintf(f, "\n%u operators on the NPU, %u on the CPU.\n", npu, cpu);
	fputs("\n## Where the NPU differs from TFLite\n\n"
	      "| operator | bound | why |\n| --- | --- | --- |\n", f);
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		fprintf(f, "| %s | %s | %s |\n", ir_kind_info(differences[i].kind)->name,
			differences[i].bound, differences[i].why);
}
