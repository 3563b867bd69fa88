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
