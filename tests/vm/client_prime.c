/* SPDX-License-Identifier: MIT */
/* Tests in the guest: buffers that travel as dma-bufs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/vm/client.h"
#include "tests/vm/drm.h"
#include "uapi/ethosu_accel.h"

static void sync_cpu(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };
	int ret = node_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);

	if (ret)
		fail("DMA_BUF_IOCTL_SYNC", ret);
}

/*
 * prime: one client's destination, exported; another imports it and has its own job write there. The
 * first's mapping, and the dma-buf's, show it.
 */
int cmd_prime(const char *node, int argc, char **argv)
{
	struct drm_prime_handle out = { .flags = O_CLOEXEC | O_RDWR }, in = { 0 };
	struct client a, b;
	uint8_t *map;
	int ret;

	(void)argv;
	if (argc != 1)
		return 2;
	client_open(&a, node, 0);
	client_open(&b, node, 0);
	out.handle = a.slot[0].to_bo;
	ret = node_ioctl(a.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &out);
	if (ret)
		fail("PRIME_HANDLE_TO_FD", ret);
	in.fd = out.fd;
	ret = node_ioctl(b.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &in);
	if (ret)
		fail("PRIME_FD_TO_HANDLE", ret);
	slot_fill(&b.slot[0], 77);
	memset(a.slot[0].to, 0, COPY_LEN);
	b.slot[0].to_bo = in.handle;
	ret = client_submit(&b, &b.slot[0]);
	if (ret)
		fail("SUBMIT", ret);
	/* The fence is the buffer's, so the exporter can wait for the importer's job. */
	ret = client_wait(&a, &a.slot[0]);
	if (ret)
		fail("BO_WAIT", ret);
	if (memcmp(a.slot[0].to, b.slot[0].from, COPY_LEN))
		fail("the exporter does not see it", -EIO);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, out.fd, 0);
	if (map == MAP_FAILED)
		fail("mmap of the dma-buf", -errno);
	sync_cpu(out.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	ret = memcmp(map, b.slot[0].from, COPY_LEN);
	sync_cpu(out.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	if (ret)
		fail("the dma-buf does not show it", -EIO);
	/* The memory outlives the file it came from. */
	client_close(&a);
	slot_fill(&b.slot[1], 78);
	b.slot[1].to_bo = in.handle;
	ret = client_submit(&b, &b.slot[1]);
	if (!ret)
		ret = client_wait(&b, &b.slot[1]);
	if (ret)
		fail("a job on memory whose first owner has gone", ret);
	if (memcmp(map, b.slot[1].from, COPY_LEN))
		fail("the dma-buf does not show the second job", -EIO);
	munmap(map, 4096);
	close(out.fd);
	client_close(&b);
	puts("prime: exported, imported, written, read");
	return 0;
}
