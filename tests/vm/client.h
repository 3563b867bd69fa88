/* SPDX-License-Identifier: MIT */
/* Tests in the guest: an NPU's node by its ioctls, and a job that copies bytes. */
#ifndef ACCEL_TESTS_VM_CLIENT_H
#define ACCEL_TESTS_VM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COPY_LEN	256u
#define SLOTS		4u	/* jobs of a queue that may be under way */

/* Exit status of a test whose device went away. */
#define EXIT_GONE	3

/**
 * struct slot - buffers for one job
 * @number: what it copies; see slot_fill()
 * @seqno: of the job, with the extension
 */
struct slot {
	uint32_t from_bo, to_bo;
	uint8_t *from, *to;
	uint32_t number;
	uint64_t seqno;
	bool busy;
};

/**
 * struct client - an open node with a queue and its slots
 * @queue: of the extension; 0 is that of the plain interface
 */
struct client {
	int fd;
	uint32_t queue;
	uint32_t cmd_bo;
	struct slot slot[SLOTS];
};

/* The ioctl, again when it was interrupted. 0 or -errno. */
int node_ioctl(int fd, unsigned long request, void *arg);

/* Print what went wrong and end the process: with EXIT_GONE if the device did. */
void fail(const char *what, int ret) __attribute__((noreturn));

/* Open everything; the process ends if it can not be. @timeout_ms 0: no queue of its own. */
void client_open(struct client *c, const char *node, uint32_t timeout_ms);
/* The same, with a queue that has these cores. */
void client_open_on(struct client *c, const char *node, uint32_t timeout_ms, uint32_t core_mask);
/* NPUs behind the node. */
unsigned int client_cores(int fd);
void client_close(struct client *c);

/* A stream that copies @bytes from region 0 to region 1, @copies times, up to 64. 0 or -errno. */
int client_stream(int fd, uint32_t bytes, uint32_t copies, uint32_t *handle);
int client_stream_between(int fd, uint32_t from, uint32_t to, uint32_t bytes, uint32_t copies, uint32_t *handle);
uint32_t client_buffer(int fd, uint32_t size, uint8_t **map);

/* Another pattern for each number; clears the other side. */
void slot_fill(struct slot *s, uint32_t number);
bool slot_copied(const struct slot *s);

/* Start the slot's job: by the plain interface, or the queue's. 0 or -errno. */
int client_submit(struct client *c, struct slot *s);
int client_submit_queue(struct client *c, struct slot *s);

/* Wait, for as long as it takes, until nothing writes the slot's destination. 0 or -errno. */
int client_wait(struct client *c, const struct slot *s);

uint64_t now_ns(void);

/* The tests: argv begins with the test's name. */
int cmd_faults(const char *node, int argc, char **argv);
int cmd_storm(const char *node, int argc, char **argv);
int cmd_prime(const char *node, int argc, char **argv);
int cmd_alloc(const char *node, int argc, char **argv);
int cmd_fuzz(const char *node, int argc, char **argv);
int cmd_share(const char *node, int argc, char **argv);
int cmd_realtime(const char *node, int argc, char **argv);
int cmd_scale(const char *node, int argc, char **argv);
int cmd_sram(const char *node, int argc, char **argv);
int cmd_latency(const char *node, int argc, char **argv);
int cmd_rate(const char *node, int argc, char **argv);

#endif
