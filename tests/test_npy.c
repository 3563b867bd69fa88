/* SPDX-License-Identifier: MIT */
/*
 * Tests: .npy and .npz. Files are put together here byte by byte, whole, cut short and with every
 * byte damaged; what is written is compared with the bytes that numpy writes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "runtime/npy.h"

#define NAME "some.npy"
#define DICT "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }\n"

static const uint8_t numbers[12] = { 1, 0, 2, 0, 3, 0, 0xff, 0xff, 0, 0x80, 0xff, 0x7f };

/* Exactly as large as its contents, so that ASan sees a read behind them. */
struct bytes {
	uint8_t *p;
	size_t len;
};

static struct bytes copy_of(const void *data, size_t len)
{
	struct bytes b = { malloc(len ? len : 1), len };

	assert_non_null(b.p);
	memcpy(b.p, data, len);
	return b;
}

static void append(struct bytes *b, const void *data, size_t len)
{
	b->p = realloc(b->p, b->len + len);
	assert_non_null(b->p);
	memcpy(b->p + b->len, data, len);
	b->len += len;
}

static void append_word(struct bytes *b, uint32_t v, unsigned int width)
{
	for (; width; width--, v >>= 8)
		append(b, &(uint8_t){ (uint8_t)v }, 1);
}

static struct bytes make_npy(int version, const char *dict, const void *data, size_t len)
{
	struct bytes b = copy_of("\x93NUMPY", 6);

	append_word(&b, (uint32_t)version, 2);
	append_word(&b, (uint32_t)strlen(dict), version > 1 ? 4 : 2);
	append(&b, dict, strlen(dict));
	append(&b, data, len);
	return b;
}

/* One line, and it says which file. */
static void check_words(const struct error *err, const char *name)
{
	assert_non_null(strstr(err->text, name));
	assert_null(strchr(err->text, '\n'));
}

static void check_array(const struct npy *a, size_t room)
{
	size_t size = elem_size(a->type);

	assert_non_null(elem_npy(a->type));
	assert_true(a->ndim <= NPY_MAX_DIMS);
	for (unsigned int i = 0; i < a->ndim; i++)
		size *= (size_t)a->shape[i];
	assert_int_equal(a->size, size);
	assert_true(a->size <= room);
}

static void check_numbers(const struct npy *a)
{
	assert_int_equal(a->type, ELEM_INT16);
	assert_int_equal(a->ndim, 2);
	assert_int_equal(a->shape[0], 2);
	assert_int_equal(a->shape[1], 3);
	assert_int_equal(a->size, sizeof(numbers));
	assert_memory_equal(a->data, numbers, sizeof(numbers));
}

static void refused(struct bytes b, int code, const char *words)
{
	struct error err = { "" };
	struct npy a;

	if (npy_parse(b.p, b.len, NAME, &a, &err) != code)
		fail_msg("not refused with %d, or said \"%s\"", code, err.text);
	check_words(&err, NAME);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" has no \"%s\"", err.text, words);
	free(b.p);
}

static void test_versions(void **state)
{
	(void)state;
	for (int version = 1; version <= 3; version++) {
		struct bytes b = make_npy(version, DICT, numbers, sizeof(numbers));
		struct npy a;

		assert_int_equal(npy_parse(b.p, b.len, NAME, &a, NULL), 0);
		check_numbers(&a);
		npy_free(&a);
		free(b.p);
	}
	refused(make_npy(0, DICT, numbers, sizeof(numbers)), -ENOTSUP, "version 0");
	refused(make_npy(4, DICT, numbers, sizeof(numbers)), -ENOTSUP, "version 4");
}

static void test_types(void **state)
{
	static const struct {
		const char *descr;
		enum elem type;
	} good[] = {
		{ "|b1", ELEM_BOOL },  { "|i1", ELEM_INT8 },  { "|u1", ELEM_UINT8 },
		{ "<i2", ELEM_INT16 }, { "<i4", ELEM_INT32 }, { "<i8", ELEM_INT64 },
		{ "<f4", ELEM_FLOAT32 },
	};
	static const struct {
		const char *descr;
		int code;
		const char *words;
	} bad[] = {
		{ "'<f8'", -ENOTSUP, "<f8" },	 { "'<c8'", -ENOTSUP, "<c8" },
		{ "'|O'", -ENOTSUP, "|O" },	 { "'<U2'", -ENOTSUP, "<U2" },
		{ "'>i2'", -ENOTSUP, "astype" }, { "'>f4'", -ENOTSUP, "<f4" },
		{ "[('x', '<i2')]", -ENOTSUP, "structured" },
		{ "'!i2'", -EINVAL, "byte order" }, { "''", -ENOTSUP, "type" },
		{ "2", -EINVAL, "string" },	 { "\"<i2", -EINVAL, "without end" },
	};
	char dict[128];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct bytes b;
		struct npy a;

		snprintf(dict, sizeof(dict),
			 "{'descr': '%s', 'fortran_order': False, 'shape': (1,)}", good[i].descr);
		b = make_npy(1, dict, numbers, (size_t)(good[i].descr[2] - '0'));
		assert_int_equal(npy_parse(b.p, b.len, NAME, &a, NULL), 0);
		assert_int_equal(a.type, good[i].type);
		assert_int_equal(a.size, good[i].descr[2] - '0');
		npy_free(&a);
		free(b.p);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(dict, sizeof(dict),
			 "{'descr': %s, 'fortran_order': False, 'shape': (1,)}", bad[i].descr);
		refused(make_npy(1, dict, numbers, sizeof(numbers)), bad[i].code, bad[i].words);
	}
}

