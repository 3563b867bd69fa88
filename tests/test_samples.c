/* SPDX-License-Identifier: MIT */
/* Samples: pictures against Pillow's bytes, descriptions, folders, arrays, sounds, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/samples/picture.h"
#include "runtime/samples/samples.h"

static const char *fixtures;	/* tests/samples */
static char dir[] = "/tmp/accel-samples-XXXXXX";

static const struct samples_input rgb_nchw = { "x", ELEM_FLOAT32, 4, { 1, 3, 17, 23 } };
static const struct samples_input rgb_nhwc = { "x", ELEM_INT8, 4, { 1, 17, 23, 3 } };

/* "DIR/NAME", static. */
static const char *in_dir(const char *name)
{
	static char path[64][300];
	static unsigned int turn;

	turn = (turn + 1) % 64;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static const char *fixture(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", fixtures, name);
	return path;
}

static const char *text_file(const char *name, const char *text)
{
	const char *path = in_dir(name);

	assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
	return path;
}

static void copy(const char *from, const char *to)
{
	void *data;
	size_t size;

	assert_int_equal(file_read(fixture(from), &data, &size, NULL), 0);
	assert_int_equal(file_write(in_dir(to), data, size, NULL), 0);
	free(data);
}

static struct npy expected(const char *name)
{
	struct error err = { "" };
	struct npy a;

	if (npy_read(fixture(name), &a, &err))
		fail_msg("%s", err.text);
	return a;
}

static struct picture decoded(const char *name)
{
	struct picture p;
	struct error err = { "" };
	void *data;
	size_t size;

	assert_int_equal(file_read(fixture(name), &data, &size, NULL), 0);
	if (picture_parse(data, size, name, &p, &err))
		fail_msg("%s", err.text);
	free(data);
	return p;
}

static void test_decoders_give_pillows_pixels(void **state)
{
	static const uint8_t blue[3] = { 10, 20, 200 };
	static const char *const names[] = { "rgb.png",	    "rgb.jpg",	"progressive.jpg",
					     "palette.png", "grey.png", "grey.jpg", "rgba.png" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct picture p = decoded(names[i]);
		char array[100];
		struct npy want;

		snprintf(array, sizeof(array), "%s.npy", names[i]);
		want = expected(array);
		assert_int_equal(picture_flatten(&p, blue, 3, NULL), 0);
		assert_int_equal(p.height, want.shape[0]);
		assert_int_equal(p.width, want.shape[1]);
		if (memcmp(p.data, want.data, want.size))
			fail_msg("%s: other pixels", names[i]);
		npy_free(&want);
		picture_free(&p);
	}
}

static void test_grey_is_pillows(void **state)
{
	static const uint8_t white[3] = { 255, 255, 255 };
	struct npy want = expected("rgb.grey.npy");
	struct picture p = decoded("rgb.png");

	(void)state;
	assert_int_equal(picture_flatten(&p, white, 1, NULL), 0);
	assert_memory_equal(p.data, want.data, want.size);
	npy_free(&want);
	picture_free(&p);
}

static void test_resize_is_pillows(void **state)
{
	static const char *const names[] = {
		[PICTURE_BILINEAR] = "bilinear", [PICTURE_NEAREST] = "nearest",
		[PICTURE_BICUBIC] = "bicubic", [PICTURE_AREA] = "area",
	};
	static const uint32_t sizes[][2] = { { 5, 7 }, { 24, 31 } };

	(void)state;
	for (unsigned int f = 0; f < 4; f++)
		for (unsigned int i = 0; i < 2; i++) {
			struct picture p = decoded("rgb.png");
			char name[100];
			struct npy want;

			snprintf(name, sizeof(name), "rgb.%s.%ux%u.npy", names[f], sizes[i][0],
				 sizes[i][1]);
			want = expected(name);
			assert_int_equal(picture_resize(&p, sizes[i][0], sizes[i][1], f, true, NULL),
					 0);
			if (memcmp(p.data, want.data, want.size))
				fail_msg("%s: other pixels", name);
			npy_free(&want);
			picture_free(&p);
		}
}

/* Two pixels that become one with neither antialias nor rounding in between: their mean. */
static void test_resize_without_antialias(void **state)
{
	struct picture p;

	(void)state;
	assert_int_equal(picture_new(&p, 1, 8, 1, "p", NULL), 0);
	memcpy(p.data, (uint8_t[]){ 0, 10, 20, 30, 40, 50, 60, 70 }, 8);
	assert_int_equal(picture_resize(&p, 1, 2, PICTURE_BILINEAR, false, NULL), 0);
	assert_int_equal(p.data[0], 15);
	assert_int_equal(p.data[1], 55);
	picture_free(&p);
}

static void test_crop_is_the_middle(void **state)
{
	struct picture p;

	(void)state;
	/* torchvision: round(3 / 2) is 2, round(5 / 2) is 2. */
	assert_int_equal(picture_new(&p, 4, 6, 1, "p", NULL), 0);
	for (int i = 0; i < 24; i++)
		p.data[i] = (uint8_t)i;
	picture_crop(&p, 1, 1);
	assert_int_equal(p.data[0], 2 * 6 + 2);
	picture_free(&p);
}

static void test_padding_is_around(void **state)
{
	static const uint8_t red[3] = { 200, 0, 0 };
	struct picture p;

	(void)state;
	assert_int_equal(picture_new(&p, 1, 2, 3, "p", NULL), 0);
	memcpy(p.data, (uint8_t[]){ 1, 2, 3, 4, 5, 6 }, 6);
	assert_int_equal(picture_pad(&p, 4, 3, red, NULL), 0);
	/* Of three spare rows one is above, of one spare column none is on the left. */
	for (int i = 0; i < 12; i++) {
		static const uint8_t row[3][3] = { { 1, 2, 3 }, { 4, 5, 6 }, { 200, 0, 0 } };

		assert_memory_equal(p.data + 3 * i, i / 3 == 1 ? row[i % 3] : red, 3);
	}
	picture_free(&p);
}

static struct samples *opened(const char *spec, const char *prep, const struct samples_input *in,
			      size_t limit)
{
	struct error err = { "" };
	struct samples *s = NULL;

	if (samples_open(spec, prep, in, 1, limit, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void refused(const char *spec, const char *prep, const struct samples_input *in,
		    const char *why)
{
	struct error err = { "" };
	struct samples *s = NULL;
	int rc = samples_open(spec, prep, in, 1, 0, &s, &err);

	assert_true(rc < 0);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void test_folder_of_pictures(void **state)
{
	const char *prep = text_file("p1.json", "{\"scale\": 1, \"mean\": [1, 2, 3], \"std\": 2,"
						" \"channels\": \"bgr\"}");
	struct npy want = expected("rgb.png.npy");
	const uint8_t *px = want.data;
	float nchw[17 * 23 * 3], nhwc[17 * 23 * 3];
	float *to[1] = { nchw };
	struct samples *s;
	int label;

	(void)state;
	mkdir(in_dir("pictures"), 0777);
	mkdir(in_dir("pictures/b"), 0777);
	mkdir(in_dir("pictures/a"), 0777);
	copy("rgb.png", "pictures/b/1.png");
	copy("rgba.png", "pictures/a/2.PNG");
	copy("rgb.jpg", "pictures/b/3.jpg");
	text_file("pictures/readme.md", "no picture");
	s = opened(in_dir("pictures"), prep, &rgb_nchw, 0);
	assert_int_equal(samples_count(s), 3);
	assert_int_equal(samples_classes(s), 2);
	assert_string_equal(samples_class_name(s, 0), "a");
	assert_int_equal(samples_get(s, 0, to, &label, NULL), 0);
	assert_int_equal(label, 0);
	assert_int_equal(samples_get(s, 1, to, &label, NULL), 0);
	assert_int_equal(label, 1);
	assert_non_null(strstr(samples_name(s, 1), "b/1.png"));
	samples_close(s);
	s = opened(in_dir("pictures"), prep, &rgb_nhwc, 0);
	to[0] = nhwc;
	assert_int_equal(samples_get(s, 1, to, &label, NULL), 0);
	samples_close(s);
	for (size_t i = 0; i < 17 * 23; i++)
		for (size_t c = 0; c < 3; c++) {
			float v = (px[3 * i + 2 - c] - (float)(c + 1)) / 2;

			assert_true(nhwc[3 * i + c] == v);
			assert_true(nchw[c * 17 * 23 + i] == v);
		}
	npy_free(&want);
	/* One of three, then two: taken from all over. */
	s = opened(in_dir("pictures"), NULL, &rgb_nchw, 2);
	assert_int_equal(samples_count(s), 2);
	assert_non_null(strstr(samples_name(s, 1), "b/1.png"));
	samples_close(s);
}

static void test_labels(void **state)
{
	float x[17 * 23 * 3], *to[1] = { x };
	struct samples *s;
	int label;

	(void)state;
	mkdir(in_dir("listed"), 0777);
	copy("rgb.png", "listed/1.png");
	copy("rgb.jpg", "listed/2.jpg");
	s = opened(in_dir("listed"), NULL, &rgb_nchw, 0);
	assert_int_equal(samples_classes(s), 0);
	assert_int_equal(samples_get(s, 0, to, &label, NULL), 0);
	assert_int_equal(label, -1);
	samples_close(s);
	s = opened(text_file("listed/all.csv", "2.jpg,7\r\n1.png,3\n1.png,\n"), NULL, &rgb_nchw, 0);
	assert_int_equal(samples_count(s), 3);
	assert_int_equal(samples_classes(s), 8);
	assert_null(samples_class_name(s, 3));
	assert_int_equal(samples_get(s, 1, to, &label, NULL), 0);
	assert_int_equal(label, 3);
	assert_int_equal(samples_get(s, 2, to, &label, NULL), 0);
	assert_int_equal(label, -1);
	samples_close(s);
	text_file("listed/labels.txt", "cat\ndog\n");
	text_file("listed/labels.csv", "2.jpg,dog\n1.png,0\n");
	s = opened(in_dir("listed"), NULL, &rgb_nchw, 0);
	assert_int_equal(samples_classes(s), 2);
	assert_int_equal(samples_get(s, 0, to, &label, NULL), 0);
	assert_int_equal(label, 1);
	samples_close(s);
	text_file("listed/labels.csv", "2.jpg,cow\n");
	refused(in_dir("listed"), NULL, &rgb_nchw, "entry 1: \"cow\" is not among the 2 classes");
	text_file("listed/labels.csv", "2.jpg,2\n");
	refused(in_dir("listed"), NULL, &rgb_nchw, "class 2; there are 2");
}

static void test_descriptions_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "[]", "no JSON object" },
		{ "{", "line 1" },
		{ "{\"sise\": 3}", "no key \"sise\"" },
		{ "{\"size\": 0}", "\"size\" is no whole number from 1" },
		{ "{\"size\": [1, 2, 3]}", "\"size\" is neither" },
		{ "{\"size\": 2.5}", "\"size\"" },
		{ "{\"resize\": \"best\"}", "\"resize\" is none of: bilinear, nearest" },
		{ "{\"antialias\": 1}", "\"antialias\" is neither true nor false" },
		{ "{\"mean\": [0, 0, 0, 0, 0]}", "\"mean\" has 5 numbers" },
		{ "{\"mean\": [0, 0]}", "\"mean\" has 2 numbers for 3 channels" },
		{ "{\"std\": 0}", "\"std\"" },
		{ "{\"std\": [1, \"2\", 1]}", "\"std\" [1]" },
		{ "{\"scale\": \"1\"}", "\"scale\" is no number" },
		{ "{\"scale\": 1, \"scale\": 2}", "duplicate" },
		{ "{\"background\": 256}", "\"background\"" },
		{ "{\"short_side\": 3}", "wants \"fit\"" },
		{ "{\"labels\": \"\"}", "\"labels\" is no file name" },
		{ "{\"labels\": \"absent.txt\"}", "absent.txt: No such file" },
		{ "{\"bytes\": true}", "\"bytes\" is no object" },
		{ "{\"bytes\": {\"size\": 1}}", "bytes: no key \"size\"" },
		{ "{\"bytes\": {\"begin\": 4}}", "are 4 bytes, input x takes 1173" },
		{ "{\"channels\": \"grey\"}", "\"channels\" is for 1, the input has 3" },
		{ "{\"size\": 17}", "\"size\" is 17 x 17, the input 17 x 23" },
		{ "{\"layout\": \"nhwc\"}", "the input has 23 channels" },
	};

	(void)state;
	mkdir(in_dir("one"), 0777);
	copy("rgb.png", "one/1.png");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(in_dir("one"), text_file("bad.json", bad[i].text), &rgb_nchw, bad[i].why);
}

static void test_sources_refused(void **state)
{
	static const struct samples_input ambiguous = { "x", ELEM_FLOAT32, 4, { 1, 3, 9, 3 } };
	static const struct samples_input batch = { "x", ELEM_FLOAT32, 4, { 2, 3, 17, 23 } };
	static const struct samples_input two[2] = { rgb_nchw, rgb_nchw };
	float x[17 * 23 * 3], *to[1] = { x };
	struct error err = { "" };
	struct samples *s;

	(void)state;
	mkdir(in_dir("empty"), 0777);
	refused(in_dir("nowhere"), NULL, &rgb_nchw, "No such file");
	refused(in_dir("empty"), NULL, &rgb_nchw, "no pictures");
	refused(in_dir("one"), NULL, &ambiguous, "which axis of input x");
	refused(in_dir("one"), NULL, &batch, "takes 2 pictures at a time");
	assert_int_equal(samples_open(in_dir("one"), NULL, two, 2, 0, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "the model has 2"));
	mkdir(in_dir("mixed"), 0777);
	copy("rgb.png", "mixed/1.png");
	copy("rgb.png.npy", "mixed/2.npy");
	refused(in_dir("mixed"), NULL, &rgb_nchw, "both pictures");
	mkdir(in_dir("broken"), 0777);
	text_file("broken/1.png", "\x89PNG\r\n\x1a\nand nothing");
	text_file("broken/2.jpg", "\xff\xd8\xff\xe0");
	text_file("broken/3.png", "GIF89a");
	s = opened(in_dir("broken"), NULL, &rgb_nchw, 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const why[] = { "1.png: PNG", "2.jpg: JPEG", "3.png: neither" };

		assert_true(samples_get(s, i, to, NULL, &err) < 0);
		if (!strstr(err.text, why[i]))
			fail_msg("%s", err.text);
	}
	samples_close(s);
}

/* Every prefix of a picture is refused in words, and so is one whose header promises too much. */
static void test_pictures_cut_short(void **state)
{
	static const char *const names[] = { "rgb.png", "rgb.jpg", "progressive.jpg" };
	struct error err;
	struct picture p;
	void *data;
	size_t size;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(file_read(fixture(names[i]), &data, &size, NULL), 0);
		for (size_t n = 0; n + 2 < size; n++) {
			err.text[0] = '\0';
			assert_true(picture_parse(data, n, "p", &p, &err) < 0);
			assert_true(err.text[0] && !p.data);
		}
		free(data);
	}
	assert_int_equal(picture_new(&p, 16384, 16384, 4, "p", &err), -EFBIG);
	assert_int_equal(picture_new(&p, 20000, 1, 1, "p", &err), -EFBIG);
}

static void test_arrays(void **state)
{
	static const struct samples_input input = { "x", ELEM_FLOAT32, 4, { 1, 2, 2, 3 } };
	static const struct samples_input first = { "x", ELEM_FLOAT32, 4, { 1, 3, 2, 2 } };
	uint8_t values[2 * 12];
	int64_t labels[2] = { 1, 0 };
	struct npy a = { .type = ELEM_UINT8, .ndim = 4, .shape = { 2, 2, 2, 3 }, .data = values,
			 .size = sizeof(values) };
	struct npy l = { .type = ELEM_INT64, .ndim = 1, .shape = { 2 }, .data = labels,
			 .size = sizeof(labels) };
	float x[12], *to[1] = { x };
	struct samples *s;
	int label;

	(void)state;
	for (int i = 0; i < 24; i++)
		values[i] = (uint8_t)(10 * i);
	assert_int_equal(npy_write(in_dir("a.npy"), &a, NULL), 0);
	s = opened(in_dir("a.npy"), NULL, &input, 0);
	assert_int_equal(samples_count(s), 2);
	assert_int_equal(samples_get(s, 1, to, &label, NULL), 0);
	assert_int_equal(label, -1);
	for (int i = 0; i < 12; i++)
		assert_true(x[i] == 10 * (12 + i));
	samples_close(s);
	/* The model has its channels first, and a description. */
	s = opened(in_dir("a.npy"), text_file("a.json", "{\"scale\": 0.5, \"mean\": [1, 2, 3]}"), &first,
		   0);
	assert_int_equal(samples_get(s, 0, to, NULL, NULL), 0);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < 4; i++)
			assert_true(x[4 * c + i] == 5.0f * (float)(3 * i + c) - (float)(c + 1));
	samples_close(s);
	assert_int_equal(npz_write(in_dir("a.npz"), (const char *[]){ "x", "labels" },
				   (struct npy[]){ a, l }, 2, NULL), 0);
	s = opened(in_dir("a.npz"), NULL, &input, 0);
	assert_int_equal(samples_classes(s), 2);
	assert_int_equal(samples_get(s, 0, to, &label, NULL), 0);
	assert_int_equal(label, 1);
	samples_close(s);
	l.shape[0] = 1;
	l.size = 8;
	assert_int_equal(npz_write(in_dir("b.npz"), (const char *[]){ "x", "labels" },
				   (struct npy[]){ a, l }, 2, NULL), 0);
	refused(in_dir("b.npz"), NULL, &input, "are not 2 whole numbers");
	refused(in_dir("a.npy"), NULL, &rgb_nchw, "samples of 2x2x3 for input x of 1x3x17x23");
}

