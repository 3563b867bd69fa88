/* SPDX-License-Identifier: MIT */
/* Memory of a simulated device: memfds at simulated bus addresses, and jobs' views of them. */
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142	/* "DMAB", linux/magic.h since 5.10 */
#endif

/* Address 0 and the neighbourhood of every buffer stay unmapped, so that a stray access faults. */
#define ADDR_FIRST (UINT64_C(1) << 20)
#define ADDR_GAP (UINT64_C(64) << 10)

/* Views a buffer keeps that no job uses. */
#define VIEWS_IDLE_MAX 32

#define to_sim_device(device) ((struct sim_device *)(device))
#define to_sim_buffer(buffer) ((struct sim_buffer *)(buffer))

static uint64_t gap_align(uint64_t addr)
{
	return (addr + ADDR_GAP - 1) / ADDR_GAP * ADDR_GAP;
}

/* With the lock held: the lowest place that is large enough. */
static int place(struct sim_device *sim, struct sim_buffer *buffer)
{
	struct sim_buffer *after = NULL, *b;
	uint64_t addr = ADDR_FIRST;

	LIST_FOREACH(b, &sim->buffers, link) {
		if (b->addr >= addr && b->addr - addr >= buffer->base.size + ADDR_GAP)
			break;
		addr = gap_align(b->addr + b->base.size + ADDR_GAP);
		after = b;
	}
	if (addr >= sim->addr_end || buffer->base.size > sim->addr_end - addr)
		return -ENOSPC;
	buffer->addr = addr;
	if (after)
		LIST_INSERT_AFTER(after, buffer, link);
	else
		LIST_INSERT_HEAD(&sim->buffers, buffer, link);
	return 0;
}

static void *map_host(uint64_t size, int fd, bool sealed)
{
	if (fd < 0)
		return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sealed)
		return mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/*
 * @fd: of the memory, becomes the buffer's on success; -1: anonymous. Of @base only the size is
 * filled.
 */
int sim_memory_new(struct sim_device *sim, uint64_t size, int fd, bool sealed,
		   struct sim_buffer **out, struct accel_error *err)
{
	struct sim_buffer *buffer;
	int ret;

	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return accel_fail(err, -ENOMEM, "buffer: out of memory");
	buffer->base.size = size;
	buffer->fd = fd;
	buffer->sealed = sealed;
	buffer->host = map_host(size, fd, sealed);
	if (buffer->host == MAP_FAILED) {
		ret = errno;
		accel_fail(err, -ret, "buffer: cannot map %" PRIu64 " bytes: %s", size,
			   strerrordesc_np(ret));
		free(buffer);
		return -ret;
	}
	pthread_mutex_lock(&sim->lock);
	ret = place(sim, buffer);
	pthread_mutex_unlock(&sim->lock);
	if (ret) {
		munmap(buffer->host, size);
		free(buffer);
		return accel_fail(err, ret, "buffer: no room for %" PRIu64
				  " bytes in the NPU's address range", size);
	}
	*out = buffer;
	return 0;
}

/* Neither device nor jobs know it any more. */
void sim_memory_free(struct sim_buffer *buffer)
{
	munmap(buffer->host, buffer->base.size);
	if (buffer->fd >= 0)
		close(buffer->fd);
	free(buffer);
}

/* With the lock held and no one executing. */
static void forget_views(struct sim_device *sim, struct sim_view *view)
{
	struct sim_view *next;

	for (; view; view = next) {
		next = view->next;
		npu_window_gone(sim->npu, view->win.id);
		free(view);
	}
}

void sim_reap(struct sim_device *sim)
{
	struct sim_buffer *buffer;

	if (sim->grave_views) {
		forget_views(sim, sim->grave_views);
		sim->grave_views = NULL;
	}
	while ((buffer = LIST_FIRST(&sim->grave))) {
		LIST_REMOVE(buffer, link);
		forget_views(sim, buffer->views);
		sim_memory_free(buffer);
	}
}

static void bury_view(struct sim_device *sim, struct sim_view *view)
{
	view->next = sim->grave_views;
	sim->grave_views = view;
}

void sim_buffer_destroy(struct accel_buffer *base)
{
	struct sim_device *sim = to_sim_device(base->device);
	struct sim_buffer *buffer = to_sim_buffer(base);

	pthread_mutex_lock(&sim->lock);
	LIST_REMOVE(buffer, link);
	LIST_INSERT_HEAD(&sim->grave, buffer, link);
	if (!sim->executing)
		sim_reap(sim);
	pthread_mutex_unlock(&sim->lock);
}

