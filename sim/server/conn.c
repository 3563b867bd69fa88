/* SPDX-License-Identifier: MIT */
/* The socket that clients come to: whole messages with their file descriptors, in and out. */
#include "sim/server/conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/server/device_internal.h"
#include "sim/server/session.h"

static int is_alive(const struct sockaddr_un *addr)
{
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? -errno : 0;
	close(fd);
	return ret;
}

int conn_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret = 0;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	/* Left over from a server that died; any other file is not ours to remove. */
	if (is_alive(&addr) == -ECONNREFUSED)
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void close_fds(struct message *m)
{
	unsigned int i;

	for (i = 0; i < m->fd_count; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	m->fd_count = 0;
}

/* Wait for the client. 0, -ECANCELED. */
static int wait_readable(int fd, int stop)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = stop, .events = POLLIN } };

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return p[1].revents ? -ECANCELED : 0;
}

/* Keep what came beside the bytes. -EPROTO: too many, or some were lost. */
static int take_fds(struct message *m, struct msghdr *hdr)
{
	struct cmsghdr *c;
	size_t i, n;
	int fd, ret = 0;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (m->fd_count < VU_MAX_FDS) {
				m->fds[m->fd_count++] = fd;
				continue;
			}
			close(fd);
			ret = -EPROTO;
		}
	}
	return hdr->msg_flags & MSG_CTRUNC ? -EPROTO : ret;
}

/* @len bytes, however they come. 0, -ENODATA: the client left. */
static int receive(int fd, int stop, void *to, size_t len, struct message *m)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr hdr;
	ssize_t n;
	int ret;

	while (len) {
		ret = wait_readable(fd, stop);
		if (ret)
			return ret;
		iov = (struct iovec){ to, len };
		hdr = (struct msghdr){
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof(control),
		};
		n = recvmsg(fd, &hdr, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		ret = take_fds(m, &hdr);
		if (ret)
			return ret;
		if (!n)
			return -ENODATA;
		to = (char *)to + n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive_message(int fd, int stop, struct message *m)
{
	int ret;

	m->fd_count = 0;
	ret = receive(fd, stop, &m->header, sizeof(m->header), m);
	if (ret)
		return ret;
	if (m->header.size < sizeof(m->header) || m->header.size > VU_MAX_MESSAGE)
		return -EMSGSIZE;
	m->len = m->header.size - sizeof(m->header);
	return receive(fd, stop, m->data, m->len, m);
}

static int send_message(int fd, struct message *m)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov[2] = {
		{ &m->header, sizeof(m->header) }, { m->data, m->len },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *c;
	ssize_t n;

	if (m->fd_count) {
		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), m->fds, sizeof(int));
	}
	while (iov[1].iov_len || iov[0].iov_len) {
		n = sendmsg(fd, &hdr, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* The fd goes with the first byte. */
		hdr.msg_control = NULL;
		hdr.msg_controllen = 0;
		for (int i = 0; i < 2; i++) {
			size_t part = (size_t)n < iov[i].iov_len ? (size_t)n : iov[i].iov_len;

			iov[i].iov_base = (char *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
	return 0;
}

int conn_serve(struct device *dev, int fd, int stop)
{
	struct session session = { .dev = dev };
	struct message in, out;
	bool reply;
	int ret;

	device_log(dev, "client");
	for (;;) {
		ret = receive_message(fd, stop, &in);
		if (ret) {
			close_fds(&in);
			break;
		}
		ret = session_handle(&session, &in, &out, &reply);
		close_fds(&in);
		if (ret)
			break;
		if (out.header.flags & VU_ERROR)
			device_log(dev, "command %u of %zu bytes: %s", in.header.command, in.len,
				   strerrordesc_np((int)out.header.error));
		if (reply)
			ret = send_message(fd, &out);
		if (ret)
			break;
	}
	if (ret == -ENODATA || ret == -ECONNRESET || ret == -EPIPE)
		ret = 0;
	if (ret)
		device_log(dev, "client is left: %s", strerrordesc_np(-ret));
	device_disconnect(dev);
	return ret;
}