/* A model of two inputs, a file for each sample. */
static void test_folder_of_archives(void **state)
{
	static const struct samples_input two[2] = { { "x", ELEM_FLOAT32, 2, { 1, 2 } },
						     { "y", ELEM_FLOAT32, 1, { 3 } } };
	float a[2] = { 1, 2 }, b[3] = { 3, 4, 5 }, x[2], y[3], *to[2] = { x, y };
	struct npy arrays[2] = { { .type = ELEM_FLOAT32, .ndim = 1, .shape = { 2 }, .data = a,
				   .size = 8 },
				 { .type = ELEM_FLOAT32, .ndim = 1, .shape = { 3 }, .data = b,
				   .size = 12 } };
	struct error err = { "" };
	struct samples *s;
	int label;

	(void)state;
	mkdir(in_dir("archives"), 0777);
	mkdir(in_dir("archives/yes"), 0777);
	assert_int_equal(npz_write(in_dir("archives/yes/1.npz"), (const char *[]){ "y", "x" },
				   (struct npy[]){ arrays[1], arrays[0] }, 2, NULL), 0);
	assert_int_equal(npz_write(in_dir("archives/yes/2.npz"), (const char *[]){ "x" }, arrays, 1,
				   NULL), 0);
	assert_int_equal(samples_open(in_dir("archives"), NULL, two, 2, 0, &s, &err), 0);
	assert_int_equal(samples_get(s, 0, to, &label, &err), 0);
	assert_int_equal(label, 0);
	assert_true(x[1] == 2 && y[0] == 3 && y[2] == 5);
	assert_int_equal(samples_get(s, 1, to, &label, &err), -EINVAL);
	assert_non_null(strstr(err.text, "2.npz: no array \"y\""));
	samples_close(s);
}

