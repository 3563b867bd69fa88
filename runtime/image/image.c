/* SPDX-License-Identifier: MIT */
/* Memory of an image, and its tensors. */
#include "runtime/image/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct image_block {
	struct image_block *next;
	void *memory;
	void (*release)(void *memory);
};

struct image *image_new(const char *name)
{
	struct image *image = calloc(1, sizeof(*image));
	char *copy;

	if (!image)
		return NULL;
	copy = image_alloc(image, strlen(name) + 1, 1);
	if (!copy) {
		image_free(image);
		return NULL;
	}
	strcpy(copy, name);
	image->name = copy;
	return image;
}

void image_free(struct image *image)
{
	struct image_block *block, *next;

	if (!image)
		return;
	for (block = image->blocks; block; block = next) {
		next = block->next;
		block->release(block->memory);
		free(block);
	}
	free(image);
}

int image_own(struct image *image, void *memory, void (*release)(void *memory))
{
	struct image_block *block = malloc(sizeof(*block));

	if (!block) {
		release(memory);
		return -ENOMEM;
	}
	*block = (struct image_block){ image->blocks, memory, release };
	image->blocks = block;
	return 0;
}

void *image_alloc(struct image *image, size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	return memory && !image_own(image, memory, free) ? memory : NULL;
}

uint32_t *image_list(struct image *image, const uint32_t *list, uint32_t count)
{
	uint32_t *copy = image_alloc(image, count, sizeof(*copy));

	if (copy && count)
		memcpy(copy, list, count * sizeof(*copy));
	return copy;
}

size_t image_tensor_size(const struct image_tensor *tensor)
{
	size_t n = elem_size(tensor->type);

	for (unsigned int i = 0; i < tensor->ndim; i++)
		n *= (size_t)tensor->shape[i];
	return n;
}

uint64_t image_own_size(const struct image *image)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < image->tensor_count; i++)
		if (image->tensors[i].place == IMAGE_OWN)
			bytes += image_tensor_size(&image->tensors[i]);
	return bytes;
}

float image_scale(const struct image_tensor *tensor, uint32_t index)
{
	if (!tensor->scale_count)
		return 0;
	return tensor->scales[tensor->scale_count == 1 ? 0 : index];
}

int32_t image_zero_point(const struct image_tensor *tensor, uint32_t index)
{
	if (!tensor->scale_count)
		return 0;
	return tensor->zero_points[tensor->scale_count == 1 ? 0 : index];
}
