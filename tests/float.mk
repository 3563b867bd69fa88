# SPDX-License-Identifier: MIT
# Operators of float32 on the CPU, and graphs of them.

FLOAT_SRCS := $(CPU_SRCS)

$(O)/tests/test_float: $(O)/tests/test_float.o $(FLOAT_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) -lcmocka

# Against TFLite 2.14's kernels, from PyPI (status 77: there is none).
CHECKS += check-float
check-float: $(O)/tests/test_float $(O)/tests/tflite_write $(O)/tests/cpu_run
	$<
	$(Q)$(PYTHON) tests/float_tflite.py $(O)/tests/tflite_write $(O)/tests/cpu_run > $(O)/float-tflite.log 2>&1; s=$$?; \
	grep -E '^FAIL|^float|^SKIP: ' $(O)/float-tflite.log; test $$s = 0 -o $$s = 77

-include $(O)/tests/test_float.d

# make bench-float FLOAT_MODEL=x.onnx: time a sample, by kind of operation.
$(O)/tests/bench_float: $(O)/tests/bench_float.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS)) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

FLOAT_MODEL ?= tests/accuracy/mlp.onnx
BENCHES += bench-float
bench-float: $(O)/tests/bench_float
	$< $(FLOAT_MODEL)

-include $(O)/tests/bench_float.d
