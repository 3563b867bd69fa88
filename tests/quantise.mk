# SPDX-License-Identifier: MIT
# From float graphs to graphs of integers, and the TFLite files they are written as.

# All of the runtime but its commands.
QUANTISE_OBJS := $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

QUANTISE_MODELS = $(wildcard $(ACCEL_MODELS)/*/model.tflite $(ACCEL_MODELS)/ops/*/model.tflite \
	$(ACCEL_MODELS)/seanet/*.tflite tests/data/*/model.tflite tests/demo/ds-cnn.tflite)

$(O)/tests/tflite_write: $(O)/tests/tflite_write.o $(QUANTISE_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

# The files that we write, read again by us, and run by TFLite 2.14 (status 77: there is none).
CHECKS += check-tflite-write
check-tflite-write: $(O)/tests/tflite_write
	$(Q)$< tests/quantise/pad.ir $(QUANTISE_MODELS) > $(O)/tflite-write.log; s=$$?; \
	grep -v '^refused' $(O)/tflite-write.log; exit $$s
	$(Q)$(PYTHON) tests/tflite_write.py $< $(QUANTISE_MODELS) > $(O)/tflite-write-py.log 2>&1; s=$$?; \
	grep -E '^FAIL|^TFLite|^SKIP: ' $(O)/tflite-write-py.log; test $$s = 0 -o $$s = 77

-include $(O)/tests/tflite_write.d

# Graphs of every operator through accel quantise, TFLite 2.14 and our own kernels (status 77: no TFLite).
CHECKS += check-quantise
check-quantise: $(O)/accel $(O)/tests/cpu_run
	$(Q)$(PYTHON) tests/quantise.py $^ > $(O)/quantise.log 2>&1; s=$$?; \
	grep -E '^FAIL|^quantised|^SKIP: ' $(O)/quantise.log; test $$s = 0 -o $$s = 77

$(O)/tests/test_quantise: $(O)/tests/test_quantise.o $(QUANTISE_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS) -lcmocka

CHECKS += check-quantise-parts
check-quantise-parts: $(O)/tests/test_quantise
	$<

-include $(O)/tests/test_quantise.d

# The demo's float ONNX model, quantised with the defaults, on all 10,000 test images.
FASHION := /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
CHECKS += check-quantise-fashion
check-quantise-fashion: $(O)/accel
	$(Q)test -e $(FASHION) || { echo "SKIP: no $(FASHION)"; exit 0; }; \
	$< quantise tests/demo/ds-cnn.onnx -o $(O)/ds-cnn.int8.tflite -c fashion-mnist:train && \
	$< eval $(O)/ds-cnn.int8.tflite --float tests/demo/ds-cnn.onnx -s fashion-mnist --engine reference --max-drop 0.3
