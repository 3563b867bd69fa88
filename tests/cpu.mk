# SPDX-License-Identifier: MIT
# Operators on the CPU against TFLite's reference kernels.

CPU_SRCS := $(wildcard runtime/cpu/*.c runtime/ir/*.c) runtime/compile/import_tflite.c sim/ref_table.c \
	$(addprefix runtime/,elem.c error.c file.c npy.c npz.c tflite.c tflite_names.c)

$(O)/tests/cpu_models: $(O)/tests/cpu_models.o $(CPU_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

# Loops over products are worth it.
$(O)/runtime/cpu/conv.o $(O)/runtime/cpu/depthwise.o: ALL_CFLAGS += -O3

CHECKS += check-cpu
check-cpu: $(O)/tests/cpu_models
	$(Q)$< $(ACCEL_MODELS) > $(O)/cpu-models.log; s=$$?; \
	grep -v '^ok' $(O)/cpu-models.log; test $$s = 0 -o $$s = 77

-include $(O)/tests/cpu_models.d
