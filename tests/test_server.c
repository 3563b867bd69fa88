/* SPDX-License-Identifier: MIT */
/*
 * accel-sim's server through its socket: the protocol, the PCI function, jobs on shared memory, and
 * clients that do not behave. A job copies bytes, so what it leaves is known.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "tests/server_fixture.h"

/* ---- the protocol ---- */

static void test_version(void **state)
{
	struct fixture f;

	(void)state;
	make_device(&f, "ethos-u65-256", 0, NULL);
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 3), 0);
	assert_int_equal(get16(f.client.reply), 0);
	assert_int_equal(get16(f.client.reply + 2), 0);
	assert_int_equal(f.client.reply[f.client.reply_len - 1], 0);
	assert_non_null(strstr((char *)f.client.reply + 4, "\"max_data_xfer_size\":65536"));
	assert_int_equal(client_hello(&f.client, 0, 0), EINVAL);
	leave(&f);
	assert_int_equal(f.served, 0);

	/* Another major version: no common ground. */
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 1, 0), -1);
	leave(&f);
	assert_int_equal(f.served, -EPROTO);

	/* JSON without an end. */
	connect_client(&f);
	assert_int_equal(client_call(&f.client, VERSION, "\0\0\0\0{}", 6, -1), EINVAL);
	assert_int_equal(client_call(&f.client, VERSION, "\0\0\0\0{}", 7, -1), 0);
	leave(&f);

	/* Anything before it. */
	connect_client(&f);
	assert_int_equal(client_call(&f.client, RESET_CMD, NULL, 0, -1), -1);
	end(&f);
	assert_int_equal(f.served, -EPROTO);
}

static void test_info(void **state)
{
	static const uint32_t sizes[9] = { 0x2000, 0, 0x10000, 0, 0, 0, 0, 0x100, 0 };
	uint8_t p[32] = { 0 };
	struct fixture f;
	uint32_t i;

	(void)state;
	make_device(&f, "ethos-u85-256", 0x10000, NULL);
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 0), 0);
	put32(p, 16);
	assert_int_equal(client_call(&f.client, INFO, p, 16, -1), 0);
	assert_int_equal(f.client.reply_len, 16);
	assert_int_equal(get32(f.client.reply + 4), 3);		/* reset, PCI */
	assert_int_equal(get32(f.client.reply + 8), 9);
	assert_int_equal(get32(f.client.reply + 12), 5);
	for (i = 0; i < 9; i++) {
		put32(p, 32);
		put32(p + 8, i);
		assert_int_equal(client_call(&f.client, REGION_INFO, p, 32, -1), 0);
		assert_int_equal(f.client.reply_len, 32);
		assert_int_equal(get32(f.client.reply + 8), i);
		assert_int_equal(get64(f.client.reply + 16), sizes[i]);
		assert_int_equal(get32(f.client.reply + 4), !sizes[i] ? 0 : i == 2 ? 7 : 3);
		assert_int_equal(f.client.reply_fd >= 0, i == 2);
		if (f.client.reply_fd >= 0)
			close(f.client.reply_fd);
	}
	put32(p + 8, 9);
	assert_int_equal(client_call(&f.client, REGION_INFO, p, 32, -1), EINVAL);
	for (i = 0; i < 5; i++) {
		put32(p, 16);
		put32(p + 8, i);
		assert_int_equal(client_call(&f.client, IRQ_INFO, p, 16, -1), 0);
		assert_int_equal(get32(f.client.reply + 12), i == 1);
	}
	put32(p + 8, 5);
	assert_int_equal(client_call(&f.client, IRQ_INFO, p, 16, -1), EINVAL);
	end(&f);
}

