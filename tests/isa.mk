# SPDX-License-Identifier: MIT
# The ISA's lists, the disassembler and the command stream decoder.

DECODE_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard sim/decode*.c) sim/npu_config.c)

DECODE_MODELS_OBJS := $(O)/tests/decode_models.o $(DECODE_OBJS) \
	$(addprefix $(O)/runtime/,container.o elem.o error.o file.o tflite.o tflite_names.o)

$(O)/tests/decode_models: $(DECODE_MODELS_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm

# Some models are part of the tree; $(ACCEL_MODELS), if it is there, has many more.
CHECKS += check-decode-models
check-decode-models: $(O)/tests/decode_models
	$(Q)$< tests/data $(ACCEL_MODELS)

TEST_ISA_OBJS := $(O)/tests/test_isa.o $(O)/runtime/disasm.o

$(O)/tests/test_isa: $(TEST_ISA_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

CHECKS += check-isa
check-isa: $(O)/tests/test_isa
	$(Q)$<

-include $(DECODE_MODELS_OBJS:.o=.d) $(TEST_ISA_OBJS:.o=.d)
