# SPDX-License-Identifier: MIT
# Gradients, against differences.

TEST_TRAIN_OBJS := $(O)/tests/test_train.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))

$(O)/tests/test_train: $(TEST_TRAIN_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS) -lcmocka

CHECKS += check-train
check-train: $(O)/tests/test_train
	$<

-include $(O)/tests/test_train.d
