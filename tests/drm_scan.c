/* SPDX-License-Identifier: MIT */
/*
 * libaccel's guess at which regions a stream uses, made for Linux's driver, against the validator's word, which
 * shares no line with it: on every stream for a U65 or U85 in the models of some folders.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/ethosu_validate.h"
#include "libaccel/drm.h"
#include "runtime/container.h"
#include "runtime/tflite.h"
#include "uapi/ethosu_isa.h"

static struct {
	unsigned long streams, beyond, refused, both, failures;
} total;

/* Linux refuses RESIZE, and does not see that DMA reads indices. */
static bool beyond_linux(const uint32_t *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if ((words[i] & 0xffff) == ETHOSU_OP_RESIZE ||
		    (words[i] & 0xffff) == ETHOSU_SET_DMA0_IDX_REGION)
			return true;
		i += words[i] >> ETHOSU_CONTROL_SHIFT & 1;
	}
	return false;
}

static void check_stream(const char *path, const struct tflite_tensor *t)
{
	uint32_t read = 0, written = 0;
	struct drm_usage usage;
	struct ethosu_check check;
	struct ethosu_hw hw;
	struct container c;
	struct error err;
	uint32_t *words;
	int i;

	if (container_parse(t->data.data, t->data.len, &c, &err) ||
	    ethosu_hw_init(&hw, c.id, c.config))
		return;
	words = malloc(4 * c.words + 1);
	if (!words)
		abort();
	memcpy(words, c.stream, 4 * c.words);
	total.streams++;
	if (beyond_linux(words, c.words)) {
		total.beyond++;
		goto out;
	}
	drm_scan(words, c.words, hw.arch == 85, &usage);
	if (ethosu_validate(&hw, words, c.words, &check)) {
		total.refused++;
		goto out;
	}
	for (i = 0; i < DRM_REGIONS; i++) {
		read |= check.use.region[i].read_end ? 1u << i : 0;
		written |= check.use.region[i].write_end ? 1u << i : 0;
	}
	if (usage.read != read || usage.written != written) {
		printf("FAIL %s: reads 0x%x, writes 0x%x; the validator: 0x%x, 0x%x\n", path,
		       usage.read, usage.written, read, written);
		total.failures++;
	}
	/* The arena by two names. */
	total.both += ((read | written) & 6) == 6;
out:
	free(words);
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	static const char name[] = "ethos-u";
	const char *dot = strrchr(path, '.');
	const struct tflite_operator *op;
	struct tflite file;
	struct error err;
	uint32_t i;

	(void)st;
	(void)walk;
	if (type != FTW_F || !dot || strcmp(dot, ".tflite") || tflite_read(path, &file, &err))
		return 0;
	for (i = 0; i < file.operator_count; i++) {
		op = &file.operators[i];
		if (op->builtin == TFLITE_BUILTIN_CUSTOM && op->custom.len == strlen(name) &&
		    !memcmp(op->custom.data, name, strlen(name)) && op->input_count)
			check_stream(path, &file.tensors[op->inputs[0]]);
	}
	tflite_free(&file);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], check_file, 16, 0))
			printf("SKIP %s: no such folder\n", argv[i]);
	printf("drm-scan: %lu streams, %lu of them use regions 1 and 2, %lu are beyond Linux's driver, "
	       "%lu refused by the validator, %lu failures\n", total.streams, total.both, total.beyond,
	       total.refused, total.failures);
	return total.failures || !total.streams;
}
