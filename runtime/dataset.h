/* SPDX-License-Identifier: MIT */
/* Labelled data sets that a package manager can install. */
#ifndef ACCEL_RUNTIME_DATASET_H
#define ACCEL_RUNTIME_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"

/**
 * struct dataset - pictures and what they show
 * @classes, @class_names: what there is to tell apart
 * @count: pictures
 * @height, @width: of each, one byte a pixel, 0 to 255
 * @pixels, @labels: of all
 */
struct dataset {
	unsigned int classes;
	const char *const *class_names;
	size_t count;
	unsigned int height, width;
	uint8_t *pixels;
	uint8_t *labels;
};

/* Is what is before the first colon the name of a data set? */
bool dataset_known(const char *spec);

/**
 * dataset_open - load a part of a data set
 * @spec: "fashion-mnist[:DIR][:train|test]": where its files are if not where Debian has them; the
 *	part, test unless said
 *
 * Return: 0, -ENOENT (@err names the package), -EINVAL, -ENOMEM.
 */
int dataset_open(const char *spec, struct dataset *out, struct error *err);
void dataset_close(struct dataset *dataset);

#endif