/* Too many views that no job uses: bury the one used longest ago. */
static void trim_views(struct sim_device *sim, struct sim_buffer *buffer)
{
	struct sim_view **link, **last = NULL, *view;

	for (link = &buffer->views; *link; link = &(*link)->next)
		if (!(*link)->users)
			last = link;
	if (!last)
		return;
	view = *last;
	*last = view->next;
	buffer->view_count--;
	bury_view(sim, view);
	if (!sim->executing)
		sim_reap(sim);
}

struct sim_view *sim_view_get(struct sim_device *sim, struct sim_buffer *buffer, uint64_t offset,
			      uint64_t length)
{
	struct sim_view **link, *view;

	for (link = &buffer->views; (view = *link); link = &view->next) {
		if (view->win.addr != buffer->addr + offset || view->win.size != length)
			continue;
		*link = view->next;
		goto found;
	}
	if (buffer->view_count >= VIEWS_IDLE_MAX)
		trim_views(sim, buffer);
	view = calloc(1, sizeof(*view));
	if (!view)
		return NULL;
	view->win.host = (char *)buffer->host + offset;
	view->win.addr = buffer->addr + offset;
	view->win.size = length;
	view->win.id = ++sim->next_id;
	view->win.access = buffer->sealed ? NPU_ACCESS_READ : NPU_ACCESS_READ | NPU_ACCESS_WRITE;
	view->win.constant = buffer->sealed;
	buffer->view_count++;
found:
	view->next = buffer->views;
	buffer->views = view;
	view->users++;
	return view;
}

static int new_memfd(uint64_t size, struct accel_error *err)
{
	int fd, ret;

	fd = memfd_create("accel-buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		ret = errno;
		return accel_fail(err, -ret, "buffer: memfd_create: %s%s", strerrordesc_np(ret),
				  ret == EMFILE ? " (each buffer holds one, see ulimit -n)" : "");
	}
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW)) {
		ret = errno == EFBIG || errno == ENOSPC ? ENOMEM : errno;
		close(fd);
		return accel_fail(err, -ret, "buffer: a memfd of %" PRIu64 " bytes: %s", size,
				  strerrordesc_np(ret));
	}
	return fd;
}

int sim_buffer_create(struct accel_device *device, uint64_t size, uint32_t flags,
		      struct accel_buffer **out, struct accel_error *err)
{
	struct sim_buffer *buffer;
	int ret, fd = -1;

	if (!(flags & ACCEL_BUFFER_PRIVATE)) {
		fd = new_memfd(size, err);
		if (fd < 0)
			return fd;
	}
	ret = sim_memory_new(to_sim_device(device), size, fd, false, &buffer, err);
	if (ret) {
		if (fd >= 0)
			close(fd);
		return ret;
	}
	*out = &buffer->base;
	return 0;
}

/*
 * Memory that can vanish under the NPU would kill the process: only what cannot shrink is taken.
 * *sealed: no one can write it either.
 */
static int check_import(int fd, uint64_t *size, bool *sealed, struct accel_error *err)
{
	struct statfs fs;
	off_t end;
	int flags, seals;

	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || flags & O_PATH)
		return accel_fail(err, -EBADF, "import: %d is not an open file descriptor", fd);
	seals = fcntl(fd, F_GET_SEALS);
	*sealed = seals >= 0 && seals & F_SEAL_WRITE;
	if ((flags & O_ACCMODE) != O_RDWR && !*sealed)
		return accel_fail(err, -EACCES, "import: fd %d is not open for reading and writing",
				  fd);
	if (seals >= 0) {
		if (!(seals & F_SEAL_SHRINK) && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
			return accel_fail(
				err, -EINVAL,
				"import: fd %d can shrink and cannot be sealed against it", fd);
	} else if (fstatfs(fd, &fs) || fs.f_type != DMA_BUF_MAGIC) {
		return accel_fail(err, -EINVAL, "import: fd %d is neither a dma-buf nor a memfd",
				  fd);
	}
	end = lseek(fd, 0, SEEK_END);
	if (end <= 0)
		return accel_fail(err, -EINVAL, "import: fd %d is empty", fd);
	*size = (uint64_t)end;
	return 0;
}

int sim_buffer_import(struct accel_device *device, int fd, uint32_t flags,
		      struct accel_buffer **out, struct accel_error *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct sim_buffer *buffer;
	uint64_t size = 0;
	bool sealed = false;
	int ret, own;

	(void)flags;
	ret = check_import(fd, &size, &sealed, err);
	if (ret)
		return ret;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0) {
		ret = errno;
		return accel_fail(err, -ret, "import: %s", strerrordesc_np(ret));
	}
	size = (size + page - 1) / page * page;
	ret = sim_memory_new(to_sim_device(device), size, own, sealed, &buffer, err);
	if (ret) {
		close(own);
		return ret;
	}
	*out = &buffer->base;
	return 0;
}

