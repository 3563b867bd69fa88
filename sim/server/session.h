/* SPDX-License-Identifier: MIT */
/* A client's messages and what the device answers, without the socket. */
#ifndef ACCEL_SERVER_SESSION_H
#define ACCEL_SERVER_SESSION_H

#include "sim/server/device.h"
#include "sim/server/proto.h"

/**
 * struct session - one client
 * @greeted: versions were agreed on
 */
struct session {
	struct device *dev;
	bool greeted;
};

/**
 * struct message - what came, or what goes back
 * @len: bytes of @data
 * @fds: beside the message, -1 where there is none
 */
struct message {
	struct vu_header header;
	uint8_t data[VU_MAX_MESSAGE - sizeof(struct vu_header)];
	size_t len;
	int fds[VU_MAX_FDS];
	unsigned int fd_count;
};

/**
 * session_handle - do what a message asks for
 * @in: its fds that are taken become -1; the others stay the caller's
 * @out: the reply, complete if @reply. Its fds stay the device's.
 * @reply: whether one is to be sent
 *
 * Return: 0, or -EPROTO if the client makes no sense and is better left.
 */
int session_handle(struct session *session, struct message *in, struct message *out, bool *reply);

#endif
