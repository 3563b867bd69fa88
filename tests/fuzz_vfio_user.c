/* SPDX-License-Identifier: MIT */
/*
 * Any conversation with accel-sim's server: messages through the parser to the PCI function, the
 * memory table and the NPU with the reference engine, all on one thread.
 *
 * Input: messages, each a byte of flags, a byte that picks the command, a 16-bit payload length and
 * the payload. Flags say what file descriptors come along. Two things make most inputs meaningful:
 * lengths are what the command wants unless a flag says otherwise, and addresses are folded into
 * the few that are mapped.
 *
 * Checked besides crashes: every reply names its command, fits, is header only where it is an error,
 * and no file descriptor is lost or left.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/engine.h"
#include "sim/server/session.h"

/* Not linked, never asked for. */
const struct npu_engine_ops npu_engine_opencl = { .name = "opencl" };

#define FLAG_FD_MEMORY	0x01
#define FLAG_FD_EVENT	0x02
#define FLAG_RAW_LENGTH	0x04
#define FLAG_NO_REPLY	0x08
#define FLAG_TYPE	0x10
#define FLAG_VERSION	0x20	/* greet first */

#define MEMORY_SIZE	0x10000
#define WORK_LIMIT	(1u << 12)
#define MAX_MESSAGES	64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t lengths[] = {
	[VU_VERSION] = 4, [VU_DMA_MAP] = 32, [VU_DMA_UNMAP] = 24, [VU_DEVICE_GET_INFO] = 16,
	[VU_DEVICE_GET_REGION_INFO] = 32, [VU_DEVICE_GET_IRQ_INFO] = 16,
	[VU_DEVICE_SET_IRQS] = 20, [VU_REGION_READ] = 16, [VU_REGION_WRITE] = 20,
	[VU_DEVICE_RESET] = 0,
};

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_vfio_user: %s\n", what);
	abort();
}

static int memory(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	check(fd >= 0 && !ftruncate(fd, MEMORY_SIZE), "no memory file");
	return fd;
}

/* One message of the input. Returns the bytes it took, 0: there is no more. */
static size_t next(const uint8_t *data, size_t size, struct message *m, int mem)
{
	size_t len, have;

	if (size < 4)
		return 0;
	memset(&m->header, 0, sizeof(m->header));
	m->header.command = data[1] % 20;
	m->header.flags = (data[0] & FLAG_NO_REPLY ? VU_NO_REPLY : 0) |
			  (data[0] & FLAG_TYPE ? VU_TYPE_REPLY : 0);
	len = (size_t)data[2] | (size_t)data[3] << 8;
	if (!(data[0] & FLAG_RAW_LENGTH) &&
	    m->header.command < sizeof(lengths) / sizeof(lengths[0]))
		len = lengths[m->header.command];
	if (len > sizeof(m->data))
		len = sizeof(m->data);
	have = len < size - 4 ? len : size - 4;
	memcpy(m->data, data + 4, have);
	memset(m->data + have, 0, len - have);
	m->len = len;
	m->header.size = (uint32_t)(sizeof(m->header) + len);
	m->fd_count = 0;
	if (data[0] & FLAG_FD_MEMORY)
		m->fds[m->fd_count++] = dup(mem);
	if (data[0] & FLAG_FD_EVENT)
		m->fds[m->fd_count++] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return 4 + have;
}

static void check_reply(const struct message *in, const struct message *out, bool reply)
{
	check(out->header.command == in->header.command && out->header.id == in->header.id,
	      "a reply to something else");
	check((out->header.flags & VU_TYPE_MASK) == VU_TYPE_REPLY, "a reply that is none");
	check(out->header.size == sizeof(out->header) + out->len && out->len <= sizeof(out->data),
	      "a reply of the wrong size");
	check(!(out->header.flags & VU_ERROR) == !out->header.error, "an error without errno");
	check(!out->header.error || (!out->len && !out->fd_count), "an error with data");
	check(reply == !(in->header.flags & VU_NO_REPLY), "a reply not asked for, or none");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device_options opt = {
		.config = npu_config_find(size && data[0] & 0x80 ? "ethos-u85-256" : "ethos-u65-256"),
		.npu = { .size = sizeof(opt.npu), .engine = "reference", .work_limit = WORK_LIMIT },
		.sram_size = 0x1000, .vendor = 1, .device = 2,
	};
	static struct message in, out;
	struct session session = { 0 };
	unsigned int i, messages = 0;
	int mem = memory(), ret;
	char err[128];
	bool reply;
	size_t n;

	check(!device_create(&session.dev, &opt, err, sizeof(err)), "no device");
	session.greeted = size && data[0] & FLAG_VERSION;
	while (messages++ < MAX_MESSAGES && (n = next(data, size, &in, mem))) {
		data += n;
		size -= n;
		ret = session_handle(&session, &in, &out, &reply);
		check(!ret || ret == -EPROTO, "an errno that has no meaning");
		if (!ret)
			check_reply(&in, &out, reply);
		for (i = 0; i < in.fd_count; i++)
			if (in.fds[i] >= 0)
				close(in.fds[i]);
		if (ret)
			break;
		if (npu_running(session.dev->npu))
			device_run_job(session.dev);
	}
	device_disconnect(session.dev);
	device_destroy(session.dev);
	close(mem);
	/* Lowest free number: everything else was closed. */
	ret = dup(0);
	check(ret == mem, "a file descriptor is left open");
	close(ret);
	return 0;
}
