# SPDX-License-Identifier: MIT
# Samples and their preprocessing: against Pillow's pixels, and with files that are wrong.

SAMPLES_SRCS := $(wildcard runtime/samples/*.c) $(addprefix runtime/,dataset.c elem.c error.c file.c late.c npy.c npz.c)

$(O)/tests/test_samples: $(O)/tests/test_samples.o $(SAMPLES_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lsndfile $(RUNTIME_LIBS)

CHECKS += check-samples
check-samples:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(O)/asan/tests/test_samples
	$(O)/asan/tests/test_samples tests/samples

-include $(O)/tests/test_samples.d

# libFuzzer, as in runtime.mk; the seeds are the pictures of test_samples and descriptions.
FUZZ_SAMPLES_OBJS := $(patsubst %.c,$(O)/%.o,tests/fuzz_samples.c runtime/error.c runtime/file.c \
	$(wildcard runtime/samples/picture*.c) runtime/samples/preprocess.c)

$(O)/fuzz_samples: $(FUZZ_SAMPLES_OBJS)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(RUNTIME_LIBS)

FUZZERS += fuzz-samples
CHECKS += check-fuzz-samples
.PHONY: fuzz-samples
check-fuzz-samples: FUZZ_ARGS = $(call fuzz_bounded,200000,30)
fuzz-samples check-fuzz-samples:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_samples
	$(call fuzz_run,samples,$(O)/fuzz/fuzz_samples \
		-timeout=25 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1,tests/corpus/samples/*)
