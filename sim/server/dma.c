/* SPDX-License-Identifier: MIT */
/* Guest memory that the NPU may reach: a sorted table of mappings. */
#include "sim/server/dma.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int dma_init(struct dma *dma)
{
	*dma = (struct dma){ .next_id = 1 };
	dma->window = calloc(DMA_MAX_WINDOWS, sizeof(*dma->window));
	if (!dma->window)
		return -ENOMEM;
	pthread_mutex_init(&dma->lock, NULL);
	return 0;
}

void dma_destroy(struct dma *dma)
{
	struct dma_window window;

	while (dma_take_any(dma, &window))
		dma_release(&window);
	free(dma->window);
	pthread_mutex_destroy(&dma->lock);
}

/* With the lock held: the first window that ends after @addr. */
static unsigned int find(const struct dma *dma, uint64_t addr)
{
	unsigned int lo = 0, hi = dma->count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (dma->window[mid].win.addr + (dma->window[mid].win.size - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int map_host(struct npu_window *win, int fd, uint64_t offset)
{
	int prot = (win->access & NPU_ACCESS_READ ? PROT_READ : 0) |
		   (win->access & NPU_ACCESS_WRITE ? PROT_WRITE : 0);
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	/* Behind the end of a file is SIGBUS. */
	if (st.st_size < 0 || offset > (uint64_t)st.st_size ||
	    win->size > (uint64_t)st.st_size - offset)
		return -EINVAL;
	win->host = mmap(NULL, win->size, prot, MAP_SHARED, fd, (off_t)offset);
	if (win->host == MAP_FAILED)
		return -errno;
	return 0;
}

int dma_map(struct dma *dma, uint64_t addr, uint64_t size, unsigned int access, int fd,
	    uint64_t offset)
{
	struct npu_window win = { .addr = addr, .size = size, .access = access };
	unsigned int at;
	int ret = 0;

	if (!size || addr + (size - 1) < addr)
		return -EINVAL;
	pthread_mutex_lock(&dma->lock);
	at = find(dma, addr);
	if (at < dma->count && dma->window[at].win.addr <= addr + (size - 1))
		ret = -EEXIST;
	else if (dma->count == DMA_MAX_WINDOWS)
		ret = -ENOSPC;
	else if (fd >= 0)
		ret = map_host(&win, fd, offset);
	if (ret)
		goto out;
	win.id = dma->next_id++;
	memmove(&dma->window[at + 1], &dma->window[at],
		(dma->count - at) * sizeof(*dma->window));
	dma->window[at] = (struct dma_window){ .win = win };
	dma->count++;
out:
	pthread_mutex_unlock(&dma->lock);
	return ret;
}

int dma_take(struct dma *dma, uint64_t addr, uint64_t size, struct dma_window *out)
{
	unsigned int at;
	int ret = 0;

	pthread_mutex_lock(&dma->lock);
	at = find(dma, addr);
	if (at == dma->count || dma->window[at].win.addr != addr ||
	    dma->window[at].win.size != size) {
		ret = -ENOENT;
		goto out;
	}
	*out = dma->window[at];
	dma->count--;
	memmove(&dma->window[at], &dma->window[at + 1],
		(dma->count - at) * sizeof(*dma->window));
out:
	pthread_mutex_unlock(&dma->lock);
	return ret;
}

bool dma_take_any(struct dma *dma, struct dma_window *out)
{
	bool any;

	pthread_mutex_lock(&dma->lock);
	any = dma->count;
	if (any)
		*out = dma->window[--dma->count];
	pthread_mutex_unlock(&dma->lock);
	return any;
}

void dma_release(const struct dma_window *window)
{
	if (window->win.host)
		munmap(window->win.host, window->win.size);
}

int dma_resolve(struct dma *dma, uint64_t addr, uint64_t len, unsigned int access,
		struct npu_window *win)
{
	struct dma_window *window;
	unsigned int at;
	int ret = -EFAULT;

	pthread_mutex_lock(&dma->lock);
	at = find(dma, addr);
	window = &dma->window[at];
	if (at < dma->count && window->win.host && addr >= window->win.addr &&
	    len <= window->win.size - (addr - window->win.addr) &&
	    (window->win.access & access) == access) {
		window->used = true;
		*win = window->win;
		ret = 0;
	}
	pthread_mutex_unlock(&dma->lock);
	return ret;
}
