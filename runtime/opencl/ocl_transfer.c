/* SPDX-License-Identifier: MIT */
/* Commands that move bytes: read, write, copy, fill, boxes of bytes, map and unmap. */
#include <stdlib.h>
#include <string.h>

#include "runtime/opencl/ocl_api.h"

/* ---- what is executed ---- */

static uint8_t *at(uint8_t *base, const size_t origin[3], const size_t pitch[2])
{
	return base + origin[2] * pitch[1] + origin[1] * pitch[0] + origin[0];
}

/* Rows of a box. Overlap within a row is allowed for by memmove; boxes do not overlap. */
static cl_int move_box(cl_event e)
{
	const struct ocl_transfer *t = &e->transfer;
	uint8_t *src = t->src ? ocl_mem_data(t->src) : t->host;
	uint8_t *dst = t->dst ? ocl_mem_data(t->dst) : t->host;

	src = at(src, t->src_origin, t->src_pitch);
	dst = at(dst, t->dst_origin, t->dst_pitch);
	for (size_t z = 0; z < t->region[2]; z++)
		for (size_t y = 0; y < t->region[1]; y++)
			memmove(dst + z * t->dst_pitch[1] + y * t->dst_pitch[0],
				src + z * t->src_pitch[1] + y * t->src_pitch[0], t->region[0]);
	return CL_SUCCESS;
}

static cl_int fill(cl_event e)
{
	const struct ocl_transfer *t = &e->transfer;
	uint8_t *dst = ocl_mem_data(t->dst) + t->dst_origin[0];

	for (size_t i = 0; i < t->region[0]; i += t->pattern_size)
		memcpy(dst + i, t->pattern, t->pattern_size);
	return CL_SUCCESS;
}

/* Memory of the application's own is a copy, refreshed when it is mapped and taken over afterwards. */
static cl_int map_host(cl_event e)
{
	struct ocl_map *m = e->transfer.map;
	cl_mem mem = e->transfer.src;

	if (mem->host && !(m->flags & CL_MAP_WRITE_INVALIDATE_REGION))
		memcpy(m->pointer, ocl_mem_data(mem) + m->offset, m->size);
	return CL_SUCCESS;
}

static cl_int unmap_host(cl_event e)
{
	struct ocl_map *m = e->transfer.map;
	cl_mem mem = e->transfer.src;

	if (mem->host && m->flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION))
		memcpy(ocl_mem_data(mem) + m->offset, m->pointer, m->size);
	return CL_SUCCESS;
}

static void release(cl_event e)
{
	struct ocl_transfer *t = &e->transfer;

	if (e->type == CL_COMMAND_UNMAP_MEM_OBJECT)
		free(t->map);
	if (t->src)
		ocl_release_mem(t->src);
	if (t->dst)
		ocl_release_mem(t->dst);
}

/* ---- how it is asked for ---- */

static cl_int check(cl_command_queue q, cl_mem m)
{
	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	if (!ocl_is(m, OCL_MEM))
		return CL_INVALID_MEM_OBJECT;
	return m->context == q->context ? CL_SUCCESS : CL_INVALID_CONTEXT;
}

static bool outside(cl_mem m, size_t offset, size_t size)
{
	return offset > m->size || size > m->size - offset;
}

static cl_event command(cl_command_queue q, cl_command_type type, const struct ocl_transfer *t,
			cl_uint count, const cl_event *waits, cl_int (*run)(cl_event), cl_int *err)
{
	cl_event e = ocl_command(q, type, waits, count, err);

	if (!e)
		return NULL;
	e->transfer = *t;
	e->run = run;
	e->release = release;
	ocl_lock();
	if (t->src)
		ocl_ref(t->src);
	if (t->dst)
		ocl_ref(t->dst);
	ocl_unlock();
	return e;
}

static cl_int enqueue(cl_command_queue q, cl_command_type type, const struct ocl_transfer *t,
		      bool blocking, cl_uint count, const cl_event *waits, cl_event *out,
		      cl_int (*run)(cl_event))
{
	cl_int rc;
	cl_event e = command(q, type, t, count, waits, run, &rc);
	bool failed_wait;

	if (!e)
		return rc;
	rc = ocl_enqueue(e, blocking, out);
	failed_wait = rc < 0 && count;
	return failed_wait ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : rc;
}

