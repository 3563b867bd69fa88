# SPDX-License-Identifier: MIT
# The table of configurations, the strict checks and the cost model.

$(O)/tests/test_arch: $(O)/tests/test_arch.o $(O)/sim/npu_config.o
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

CHECKS += check-arch
check-arch: $(O)/tests/test_arch
	$(Q)$<

-include $(O)/tests/test_arch.d
