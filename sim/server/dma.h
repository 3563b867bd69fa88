/* SPDX-License-Identifier: MIT */
/* Guest memory that the NPU may reach: what VU_DMA_MAP and VU_DMA_UNMAP keep. */
#ifndef ACCEL_SERVER_DMA_H
#define ACCEL_SERVER_DMA_H

#include <pthread.h>

#include "sim/npu.h"

#define DMA_MAX_WINDOWS	1024

/**
 * struct dma_window - one mapping
 * @win: as the NPU sees it. host is NULL if the client gave no file: the NPU can not reach it then.
 * @used: the NPU was told of it and may remember it
 */
struct dma_window {
	struct npu_window win;
	bool used;
};

/**
 * struct dma - all mappings, by address
 * @lock: the thread of the connection changes the table while the one that runs jobs reads it
 * @next_id: of struct npu_window
 */
struct dma {
	pthread_mutex_t lock;
	struct dma_window *window;
	unsigned int count;
	uint64_t next_id;
};

int dma_init(struct dma *dma);
void dma_destroy(struct dma *dma);

/**
 * dma_map - let the NPU reach memory of the client
 * @addr, @size: bus address and bytes; @size not 0
 * @access: NPU_ACCESS_*
 * @fd: the memory, from @offset on; -1: it can not be shared. Stays the caller's.
 *
 * Return: 0; -EINVAL (empty, past the end of the address space, outside of the file), -EEXIST
 * (overlaps another), -ENOSPC (DMA_MAX_WINDOWS), -ENOMEM, or what mmap said.
 */
int dma_map(struct dma *dma, uint64_t addr, uint64_t size, unsigned int access, int fd,
	    uint64_t offset);

/**
 * dma_take - remove a mapping from the table; the memory stays until dma_release()
 *
 * Return: 0, -ENOENT if there is none with just this @addr and @size.
 */
int dma_take(struct dma *dma, uint64_t addr, uint64_t size, struct dma_window *out);

/* Remove the last mapping. False if there is none left. */
bool dma_take_any(struct dma *dma, struct dma_window *out);
void dma_release(const struct dma_window *window);

/* struct npu_bus_ops.resolve */
int dma_resolve(struct dma *dma, uint64_t addr, uint64_t len, unsigned int access,
		struct npu_window *win);

#endif