cl_int CL_API_CALL ocl_clEnqueueReadBuffer(cl_command_queue q, cl_mem m, cl_bool blocking, size_t offset,
					   size_t size, void *host, cl_uint count,
					   const cl_event *waits, cl_event *out)
{
	const struct ocl_transfer t = {
		.src = m, .host = host, .src_origin = { offset }, .region = { size, 1, 1 },
	};
	cl_int rc = check(q, m);

	if (rc)
		return rc;
	if (!host || !size || outside(m, offset, size))
		return CL_INVALID_VALUE;
	if (m->flags & (CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_NO_ACCESS))
		return CL_INVALID_OPERATION;
	return enqueue(q, CL_COMMAND_READ_BUFFER, &t, blocking, count, waits, out, move_box);
}

cl_int CL_API_CALL ocl_clEnqueueWriteBuffer(cl_command_queue q, cl_mem m, cl_bool blocking,
					    size_t offset, size_t size, const void *host, cl_uint count,
					    const cl_event *waits, cl_event *out)
{
	const struct ocl_transfer t = {
		.dst = m, .host = (void *)(uintptr_t)host, .dst_origin = { offset },
		.region = { size, 1, 1 },
	};
	cl_int rc = check(q, m);

	if (rc)
		return rc;
	if (!host || !size || outside(m, offset, size))
		return CL_INVALID_VALUE;
	if (m->flags & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS))
		return CL_INVALID_OPERATION;
	return enqueue(q, CL_COMMAND_WRITE_BUFFER, &t, blocking, count, waits, out, move_box);
}

/* Enqueue what could be made. */
static cl_int finish(cl_event e, cl_int rc, cl_event *out)
{
	return e ? ocl_enqueue(e, false, out) : rc;
}

cl_event ocl_copy(cl_command_queue q, cl_mem src, cl_mem dst, size_t from, size_t to, size_t size,
		  cl_uint count, const cl_event *waits, cl_int *err)
{
	const struct ocl_transfer t = {
		.src = src, .dst = dst, .src_origin = { from }, .dst_origin = { to },
		.region = { size, 1, 1 },
	};
	size_t a, b;

	*err = check(q, src);
	if (!*err)
		*err = check(q, dst);
	if (*err)
		return NULL;
	*err = CL_INVALID_VALUE;
	if (!size || outside(src, from, size) || outside(dst, to, size))
		return NULL;
	a = src->origin + from;
	b = dst->origin + to;
	*err = CL_MEM_COPY_OVERLAP;
	if (src->data == dst->data && a < b + size && b < a + size)
		return NULL;
	return command(q, CL_COMMAND_COPY_BUFFER, &t, count, waits, move_box, err);
}

cl_int CL_API_CALL ocl_clEnqueueCopyBuffer(cl_command_queue q, cl_mem src, cl_mem dst, size_t from,
					   size_t to, size_t size, cl_uint count, const cl_event *waits,
					   cl_event *out)
{
	cl_int rc;
	cl_event e = ocl_copy(q, src, dst, from, to, size, count, waits, &rc);

	return finish(e, rc, out);
}

cl_event ocl_fill(cl_command_queue q, cl_mem m, const void *pattern, size_t pattern_size, size_t offset,
		  size_t size, cl_uint count, const cl_event *waits, cl_int *err)
{
	struct ocl_transfer t = {
		.dst = m, .dst_origin = { offset }, .region = { size, 1, 1 },
		.pattern_size = pattern_size,
	};

	*err = check(q, m);
	if (*err)
		return NULL;
	*err = CL_INVALID_VALUE;
	if (!pattern || !pattern_size || pattern_size > sizeof(t.pattern) ||
	    pattern_size & (pattern_size - 1) || offset % pattern_size || size % pattern_size ||
	    !size || outside(m, offset, size))
		return NULL;
	memcpy(t.pattern, pattern, pattern_size);
	return command(q, CL_COMMAND_FILL_BUFFER, &t, count, waits, fill, err);
}

