# SPDX-License-Identifier: MIT
# The table of configurations, the strict checks and the cost model.

$(O)/tests/test_arch: $(O)/tests/test_arch.o $(O)/sim/npu_config.o
$(O)/tests/test_cost: $(O)/tests/test_cost.o $(O)/sim/cost_op.o
$(O)/tests/test_arch $(O)/tests/test_cost:
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lm

CHECKS += check-arch check-cost
check-arch check-cost: check-%: $(O)/tests/test_%
	$(Q)$<

-include $(addprefix $(O)/tests/,test_arch.d test_cost.d)

COST_PRINT_OBJS := $(O)/tests/cost_print.o $(STREAM_OBJS) $(call objs,runtime/target) \
	$(addprefix $(O)/runtime/,container.o elem.o error.o file.o tflite.o)

$(O)/tests/cost_print: $(COST_PRINT_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

-include $(COST_PRINT_OBJS:.o=.d)

# Vela's own totals on its streams. Installs Vela from PyPI; status 77: no models or no PyPI.
CHECKS += check-cost-vela
check-cost-vela: $(O)/tests/cost_print
	$(Q)$(PYTHON) tests/cost_vela.py $(if $(FULL),--full) $< $(ACCEL_MODELS); s=$$?; \
	test $$s = 0 -o $$s = 77
