/* SPDX-License-Identifier: MIT */
/*
 * A client's messages: each is checked against its length, its fds and the device before it is done.
 *
 * An error that a client can make and live with is a reply with an errno; only what breaks the
 * conversation itself ends it.
 */
#include "sim/server/session.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define MAP_ACCESS (VU_DMA_READABLE | VU_DMA_WRITEABLE)

#define STR_(x) #x
#define STR(x) STR_(x)
#define DATA_BYTES 65536
#define CAPABILITIES "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":" STR(DATA_BYTES) "}}"

_Static_assert(DATA_BYTES == VU_MAX_DATA, "what is announced is what fits");

/* The payload of the message, as @type. The table below has checked that there is so much. */
#define PAYLOAD(message, type, name) \
	type name; \
	memcpy(&name, (message)->data, sizeof(name))

static void answer(struct message *out, const void *data, size_t len)
{
	memcpy(out->data, data, len);
	out->len = len;
}

static int do_version(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_version, version);

	if (session->greeted)
		return -EINVAL;
	/* Version 0, and any minor of it: ours, 0, is not above the client's. */
	if (version.major)
		return -EPROTO;
	if (in->len > sizeof(version) && in->data[in->len - 1])
		return -EINVAL;
	session->greeted = true;
	version.minor = 0;
	memcpy(out->data, &version, sizeof(version));
	memcpy(out->data + sizeof(version), CAPABILITIES, sizeof(CAPABILITIES));
	out->len = sizeof(version) + sizeof(CAPABILITIES);
	return 0;
}

static int do_dma_map(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_dma_map, map);
	unsigned int access = (map.flags & VU_DMA_READABLE ? NPU_ACCESS_READ : 0) |
			      (map.flags & VU_DMA_WRITEABLE ? NPU_ACCESS_WRITE : 0);

	(void)out;
	if (map.argsz < sizeof(map) || map.flags & ~MAP_ACCESS || !access)
		return -EINVAL;
	return device_dma_map(session->dev, map.addr, map.size, access,
			      in->fd_count ? in->fds[0] : -1, map.offset);
}

static int do_dma_unmap(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_dma_unmap, unmap);
	int ret;

	if (unmap.argsz < sizeof(unmap) || unmap.flags)
		return -EINVAL;
	ret = device_dma_unmap(session->dev, unmap.addr, unmap.size);
	if (!ret)
		answer(out, &unmap, sizeof(unmap));
	return ret;
}

static int do_get_info(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_device_info, info);

	(void)session;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	info = (struct vu_device_info){
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};
	answer(out, &info, sizeof(info));
	return 0;
}

static int do_get_region_info(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_region_info, info);
	uint64_t size;

	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	size = device_region_size(session->dev, info.index);
	info = (struct vu_region_info){ .argsz = sizeof(info), .index = info.index, .size = size };
	if (size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (size && info.index == VFIO_PCI_BAR0_REGION_INDEX + DEVICE_SRAM_BAR) {
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
		out->fds[0] = session->dev->sram_fd;
		out->fd_count = 1;
	}
	answer(out, &info, sizeof(info));
	return 0;
}

static int do_get_irq_info(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_irq_info, info);

	(void)session;
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info = (struct vu_irq_info){ .argsz = sizeof(info), .index = info.index };
	if (info.index == VFIO_PCI_MSI_IRQ_INDEX) {
		info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
		info.count = 1;
	}
	answer(out, &info, sizeof(info));
	return 0;
}

static int do_set_irqs(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_irq_set, set);
	uint32_t kind = set.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	size_t data = in->len - sizeof(set);

	(void)out;
	if (set.argsz < sizeof(set) || set.index >= VFIO_PCI_NUM_IRQS ||
	    set.flags & ~(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK))
		return -EINVAL;
	/* One interrupt, and it can not be masked. */
	if ((set.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTSUP;
	if (set.start || set.count > (set.index == VFIO_PCI_MSI_IRQ_INDEX))
		return -EINVAL;
	if (set.index != VFIO_PCI_MSI_IRQ_INDEX)
		return 0;
	switch (kind) {
	case VFIO_IRQ_SET_DATA_NONE:
		if (data)
			return -EINVAL;
		if (set.count)
			device_trigger_irq(session->dev);
		else
			device_set_irq(session->dev, -1);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (data != set.count)
			return -EINVAL;
		if (data && in->data[sizeof(set)])
			device_trigger_irq(session->dev);
		return 0;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		if (in->fd_count > set.count)
			return -EINVAL;
		device_set_irq(session->dev, in->fd_count ? in->fds[0] : -1);
		if (in->fd_count)
			in->fds[0] = -1;
		return 0;
	default:
		return -EINVAL;
	}
}

static int check_access(struct session *session, const struct vu_region_access *access)
{
	uint64_t size;

	size = device_region_size(session->dev, access->region);
	if (!size || !access->count || access->count > VU_MAX_DATA || access->offset > size ||
	    access->count > size - access->offset)
		return -EINVAL;
	return 0;
}

static int do_region_read(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_region_access, access);
	int ret = check_access(session, &access);

	if (ret)
		return ret;
	answer(out, &access, sizeof(access));
	device_read(session->dev, access.region, access.offset, out->data + sizeof(access),
		    access.count);
	out->len += access.count;
	return 0;
}

