# SPDX-License-Identifier: MIT
# The device with a fake engine: registers, jobs, faults, PMU, plan cache, threads.

MACHINE_SRCS := tests/test_bus.c $(foreach part,npu decode strict cost,$(wildcard sim/$(part)*.c))
MACHINE_OBJS := $(MACHINE_SRCS:%.c=$(O)/%.o)
MACHINE_TESTS := $(O)/tests/test_machine $(O)/tests/test_machine_pmu $(O)/tests/test_machine_log

$(MACHINE_TESTS): %: %.o $(O)/tests/machine.o $(MACHINE_OBJS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lxxhash $(LIBS)

CHECKS += check-machine check-machine-tsan
check-machine: $(MACHINE_TESTS)
	$(Q)for t in $^; do $$t || exit 1; done

# The same, with every race a failure.
MACHINE_TSAN := $(MACHINE_TESTS:$(O)/%=$(O)/tsan/%)
check-machine-tsan:
	$(MAKE) O=$(O)/tsan SAN=-fsanitize=thread CFLAGS="-O1 -g" $(MACHINE_TSAN)
	$(Q)for t in $(MACHINE_TSAN); do TSAN_OPTIONS=halt_on_error=1 $$t || exit 1; done

$(O)/bench_machine: $(O)/tests/bench_machine.o $(MACHINE_OBJS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lxxhash $(LIBS)

BENCHES += bench-machine
bench-machine: $(O)/bench_machine
	$<

# libFuzzer, ASan and UBSan, with clang. "make fuzz-stream FUZZ_ARGS=-runs=1000000" goes on for longer;
# what it finds that is new goes to $(O)/corpus-stream.
FUZZ_CLANG ?= clang
# The macro is libFuzzer's own name for what only a fuzzer wants: less patience, see sim/strict_internal.h.
FUZZ_SAN := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
FUZZ_ARGS ?= -seed=1 -max_total_time=15
# $(call fuzz_bounded,RUNS,SECONDS): what make check does: the same everywhere, so a number of inputs, which takes a
# third of the time that it may take. What comparisons have in their hands is left out: pointers are among it.
fuzz_bounded = -seed=1 -runs=$(1) -max_total_time=$(2) -reload=0 -use_cmp=0
# $(call fuzz_run,NAME,PROGRAM,SEEDS): in a check from nothing. The seeds as a list in order: of folders libFuzzer takes
# them as they lie on the disk.
comma := ,
define fuzz_run
	$(if $(filter check-%,$@),rm -rf $(O)/bounded-$(1))
	mkdir -p $(O)/$(if $(filter check-%,$@),bounded,corpus)-$(1)
	$(2) $(FUZZ_ARGS) -seed_inputs=$(subst $(subst ,, ),$(comma),$(sort $(wildcard $(3)))) \
		$(O)/$(if $(filter check-%,$@),bounded,corpus)-$(1)
endef
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
check-fuzz-stream: FUZZ_ARGS = $(call fuzz_bounded,80000,45)
fuzz-stream check-fuzz-stream:
	$(MAKE) O=$(O)/fuzz-knowing CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN_KNOWING)" CFLAGS="-O2 -g" \
		$(O)/fuzz-knowing/fuzz_stream
	$(call fuzz_run,stream,$(FUZZ_ENV) $(O)/fuzz-knowing/fuzz_stream -timeout=10 -rss_limit_mb=1024 \
		-max_len=8192,tests/corpus/stream/*)
