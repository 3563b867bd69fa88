/* SPDX-License-Identifier: MIT */
/* accel-sim's faults to order: each befalls the job it was ordered for, and no other. */
#include "tests/server_fixture.h"

static void test_hang(void **state)
{
	struct fixture f;
	unsigned int i;

	(void)state;
	start_fault(&f, "hang:2:every=2");
	for (i = 0; i < 3; i++) {
		works(&f);
		submit(&f);
		assert_int_equal(irqs(&f, 20), 0);
		assert_int_equal(status(&f), RUNNING);
		assert_int_equal(client_reg(&f.client, QREAD), 0);
		reset(&f);
		assert_int_equal(status(&f), 0);
	}
	/* A client that leaves takes its hanging job along; so does a device reset. */
	works(&f);
	submit(&f);
	while (!logged(&f, "fault hang at job 8\n"))
		;
	assert_int_equal(client_call(&f.client, RESET_CMD, NULL, 0, -1), 0);
	assert_int_equal(client_reg(&f.client, STATUS), IN_RESET);
	works(&f);
	submit(&f);
	while (!logged(&f, "fault hang at job 10\n"))
		;
	end(&f);
}

static void test_lost_irq(void **state)
{
	struct fixture f;

	(void)state;
	start_fault(&f, "lost-irq:2");
	works(&f);
	submit(&f);
	while (!(client_reg(&f.client, STATUS) & IRQ_RAISED))
		;
	assert_int_equal(irqs(&f, 20), 0);
	assert_true(copied(&f));
	client_set_reg(&f.client, CMD, 0xe);
	works(&f);
	works(&f);
	assert_true(logged(&f, "irq up (lost)"));
	end(&f);
}

static void test_spurious_irq(void **state)
{
	struct fixture f;
	uint64_t n;

	(void)state;
	start_fault(&f, "spurious-irq");
	submit(&f);
	/* One for nothing and one for the end; an eventfd adds up what has come by the time it is read. */
	n = irqs(&f, BIG);
	if (n == 1)
		n += irqs(&f, BIG);
	assert_int_equal(n, 2);
	assert_true(client_reg(&f.client, STATUS) & IRQ_RAISED);
	client_set_reg(&f.client, CMD, 0xe);
	works(&f);
	end(&f);
}

static void one_fault(const char *fault, uint32_t bit)
{
	struct fixture f;

	start_fault(&f, fault);
	submit(&f);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_int_equal(client_reg(&f.client, STATUS) & (bit | RUNNING | END_REACHED), bit);
	assert_false(copied(&f));
	reset(&f);
	works(&f);
	end(&f);
}

static void test_bus_error(void **state)
{
	(void)state;
	one_fault("bus-error", BUS_ERROR);
	one_fault("bus-error:1:access=2", BUS_ERROR);
	one_fault("bus-error:access=3", BUS_ERROR);
}

static void test_parse_error(void **state)
{
	(void)state;
	one_fault("parse-error", PARSE_ERROR);
}

static void test_reset_stuck(void **state)
{
	struct fixture f;
	unsigned int i;

	(void)state;
	start_fault(&f, "reset-stuck:2");
	reset(&f);
	client_set_reg(&f.client, RESET, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(client_reg(&f.client, STATUS) & IN_RESET, IN_RESET);
	reset(&f);
	works(&f);
	end(&f);
}

static void test_slow(void **state)
{
	uint32_t qread = 0, now;
	struct fixture f;
	unsigned int steps = 0;

	(void)state;
	start_fault(&f, "slow:ms=200:2");
	works(&f);
	submit(&f);
	while (status(&f) == RUNNING) {
		now = client_reg(&f.client, QREAD);
		assert_true(now >= qread && now <= 40 && !(now & 3));
		steps += now != qread;
		qread = now;
	}
	/* Of 10 words it was seen at several. */
	assert_true(steps >= 3);
	assert_int_equal(irqs(&f, BIG), 1);
	assert_true(copied(&f));
	client_set_reg(&f.client, CMD, 0xe);
	works(&f);
	end(&f);
}

static void test_slow_reset(void **state)
{
	struct fixture f;

	(void)state;
	start_fault(&f, "slow:ms=600000");
	submit(&f);
	/* A job that was never begun would not count. */
	while (!logged(&f, "fault slow at job 1\n"))
		;
	assert_int_equal(status(&f), RUNNING);
	reset(&f);
	works(&f);
	end(&f);
}

static void test_vanish(void **state)
{
	struct fixture f;

	(void)state;
	start_fault(&f, "vanish:2");
	works(&f);
	submit(&f);
	while (client_reg(&f.client, STATUS) != ~0u)
		;
	assert_int_equal(client_reg(&f.client, ID), ~0u);
	assert_int_equal(config_word(&f, 0), ~0u);
	client_set_reg(&f.client, RESET, 0);
	assert_int_equal(client_reg(&f.client, STATUS), ~0u);
	assert_int_equal(irqs(&f, 20), 0);
	leave(&f);
	/* Plugged in again. */
	connect_client(&f);
	assert_int_equal(client_hello(&f.client, 0, 0), 0);
	assert_int_equal(config_word(&f, 0), 0xe7051234);
	assert_int_equal(client_map(&f.client, RAM_ADDR, RAM_SIZE, 3, f.ram_fd, 0), 0);
	assert_int_equal(client_set_irq(&f.client, 1, 0x24, 1, f.msi), 0);
	assert_int_equal(client_reg(&f.client, STATUS), IN_RESET);
	works(&f);
	end(&f);
}

static void test_fault_parse(void **state)
{
	static const char *const bad[] = {
		"", "hung", "hang:", "hang:0", "hang:-1", "hang:x", "hang:1x", "hang:every=",
		"hang:every=0", "hang:ms=3", "hang:access=1", "slow:ms=0", "slow:ms=600001",
		"bus-error:access=0", "hang:99999999999999999999", ":1", "hang::1", "hang:1:",
	};
	struct faults faults = { 0 };
	struct fault *fault = &faults.kind[FAULT_HANG];
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_int_equal(fault_parse(&faults, bad[i], err, sizeof(err)), -EINVAL);
		assert_true(strstr(err, "expected a number") || strstr(err, "no such fault"));
	}
	assert_int_equal(fault_parse(&faults, "hang", err, sizeof(err)), 0);
	assert_true(fault_hits(fault, 1));
	assert_false(fault_hits(fault, 2));
	assert_int_equal(fault_parse(&faults, "hang:3:every=4", err, sizeof(err)), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(fault_hits(fault, i), i == 3 || i == 7 || i == 11 || i == 15 ||
				 i == 19);
	assert_int_equal(fault_parse(&faults, "hang:every=5", err, sizeof(err)), 0);
	for (i = 0; i < 12; i++)
		assert_int_equal(fault_hits(fault, i), i == 5 || i == 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_lost_irq),
		cmocka_unit_test(test_spurious_irq),
		cmocka_unit_test(test_bus_error),
		cmocka_unit_test(test_parse_error),
		cmocka_unit_test(test_reset_stuck),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_slow_reset),
		cmocka_unit_test(test_vanish),
		cmocka_unit_test(test_fault_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