static void test_config(void **state)
{
	uint32_t ones = ~0u, word;
	struct fixture f;

	(void)state;
	make_device(&f, "ethos-u85-256", 0x10000, NULL);
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 0), 0);
	assert_int_equal(config_word(&f, 0), 0xe7051234);
	assert_int_equal(config_word(&f, 8), 0x12000000);
	/* BAR sizing: what stays 0 is the size. */
	assert_int_equal(client_write(&f.client, 7, 0x10, &ones, 4), 0);
	assert_int_equal(config_word(&f, 0x10), ~0x1fffu);
	assert_int_equal(client_write(&f.client, 7, 0x18, &ones, 4), 0);
	assert_int_equal(config_word(&f, 0x18), (uint32_t)~0xffffu | 8);
	assert_int_equal(client_write(&f.client, 7, 0x14, &ones, 4), 0);
	assert_int_equal(config_word(&f, 0x14), 0);
	/* No INTx pin; one MSI of 64 bits is the only capability. */
	assert_int_equal(config_word(&f, 0x3c) >> 8 & 0xff, 0);
	assert_int_equal(config_word(&f, 0x34) & 0xff, 0x40);
	assert_int_equal(config_word(&f, 0x40), 0x00800005);
	/* Ids can not be written; an odd piece in the middle can be read. */
	assert_int_equal(client_write(&f.client, 7, 0, &ones, 4), 0);
	assert_int_equal(config_word(&f, 0), 0xe7051234);
	assert_int_equal(client_read(&f.client, 7, 1, &word, 2), 0);
	assert_int_equal(word & 0xffff, 0x0512);
	/* A reset takes back what was written. */
	assert_int_equal(client_call(&f.client, RESET_CMD, NULL, 0, -1), 0);
	assert_int_equal(config_word(&f, 0x10), 0);
	assert_int_equal(config_word(&f, 0x18), 8);
	end(&f);
}

/* Every command with every wrong length, and other things that have an errno for an answer. */
static void test_bad_messages(void **state)
{
	static const uint8_t min[] = { [VERSION] = 4, [MAP] = 32, [UNMAP] = 24, [INFO] = 16,
				       [REGION_INFO] = 32, [IRQ_INFO] = 16, [SET_IRQS] = 20,
				       [READ] = 16, [WRITE] = 16 };
	uint8_t p[64] = { 0 };
	struct fixture f;
	uint16_t cmd;
	size_t len;

	(void)state;
	start(&f);
	for (cmd = VERSION; cmd <= WRITE; cmd++) {
		if (cmd == IO_FDS)
			continue;
		memset(p, 0, sizeof(p));
		for (len = 0; len < min[cmd]; len++)
			assert_int_equal(client_call(&f.client, cmd, p, len, -1), EINVAL);
		put32(p, sizeof(p));
		/* Longer than it is, where that has no meaning. */
		if (cmd != VERSION && cmd != SET_IRQS && cmd != WRITE)
			assert_int_equal(client_call(&f.client, cmd, p, min[cmd] + 1, -1), EINVAL);
		/* argsz too small for the reply, or for what there is. */
		put32(p, min[cmd] - 1);
		if (cmd != VERSION && cmd != READ && cmd != WRITE)
			assert_int_equal(client_call(&f.client, cmd, p, min[cmd], -1), EINVAL);
		/* An fd where none is due is given back, that is, closed. */
		if (cmd != MAP && cmd != SET_IRQS)
			assert_int_equal(client_call(&f.client, cmd, p, min[cmd], f.msi), EINVAL);
	}
	assert_int_equal(client_call(&f.client, RESET_CMD, p, 1, -1), EINVAL);
	for (cmd = 0; cmd < 300; cmd++) {
		if (cmd == 0 || cmd == IO_FDS || cmd == DMA_READ || cmd == DMA_WRITE || cmd > RESET_CMD)
			assert_int_equal(client_call(&f.client, cmd, p, 16, -1), ENOSYS);
	}
	works(&f);
	end(&f);
	assert_int_equal(f.served, 0);
}

