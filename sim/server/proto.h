/* SPDX-License-Identifier: MIT */
/*
 * The vfio-user protocol on the wire, as far as a device without migration needs it.
 *
 * Layouts, numbers and rules are those of QEMU's "vfio-user Protocol Specification"; flags and
 * indices whose names begin with VFIO_ come from linux/vfio.h. Everything is in host byte order.
 */
#ifndef ACCEL_SERVER_PROTO_H
#define ACCEL_SERVER_PROTO_H

#include <linux/vfio.h>
#include <stdint.h>

enum vu_command {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_DEVICE_GET_INFO = 4,
	VU_DEVICE_GET_REGION_INFO = 5,
	VU_DEVICE_GET_REGION_IO_FDS = 6,
	VU_DEVICE_GET_IRQ_INFO = 7,
	VU_DEVICE_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DMA_READ = 11,
	VU_DMA_WRITE = 12,
	VU_DEVICE_RESET = 13,
	VU_REGION_WRITE_MULTI = 15,
};

#define VU_TYPE_MASK	0xfu
#define VU_TYPE_COMMAND	0u
#define VU_TYPE_REPLY	1u
#define VU_NO_REPLY	(1u << 4)
#define VU_ERROR	(1u << 5)

#define VU_DMA_READABLE		(1u << 0)
#define VU_DMA_WRITEABLE	(1u << 1)

struct vu_header {
	uint16_t id;
	uint16_t command;
	uint32_t size;		/* of the whole message */
	uint32_t flags;
	uint32_t error;		/* errno, in a reply with VU_ERROR */
};

struct vu_version {
	uint16_t major;
	uint16_t minor;
	/* JSON, ended by NUL; optional */
};

struct vu_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;	/* in the file that comes along */
	uint64_t addr;
	uint64_t size;
};

struct vu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t addr;
	uint64_t size;
};

struct vu_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

struct vu_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};

struct vu_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

struct vu_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
	/* a byte each with VFIO_IRQ_SET_DATA_BOOL; eventfds come beside the message */
};

struct vu_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	/* data: in a write, and in the reply to a read */
};

_Static_assert(sizeof(struct vu_header) == 16, "protocol");
_Static_assert(sizeof(struct vu_version) == 4, "protocol");
_Static_assert(sizeof(struct vu_dma_map) == 32, "protocol");
_Static_assert(sizeof(struct vu_dma_unmap) == 24, "protocol");
_Static_assert(sizeof(struct vu_device_info) == 16, "protocol");
_Static_assert(sizeof(struct vu_region_info) == 32, "protocol");
_Static_assert(sizeof(struct vu_irq_info) == 16, "protocol");
_Static_assert(sizeof(struct vu_irq_set) == 20, "protocol");
_Static_assert(sizeof(struct vu_region_access) == 16, "protocol");

/* Bounds of this server: it says so in its answer to VU_VERSION. */
#define VU_MAX_DATA	(64u << 10)
#define VU_MAX_FDS	8
#define VU_MAX_MESSAGE	(sizeof(struct vu_header) + sizeof(struct vu_region_access) + VU_MAX_DATA)

#endif