static int do_region_write(struct session *session, struct message *in, struct message *out)
{
	PAYLOAD(in, struct vu_region_access, access);
	int ret = check_access(session, &access);

	if (ret)
		return ret;
	if (in->len - sizeof(access) != access.count)
		return -EINVAL;
	device_write(session->dev, access.region, access.offset, in->data + sizeof(access),
		     access.count);
	answer(out, &access, sizeof(access));
	return 0;
}

static int do_reset(struct session *session, struct message *in, struct message *out)
{
	(void)in;
	(void)out;
	device_reset(session->dev);
	return 0;
}

/**
 * struct handler - a command
 * @min: bytes its payload has at least
 * @more: it may have more
 * @fds: that may come along
 */
static const struct handler {
	int (*handle)(struct session *session, struct message *in, struct message *out);
	size_t min;
	bool more;
	unsigned int fds;
} handlers[] = {
	[VU_VERSION] = { do_version, sizeof(struct vu_version), true, 0 },
	[VU_DMA_MAP] = { do_dma_map, sizeof(struct vu_dma_map), false, 1 },
	[VU_DMA_UNMAP] = { do_dma_unmap, sizeof(struct vu_dma_unmap), false, 0 },
	[VU_DEVICE_GET_INFO] = { do_get_info, sizeof(struct vu_device_info), false, 0 },
	[VU_DEVICE_GET_REGION_INFO] = { do_get_region_info, sizeof(struct vu_region_info), false, 0 },
	[VU_DEVICE_GET_IRQ_INFO] = { do_get_irq_info, sizeof(struct vu_irq_info), false, 0 },
	[VU_DEVICE_SET_IRQS] = { do_set_irqs, sizeof(struct vu_irq_set), true, VU_MAX_FDS },
	[VU_REGION_READ] = { do_region_read, sizeof(struct vu_region_access), false, 0 },
	[VU_REGION_WRITE] = { do_region_write, sizeof(struct vu_region_access), true, 0 },
	[VU_DEVICE_RESET] = { do_reset, 0, false, 0 },
};

static int dispatch(struct session *session, struct message *in, struct message *out)
{
	const struct handler *handler;

	if (in->header.command >= sizeof(handlers) / sizeof(handlers[0]))
		return -ENOSYS;
	handler = &handlers[in->header.command];
	if (!handler->handle)
		return -ENOSYS;
	if (!session->greeted && in->header.command != VU_VERSION)
		return -EPROTO;
	if (in->len < handler->min || (in->len > handler->min && !handler->more) ||
	    in->fd_count > handler->fds)
		return -EINVAL;
	return handler->handle(session, in, out);
}

int session_handle(struct session *session, struct message *in, struct message *out, bool *reply)
{
	int ret;

	/* We ask the client for nothing, so it has nothing to reply to. */
	if ((in->header.flags & VU_TYPE_MASK) != VU_TYPE_COMMAND)
		return -EPROTO;
	out->len = 0;
	out->fd_count = 0;
	ret = dispatch(session, in, out);
	if (ret == -EPROTO)
		return ret;
	if (ret) {
		out->len = 0;
		out->fd_count = 0;
	}
	out->header = (struct vu_header){
		.id = in->header.id,
		.command = in->header.command,
		.size = (uint32_t)(sizeof(out->header) + out->len),
		.flags = VU_TYPE_REPLY | (ret ? VU_ERROR : 0),
		.error = (uint32_t)-ret,
	};
	*reply = !(in->header.flags & VU_NO_REPLY);
	return 0;
}