static void test_regions(void **state)
{
	uint8_t byte = 1, p[16], buf[256];
	uint64_t pair;
	struct fixture f;

	(void)state;
	start(&f);
	/* No such region, beyond its end, wrapping around, none, too many. */
	assert_int_equal(client_read(&f.client, 1, 0, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, 9, 0, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, ~0u, 0, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, 0, 0x2000, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, 0, 0x1ffd, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, 0, ~0ull, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, 7, 0xfd, buf, 4), EINVAL);
	assert_int_equal(client_read(&f.client, 7, 0, buf, 0), EINVAL);
	assert_int_equal(client_read(&f.client, 7, 0, buf, 256), 0);
	assert_int_equal(client_write(&f.client, 0, 0x2000, buf, 4), EINVAL);
	put64(p, 0);
	put32(p + 8, 0);
	put32(p + 12, 8);	/* says 8, has none */
	assert_int_equal(client_call(&f.client, WRITE, p, 16, -1), EINVAL);
	put32(p + 12, 0xffffffff);
	assert_int_equal(client_call(&f.client, READ, p, 16, -1), EINVAL);
	/* Two registers at once, half of one. Bytes are not written. */
	assert_int_equal(client_read(&f.client, 0, ID, &pair, 8), 0);
	assert_int_equal((uint32_t)pair, client_reg(&f.client, ID));
	assert_int_equal(client_read(&f.client, 0, ID + 1, &byte, 1), 0);
	assert_int_equal(byte, client_reg(&f.client, ID) >> 8 & 0xff);
	client_set_reg(&f.client, BASEP(3), 0x12345678);
	assert_int_equal(client_write(&f.client, 0, BASEP(3), &byte, 1), 0);
	assert_int_equal(client_reg(&f.client, BASEP(3)), 0x12345678);
	end(&f);
}

/* What ends the conversation. */
static void test_nonsense(void **state)
{
	static const uint32_t sizes[] = { 0, 15, 16 + 16 + 65536 + 1, 0xffffffff };
	uint8_t header[16] = { 1, 0, 13, 0 };
	int fds[9];
	struct fixture f;
	unsigned int i;

	(void)state;
	make_device(&f, "ethos-u65-256", 0, NULL);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		connect_client(&f);
		assert_int_equal(client_hello(&f.client, 0, 0), 0);
		put32(header + 4, sizes[i]);
		assert_true(client_send_raw(&f.client, header, 16, NULL, 0));
		assert_int_equal(client_receive(&f.client, 13), -1);
		leave(&f);
		assert_int_equal(f.served, -EMSGSIZE);
	}
	/* A reply to what no one asked, and other types. */
	for (i = 1; i < 16; i++) {
		connect_client(&f);
		assert_int_equal(client_hello(&f.client, 0, 0), 0);
		assert_true(client_send(&f.client, RESET_CMD, i, NULL, 0, NULL, 0));
		assert_int_equal(client_receive(&f.client, RESET_CMD), -1);
		leave(&f);
		assert_int_equal(f.served, -EPROTO);
	}
	/* More file descriptors than a message can have. */
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 0), 0);
	for (i = 0; i < 9; i++)
		fds[i] = f.msi;
	assert_true(client_send(&f.client, RESET_CMD, 0, NULL, 0, fds, 9));
	assert_int_equal(client_receive(&f.client, RESET_CMD), -1);
	leave(&f);
	assert_int_equal(f.served, -EPROTO);
	/* Half a message and gone. */
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 0), 0);
	put32(header + 4, 16);
	assert_true(client_send_raw(&f.client, header, 7, NULL, 0));
	end(&f);
	assert_int_equal(f.served, 0);
}

