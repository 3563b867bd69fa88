# SPDX-License-Identifier: MIT
# Weight and scale streams. tests/gen_weights.py made the vectors; it needs ethos-u-vela 5.2.0.

WEIGHTS_OBJS := $(O)/tests/test_weights.o $(O)/tests/weights_order.o

CHECKS += check-weights

$(O)/tests/test_weights: $(WEIGHTS_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
check-weights: $(O)/tests/test_weights
	$< tests/data/weights/vela.bin

-include $(WEIGHTS_OBJS:.o=.d)

# libFuzzer, as in machine.mk; "make fuzz-weights FUZZ_ARGS=-runs=10000000" goes on for longer.
FUZZ_WEIGHTS_SRCS := tests/fuzz_weights.c sim/weights.c sim/mlw.c sim/npu_config.c

$(O)/fuzz_weights: $(FUZZ_WEIGHTS_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^

FUZZERS += fuzz-weights
CHECKS += check-fuzz-weights
.PHONY: fuzz-weights
check-fuzz-weights: FUZZ_ARGS = $(call fuzz_bounded,20000,30)
fuzz-weights check-fuzz-weights:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_weights
	$(call fuzz_run,weights,$(O)/fuzz/fuzz_weights \
		-timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1,tests/corpus/weights/*)

BENCH_WEIGHTS_OBJS := $(addprefix $(O)/tests/,bench_weights.o vela_file.o)

$(O)/tests/bench_weights: $(BENCH_WEIGHTS_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

BENCHES += bench-weights
bench-weights: $(O)/tests/bench_weights
	for c in u55-128 u65-256 u65-512 u85-256; do \
		$< $$c $(ACCEL_MODELS)/mobilenet_v2_q_nchw/vela-ethos-$$c.tflite; done

-include $(BENCH_WEIGHTS_OBJS:.o=.d)
