# SPDX-License-Identifier: MIT
# Models through the whole of the runtime, the command line, and damaged files.

MODELS_OBJS := $(O)/tests/models.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/models: $(MODELS_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)

# Some models are part of the tree; $(ACCEL_MODELS), if it is there, has many more.
CHECKS += check-models
check-models: $(O)/tests/models
	$(Q)POCL_DEVICES=basic $< tests/data $(ACCEL_MODELS) > $(O)/models.log; s=$$?; \
	grep -v '^ok' $(O)/models.log; exit $$s

-include $(MODELS_OBJS:.o=.d)

CHECKS += check-cli
check-cli: $(O)/accel
	sh tests/test_cli.sh $<