static void test_pieces(void **state)
{
	uint8_t p[32] = { 0 }, m[48] = { 0 };
	struct fixture f;
	unsigned int i;

	(void)state;
	start(&f);
	/* A map message a byte at a time, its fd with the last. */
	f.client.next_id = 7;
	put16(m, 7);
	put16(m + 2, MAP);
	put32(m + 4, 48);
	put32(m + 16, 32);
	put32(m + 20, 3);
	put64(m + 32, 0x4000000);
	put64(m + 40, RAM_SIZE);
	for (i = 0; i < sizeof(m); i++)
		assert_true(client_send_raw(&f.client, m + i, 1, &f.ram_fd, i == 47));
	assert_int_equal(client_receive(&f.client, MAP), 0);
	/* Two in one piece; the first wants no reply. */
	put32(p, 24);
	put64(p + 8, 0x4000000);
	put64(p + 16, RAM_SIZE);
	assert_true(client_send(&f.client, UNMAP, 1 << 4, p, 24, NULL, 0));
	assert_int_equal(client_map(&f.client, 0x4000000, RAM_SIZE, 1, f.ram_fd, 0), 0);
	works(&f);
	end(&f);
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_fds(void **state)
{
	struct fixture f;
	unsigned int before, i;

	(void)state;
	start(&f);
	before = open_fds();
	for (i = 0; i < 20; i++) {
		assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 3, f.ram_fd, 0), EEXIST);
		assert_int_equal(client_map(&f.client, 0x8000000, RAM_SIZE, 3, f.ram_fd, 0), 0);
		assert_int_equal(client_unmap(&f.client, 0x8000000, RAM_SIZE), 0);
		assert_int_equal(client_set_irq(&f.client, 1, 0x24, 1, f.msi), 0);
		assert_int_equal(client_set_irq(&f.client, 1, 0x24, 0, f.msi), EINVAL);
	}
	assert_int_equal(open_fds(), before);
	end(&f);
}

/* ---- memory ---- */

static void test_map(void **state)
{
	struct fixture f;
	int ro;

	(void)state;
	start(&f);
	assert_int_equal(client_map(&f.client, 0x200000, 0, 3, f.ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&f.client, 0x200000, RAM_SIZE, 0, f.ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&f.client, 0x200000, RAM_SIZE, 7, f.ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&f.client, ~0ull - 0xfff, 0x1001, 3, f.ram_fd, 0), EINVAL);
	/* Behind the end of the file, or a file that can not be written. */
	assert_int_equal(client_map(&f.client, 0x200000, RAM_SIZE + 1, 3, f.ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&f.client, 0x200000, 0x1000, 3, f.ram_fd, RAM_SIZE), EINVAL);
	assert_int_equal(client_map(&f.client, 0x200000, 0x1000, 3, f.ram_fd, ~0xfffull), EINVAL);
	assert_int_equal(client_map(&f.client, 0x200000, 0x1000, 3, f.ram_fd, 8), EINVAL);
	ro = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(client_map(&f.client, 0x200000, 0x1000, 3, ro, 0), EACCES);
	assert_int_equal(client_map(&f.client, 0x200000, 0x1000, 1, ro, 0), 0);
	close(ro);
	/* Overlaps, by a byte on either side and from within; next to each other is fine. */
	assert_int_equal(client_map(&f.client, 0x200fff, 0x1000, 3, f.ram_fd, 0), EEXIST);
	assert_int_equal(client_map(&f.client, 0x1ff001, 0x1000, 3, f.ram_fd, 0), EEXIST);
	assert_int_equal(client_map(&f.client, 0, 0x80000000, 3, -1, 0), EEXIST);
	assert_int_equal(client_map(&f.client, 0x201000, 0x1000, 3, f.ram_fd, 0), 0);
	assert_int_equal(client_map(&f.client, 0x1ff000, 0x1000, 3, f.ram_fd, 0), 0);
	/* Only what was mapped, and as it was. */
	assert_int_equal(client_unmap(&f.client, 0x200000, 0x2000), ENOENT);
	assert_int_equal(client_unmap(&f.client, 0x200000, 0x800), ENOENT);
	assert_int_equal(client_unmap(&f.client, 0x200800, 0x800), ENOENT);
	assert_int_equal(client_unmap(&f.client, 0x200000, 0x1000), 0);
	assert_int_equal(client_unmap(&f.client, 0x200000, 0x1000), ENOENT);
	works(&f);
	end(&f);
}