cl_int CL_API_CALL ocl_clEnqueueFillBuffer(cl_command_queue q, cl_mem m, const void *pattern,
					   size_t pattern_size, size_t offset, size_t size,
					   cl_uint count, const cl_event *waits, cl_event *out)
{
	cl_int rc;
	cl_event e = ocl_fill(q, m, pattern, pattern_size, offset, size, count, waits, &rc);

	return finish(e, rc, out);
}

/* Pitches of a box; 0: as long as its rows and planes. False: shorter than those. */
static bool pitches(const size_t region[3], size_t row, size_t plane, size_t out[2])
{
	size_t least;

	out[0] = row ? row : region[0];
	if (out[0] < region[0] || __builtin_mul_overflow(out[0], region[1], &least))
		return false;
	out[1] = plane ? plane : least;
	return out[1] >= least && out[1] % out[0] == 0;
}

/* Does a box end inside @size bytes? */
static bool box_fits(const size_t origin[3], const size_t region[3], const size_t pitch[2], size_t size)
{
	unsigned __int128 end = (unsigned __int128)(origin[2] + region[2] - 1) * pitch[1] +
				(unsigned __int128)(origin[1] + region[1] - 1) * pitch[0] + origin[0] +
				region[0];

	return origin[0] < size && origin[1] < size && origin[2] < size && region[0] <= size &&
	       region[1] <= size && region[2] <= size && end <= size;
}

static bool box_empty(const size_t region[3])
{
	return !region[0] || !region[1] || !region[2];
}

static cl_int enqueue_box(cl_command_queue q, cl_command_type type, cl_mem m, bool blocking,
			  const size_t *buffer_origin, const size_t *host_origin, const size_t *region,
			  size_t buffer_row, size_t buffer_plane, size_t host_row, size_t host_plane,
			  void *host, cl_uint count, const cl_event *waits, cl_event *out)
{
	bool read = type == CL_COMMAND_READ_BUFFER_RECT;
	struct ocl_transfer t = { .host = host };
	size_t *buffer_at = read ? t.src_origin : t.dst_origin;
	size_t *host_at = read ? t.dst_origin : t.src_origin;
	cl_int rc = check(q, m);

	if (rc)
		return rc;
	if (!host || !buffer_origin || !host_origin || !region || box_empty(region) ||
	    !pitches(region, buffer_row, buffer_plane, read ? t.src_pitch : t.dst_pitch) ||
	    !pitches(region, host_row, host_plane, read ? t.dst_pitch : t.src_pitch) ||
	    !box_fits(buffer_origin, region, read ? t.src_pitch : t.dst_pitch, m->size))
		return CL_INVALID_VALUE;
	if (m->flags & (CL_MEM_HOST_NO_ACCESS |
			(read ? CL_MEM_HOST_WRITE_ONLY : CL_MEM_HOST_READ_ONLY)))
		return CL_INVALID_OPERATION;
	if (read)
		t.src = m;
	else
		t.dst = m;
	memcpy(buffer_at, buffer_origin, sizeof(t.src_origin));
	memcpy(host_at, host_origin, sizeof(t.src_origin));
	memcpy(t.region, region, sizeof(t.region));
	return enqueue(q, type, &t, blocking, count, waits, out, move_box);
}

cl_int CL_API_CALL ocl_clEnqueueReadBufferRect(cl_command_queue q, cl_mem m, cl_bool blocking,
					       const size_t *buffer_origin, const size_t *host_origin,
					       const size_t *region, size_t buffer_row,
					       size_t buffer_plane, size_t host_row, size_t host_plane,
					       void *host, cl_uint count, const cl_event *waits,
					       cl_event *out)
{
	return enqueue_box(q, CL_COMMAND_READ_BUFFER_RECT, m, blocking, buffer_origin, host_origin,
			   region, buffer_row, buffer_plane, host_row, host_plane, host, count, waits,
			   out);
}

cl_int CL_API_CALL ocl_clEnqueueWriteBufferRect(cl_command_queue q, cl_mem m, cl_bool blocking,
						const size_t *buffer_origin, const size_t *host_origin,
						const size_t *region, size_t buffer_row,
						size_t buffer_plane, size_t host_row, size_t host_plane,
						const void *host, cl_uint count, const cl_event *waits,
						cl_event *out)
{
	return enqueue_box(q, CL_COMMAND_WRITE_BUFFER_RECT, m, blocking, buffer_origin, host_origin,
			   region, buffer_row, buffer_plane, host_row, host_plane,
			   (void *)(uintptr_t)host, count, waits, out);
}