#define SHAPED(shape) "{'descr': '|i1', 'fortran_order': False, 'shape': " shape ", }"

static void test_shapes(void **state)
{
	static const struct {
		const char *dict;
		unsigned int ndim;
		size_t size;
	} good[] = {
		{ SHAPED("()"), 0, 1 },
		{ SHAPED("(12,)"), 1, 12 },
		{ SHAPED("(12L,)"), 1, 12 },
		{ SHAPED("(0, 9223372036854775807, 4)"), 3, 0 },
		{ "{\"shape\":(3,4),\"fortran_order\":False,\"descr\":\"|i1\"}", 2, 12 },
		{ "{'descr': '|i1', 'fortran_order': True, 'shape': (12,), }", 1, 12 },
	};
	static const struct {
		const char *dict;
		int code;
		const char *words;
	} bad[] = {
		{ "{'descr': '|i1', 'fortran_order': True, 'shape': (3, 4), }", -ENOTSUP,
		  "ascontiguousarray" },
		{ "{'descr': '|i1', 'fortran_order': 1, 'shape': (3, 4), }", -EINVAL, "boolean" },
		{ "{'descr': '|i1', 'fortran_order': False}", -EINVAL, "missing" },
		{ "{'descr': '|i1', 'fortran_order': False, 'shape': (1,), 'x': 1}", -EINVAL,
		  "unknown key" },
		{ SHAPED("(13,)"), -EINVAL, "13" },
		{ SHAPED("(-1,)"), -EINVAL, "extent" },
		{ SHAPED("(3 4)"), -EINVAL, "shape" },
		{ SHAPED("[3, 4]"), -EINVAL, "tuple" },
		{ SHAPED("(9223372036854775808,)"), -EINVAL, "too large" },
		{ SHAPED("(4294967296, 4294967296)"), -EINVAL, "too large" },
		{ SHAPED("(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"),
		  -EINVAL, "32" },
		{ "", -EINVAL, "dict" },
		{ "{", -EINVAL, "header" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct bytes b = make_npy(1, good[i].dict, numbers, sizeof(numbers));
		struct npy a;

		assert_int_equal(npy_parse(b.p, b.len, NAME, &a, NULL), 0);
		assert_int_equal(a.ndim, good[i].ndim);
		assert_int_equal(a.size, good[i].size);
		npy_free(&a);
		free(b.p);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(make_npy(1, bad[i].dict, numbers, sizeof(numbers)), bad[i].code,
			bad[i].words);
	refused(copy_of("", 0), -EINVAL, "numpy.save");
}

static void test_truncated(void **state)
{
	(void)state;
	for (int version = 1; version <= 3; version++) {
		struct bytes b = make_npy(version, DICT, numbers, sizeof(numbers));

		for (size_t len = 0; len < b.len; len++)
			refused(copy_of(b.p, len), -EINVAL, NAME);
		free(b.p);
	}
}

static void test_damaged(void **state)
{
	unsigned int taken = 0, other = 0;

	(void)state;
	for (int version = 1; version <= 2; version++) {
		struct bytes b = make_npy(version, DICT, numbers, sizeof(numbers));

		for (size_t i = 0; i < 256 * b.len; i++) {
			struct bytes c = copy_of(b.p, b.len);
			struct error err = { "" };
			struct npy a;

			c.p[i / 256] = (uint8_t)i;
			if (npy_parse(c.p, c.len, NAME, &a, &err)) {
				check_words(&err, NAME);
				other++;
			} else {
				check_array(&a, c.len);
				npy_free(&a);
				taken++;
			}
			free(c.p);
		}
		free(b.p);
	}
	print_message("every byte damaged: %u taken, %u refused\n", taken, other);
	/* The numbers themselves can be any; of the rest hardly anything can. */
	assert_true(taken >= 2 * 256 * sizeof(numbers) && other > taken);
}

static void test_format(void **state)
{
	/* numpy.save() of numpy.array([1, 2, 3], 'i1') */
	static const char head[] = "\x93NUMPY\x01\x00v\x00"
				   "{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }";
	uint8_t data[3] = { 1, 2, 3 }, want[131];
	struct npy a = { .type = ELEM_INT8, .ndim = 1, .shape = { 3 }, .data = data, .size = 3 };
	struct error err = { "" };
	size_t len;
	void *got;

	(void)state;
	memset(want, ' ', sizeof(want));
	memcpy(want, head, sizeof(head) - 1);
	want[127] = '\n';
	memcpy(want + 128, data, 3);
	assert_int_equal(npy_format(&a, &got, &len, NULL), 0);
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(got, want, len);
	free(got);
	a.type = ELEM_STRING;
	assert_int_equal(npy_format(&a, &got, &len, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "string"));
}

/* ---- archives ---- */

struct member {
	struct bytes packed;
	const char *name;
	uint32_t crc, size;
	uint16_t method; /* 0 stored, 8 deflated */
	uint32_t at;
};

static struct bytes deflated(struct bytes b)
{
	z_stream z = { 0 };
	struct bytes out = { malloc(b.len + 64), 0 };

	assert_non_null(out.p);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = b.p;
	z.avail_in = (unsigned int)b.len;
	z.next_out = out.p;
	z.avail_out = (unsigned int)b.len + 64;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

/* What the local header and the central directory have in common. */
static void append_common(struct bytes *b, const struct member *m)
{
	append_word(b, 20, 2);
	append_word(b, 0, 2);
	append_word(b, m->method, 2);
	append_word(b, 0x00210000, 4); /* 1980-01-01 */
	append_word(b, m->crc, 4);
	append_word(b, (uint32_t)m->packed.len, 4);
	append_word(b, m->size, 4);
	append_word(b, (uint32_t)strlen(m->name), 2);
	append_word(b, 0, 2);
}

static struct bytes make_zip(struct member *members, unsigned int count)
{
	struct bytes b = { NULL, 0 };
	uint32_t directory;

	for (struct member *m = members; m < members + count; m++) {
		m->at = (uint32_t)b.len;
		append(&b, "PK\3\4", 4);
		append_common(&b, m);
		append(&b, m->name, strlen(m->name));
		append(&b, m->packed.p, m->packed.len);
	}
	directory = (uint32_t)b.len;
	for (struct member *m = members; m < members + count; m++) {
		append(&b, "PK\1\2", 4);
		append_word(&b, 20, 2);
		append_common(&b, m);
		append_word(&b, 0, 4);
		append_word(&b, 0, 2);
		append_word(&b, 0, 4);
		append_word(&b, m->at, 4);
		append(&b, m->name, strlen(m->name));
	}
	append_word(&b, 0x06054b50, 4); /* "PK\5\6" */
	append_word(&b, 0, 4);
	append_word(&b, count, 2);
	append_word(&b, count, 2);
	append_word(&b, (uint32_t)b.len - 12 - directory, 4);
	append_word(&b, directory, 4);
	append_word(&b, 0, 2);
	return b;
}

/* "input" stored, "output" deflated; @at: where the contents of "input" begin. */
static struct bytes make_npz(size_t *at)
{
	struct bytes b = make_npy(1, DICT, numbers, sizeof(numbers));
	struct member m[2] = {
		{ .packed = b, .name = "input.npy", .method = 0 },
		{ .packed = deflated(b), .name = "output.npy", .method = 8 },
	};
	struct bytes zip;

	for (int i = 0; i < 2; i++) {
		m[i].crc = (uint32_t)crc32(0, b.p, (unsigned int)b.len);
		m[i].size = (uint32_t)b.len;
	}
	zip = make_zip(m, 2);
	*at = 30 + strlen(m[0].name);
	free(m[1].packed.p);
	free(b.p);
	return zip;
}

static char folder[] = "/tmp/test_npy.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails if anything else was left in it */
}

static void put(const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void test_archive(void **state)
{
	static const char *const names[] = { "input", "output" };
	struct error err = { "" };
	struct bytes zip;
	struct npz *npz;
	struct npy a;
	size_t at;

	(void)state;
	zip = make_npz(&at);
	put(zip.p, zip.len);
	assert_int_equal(npz_open(path, &npz, &err), 0);
	assert_int_equal(npz_count(npz), 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(npz_name(npz, i), names[i]);
		assert_int_equal(npz_get(npz, names[i], &a, &err), 0);
		check_numbers(&a);
		npy_free(&a);
	}
	assert_null(npz_name(npz, 2));
	assert_int_equal(npz_get(npz, "nothing", &a, &err), -ENOENT);
	check_words(&err, path);
	assert_non_null(strstr(err.text, "nothing"));
	npz_close(npz);

	/* A number of the stored array changes, its checksum does not. */
	zip.p[at + 10 + strlen(DICT)] ^= 1;
	put(zip.p, zip.len);
	assert_int_equal(npz_open(path, &npz, &err), 0);
	assert_int_equal(npz_get(npz, "input", &a, &err), -EINVAL);
	check_words(&err, path);
	assert_non_null(strstr(err.text, "damaged"));
	npz_close(npz);
	free(zip.p);

	snprintf(err.text, sizeof(err.text), "-");
	assert_int_equal(npz_open("/nowhere.npz", &npz, &err), -EINVAL);
	check_words(&err, "/nowhere.npz");
}

/* Reads the archive in the file: the numbers are the right ones, or are refused in words. */
static bool read_all(void)
{
	struct error err = { "" };
	struct npz *npz;
	bool whole = true;

	if (npz_open(path, &npz, &err)) {
		check_words(&err, path);
		return false;
	}
	for (size_t i = 0; i < npz_count(npz); i++) {
		struct npy a;

		if (npz_get(npz, npz_name(npz, i), &a, &err)) {
			check_words(&err, path);
			whole = false;
			continue;
		}
		check_numbers(&a);
		npy_free(&a);
	}
	whole = whole && npz_count(npz) == 2;
	npz_close(npz);
	return whole;
}

static void test_damaged_archive(void **state)
{
	static const uint8_t damage[] = { 0x01, 0x80, 0xff };
	unsigned int whole = 0;
	struct bytes zip;
	size_t at;

	(void)state;
	zip = make_npz(&at);
	for (size_t len = 0; len < zip.len; len++) {
		put(zip.p, len);
		assert_false(read_all());
	}
	for (size_t i = 0; i < sizeof(damage) * zip.len; i++) {
		uint8_t *byte = &zip.p[i / sizeof(damage)], was = *byte;

		*byte ^= damage[i % sizeof(damage)];
		put(zip.p, zip.len);
		whole += read_all();
		*byte = was;
	}
	print_message("%zu bytes damaged in 3 ways: %u archives still whole\n", zip.len, whole);
	put(zip.p, zip.len);
	assert_true(read_all());
	free(zip.p);
}

static void test_round_trip(void **state)
{
	static const char *const names[] = { "a", "b" };
	static float f[500];
	uint8_t scalar = 7;
	struct npy in[2] = {
		{ .type = ELEM_FLOAT32, .ndim = 3, .shape = { 5, 1, 100 }, .data = f,
		  .size = sizeof(f) },
		{ .type = ELEM_UINT8, .ndim = 0, .data = &scalar, .size = 1 },
	};
	struct error err = { "" };
	struct npz *npz;
	struct npy out;

	(void)state;
	for (int i = 0; i < 500; i++)
		f[i] = (float)(i % 7) / 3;
	assert_int_equal(npz_write(path, names, in, 2, &err), 0);
	assert_int_equal(npz_open(path, &npz, &err), 0);
	assert_int_equal(npz_count(npz), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(npz_get(npz, names[i], &out, &err), 0);
		assert_int_equal(out.type, in[i].type);
		assert_int_equal(out.ndim, in[i].ndim);
		assert_memory_equal(out.shape, in[i].shape, in[i].ndim * sizeof(out.shape[0]));
		assert_int_equal(out.size, in[i].size);
		assert_memory_equal(out.data, in[i].data, out.size);
		npy_free(&out);
	}
	npz_close(npz);

	assert_int_equal(npy_write(path, &in[0], &err), 0);
	assert_int_equal(npy_read(path, &out, &err), 0);
	assert_memory_equal(out.data, f, sizeof(f));
	npy_free(&out);

	assert_true(npy_write("/nowhere/a.npy", &in[0], &err) < 0);
	check_words(&err, "/nowhere/a.npy");
	in[1].type = ELEM_STRING;
	assert_int_equal(npz_write(path, names, in, 2, &err), -ENOTSUP);
	check_words(&err, path);
	/* What was there before is still there. */
	assert_int_equal(npy_read(path, &out, &err), 0);
	npy_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),	cmocka_unit_test(test_types),
		cmocka_unit_test(test_shapes),		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),		cmocka_unit_test(test_format),
		cmocka_unit_test(test_archive),		cmocka_unit_test(test_damaged_archive),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
