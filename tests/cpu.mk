# SPDX-License-Identifier: MIT
# Operators on the CPU against TFLite's reference kernels.

CPU_SRCS := $(wildcard runtime/cpu/*.c runtime/float/*.c runtime/ir/*.c) runtime/compile/import_tflite.c sim/ref_table.c \
	$(addprefix runtime/,elem.c error.c file.c late.c npy.c npz.c tflite.c tflite_names.c)

$(O)/tests/cpu_models: $(O)/tests/cpu_models.o $(CPU_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

# Loops over products are worth it; float32 is worth vectors.
$(O)/runtime/cpu/conv.o $(O)/runtime/cpu/depthwise.o: ALL_CFLAGS += -O3
$(patsubst %.c,$(O)/%.o,$(wildcard runtime/float/*.c)): ALL_CFLAGS += -O3 -fno-math-errno -fno-trapping-math

$(O)/tests/test_cpu: $(O)/tests/test_cpu.o $(CPU_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) -lcmocka

CHECKS += check-cpu
check-cpu: $(O)/tests/test_cpu $(O)/tests/cpu_models
	$<
	$(Q)$(O)/tests/cpu_models $(ACCEL_MODELS) > $(O)/cpu-models.log; s=$$?; \
	grep -v '^ok' $(O)/cpu-models.log; test $$s = 0 -o $$s = 77

-include $(O)/tests/cpu_models.d $(O)/tests/test_cpu.d

# libFuzzer, as in machine.mk; "make fuzz-cpu FUZZ_ARGS=-runs=10000000" goes on for longer.
FUZZ_CPU_SRCS := tests/fuzz_cpu.c $(filter-out runtime/cpu/arena.c runtime/cpu/graph.c,$(wildcard runtime/cpu/*.c)) \
	$(wildcard runtime/float/*.c) runtime/ir/ir_ops.c runtime/elem.c runtime/error.c sim/ref_table.c

$(O)/fuzz_cpu: $(FUZZ_CPU_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ -lm

FUZZERS += fuzz-cpu
CHECKS += check-fuzz-cpu
.PHONY: fuzz-cpu
check-fuzz-cpu: FUZZ_ARGS = $(call fuzz_bounded,150000,45)
fuzz-cpu check-fuzz-cpu:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_cpu
	$(call fuzz_run,cpu,$(O)/fuzz/fuzz_cpu \
		-timeout=10 -rss_limit_mb=1024 -max_len=1024 -print_final_stats=1,tests/corpus/cpu/*)

# The same inputs through TFLite 2.14 from PyPI. FULL=1: more changes of scales. Status 77: no models, no PyPI.
CPU_RUN_OBJS := $(O)/tests/cpu_run.o

$(O)/tests/cpu_run: $(CPU_RUN_OBJS) $(CPU_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

CHECKS += check-cpu-tflite
check-cpu-tflite: $(O)/tests/cpu_run
	$(Q)$(PYTHON) tests/cpu_tflite.py $< $(ACCEL_MODELS) $(if $(FULL),10,2) > $(O)/cpu-tflite.log 2>&1; s=$$?; \
	grep -E '^FAIL|^CPU|^SKIP: ' $(O)/cpu-tflite.log; test $$s = 0 -o $$s = 77

-include $(CPU_RUN_OBJS:.o=.d)