int sim_buffer_export(struct accel_buffer *buffer, int *fd, struct accel_error *err)
{
	int ret;

	ret = fcntl(to_sim_buffer(buffer)->fd, F_DUPFD_CLOEXEC, 0);
	if (ret < 0) {
		ret = errno;
		return accel_fail(err, -ret, "export: %s", strerrordesc_np(ret));
	}
	*fd = ret;
	return 0;
}

/* The NPU needs the mapping anyhow, so it is there from the first to the last. */
int sim_buffer_map(struct accel_buffer *base, void **ptr, struct accel_error *err)
{
	struct sim_buffer *buffer = to_sim_buffer(base);

	(void)err;
	__atomic_fetch_add(&buffer->maps, 1, __ATOMIC_RELAXED);
	*ptr = buffer->host;
	return 0;
}

int sim_buffer_unmap(struct accel_buffer *base)
{
	struct sim_buffer *buffer = to_sim_buffer(base);
	unsigned int maps = __atomic_load_n(&buffer->maps, __ATOMIC_RELAXED);

	do {
		if (!maps)
			return -EINVAL;
	} while (!__atomic_compare_exchange_n(&buffer->maps, &maps, maps - 1, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return 0;
}

/* Make the memory read-only where it is. A shared mapping must go before the kernel seals. */
static int seal_memory(struct sim_buffer *buffer, struct accel_error *err)
{
	int ret = 0;

	if (buffer->fd < 0) {
		if (mprotect(buffer->host, buffer->base.size, PROT_READ))
			ret = errno;
		return ret ? accel_fail(err, -ret, "seal: %s", strerrordesc_np(ret)) : 0;
	}
	if (fcntl(buffer->fd, F_GET_SEALS) < 0)
		return accel_fail(err, -EOPNOTSUPP, "seal: the buffer is an imported dma-buf");
	if (mmap(buffer->host, buffer->base.size, PROT_READ, MAP_PRIVATE | MAP_FIXED, buffer->fd,
		 0) == MAP_FAILED) {
		ret = errno;
		return accel_fail(err, -ret, "seal: %s", strerrordesc_np(ret));
	}
	if (!fcntl(buffer->fd, F_ADD_SEALS, F_SEAL_WRITE))
		return 0;
	ret = errno;
	if (mmap(buffer->host, buffer->base.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 buffer->fd, 0) == MAP_FAILED)
		return accel_fail(err, -ENOMEM,
				  "seal: cannot map the buffer again; it is read-only now");
	if (ret == EBUSY)
		return accel_fail(err, -EBUSY, "seal: the memory is mapped for writing elsewhere");
	return accel_fail(err, -ret, "seal: %s", strerrordesc_np(ret));
}

int sim_buffer_seal(struct accel_buffer *base, struct accel_error *err)
{
	struct sim_device *sim = to_sim_device(base->device);
	struct sim_buffer *buffer = to_sim_buffer(base);
	struct sim_view *view;
	int ret = 0;

	pthread_mutex_lock(&sim->lock);
	if (buffer->sealed)
		goto out;
	for (view = buffer->views; view; view = view->next) {
		if (view->users) {
			ret = accel_fail(err, -EBUSY,
					 "seal: jobs that are not done use the buffer");
			goto out;
		}
	}
	ret = seal_memory(buffer, err);
	if (ret)
		goto out;
	buffer->sealed = true;
	/* Views that let jobs write must not come back. */
	while ((view = buffer->views)) {
		buffer->views = view->next;
		bury_view(sim, view);
	}
	buffer->view_count = 0;
	if (!sim->executing)
		sim_reap(sim);
out:
	pthread_mutex_unlock(&sim->lock);
	return ret;
}

bool sim_buffer_sealed(struct accel_buffer *base)
{
	struct sim_device *sim = to_sim_device(base->device);
	bool sealed;

	pthread_mutex_lock(&sim->lock);
	sealed = to_sim_buffer(base)->sealed;
	pthread_mutex_unlock(&sim->lock);
	return sealed;
}

int sim_program_create(struct accel_device *device, const uint32_t *stream, size_t size,
		       struct accel_program **out, struct accel_error *err)
{
	struct sim_program *program;
	int ret;

	program = calloc(1, sizeof(*program));
	if (!program)
		return accel_fail(err, -ENOMEM, "program: out of memory");
	ret = accel_buffer_copy(device, stream, size, &program->stream, err);
	if (ret) {
		free(program);
		return ret;
	}
	program->stream_size = (uint32_t)size;
	*out = &program->base;
	return 0;
}

void sim_program_destroy(struct accel_program *base)
{
	struct sim_program *program = (struct sim_program *)base;

	accel_buffer_unref(program->stream);
	free(program);
}