static void test_many_maps(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start(&f);
	/* The fixture has one; neither order nor number matter, up to the bound. */
	for (i = 0; i < 1023; i++)
		assert_int_equal(client_map(&f.client, (0x1000 + i * 389 % 1023) << 20, 0x1000, 3,
					    f.ram_fd, 0), 0);
	assert_int_equal(client_map(&f.client, 0x200000, 0x1000, 3, f.ram_fd, 0), ENOSPC);
	works(&f);
	for (i = 0; i < 1023; i++)
		assert_int_equal(client_unmap(&f.client, (0x1000 + i) << 20, 0x1000), 0);
	works(&f);
	end(&f);
}

/* What a job may not reach is a bus error, and the log has it. */
static void test_refused(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	works(&f);
	/* Read-only now. */
	assert_int_equal(client_unmap(&f.client, RAM_ADDR, RAM_SIZE), 0);
	assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 1, f.ram_fd, 0), 0);
	submit(&f);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_int_equal(client_reg(&f.client, STATUS) & (BUS_ERROR | RUNNING), BUS_ERROR);
	assert_false(copied(&f));
	assert_true(logged(&f, "dma write 0x108000 + 0x140 DMA destination at 0x20: refused"));
	reset(&f);
	/* Mapped without a file: there is no way to it. */
	assert_int_equal(client_unmap(&f.client, RAM_ADDR, RAM_SIZE), 0);
	assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 3, -1, 0), 0);
	submit(&f);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_int_equal(client_reg(&f.client, STATUS) & BUS_ERROR, BUS_ERROR);
	reset(&f);
	/* Not at all. */
	assert_int_equal(client_unmap(&f.client, RAM_ADDR, RAM_SIZE), 0);
	submit(&f);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_int_equal(client_reg(&f.client, STATUS) & BUS_ERROR, BUS_ERROR);
	reset(&f);
	assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 3, f.ram_fd, 0), 0);
	works(&f);
	end(&f);
}

/* SRAM: the client's mapping, its messages and the NPU see the same bytes, where the BAR is. */
static void test_sram(void **state)
{
	uint32_t command = 2, base = 0xfe000000, word = 0x11223344;
	uint8_t p[32] = { 0 }, *sram;
	struct fixture f;

	(void)state;
	make_device(&f, "ethos-u65-256", 0x10000, NULL);
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 0), 0);
	assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 3, f.ram_fd, 0), 0);
	assert_int_equal(client_set_irq(&f.client, 1, 0x24, 1, f.msi), 0);
	put32(p, 32);
	put32(p + 8, 2);
	assert_int_equal(client_call(&f.client, REGION_INFO, p, 32, -1), 0);
	sram = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED, f.client.reply_fd, 0);
	assert_true(sram != MAP_FAILED);
	close(f.client.reply_fd);
	assert_int_equal(client_write(&f.client, 2, 0x20, &word, 4), 0);
	assert_memory_equal(sram + 0x20, &word, 4);
	assert_int_equal(client_write(&f.client, 7, 0x18, &base, 4), 0);
	submit(&f);		/* whose BASEP(1) is RAM: only the destination is changed below */
	assert_int_equal(irqs(&f, BIG), 1);
	client_set_reg(&f.client, BASEP(1), base + 0x100);
	/* The BAR is off. */
	client_set_reg(&f.client, CMD, 0xf);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_int_equal(client_reg(&f.client, STATUS) & BUS_ERROR, BUS_ERROR);
	reset(&f);
	assert_int_equal(client_write(&f.client, 7, 4, &command, 4), 0);
	submit(&f);
	assert_int_equal(irqs(&f, BIG), 1);
	client_set_reg(&f.client, BASEP(1), base + 0x100);
	client_set_reg(&f.client, QSIZE, 40);
	client_set_reg(&f.client, CMD, 0xf);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_int_equal(client_reg(&f.client, STATUS) & (BUS_ERROR | END_REACHED), END_REACHED);
	assert_memory_equal(sram + 0x100, f.ram + FROM_AT, COPY_LEN);
	munmap(sram, 0x10000);
	end(&f);
}

