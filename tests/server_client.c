/* SPDX-License-Identifier: MIT */
/* Tests: a vfio-user client of our own. */
#include "tests/server_client.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER	16

void put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

bool client_send_raw(struct client *c, const void *bytes, size_t len, const int *fds,
		     unsigned int fd_count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd_count) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
	}
	return sendmsg(c->fd, &hdr, MSG_NOSIGNAL) == (ssize_t)len;
}

bool client_send(struct client *c, uint16_t command, uint32_t flags, const void *payload, size_t len,
		 const int *fds, unsigned int fd_count)
{
	uint8_t message[CLIENT_ROOM];

	assert_true(HEADER + len <= sizeof(message));
	put16(message, ++c->next_id);
	put16(message + 2, command);
	put32(message + 4, (uint32_t)(HEADER + len));
	put32(message + 8, flags);
	put32(message + 12, 0);
	if (len)
		memcpy(message + HEADER, payload, len);
	return client_send_raw(c, message, HEADER + len, fds, fd_count);
}

/* 0, -1: closed, -2: not in time */
static int take(struct client *c, uint8_t *to, size_t len)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	struct cmsghdr *cmsg;
	struct iovec iov;
	struct msghdr hdr;
	ssize_t n;

	while (len) {
		if (poll(&p, 1, c->timeout_ms) != 1)
			return -2;
		iov = (struct iovec){ to, len };
		hdr = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1,
				       .msg_control = &control, .msg_controllen = sizeof(control) };
		n = recvmsg(c->fd, &hdr, MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return -1;
		cmsg = CMSG_FIRSTHDR(&hdr);
		if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
			memcpy(&c->reply_fd, CMSG_DATA(cmsg), sizeof(int));
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

int client_receive(struct client *c, uint16_t command)
{
	uint8_t header[HEADER];
	uint32_t size, flags;
	int ret;

	c->reply_len = 0;
	c->reply_fd = -1;
	ret = take(c, header, sizeof(header));
	if (ret)
		return ret;
	size = get32(header + 4);
	flags = get32(header + 8);
	if (get16(header) != c->next_id || get16(header + 2) != command || size < HEADER ||
	    size - HEADER > sizeof(c->reply) || (flags & 0xf) != 1)
		return -2;
	c->reply_len = size - HEADER;
	ret = take(c, c->reply, c->reply_len);
	if (ret)
		return ret;
	/* Of an error there is the header only. */
	if (flags & 1 << 5)
		return c->reply_len || !get32(header + 12) ? -2 : (int)get32(header + 12);
	return 0;
}

int client_call(struct client *c, uint16_t command, const void *payload, size_t len, int fd)
{
	if (!client_send(c, command, 0, payload, len, &fd, fd >= 0))
		return -1;
	return client_receive(c, command);
}

int client_hello(struct client *c, uint16_t major, uint16_t minor)
{
	uint8_t p[4];

	put16(p, major);
	put16(p + 2, minor);
	return client_call(c, 1, p, sizeof(p), -1);
}

int client_map(struct client *c, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	       uint64_t offset)
{
	uint8_t p[32];

	put32(p, sizeof(p));
	put32(p + 4, flags);
	put64(p + 8, offset);
	put64(p + 16, addr);
	put64(p + 24, size);
	return client_call(c, 2, p, sizeof(p), fd);
}

int client_unmap(struct client *c, uint64_t addr, uint64_t size)
{
	uint8_t p[24];

	put32(p, sizeof(p));
	put32(p + 4, 0);
	put64(p + 8, addr);
	put64(p + 16, size);
	return client_call(c, 3, p, sizeof(p), -1);
}

int client_set_irq(struct client *c, uint32_t index, uint32_t flags, uint32_t count, int fd)
{
	uint8_t p[20];

	put32(p, sizeof(p));
	put32(p + 4, flags);
	put32(p + 8, index);
	put32(p + 12, 0);
	put32(p + 16, count);
	return client_call(c, 8, p, sizeof(p), fd);
}

static void put_access(uint8_t *p, uint32_t region, uint64_t offset, uint32_t len)
{
	put64(p, offset);
	put32(p + 8, region);
	put32(p + 12, len);
}

int client_read(struct client *c, uint32_t region, uint64_t offset, void *to, uint32_t len)
{
	uint8_t p[16];
	int ret;

	put_access(p, region, offset, len);
	ret = client_call(c, 9, p, sizeof(p), -1);
	if (ret)
		return ret;
	if (c->reply_len != sizeof(p) + len || memcmp(c->reply, p, sizeof(p)))
		return -2;
	memcpy(to, c->reply + sizeof(p), len);
	return 0;
}

int client_write(struct client *c, uint32_t region, uint64_t offset, const void *from, uint32_t len)
{
	uint8_t p[16 + 256];
	int ret;

	assert_true(len <= 256);
	put_access(p, region, offset, len);
	memcpy(p + 16, from, len);
	ret = client_call(c, 10, p, 16 + len, -1);
	if (!ret && (c->reply_len != 16 || memcmp(c->reply, p, 16)))
		return -2;
	return ret;
}

uint32_t client_reg(struct client *c, uint64_t offset)
{
	uint32_t value = 0;

	assert_int_equal(client_read(c, 0, offset, &value, sizeof(value)), 0);
	return value;
}

void client_set_reg(struct client *c, uint64_t offset, uint32_t value)
{
	assert_int_equal(client_write(c, 0, offset, &value, sizeof(value)), 0);
}