/* Where row @i of a box begins. */
static size_t row_at(const size_t origin[3], const size_t pitch[2], const size_t region[3], size_t i)
{
	return origin[0] + (origin[1] + i % region[1]) * pitch[0] + (origin[2] + i / region[1]) * pitch[1];
}

/* Do two boxes of one memory share a byte? Rows of each come in the order of their addresses. */
static bool boxes_overlap(const struct ocl_transfer *t, size_t src_base, size_t dst_base)
{
	size_t rows = t->region[1] * t->region[2], i = 0, k = 0;

	while (i < rows && k < rows) {
		size_t a = src_base + row_at(t->src_origin, t->src_pitch, t->region, i);
		size_t b = dst_base + row_at(t->dst_origin, t->dst_pitch, t->region, k);

		if (a + t->region[0] <= b)
			i++;
		else if (b + t->region[0] <= a)
			k++;
		else
			return true;
	}
	return false;
}

cl_event ocl_copy_box(cl_command_queue q, cl_mem src, cl_mem dst, const size_t *src_origin,
		      const size_t *dst_origin, const size_t *region, const size_t *rows,
		      const size_t *planes, cl_uint count, const cl_event *waits, cl_int *err)
{
	struct ocl_transfer t = { .src = src, .dst = dst };

	*err = check(q, src);
	if (!*err)
		*err = check(q, dst);
	if (*err)
		return NULL;
	*err = CL_INVALID_VALUE;
	if (!src_origin || !dst_origin || !region || box_empty(region) ||
	    !pitches(region, rows[0], planes[0], t.src_pitch) ||
	    !pitches(region, rows[1], planes[1], t.dst_pitch) ||
	    !box_fits(src_origin, region, t.src_pitch, src->size) ||
	    !box_fits(dst_origin, region, t.dst_pitch, dst->size))
		return NULL;
	memcpy(t.src_origin, src_origin, sizeof(t.src_origin));
	memcpy(t.dst_origin, dst_origin, sizeof(t.dst_origin));
	memcpy(t.region, region, sizeof(t.region));
	*err = CL_MEM_COPY_OVERLAP;
	if (src->data == dst->data && boxes_overlap(&t, src->origin, dst->origin))
		return NULL;
	return command(q, CL_COMMAND_COPY_BUFFER_RECT, &t, count, waits, move_box, err);
}

cl_int CL_API_CALL ocl_clEnqueueCopyBufferRect(cl_command_queue q, cl_mem src, cl_mem dst,
					       const size_t *src_origin, const size_t *dst_origin,
					       const size_t *region, size_t src_row, size_t src_plane,
					       size_t dst_row, size_t dst_plane, cl_uint count,
					       const cl_event *waits, cl_event *out)
{
	const size_t rows[2] = { src_row, dst_row }, planes[2] = { src_plane, dst_plane };
	cl_int rc;
	cl_event e = ocl_copy_box(q, src, dst, src_origin, dst_origin, region, rows, planes, count, waits,
				  &rc);

	return finish(e, rc, out);
}

void *CL_API_CALL ocl_clEnqueueMapBuffer(cl_command_queue q, cl_mem m, cl_bool blocking,
					 cl_map_flags flags, size_t offset, size_t size, cl_uint count,
					 const cl_event *waits, cl_event *out, cl_int *err)
{
	const cl_map_flags known = CL_MAP_READ | CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION;
	struct ocl_map *map = NULL;
	cl_int rc = check(q, m);
	cl_event e;

	if (rc)
		goto fail;
	rc = CL_INVALID_VALUE;
	if (!size || outside(m, offset, size) || flags & ~known ||
	    (flags & CL_MAP_WRITE_INVALIDATE_REGION && flags & (CL_MAP_READ | CL_MAP_WRITE)))
		goto fail;
	rc = CL_INVALID_OPERATION;
	if (m->flags & CL_MEM_HOST_NO_ACCESS ||
	    (m->flags & CL_MEM_HOST_WRITE_ONLY && flags & CL_MAP_READ) ||
	    (m->flags & CL_MEM_HOST_READ_ONLY &&
	     flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)))
		goto fail;
	rc = CL_OUT_OF_HOST_MEMORY;
	map = malloc(sizeof(*map));
	if (!map)
		goto fail;
	*map = (struct ocl_map){
		.pointer = (m->host ? (uint8_t *)m->host : ocl_mem_data(m)) + offset,
		.offset = offset, .size = size, .flags = flags,
	};
	e = command(q, CL_COMMAND_MAP_BUFFER, &(struct ocl_transfer){ .src = m, .map = map }, count,
		    waits, map_host, &rc);
	if (!e)
		goto fail;
	ocl_lock();
	map->next = m->maps;
	m->maps = map;
	m->map_count++;
	ocl_unlock();
	rc = ocl_enqueue(e, blocking, out);
	if (err)
		*err = rc < 0 && count ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : rc;
	return rc < 0 ? NULL : map->pointer;
