/* SPDX-License-Identifier: MIT */
/* Tests: driver payloads put together by hand, cut short and damaged; for which device they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/container.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* CONFIG and ID as Vela 5.2.0 writes them. */
#define U65_256		0x10003008u
#define ARCH_1_0_6	0x10066001u
#define STOP		0xffff0000u

static const uint32_t cop1[] = {
	0x31504f43, 0x00100001, U65_256, ARCH_1_0_6, 5, 5, 5, 0x00030002, 0x0105, 0x0106, STOP,
};

/* One entry, its metadata padded so that the stream begins at byte 64. */
static const uint32_t cop2[] = {
	0x32504f43, 1, 60, 0, 1, 52, 36, 0x4d554556, 1, 20, 0x20000118, 0x20007000, 1, 0x40, 0,
	0xffffffff, 0x0105, 0x0106, STOP,
};

/* Parses a copy that ends where it ends, so that ASan sees a read behind it. */
static int parse(const void *payload, size_t len, size_t *at, struct container *c,
		 struct error *err)
{
	uint8_t *copy = malloc(len ? len : 1);
	volatile uint8_t sum = 0;
	int ret;

	assert_non_null(copy);
	memcpy(copy, payload, len);
	*err = (struct error){ "" };
	ret = container_parse(copy, len, c, err);
	if (ret) {
		assert_true(ret == -EINVAL || ret == -ENOTSUP);
		assert_true(err->text[0] && !strchr(err->text, '\n'));
	} else {
		assert_true(c->words > 0);
		*at = (size_t)(c->stream - copy);
		assert_true(*at <= len && c->words <= (len - *at) / 4);
		for (size_t i = 0; i < 4 * c->words; i++)
			sum += c->stream[i];
	}
	free(copy);
	return ret;
}

static void refused(const void *payload, size_t len, const char *words)
{
	struct container c;
	struct error err;
	size_t at;

	if (!parse(payload, len, &at, &c, &err))
		fail_msg("taken instead of \"%s\"", words);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" has no \"%s\"", err.text, words);
}

static void test_cop1(void **state)
{
	struct container c;
	struct error err;
	size_t at;

	(void)state;
	assert_int_equal(parse(cop1, sizeof(cop1), &at, &c, &err), 0);
	assert_int_equal(at, 32);
	assert_int_equal(c.words, 3);
	assert_int_equal(c.config, U65_256);
	assert_int_equal(c.id, ARCH_1_0_6);
	assert_false(c.local_io);
}

/* The upper 8 of 24 bits of the length lie between action and lower 16. */
static void test_long_stream(void **state)
{
	size_t words = 0x10002, len = 32 + 4 * words, at;
	uint32_t *payload = calloc(1, len);
	struct container c;
	struct error err;

	(void)state;
	assert_non_null(payload);
	memcpy(payload, cop1, 28);
	payload[7] = 0x00020102;
	assert_int_equal(parse(payload, len, &at, &c, &err), 0);
	assert_int_equal(c.words, words);
	refused(payload, len - 1, "65538 words");
	free(payload);
}

static void test_cop2(void **state)
{
	uint32_t payload[COUNT(cop2)];
	struct container c;
	struct error err;
	size_t at;

	(void)state;
	memcpy(payload, cop2, sizeof(cop2));
	assert_int_equal(parse(payload, sizeof(payload), &at, &c, &err), 0);
	assert_int_equal(at, 64);
	assert_int_equal(c.words, 3);
	assert_int_equal(c.config, 0x20000118);
	assert_int_equal(c.id, 0x20007000);
	assert_false(c.local_io);
	payload[12] = 2;
	assert_int_equal(parse(payload, sizeof(payload), &at, &c, &err), 0);
	assert_true(c.local_io);
	/* Without padding the stream begins a word earlier. */
	payload[6] = 32;
	assert_int_equal(parse(payload, sizeof(payload), &at, &c, &err), 0);
	assert_int_equal(at, 60);
	assert_int_equal(c.words, 4);
}

static void test_refused(void **state)
{
	static const struct {
		size_t word;
		uint32_t value;
		const char *words;
	} cop1_bad[] = {
		{ 0, 0x33504f43, "COP1" },	     { 1, 0x00000000, "byte 4: unknown" },
		{ 4, 0x00000006, "byte 16: unknown" }, { 7, 0x00000002, "byte 32: empty" },
		{ 7, 0x00040002, "byte 32: command stream of 4 words, 12 bytes" },
		{ 7, 0xffffff02, "16777215 words" }, { 4, 0x00010002, "which NPU" },
	}, cop2_bad[] = {
		{ 4, 2, "byte 16" }, { 7, 0, "byte 28" },	   { 2, 61, "lengths" },
		{ 5, 51, "lengths" }, { 6, 0xfffffffc, "lengths" }, { 6, 28, "lengths" },
		{ 6, 48, "lengths" }, { 6, 34, "lengths" },
	};
	uint32_t payload[COUNT(cop2)];

	(void)state;
	for (size_t i = 0; i < COUNT(cop1_bad); i++) {
		memcpy(payload, cop1, sizeof(cop1));
		/* The last one: the stream comes where the configuration should be. */
		if (i == COUNT(cop1_bad) - 1)
			payload[1] = payload[2] = payload[3] = 5;
		payload[cop1_bad[i].word] = cop1_bad[i].value;
		refused(payload, sizeof(cop1), cop1_bad[i].words);
	}
	for (size_t i = 0; i < COUNT(cop2_bad); i++) {
		memcpy(payload, cop2, sizeof(cop2));
		payload[cop2_bad[i].word] = cop2_bad[i].value;
		refused(payload, sizeof(cop2), cop2_bad[i].words);
	}
	memcpy(payload, cop1, 28);
	refused(payload, 28, "no command stream");
}

