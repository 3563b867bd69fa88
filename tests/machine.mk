# SPDX-License-Identifier: MIT
# The device with a fake engine: registers, jobs, faults, PMU, plan cache, threads.

MACHINE_SRCS := tests/test_machine.c tests/test_bus.c $(wildcard sim/npu*.c) $(wildcard sim/decode*.c)

$(O)/test_machine: $(MACHINE_SRCS:%.c=$(O)/%.o)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lxxhash $(LIBS)

CHECKS += check-machine check-machine-tsan
check-machine: $(O)/test_machine
	$<

# The same, with every race a failure.
check-machine-tsan:
	$(MAKE) O=$(O)/tsan SAN=-fsanitize=thread CFLAGS="-O1 -g" $(O)/tsan/test_machine
	TSAN_OPTIONS=halt_on_error=1 $(O)/tsan/test_machine

$(O)/bench_machine: $(patsubst %.c,$(O)/%.o,tests/bench_machine.c $(filter-out tests/test_machine.c,$(MACHINE_SRCS)))
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lxxhash $(LIBS)

BENCHES += bench-machine
bench-machine: $(O)/bench_machine
	$<