/* ---- interrupts, resets, clients ---- */

static void test_irq(void **state)
{
	struct fixture f;
	int other;

	(void)state;
	start(&f);
	works(&f);
	/* The client's own trigger, with and without a list. */
	assert_int_equal(client_set_irq(&f.client, 1, 0x21, 1, -1), 0);
	assert_int_equal(irqs(&f, BIG), 1);
	/* Off: the edge is gone, and comes when someone listens again. */
	assert_int_equal(client_set_irq(&f.client, 1, 0x21, 0, -1), 0);
	submit(&f);
	while (!(client_reg(&f.client, STATUS) & IRQ_RAISED))
		;
	assert_int_equal(irqs(&f, 0), 0);
	other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(client_set_irq(&f.client, 1, 0x24, 1, f.msi), 0);
	assert_int_equal(irqs(&f, BIG), 1);
	client_set_reg(&f.client, CMD, 0xe);
	works(&f);
	/* Masks, more than there are, kinds that there are not. */
	assert_int_equal(client_set_irq(&f.client, 1, 0x09, 1, -1), ENOTSUP);
	assert_int_equal(client_set_irq(&f.client, 1, 0x11, 1, -1), ENOTSUP);
	assert_int_equal(client_set_irq(&f.client, 1, 0x24, 2, other), EINVAL);
	assert_int_equal(client_set_irq(&f.client, 0, 0x24, 1, other), EINVAL);
	assert_int_equal(client_set_irq(&f.client, 0, 0x21, 0, -1), 0);
	assert_int_equal(client_set_irq(&f.client, 5, 0x21, 0, -1), EINVAL);
	assert_int_equal(client_set_irq(&f.client, 1, 0x27, 1, other), EINVAL);
	assert_int_equal(client_set_irq(&f.client, 1, 0x64, 1, other), EINVAL);
	works(&f);
	close(other);
	end(&f);
}

static void test_reconnect(void **state)
{
	struct fixture f;
	unsigned int i;

	(void)state;
	start(&f);
	works(&f);
	for (i = 0; i < 3; i++) {
		leave(&f);
		assert_int_equal(f.served, 0);
		connect_client(&f);
		assert_int_equal(client_hello(&f.client, 0, 0), 0);
		assert_int_equal(client_reg(&f.client, STATUS), IN_RESET);
		/* Nothing of the one before is left: neither memory nor interrupt. */
		submit(&f);
		while (!(client_reg(&f.client, STATUS) & IRQ_RAISED))
			;
		assert_int_equal(client_reg(&f.client, STATUS) & BUS_ERROR, BUS_ERROR);
		assert_int_equal(irqs(&f, 0), 0);
		reset(&f);
		assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 3, f.ram_fd, 0), 0);
		assert_int_equal(client_set_irq(&f.client, 1, 0x24, 1, f.msi), 0);
		works(&f);
	}
	end(&f);
}

static void test_stop(void **state)
{
	uint64_t one = 1;
	struct fixture f;

	(void)state;
	start_fault(&f, "hang");
	submit(&f);
	/* The program is told to end while a job hangs. */
	assert_int_equal(write(f.stop, &one, sizeof(one)), sizeof(one));
	assert_int_equal(client_receive(&f.client, 0), -1);
	end(&f);
	assert_int_equal(f.served, -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_fds),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_many_maps),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sram),
		cmocka_unit_test(test_irq),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
