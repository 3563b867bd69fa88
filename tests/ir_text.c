/* SPDX-License-Identifier: MIT */
/*
 * Tests: the graph's text form. Models of ACCEL_MODELS are imported, printed, parsed and printed
 * again: both texts are equal. Files of tests/ir are graphs that say in their first line what comes
 * of them: "# error TEXT" (part of the message), "# after PASS [u85]": the operations behind that pass
 * are those that stand behind the line "# result", or nothing: parsed, verified, printed and parsed.
 *
 * usage: ir_text FILE.ir... FILE.tflite...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/compile/import.h"
#include "runtime/file.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/target/target.h"

#define TEXT_MAX	(64u << 20)	/* larger graphs are only imported */

static int failures, passed;

static void fail(const char *path, const char *why)
{
	printf("FAIL %s: %s\n", path, why);
	failures++;
}

static char *print(const struct ir_graph *g, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f)
		return NULL;
	ir_print(g, f);
	fclose(f);
	return text;
}

static void round_trip(const char *path, const struct ir_graph *g)
{
	size_t len = 0, again_len = 0;
	char *text = print(g, &len), *again = NULL;
	struct ir_graph *parsed = NULL;
	struct error err;

	if (!text || ir_parse(text, len, "printed", &parsed, &err)) {
		fail(path, text ? err.text : "out of memory");
	} else if (ir_verify(parsed, &err)) {
		fail(path, err.text);
	} else {
		again = print(parsed, &again_len);
		if (!again || len != again_len || memcmp(text, again, len))
			fail(path, "printed, parsed and printed again is another text");
		else
			passed++;
	}
	ir_free(parsed);
	free(text);
	free(again);
}

/* Lines of @text that are operations, without the comment mark they may have. */
static char *operations(const char *text)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	while (*text) {
		const char *end = strchr(text, '\n');
		size_t n = end ? (size_t)(end - text) : strlen(text);

		if (n > 2 && !memcmp(text, "# ", 2)) {
			text += 2;
			n -= 2;
		}
		if (n > 3 && (!memcmp(text, "op ", 3) || !memcmp(text, "npu ", 4)))
			fprintf(f, "%.*s\n", (int)n, text);
		text += n + (end ? 1 : 0);
	}
	fclose(f);
	return out;
}

/* The graph behind a pass, printed by the compiler itself. */
static void run_pass(const char *path, struct ir_graph *g, const char *pass, bool u85,
		     const char *result)
{
	const struct target target = { .system.family = u85 ? 85 : 65 };
	struct compile_options options = { .target = &target, .dump = pass };
	char *text = NULL, *got, *want;
	struct error err = { "" };
	size_t len;

	options.dump_file = open_memstream(&text, &len);
	if (!options.dump_file)
		return fail(path, "out of memory");
	if (compile_lower(g, &options, &err))
		fail(path, err.text);
	fclose(options.dump_file);
	got = operations(text ? text : "");
	want = operations(result);
	if (err.text[0] || !got || !want || strcmp(got, want)) {
		fail(path, "other operations than expected");
		printf("--- got\n%s--- expected\n%s", got ? got : "", want ? want : "");
	} else {
		passed++;
	}
	free(got);
	free(want);
	free(text);
}

static void run_ir(const char *path)
{
	struct ir_graph *g = NULL;
	char want[128] = "", pass[16] = "", family[8] = "";
	struct error err;
	const char *result;
	void *data;
	char *text;
	size_t len;
	int rc;

	if (file_read(path, &data, &len, &err)) {
		fail(path, err.text);
		return;
	}
	text = strndup(data, len);
	free(data);
	if (!text) {
		fail(path, "out of memory");
		return;
	}
	sscanf(text, "# error %127[^\n]", want);
	sscanf(text, "# after %15[a-z]%*[ ]%7[a-z0-9]", pass, family);
	result = strstr(text, "\n# result\n");
	rc = ir_parse(text, len, path, &g, &err);
	if (!rc)
		rc = ir_verify(g, &err);
	if (rc && !want[0])
		fail(path, err.text);
	else if (rc && !strstr(err.text, want))
		fail(path, err.text);
	else if (!rc && want[0])
		fail(path, "an error was expected");
	else if (!rc && pass[0])
		run_pass(path, g, pass, !strcmp(family, "u85"), result ? result : "");
	else if (!rc)
		round_trip(path, g);
	else
		passed++;
	ir_free(g);
	free(text);
}

static void run_tflite(const char *path)
{
	struct ir_graph *g = NULL;
	struct tflite model;
	struct error err;

	if (tflite_read(path, &model, &err)) {
		fail(path, err.text);
		return;
	}
	if (import_tflite(&model, path, &g, &err))
		fail(path, err.text);
	else if (model.size < TEXT_MAX / 16)
		round_trip(path, g);
	tflite_free(&model);
	ir_free(g);
}

/* Kinds have the codes that the list of TFLite's names says. */
static void check_names(void)
{
	for (unsigned int kind = IR_OTHER + 1; kind < IR_KIND_COUNT; kind++) {
		const struct ir_kind_info *info = ir_kind_info(kind);
		const char *name = tflite_builtin_name(info->code);

		if (info->code >= 0 && (!name || strcmp(name, info->name)))
			fail(info->name, "has the code of another operator");
	}
}

int main(int argc, char **argv)
{
	check_names();
	for (int i = 1; i < argc; i++) {
		const char *dot = strrchr(argv[i], '.');

		if (dot && !strcmp(dot, ".tflite"))
			run_tflite(argv[i]);
		else
			run_ir(argv[i]);
	}
	printf("ir_text: %d passed, %d failed\n", passed, failures);
	return failures || !passed;
}