static void write_sound(const char *path, int rate, int channels, size_t frames, double hertz)
{
	SF_INFO info = { .samplerate = rate, .channels = channels,
			 .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT };
	SNDFILE *f = sf_open(path, SFM_WRITE, &info);

	assert_non_null(f);
	for (size_t i = 0; i < frames; i++) {
		float v[2] = { (float)sin(2 * M_PI * hertz * (double)i / rate), 0 };

		assert_int_equal(sf_writef_float(f, v, 1), 1);
	}
	sf_close(f);
}

static void test_sounds(void **state)
{
	static const struct samples_input input = { "x", ELEM_FLOAT32, 2, { 1, 400 } };
	float x[400], *to[1] = { x };
	struct samples *s;

	(void)state;
	mkdir(in_dir("sounds"), 0777);
	write_sound(in_dir("sounds/1.wav"), 8000, 1, 500, 440);
	write_sound(in_dir("sounds/2.wav"), 8000, 2, 1000, 440);
	s = opened(in_dir("sounds"), text_file("s.json", "{\"hop\": 100}"), &input, 0);
	assert_int_equal(samples_count(s), 2 + 7);
	assert_int_equal(samples_get(s, 3, to, NULL, NULL), 0);
	/* The second file's second window, its channels' mean. */
	for (int i = 0; i < 400; i++)
		assert_float_equal(x[i], 0.5 * sin(2 * M_PI * 440 * (100 + i) / 8000.0), 1e-6);
	samples_close(s);
	/* At twice the rate; away from the ends a sine stays a sine. */
	s = opened(in_dir("sounds/2.wav"), text_file("s.json", "{\"rate\": 16000}"), &input, 0);
	assert_int_equal(samples_count(s), 5);
	assert_int_equal(samples_get(s, 1, to, NULL, NULL), 0);
	for (int i = 0; i < 400; i++)
		assert_float_equal(x[i], 0.5 * sin(2 * M_PI * 440 * (400 + i) / 16000.0), 2e-3);
	samples_close(s);
	text_file("sounds/2.wav", "RIFFxxxxWAVE");
	refused(in_dir("sounds"), NULL, &input, "2.wav");
}

