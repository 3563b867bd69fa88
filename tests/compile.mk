# SPDX-License-Identifier: MIT
# The compiler's front end: the graph's text form, import, lowering.

IR_SRCS := $(wildcard runtime/ir/*.c) $(addprefix runtime/,error.c elem.c file.c tflite.c tflite_names.c) \
	runtime/compile/import_tflite.c

$(O)/tests/ir_text: $(O)/tests/ir_text.o $(IR_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

CHECKS += check-ir
check-ir:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(O)/asan/tests/ir_text
	@$(O)/asan/tests/ir_text tests/ir/*.ir $(wildcard $(ACCEL_MODELS)/*/model.tflite \
		$(ACCEL_MODELS)/ops/*/model.tflite $(ACCEL_MODELS)/seanet/*.tflite)

-include $(O)/tests/ir_text.d

# Lowered graphs executed without a back end, against TFLite's reference outputs.
IR_EXEC_OBJS := $(addprefix $(O)/,tests/ir_exec.o tests/ir_run.o) \
	$(filter-out $(O)/runtime/cmd_%.o $(SIM_OBJS),$(RUNTIME_OBJS)) $(O)/libsim.a

$(O)/tests/ir_exec: $(IR_EXEC_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS) $(LIBS)

CHECKS += check-lower
check-lower: $(O)/tests/ir_exec
	@$< $(ACCEL_MODELS) > $(O)/lower.log; s=$$?; grep -v '^ok\|^cpu' $(O)/lower.log; test $$s = 0 -o $$s = 77

-include $(O)/tests/ir_exec.d $(O)/tests/ir_run.d

# Models through the whole compiler and the simulator, strict. COMPILED_ARGS: -t CONFIG, -m NAME, -n VECTORS.
COMPILED_OBJS := $(O)/tests/compiled.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/compiled: $(COMPILED_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

CHECKS += check-compiled
check-compiled: $(O)/tests/compiled
	@POCL_DEVICES=basic $< $(COMPILED_ARGS) $(ACCEL_MODELS) > $(O)/compiled.log; s=$$?; grep -v '^ok\|^cpu' $(O)/compiled.log; \
	test $$s = 0 -o $$s = 77

-include $(O)/tests/compiled.d
