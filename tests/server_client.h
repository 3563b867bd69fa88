/* SPDX-License-Identifier: MIT */
/*
 * Tests: a vfio-user client of our own, written from the protocol's description, byte offsets and
 * all, so that it shares no layout with the server it tests.
 */
#ifndef ACCEL_TESTS_SERVER_CLIENT_H
#define ACCEL_TESTS_SERVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_ROOM	4096

/**
 * struct client - a connection
 * @fd: of the socket
 * @reply: payload of the last reply, @reply_len bytes
 * @reply_fd: what came along, -1: nothing; the test closes it
 * @timeout_ms: how long a reply may take
 */
struct client {
	int fd;
	uint16_t next_id;
	uint8_t reply[CLIENT_ROOM];
	size_t reply_len;
	int reply_fd;
	int timeout_ms;
};

void put16(uint8_t *at, uint16_t value);
void put32(uint8_t *at, uint32_t value);
void put64(uint8_t *at, uint64_t value);
uint16_t get16(const uint8_t *at);
uint32_t get32(const uint8_t *at);
uint64_t get64(const uint8_t *at);

/* Bytes and file descriptors as they are; false if the server has closed. */
bool client_send_raw(struct client *c, const void *bytes, size_t len, const int *fds,
		     unsigned int fd_count);

/* A command with its header. */
bool client_send(struct client *c, uint16_t command, uint32_t flags, const void *payload, size_t len,
		 const int *fds, unsigned int fd_count);

/**
 * client_receive - the reply to the last command
 *
 * Return: the errno it holds, 0: it went well; -1: the server has closed the connection; -2: no
 * reply came in time, or one that breaks the protocol.
 */
int client_receive(struct client *c, uint16_t command);

/* Both. */
int client_call(struct client *c, uint16_t command, const void *payload, size_t len, int fd);

/* VERSION with @minor and no capabilities. */
int client_hello(struct client *c, uint16_t major, uint16_t minor);
int client_map(struct client *c, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	       uint64_t offset);
int client_unmap(struct client *c, uint64_t addr, uint64_t size);
int client_set_irq(struct client *c, uint32_t index, uint32_t flags, uint32_t count, int fd);

/* Regions. The read and written bytes are at most 256. */
int client_read(struct client *c, uint32_t region, uint64_t offset, void *to, uint32_t len);
int client_write(struct client *c, uint32_t region, uint64_t offset, const void *from, uint32_t len);

/* Registers of BAR 0; the test fails if one does not answer. */
uint32_t client_reg(struct client *c, uint64_t offset);
void client_set_reg(struct client *c, uint64_t offset, uint32_t value);

#endif