static void test_bytes(void **state)
{
	static const struct samples_input input = { "x", ELEM_INT32, 2, { 1, 10 } };
	const char *prep = text_file("m.json", "{\"bytes\": {\"begin\": 4, \"middle\": 2, \"end\": 4,"
					       " \"pad\": 256, \"strip\": true, \"block\": 6}}");
	static const float longer[10] = { 'b', 'c', 'd', 'e', 'f', 'g', 'k', 'l', 'm', 'n' };
	static const float shorter[10] = { 'b', '\n', 256, 256, ' ', 'b', 256, 256, ' ', 'b' };
	float x[10], *to[1] = { x };
	struct samples *s;

	(void)state;
	mkdir(in_dir("bytes"), 0777);
	text_file("bytes/1", " \nbcdefghijklmn");
	text_file("bytes/2", " b\n");
	text_file("bytes/3", "");
	s = opened(in_dir("bytes"), prep, &input, 0);
	assert_int_equal(samples_get(s, 0, to, NULL, NULL), 0);
	/* 15 bytes: the middle two are at 6 and 7. */
	assert_memory_equal(x, longer, sizeof(float) * 4);
	assert_true(x[4] == 'f' && x[5] == 'g');
	assert_memory_equal(x + 6, longer + 6, sizeof(float) * 4);
	assert_int_equal(samples_get(s, 1, to, NULL, NULL), 0);
	assert_memory_equal(x, shorter, sizeof(float) * 4);
	assert_memory_equal(x + 6, shorter + 6, sizeof(float) * 4);
	assert_int_equal(samples_get(s, 2, to, NULL, NULL), 0);
	for (int i = 0; i < 10; i++)
		assert_true(x[i] == 256);
	samples_close(s);
}

static void test_description_next_to_model(void **state)
{
	char *found;

	(void)state;
	text_file("net.preprocess.json", "{}");
	found = samples_find_preprocess(in_dir("net.int8.tflite"));
	assert_string_equal(found, in_dir("net.preprocess.json"));
	free(found);
	assert_null(samples_find_preprocess(in_dir("other.onnx")));
}

static int set_up(void **state)
{
	(void)state;
	return !mkdtemp(dir);
}

static int tear_down(void **state)
{
	char command[400];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoders_give_pillows_pixels),
		cmocka_unit_test(test_grey_is_pillows),
		cmocka_unit_test(test_resize_is_pillows),
		cmocka_unit_test(test_resize_without_antialias),
		cmocka_unit_test(test_crop_is_the_middle),
		cmocka_unit_test(test_padding_is_around),
		cmocka_unit_test(test_folder_of_pictures),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_descriptions_refused),
		cmocka_unit_test(test_sources_refused),
		cmocka_unit_test(test_pictures_cut_short),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_folder_of_archives),
		cmocka_unit_test(test_sounds),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_description_next_to_model),
	};

	fixtures = argc > 1 ? argv[1] : "tests/samples";
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