/* Bytes behind the last whole word, with lengths that count them. */
static void test_odd_length(void **state)
{
	uint32_t payload[COUNT(cop2)];

	(void)state;
	for (uint32_t len = 65; len < sizeof(cop2); len++) {
		if (!(len % 4))
			continue;
		memcpy(payload, cop2, sizeof(cop2));
		payload[2] = len - 16;
		payload[5] = len - 24;
		refused(payload, len, "lengths");
	}
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(cop1); len++)
		refused(cop1, len, "");
	for (size_t len = 0; len < sizeof(cop2); len++)
		refused(cop2, len, "");
}

static void damage(const uint32_t *payload, size_t len, const char *name)
{
	static const uint32_t words[] = {
		0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0xffff0002,
	};
	uint32_t copy[COUNT(cop2)];
	unsigned int taken = 0, other = 0;
	struct container c;
	struct error err;
	size_t at;

	for (size_t i = 0; i < 256 * len; i++) {
		memcpy(copy, payload, len);
		((uint8_t *)copy)[i / 256] = (uint8_t)i;
		if (parse(copy, len, &at, &c, &err))
			other++;
		else
			taken++;
	}
	for (size_t i = 0; i < len / 4 * COUNT(words); i++) {
		memcpy(copy, payload, len);
		copy[i / COUNT(words)] = words[i % COUNT(words)];
		if (parse(copy, len, &at, &c, &err))
			other++;
		else
			taken++;
	}
	print_message("%s, all bytes and words damaged: %u taken, %u refused\n", name, taken,
		      other);
	assert_true(taken > 0 && other > 0);
}

static void test_damaged(void **state)
{
	(void)state;
	damage(cop1, sizeof(cop1), "COP1");
	damage(cop2, sizeof(cop2), "COP2");
}

static void test_names(void **state)
{
	static const struct {
		uint32_t config;
		const char *name;
	} npus[] = {
		{ 0x00001807, "ethos-u55-128" }, { U65_256, "ethos-u65-256" },
		{ 0x10006009, "ethos-u65-512" }, { 0x20000118, "ethos-u85-256" },
		{ 0x2000001b, "ethos-u85-2048" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(npus); i++)
		assert_string_equal(container_npu(npus[i].config, text, sizeof(text)),
				    npus[i].name);
}

static void test_check(void **state)
{
	static const struct {
		uint32_t config, id;	/* of the device */
		const char *words;	/* NULL: runs there */
	} devices[] = {
		{ U65_256, ARCH_1_0_6, NULL },
		{ U65_256, 0x10076001, NULL },		/* architecture 1.0.7: newer */
		{ U65_256, 0x10166001, NULL },
		{ 0x10006008, ARCH_1_0_6, NULL },	/* more SHRAM */
		{ 0x10003009, ARCH_1_0_6, "-d sim:ethos-u65-256" },
		{ 0x00003008, ARCH_1_0_6, "-d sim:ethos-u65-256" },
		{ 0x20000118, 0x20007000, "-d sim:ethos-u65-256" },
		{ 0x10003018, ARCH_1_0_6, "stream version 0" },
		{ U65_256, 0x20007000, "architecture" },
	};
	struct container newer = { .config = U65_256, .id = 0x10166001 };
	struct container c;
	struct error err;
	size_t at;

	(void)state;
	assert_int_equal(parse(cop1, sizeof(cop1), &at, &c, &err), 0);
	for (size_t i = 0; i < COUNT(devices); i++) {
		int ret = container_check(c.config, c.id, devices[i].config, devices[i].id, "this one", &err);

		assert_int_equal(ret, devices[i].words ? -ENOEXEC : 0);
		if (!devices[i].words)
			continue;
		assert_non_null(strstr(err.text, devices[i].words));
		assert_non_null(strstr(err.text, "this one"));
	}
	assert_int_equal(container_check(newer.config, newer.id, U65_256, ARCH_1_0_6, "this one", &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "architecture"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cop1),	   cmocka_unit_test(test_long_stream),
		cmocka_unit_test(test_cop2),	   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_odd_length), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
