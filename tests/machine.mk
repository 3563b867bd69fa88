# SPDX-License-Identifier: MIT
# The device with a fake engine: registers, jobs, faults, PMU, plan cache, threads.

MACHINE_SRCS := tests/test_machine.c tests/test_bus.c \
	$(foreach part,npu decode strict cost,$(wildcard sim/$(part)*.c))

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

# libFuzzer, ASan and UBSan, with clang. "make fuzz-stream FUZZ_ARGS=-runs=1000000" goes on for longer;
# what it finds that is new goes to $(O)/corpus-stream.
FUZZ_CLANG ?= clang
FUZZ_SAN := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
FUZZ_ARGS ?= -max_total_time=15
# Where the mutator knows what values matter, libFuzzer need not learn them from comparisons, which
# takes two thirds of the time.
FUZZ_SAN_KNOWING := $(FUZZ_SAN) -fno-sanitize-coverage=trace-cmp
FUZZ_ENV := ASAN_OPTIONS=malloc_context_size=2:quarantine_size_mb=32
FUZZ_STREAM_SRCS := tests/fuzz_stream.c tests/test_bus.c $(filter-out sim/cl_%.c,$(wildcard sim/*.c))

$(O)/fuzz_stream: $(FUZZ_STREAM_SRCS:%.c=$(O)/%.o)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ -lxxhash $(LIBS)

FUZZERS += fuzz-stream
CHECKS += check-fuzz-stream
.PHONY: fuzz-stream
fuzz-stream check-fuzz-stream:
	$(MAKE) O=$(O)/fuzz-knowing CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN_KNOWING)" CFLAGS="-O2 -g" \
		$(O)/fuzz-knowing/fuzz_stream
	mkdir -p $(O)/corpus-stream
	$(FUZZ_ENV) $(O)/fuzz-knowing/fuzz_stream -timeout=10 -rss_limit_mb=1024 -max_len=8192 \
		$(FUZZ_ARGS) $(O)/corpus-stream tests/corpus/stream