fail:
	free(map);
	if (err)
		*err = rc;
	return NULL;
}

cl_int CL_API_CALL ocl_clEnqueueUnmapMemObject(cl_command_queue q, cl_mem m, void *pointer,
					       cl_uint count, const cl_event *waits, cl_event *out)
{
	struct ocl_map **link, *map;
	cl_int rc = check(q, m);
	cl_event e;

	if (rc)
		return rc;
	ocl_lock();
	for (link = &m->maps; *link && (*link)->pointer != pointer; link = &(*link)->next)
		;
	map = *link;
	if (map) {
		*link = map->next;
		m->map_count--;
	}
	ocl_unlock();
	if (!map)
		return CL_INVALID_VALUE;
	e = command(q, CL_COMMAND_UNMAP_MEM_OBJECT, &(struct ocl_transfer){ .src = m, .map = map },
		    count, waits, unmap_host, &rc);
	if (!e) {
		ocl_lock();
		map->next = m->maps;
		m->maps = map;
		m->map_count++;
		ocl_unlock();
		return rc;
	}
	return ocl_enqueue(e, false, out);
}

/* All memory is where the NPU and the host both reach it. */
cl_int CL_API_CALL ocl_clEnqueueMigrateMemObjects(cl_command_queue q, cl_uint n, const cl_mem *list,
						  cl_mem_migration_flags flags, cl_uint count,
						  const cl_event *waits, cl_event *out)
{
	const cl_mem_migration_flags known = CL_MIGRATE_MEM_OBJECT_HOST |
					     CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED;
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	if (!n || !list || flags & ~known)
		return CL_INVALID_VALUE;
	for (cl_uint i = 0; i < n && !rc; i++)
		rc = check(q, list[i]);
	return rc ? rc : enqueue(q, CL_COMMAND_MIGRATE_MEM_OBJECTS, &(struct ocl_transfer){ 0 }, false,
				 count, waits, out, NULL);
}

/* Fences in the memory's dma-buf order what others and the NPU do with it. */
static cl_int hand_over(cl_command_queue q, cl_command_type type, cl_uint n, const cl_mem *list, cl_uint count,
			const cl_event *waits, cl_event *out)
{
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	if (!n != !list)
		return CL_INVALID_VALUE;
	for (cl_uint i = 0; i < n && !rc; i++) {
		rc = check(q, list[i]);
		if (!rc && !list[i]->external)
			rc = CL_INVALID_MEM_OBJECT;
	}
	return rc ? rc : enqueue(q, type, &(struct ocl_transfer){ 0 }, false, count, waits, out, NULL);
}

cl_int CL_API_CALL ocl_acquire_external(cl_command_queue q, cl_uint n, const cl_mem *list, cl_uint count,
					const cl_event *waits, cl_event *out)
{
	return hand_over(q, CL_COMMAND_ACQUIRE_EXTERNAL_MEM_OBJECTS_KHR, n, list, count, waits, out);
}

cl_int CL_API_CALL ocl_release_external(cl_command_queue q, cl_uint n, const cl_mem *list, cl_uint count,
					const cl_event *waits, cl_event *out)
{
	return hand_over(q, CL_COMMAND_RELEASE_EXTERNAL_MEM_OBJECTS_KHR, n, list, count, waits, out);
}
