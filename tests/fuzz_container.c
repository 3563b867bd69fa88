/* SPDX-License-Identifier: MIT */
/* Any bytes as a driver payload. What is found lies in it, and what is refused is refused in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_container: %s\n", what);
	abort();
}

static void check_words(const struct error *err)
{
	check(err->text[0] && !strchr(err->text, '\n'), "no error, or more than a line");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct container c;
	char name[32];

	if (container_parse(data, size, &c, &err)) {
		check_words(&err);
		return 0;
	}
	check(c.words > 0, "empty stream");
	check(c.stream > data && c.stream <= data + size, "stream outside the payload");
	check(c.words <= (size_t)(data + size - c.stream) / 4, "stream longer than the payload");
	check(!strncmp(container_npu(c.config, name, sizeof(name)), "ethos-", 6), "name");
	check(!container_check(c.config, c.id, c.config, c.id, "itself", &err), "not for the NPU it was compiled for");
	if (container_check(c.config, c.id, ~c.config, c.id, "another", &err))
		check_words(&err);
	else
		check(false, "runs on another NPU");
	return 0;
}
