/* SPDX-License-Identifier: MIT */
/* The socket that clients come to. */
#ifndef ACCEL_SERVER_CONN_H
#define ACCEL_SERVER_CONN_H

#include "sim/server/device.h"

/**
 * conn_listen - open the socket
 * @path: a socket that is there and that no one listens on is replaced
 *
 * Return: fd, or -errno; -EADDRINUSE if another server listens there.
 */
int conn_listen(const char *path);

/**
 * conn_serve - talk to one client until it leaves
 * @fd: connected; stays the caller's
 * @stop: eventfd or the like that becomes readable when it is time to end
 *
 * Return: 0: it left. -ECANCELED: @stop. -EPROTO and others: it was left, why is in the log.
 */
int conn_serve(struct device *dev, int fd, int stop);

#endif
