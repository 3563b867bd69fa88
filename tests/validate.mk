# SPDX-License-Identifier: MIT
# The command stream validator in user space: unit tests, real streams, soundness against the simulator.

VALIDATE_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard driver/ethosu_validate*.c))

$(O)/libethosu-validate.a: $(VALIDATE_OBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

all: $(O)/libethosu-validate.a

VALIDATE_MODELS_OBJS := $(O)/tests/validate_models.o \
	$(addprefix $(O)/runtime/,container.o elem.o error.o file.o tflite.o tflite_names.o)

$(O)/tests/validate_models: $(VALIDATE_MODELS_OBJS) $(O)/libethosu-validate.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Some models are part of the tree; $(ACCEL_MODELS), if it is there, has many more.
CHECKS += check-validate
check-validate: $(O)/tests/validate_models
	$(Q)$(O)/tests/validate_models tests/data $(ACCEL_MODELS)

-include $(VALIDATE_OBJS:.o=.d) $(VALIDATE_MODELS_OBJS:.o=.d)
