# SPDX-License-Identifier: MIT
# The ONNX importer.

ONNX_TEST_OBJS := $(ONNX_OBJS) $(foreach d,ir cpu float,$(call objs,runtime/$(d))) \
	$(addprefix $(O)/runtime/,elem.o error.o file.o) $(addprefix $(O)/runtime/compile/,passes.o sweep.o) \
	$(O)/sim/ref_table.o

$(O)/tests/onnx_node.o: | $(O)/gen/onnx.pb-c.h
$(O)/tests/onnx_node: $(O)/tests/onnx_node.o $(ONNX_TEST_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

# The ONNX project's node tests. So many pass; a smaller number is a fault. ONNX_ARGS: -v, or names of cases.
ONNX_PASS := 1345
CHECKS += check-onnx
check-onnx: $(O)/tests/onnx_node $(O)/accel
	@$(PYTHON) tests/onnx_node.py $< $(or $(ONNX_ARGS),-m $(ONNX_PASS)); s=$$?; test $$s = 0 -o $$s = 77
	$(if $(ONNX_ARGS),,@$(PYTHON) tests/onnx_runtime.py $< $(O)/accel; s=$$?; test $$s = 0 -o $$s = 77)

-include $(O)/tests/onnx_node.d

# The table in the documentation is what the code says.
CHECKS += check-onnx-operators
check-onnx-operators: $(O)/accel
	$< info --onnx-operators > $(O)/onnx.md && diff -u docs/onnx.md $(O)/onnx.md

# Models that are wrong, with ASan and UBSan.
$(O)/tests/test_onnx.o: | $(O)/gen/onnx.pb-c.h
$(O)/tests/test_onnx: $(O)/tests/test_onnx.o $(ONNX_TEST_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) -lcmocka

CHECKS += check-onnx-wrong
check-onnx-wrong:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(O)/asan/tests/test_onnx
	$(O)/asan/tests/test_onnx

-include $(O)/tests/test_onnx.d

# Pools with padding of their own, on the CPU and lowered.
POOL_PADS_OBJS := $(addprefix $(O)/,tests/pool_pads.o tests/ir_run.o) \
	$(filter-out $(O)/runtime/cmd_%.o $(SIM_OBJS),$(RUNTIME_OBJS)) $(O)/libsim.a

$(O)/tests/pool_pads: $(POOL_PADS_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS) $(LIBS)

CHECKS += check-pool-pads
check-pool-pads: $(O)/tests/pool_pads
	$< 400

-include $(O)/tests/pool_pads.d

# Small models that ONNX Runtime quantised, and what it computed: tests/onnx_models.py makes them. A step of
# their outputs is 0.02.
CHECKS += check-onnx-quantised
check-onnx-quantised: $(O)/tests/onnx_node
	$< -m 3 -a 0.05 tests/data/onnx

# libFuzzer, as in machine.mk. Seeds: tests/fuzz_onnx_seeds.py.
$(O)/tests/fuzz_onnx.o: | $(O)/gen/onnx.pb-c.h
$(O)/fuzz_onnx: $(O)/tests/fuzz_onnx.o $(ONNX_TEST_OBJS)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(RUNTIME_LIBS)

FUZZERS += fuzz-onnx
CHECKS += check-fuzz-onnx
.PHONY: fuzz-onnx
check-fuzz-onnx: FUZZ_ARGS = $(call fuzz_bounded,60000,60)
fuzz-onnx check-fuzz-onnx:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_onnx
	$(call fuzz_run,onnx,$(O)/fuzz/fuzz_onnx \
		-timeout=20 -rss_limit_mb=3072 -max_len=8192 -print_final_stats=1,tests/corpus/onnx/*)

# Whole networks against ONNX Runtime, and what the passes make of them.
CHECKS += check-onnx-networks
check-onnx-networks: $(O)/tests/onnx_node $(O)/accel
	@$(PYTHON) tests/onnx_networks.py $(abspath $(O)/tests/onnx_node $(O)/accel); s=$$?; test $$s = 0 -o $$s = 77
