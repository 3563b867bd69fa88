/* SPDX-License-Identifier: MIT */
/* Tests: accel-sim's server on a thread, a client of it, and a job that copies bytes. */
#ifndef ACCEL_TESTS_SERVER_FIXTURE_H
#define ACCEL_TESTS_SERVER_FIXTURE_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/server/conn.h"
#include "tests/server_client.h"

enum { VERSION = 1, MAP, UNMAP, INFO, REGION_INFO, IO_FDS, IRQ_INFO, SET_IRQS, READ, WRITE, DMA_READ,
       DMA_WRITE, RESET_CMD };

/* Registers, STATUS bits. */
#define ID		0x00
#define STATUS		0x04
#define CMD		0x08
#define RESET		0x0c
#define QBASE		0x10
#define QREAD		0x18
#define QSIZE		0x20
#define BASEP(i)	(0x80 + 8 * (i))
#define RUNNING		0x1u
#define IRQ_RAISED	0x2u
#define BUS_ERROR	0x4u
#define IN_RESET	0x8u
#define PARSE_ERROR	0x10u
#define END_REACHED	0x20u

#define RAM_ADDR	0x100000u
#define RAM_SIZE	0x10000u
#define STREAM_AT	0x0u
#define FROM_AT		0x4000u
#define TO_AT		0x8000u
#define COPY_LEN	0x140u
#define BIG		60000	/* ms that no test takes unless it fails */

/* A server on a thread, and its client with an eventfd as MSI and RAM_SIZE of memory mapped. */
struct fixture {
	struct device *dev;
	struct client client;
	pthread_t thread;
	int server_fd, stop;
	int served;
	int msi;
	int ram_fd;
	uint8_t *ram;
	char *log;
	size_t log_len;
	FILE *log_file;
};

/* A server without a client, and its parts: end() undoes all. */
void make_device(struct fixture *f, const char *config, uint32_t sram, const char *fault);
void connect_client(struct fixture *f);
void leave(struct fixture *f);

/* All of it, versions agreed on, memory and interrupt set, power-on reset seen. */
void start_fault(struct fixture *f, const char *fault);
void start(struct fixture *f);
void end(struct fixture *f);

/* Interrupts since the last call, waiting up to @ms for one. */
uint64_t irqs(struct fixture *f, int ms);

/* Start a job that copies COPY_LEN bytes: DMA0 from region 0 to region 1, STOP. */
void submit(struct fixture *f);
bool copied(struct fixture *f);

/* STATUS without the interrupts' history, which stays until reset. */
uint32_t status(struct fixture *f);

/* As a driver does after a fault; STATUS must leave reset within some readings. */
void reset(struct fixture *f);

/* A job that has nothing against it works, interrupt and all. */
void works(struct fixture *f);
bool logged(struct fixture *f, const char *text);
uint32_t config_word(struct fixture *f, uint64_t at);

#endif
