/* SPDX-License-Identifier: MIT */
/*
 * Tests: accel-sim's server on a thread. Register offsets, streams and results are written out from
 * the ISA facts.
 */
#include "tests/server_fixture.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "sim/engine.h"

/* Not linked, never asked for. */
const struct npu_engine_ops npu_engine_opencl = { .name = "opencl" };

static void *serve(void *arg)
{
	struct fixture *f = arg;

	f->served = conn_serve(f->dev, f->server_fd, f->stop);
	/* A client that waits shall see it. */
	shutdown(f->server_fd, SHUT_RDWR);
	return NULL;
}

void connect_client(struct fixture *f)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	f->server_fd = sv[0];
	f->client = (struct client){ .fd = sv[1], .timeout_ms = BIG };
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

void leave(struct fixture *f)
{
	close(f->client.fd);
	pthread_join(f->thread, NULL);
	close(f->server_fd);
}

void make_device(struct fixture *f, const char *config, uint32_t sram, const char *fault)
{
	struct device_options opt = {
		.config = npu_config_find(config),
		.npu = { .size = sizeof(opt.npu), .engine = "reference" },
		.sram_size = sram, .vendor = 0x1234, .device = 0xe705,
	};
	char err[256] = "";
	uint32_t i;

	memset(f, 0, sizeof(*f));
	f->log_file = open_memstream(&f->log, &f->log_len);
	opt.log = f->log_file;
	if (fault)
		assert_int_equal(fault_parse(&opt.faults, fault, err, sizeof(err)), 0);
	assert_int_equal(device_create(&f->dev, &opt, err, sizeof(err)), 0);
	assert_int_equal(device_start(f->dev), 0);
	f->stop = eventfd(0, EFD_CLOEXEC);
	f->msi = eventfd(0, EFD_CLOEXEC);
	f->ram_fd = memfd_create("ram", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->ram_fd, RAM_SIZE), 0);
	f->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->ram_fd, 0);
	assert_true(f->ram != MAP_FAILED);
	for (i = 0; i < COPY_LEN; i++)
		f->ram[FROM_AT + i] = (uint8_t)(i * 7 + 1);
}

void start_fault(struct fixture *f, const char *fault)
{
	make_device(f, "ethos-u65-256", 0, fault);
	connect_client(f);
	assert_int_equal(client_hello(&f->client, 0, 0), 0);
	assert_int_equal(client_map(&f->client, RAM_ADDR, RAM_SIZE, 3, f->ram_fd, 0), 0);
	assert_int_equal(client_set_irq(&f->client, 1, 0x24, 1, f->msi), 0);
	/* Power-on reset is over when it was seen. */
	assert_int_equal(client_reg(&f->client, STATUS), IN_RESET);
	assert_int_equal(client_reg(&f->client, STATUS), 0);
}

void start(struct fixture *f)
{
	start_fault(f, NULL);
}

void end(struct fixture *f)
{
	leave(f);
	device_destroy(f->dev);
	munmap(f->ram, RAM_SIZE);
	close(f->ram_fd);
	close(f->msi);
	close(f->stop);
	fclose(f->log_file);
	free(f->log);
}

uint64_t irqs(struct fixture *f, int ms)
{
	struct pollfd p = { .fd = f->msi, .events = POLLIN };
	uint64_t n = 0;

	if (poll(&p, 1, ms) == 1)
		assert_int_equal(read(f->msi, &n, sizeof(n)), sizeof(n));
	return n;
}

void submit(struct fixture *f)
{
	const uint32_t stream[] = {
		0x130 | 0 << 16, 0x131 | 1 << 16, 0x4030, 0, 0x4031, 0, 0x4032, COPY_LEN, 0x010,
		0xffffu << 16,
	};
	struct client *c = &f->client;

	memcpy(f->ram + STREAM_AT, stream, sizeof(stream));
	memset(f->ram + TO_AT, 0, COPY_LEN);
	client_set_reg(c, BASEP(0), RAM_ADDR + FROM_AT);
	client_set_reg(c, BASEP(0) + 4, 0);
	client_set_reg(c, BASEP(1), RAM_ADDR + TO_AT);
	client_set_reg(c, BASEP(1) + 4, 0);
	client_set_reg(c, QBASE, RAM_ADDR + STREAM_AT);
	client_set_reg(c, QBASE + 4, 0);
	client_set_reg(c, QSIZE, sizeof(stream));
	client_set_reg(c, CMD, 0xd);
}

bool copied(struct fixture *f)
{
	return !memcmp(f->ram + FROM_AT, f->ram + TO_AT, COPY_LEN);
}

uint32_t status(struct fixture *f)
{
	return client_reg(&f->client, STATUS) & 0xffff;
}

void reset(struct fixture *f)
{
	int tries = 100;

	client_set_reg(&f->client, RESET, 0);
	while (client_reg(&f->client, STATUS) & IN_RESET)
		assert_true(tries--);
}

void works(struct fixture *f)
{
	submit(f);
	assert_int_equal(irqs(f, BIG), 1);
	assert_int_equal(status(f), IRQ_RAISED | END_REACHED);
	assert_true(copied(f));
	client_set_reg(&f->client, CMD, 0xe);
	assert_int_equal(client_reg(&f->client, STATUS) & IRQ_RAISED, 0);
}

bool logged(struct fixture *f, const char *text)
{
	fflush(f->log_file);
	return strstr(f->log, text);
}

uint32_t config_word(struct fixture *f, uint64_t at)
{
	uint32_t value = 0;

	assert_int_equal(client_read(&f->client, 7, at, &value, 4), 0);
	return value;
}
