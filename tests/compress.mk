# SPDX-License-Identifier: MIT
# Compression: formats of weights that it makes use of.

TEST_FORMATS_OBJS := $(O)/tests/test_formats.o $(patsubst %.c,$(O)/%.o,$(wildcard runtime/compile/be*.c)) \
	$(call objs,runtime/encode) $(call objs,runtime/target) $(addprefix $(O)/runtime/ir/,ir.o ir_ops.o) \
	$(addprefix $(O)/runtime/,elem.o error.o file.o)

$(O)/tests/test_formats: $(TEST_FORMATS_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) $(LIBS) -lcmocka

CHECKS += check-formats
check-formats: $(O)/tests/test_formats
	$<

# Models with 2:4 and with clustered weights, to the byte.
SPARSE_MODELS_OBJS := $(O)/tests/sparse_models.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/sparse_models: $(SPARSE_MODELS_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

CHECKS += check-sparse
check-sparse: $(O)/tests/sparse_models
	POCL_DEVICES=basic $< -t u85-128 -t u85-256 -t u85-1024 \
		$(wildcard tests/data/ops/*/model.tflite tests/demo/*.tflite \
			$(foreach m,kws_ref_model pretrainedResnet_quant vww_96_int8 str_ww_ref_model, \
				$(ACCEL_MODELS)/$(m)/model.tflite) \
			$(ACCEL_MODELS)/ops/conv_*/model.tflite $(ACCEL_MODELS)/ops/fc_*/model.tflite)

-include $(TEST_FORMATS_OBJS:.o=.d) $(O)/tests/sparse_models.d

# Least squares with constraints, by themselves.
TEST_COMPRESS_OBJS := $(O)/tests/test_compress.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/test_compress: $(TEST_COMPRESS_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS) -lcmocka

CHECKS += check-compress
check-compress: $(O)/tests/test_compress
	$<

-include $(O)/tests/test_compress.d

# The demo's network pruned, clustered and made narrower: bytes, cycles, accuracy. Status 77: no data.
CHECKS += check-optimise
check-optimise: $(O)/accel
	$(Q)$(PYTHON) tests/optimise.py --accel $< --model tests/demo/ds-cnn.onnx --work $(O)/optimise; \
	s=$$?; test $$s = 0 -o $$s = 77
