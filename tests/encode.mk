# SPDX-License-Identifier: MIT
# The weight encoder: against the simulator's decoder and against Vela's own codec.

ENCODE_SRCS := $(wildcard runtime/encode/*.c) runtime/error.c
ENCODE_OBJS := $(ENCODE_SRCS:%.c=$(O)/%.o)
TEST_ENCODE_OBJS := $(O)/tests/test_encode.o $(O)/tests/weights_order.o

$(O)/tests/test_encode: $(TEST_ENCODE_OBJS) $(ENCODE_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

CHECKS += check-encode
check-encode: $(O)/tests/test_encode
	$<

-include $(TEST_ENCODE_OBJS:.o=.d)

# Every convolution that Vela compiled, encoded again: the same weights, never larger.
ENCODE_VELA_OBJS := $(addprefix $(O)/tests/,encode_vela.o vela_file.o)

$(O)/tests/encode_vela: $(ENCODE_VELA_OBJS) $(ENCODE_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

CHECKS += check-encode-vela
check-encode-vela: $(O)/tests/encode_vela
	$< $(ACCEL_MODELS); s=$$?; test $$s = 0 -o $$s = 77

-include $(ENCODE_VELA_OBJS:.o=.d)

# Against Vela's codec from PyPI, which must decode our streams to the same weights and encode them to no
# less. Status 77: no models or no PyPI.
ENCODE_CODEC := $(PYTHON) tests/encode_vela.py $(O)/tests/encode_vela $(ACCEL_MODELS) $(O)/encode-vela.dump

CHECKS += check-encode-codec
check-encode-codec: $(O)/tests/encode_vela
	$(Q)$(ENCODE_CODEC) $(if $(FULL),,u85-256); s=$$?; test $$s = 0 -o $$s = 77

BENCHES += bench-encode
bench-encode: $(O)/tests/encode_vela
	$(Q)for m in mobilenet_v2 vww person pretrained kws ad01 vela-; do echo "$$m:"; $(ENCODE_CODEC) $$m; done

# libFuzzer, as in machine.mk; "make fuzz-encode FUZZ_ARGS=-runs=10000000" goes on for longer.
FUZZ_ENCODE_SRCS := tests/fuzz_encode.c sim/weights.c sim/mlw.c sim/npu_config.c $(ENCODE_SRCS)

$(O)/fuzz_encode: $(FUZZ_ENCODE_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^

FUZZERS += fuzz-encode
CHECKS += check-fuzz-encode
.PHONY: fuzz-encode
check-fuzz-encode: FUZZ_ARGS = $(call fuzz_bounded,1000,30)
fuzz-encode check-fuzz-encode:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_encode
	$(call fuzz_run,encode,$(O)/fuzz/fuzz_encode \
		-timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1,tests/corpus/encode/*)
