# SPDX-License-Identifier: MIT
# The compiler's back end: random graphs of NPU operations against what they mean.

BACKEND_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/backend*.c)) $(O)/tests/checkops_mem.o $(O)/tests/validate_accepts.o \
	$(patsubst %.c,$(O)/%.o,$(wildcard runtime/compile/be*.c)) $(call objs,runtime/encode) $(call objs,runtime/target) \
	$(addprefix $(O)/runtime/,elem.o error.o file.o)
BACKEND_COUNT ?= 400

$(O)/tests/backend: $(BACKEND_OBJS) $(O)/libethosu-validate.a $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

CHECKS += check-backend
check-backend: $(O)/tests/backend
	$< --count $(BACKEND_COUNT)

CHECKS += check-emit
check-emit: $(O)/accel
	sh tests/test_emit.sh $<

# What our streams cost against Vela's. BENCH_ARGS: --ops, --time.
BENCH_COMPILE_OBJS := $(O)/tests/bench_compile.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/bench_compile: $(BENCH_COMPILE_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

BENCHES += bench-compile
bench-compile: $(O)/tests/bench_compile $(O)/accel
	$(PYTHON) tests/bench_compile.py $(BENCH_ARGS) $^ $(ACCEL_MODELS); s=$$?; test $$s = 0 -o $$s = 77

# Time and memory against the size of the graph.
$(O)/tests/bench_scale: $(O)/tests/bench_scale.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS)) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

BENCHES += bench-scale
bench-scale: $(O)/tests/bench_scale
	for n in 625 1250 2500 5000; do $< $$n 16; done
	for n in 6 12 24; do $< $$n 2048; done

-include $(BACKEND_OBJS:.o=.d) $(O)/tests/bench_compile.d $(O)/tests/bench_scale.d
