# SPDX-License-Identifier: MIT
# The compiler's front end: the graph's text form, import, lowering.

IR_TEXT_OBJS := $(O)/tests/ir_text.o $(foreach d,ir compile encode target image cpu float,$(call objs,runtime/$(d))) \
	$(STREAM_OBJS) $(ONNX_OBJS) $(addprefix $(O)/runtime/,elem.o error.o file.o tflite.o tflite_names.o container.o)

$(O)/tests/ir_text: $(IR_TEXT_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

# The table in the documentation is what the code says.
CHECKS += check-operators
check-operators: $(O)/accel
	$< compile --operators | diff -u docs/operators.md -

CHECKS += check-ir
check-ir:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(O)/asan/tests/ir_text
	@$(O)/asan/tests/ir_text tests/ir/*.ir $(wildcard $(ACCEL_MODELS)/*/model.tflite \
		$(ACCEL_MODELS)/ops/*/model.tflite $(ACCEL_MODELS)/seanet/*.tflite)

-include $(O)/tests/ir_text.d

# Lowered graphs executed without a back end, against TFLite's reference outputs.
IR_EXEC_OBJS := $(addprefix $(O)/tests/,ir_exec.o ir_run.o vectors.o) \
	$(filter-out $(O)/runtime/cmd_%.o $(SIM_OBJS),$(RUNTIME_OBJS)) $(O)/libsim.a

$(O)/tests/ir_exec: $(IR_EXEC_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS) $(LIBS)

CHECKS += check-lower
check-lower: $(O)/tests/ir_exec
	@$< $(ACCEL_MODELS) > $(O)/lower.log; s=$$?; grep -v '^ok\|^cpu' $(O)/lower.log; test $$s = 0 -o $$s = 77

-include $(addprefix $(O)/tests/,ir_exec.d ir_run.d vectors.d)

# Models through the whole compiler and the simulator, strict. COMPILED_ARGS: -t CONFIG, -m NAME, -n VECTORS.
COMPILED_OBJS := $(addprefix $(O)/tests/,compiled.o vectors.o) $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/compiled: $(COMPILED_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

CHECKS += check-compiled
check-compiled: $(O)/tests/compiled
	@POCL_DEVICES=basic $< $(COMPILED_ARGS) $(ACCEL_MODELS) > $(O)/compiled.log; s=$$?; grep -v '^ok\|^cpu' $(O)/compiled.log; \
	test $$s = 0 -o $$s = 77
	@POCL_DEVICES=basic $< -o -n 1 -t u65-256 -t u85-256 $(ACCEL_MODELS) > $(O)/compiled-own.log; s=$$?; \
	grep -v '^ok\|^cpu' $(O)/compiled-own.log; test $$s = 0 -o $$s = 77

-include $(O)/tests/compiled.d

# libFuzzer: models into the compiler, and the text form. Seeds: the models of the tree, tests/ir; all of
# ACCEL_MODELS/ops with FULL=1.
FUZZ_COMPILE_OBJS := $(foreach d,ir compile encode target image cpu float,$(call objs,runtime/$(d))) $(STREAM_OBJS) \
	$(ONNX_OBJS) $(addprefix $(O)/runtime/,elem.o error.o file.o tflite.o tflite_names.o container.o)

$(O)/fuzz_compile: $(O)/tests/fuzz_compile.o $(FUZZ_COMPILE_OBJS)
$(O)/fuzz_ir: $(O)/tests/fuzz_ir.o $(FUZZ_COMPILE_OBJS)
$(O)/fuzz_compile $(O)/fuzz_ir:
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(RUNTIME_LIBS) $(LIBS)

FUZZERS += fuzz-compile fuzz-ir
CHECKS += check-fuzz-compile check-fuzz-ir
.PHONY: fuzz-compile fuzz-ir
check-fuzz-compile: FUZZ_ARGS = $(call fuzz_bounded,20000,45)
check-fuzz-ir: FUZZ_ARGS = $(call fuzz_bounded,200000,45)
fuzz-compile check-fuzz-compile: NAME := compile
fuzz-ir check-fuzz-ir: NAME := ir
fuzz-compile check-fuzz-compile: SEEDS := $(wildcard tests/data/ops/*/model.tflite \
	$(if $(FULL),$(ACCEL_MODELS)/ops/*/model.tflite))
fuzz-ir check-fuzz-ir: SEEDS := $(wildcard tests/ir/*.ir)
fuzz-compile check-fuzz-compile fuzz-ir check-fuzz-ir:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_$(NAME)
	$(call fuzz_run,$(NAME),$(O)/fuzz/fuzz_$(NAME) -timeout=20 -rss_limit_mb=2048 -max_len=20000 \
		-print_final_stats=1,$(SEEDS) tests/corpus/$(NAME)/*)
