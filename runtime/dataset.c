/* SPDX-License-Identifier: MIT */
/* Reads Fashion-MNIST as Debian packages it: idx files, compressed. */
#include "runtime/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FASHION		"fashion-mnist"
#define FASHION_DIR	"/usr/share/datasets/fashion-mnist"
#define FASHION_PACKAGE	"dataset-fashion-mnist"
#define IDX_BYTES	0x08	/* element type of an idx file */
#define IDX_MAX		(1u << 20)

static const char *const fashion_classes[] = {
	"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
	"Sandal",      "Shirt",	  "Sneaker",  "Bag",   "Ankle boot",
};

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* An idx file of bytes with @rank dimensions: two zero bytes, type, rank, big-endian sizes, data.
 */
static int read_idx(const char *dir, const char *file, unsigned int rank, uint32_t *sizes,
		    uint8_t **data, struct error *err)
{
	uint8_t header[16];
	char path[1024];
	size_t total = 1;
	gzFile f;
	int rc;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
		return error_set(err, -ENAMETOOLONG, "%s: name too long", dir);
	f = gzopen(path, "rb");
	if (!f)
		return error_set(err, -ENOENT, "%s: %s (Debian: apt install " FASHION_PACKAGE ")",
				 path, strerror(errno ? errno : ENOMEM));
	*data = NULL;
	if (gzread(f, header, 4 + 4 * rank) != (int)(4 + 4 * rank) || header[0] || header[1] ||
	    header[2] != IDX_BYTES || header[3] != rank) {
		rc = error_set(err, -EINVAL, "%s: not an idx file of bytes with %u dimensions",
			       path, rank);
		goto out;
	}
	for (unsigned int i = 0; i < rank; i++) {
		sizes[i] = big_endian(header + 4 + 4 * i);
		if (!sizes[i] || sizes[i] > IDX_MAX || total > (1ull << 30) / sizes[i]) {
			rc = error_set(err, -EINVAL, "%s: dimension %u is %u", path, i, sizes[i]);
			goto out;
		}
		total *= sizes[i];
	}
	*data = malloc(total);
	if (!*data) {
		rc = error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	rc = gzread(f, *data, (unsigned int)total) == (int)total ?
		     0 : error_set(err, -EINVAL, "%s: cut short or damaged", path);
	if (rc) {
		free(*data);
		*data = NULL;
	}
out:
	gzclose(f);
	return rc;
}

bool dataset_known(const char *spec)
{
	size_t len = strcspn(spec, ":");

	return len == strlen(FASHION) && !memcmp(spec, FASHION, len);
}

/* What follows the name: ":DIR", ":PART" or ":DIR:PART". */
static void split_spec(const char *spec, char *dir, size_t size, bool *train)
{
	const char *rest = spec + strcspn(spec, ":"), *last = strrchr(rest, ':');

	*train = last && !strcmp(last, ":train");
	if (last && (*train || !strcmp(last, ":test")))
		snprintf(dir, size, "%.*s", last > rest ? (int)(last - rest - 1) : 0, rest + 1);
	else
		snprintf(dir, size, "%s", *rest ? rest + 1 : "");
	if (!*dir)
		snprintf(dir, size, FASHION_DIR);
}

int dataset_open(const char *spec, struct dataset *out, struct error *err)
{
	uint32_t image[3], label[1];
	char dir[1024];
	bool train;
	int rc;

	memset(out, 0, sizeof(*out));
	if (!dataset_known(spec))
		return error_set(err, -EINVAL,
				 "no data set \"%.*s\"; there is " FASHION "[:DIR][:train|test]",
				 (int)strcspn(spec, ":"), spec);
	split_spec(spec, dir, sizeof(dir), &train);
	rc = read_idx(dir, train ? "train-images-idx3-ubyte.gz" : "t10k-images-idx3-ubyte.gz", 3,
		      image, &out->pixels, err);
	if (!rc)
		rc = read_idx(dir, train ? "train-labels-idx1-ubyte.gz" : "t10k-labels-idx1-ubyte.gz",
			      1, label, &out->labels, err);
	if (!rc && image[0] != label[0])
		rc = error_set(err, -EINVAL, "%s: %u pictures, %u labels", dir, image[0], label[0]);
	out->classes = sizeof(fashion_classes) / sizeof(fashion_classes[0]);
	out->class_names = fashion_classes;
	for (uint32_t i = 0; !rc && i < label[0]; i++)
		if (out->labels[i] >= out->classes)
			rc = error_set(err, -EINVAL, "%s: picture %u has label %u", dir, i,
				       out->labels[i]);
	if (rc) {
		dataset_close(out);
		return rc;
	}
	out->count = image[0];
	out->height = image[1];
	out->width = image[2];
	return 0;
}

void dataset_close(struct dataset *dataset)
{
	free(dataset->pixels);
	free(dataset->labels);
	memset(dataset, 0, sizeof(*dataset));
}
