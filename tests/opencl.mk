# SPDX-License-Identifier: MIT
# The NPU as an OpenCL device, through the loader, beside PoCL.

TEST_OPENCL_OBJS := $(O)/tests/opencl_world.o $(addprefix $(O)/runtime/,elem.o error.o file.o late.o npy.o npz.o)
TEST_OPENCL_MODEL := tests/data/ops/conv_3x3_i3_o16_s22_d11_same_relu6_17x15_int8
TEST_OPENCL := $(O)/test_opencl $(O)/test_opencl_ext

$(TEST_OPENCL): $(O)/%: $(O)/tests/%.o $(TEST_OPENCL_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lOpenCL -lcmocka $(RUNTIME_LIBS)
$(TEST_OPENCL:$(O)/%=$(O)/tests/%.o) $(O)/tests/opencl_world.o: CL_VERSION := 300

$(O)/icd-accel/accel.icd: $(OPENCL_LIB)
	@mkdir -p $(@D)
	$(Q)echo $(abspath $<) > $@
	$(Q)cp /etc/OpenCL/vendors/pocl.icd $(@D)

# Ours twice: the second copy is another vendor's for the first.
$(O)/icd-two/accel.icd: $(OPENCL_LIB) $(O)/icd-accel/accel.icd
	@mkdir -p $(@D)
	$(Q)cp $< $(O)/libaccel-opencl-again.so
	$(Q)echo $(abspath $(O))/libaccel-opencl-again.so > $(@D)/again.icd
	$(Q)cp $(O)/icd-accel/*.icd $(@D)

# $(call TEST_OPENCL_RUN,BUILD,ENGINE): the second device logs what it does in memory.
TEST_OPENCL_RUN = rm -f $(1)/accesses.log; \
	export POCL_DEVICES=basic ACCEL_OPENCL_DEVICES="sim:ethos-u65-256,engine=$(2);sim:ethos-u65-256,strict,engine=reference,log=$(1)/accesses.log"; \
	export ACCEL_OPENCL_KERNELS="run-it=$(TEST_OPENCL_MODEL)/model.tflite;vela=$(TEST_OPENCL_MODEL)/vela-u65-256.tflite;broken=tests/opencl.mk"; \
	OCL_ICD_VENDORS=$(abspath $(1))/icd-accel $(1)/test_opencl $(TEST_OPENCL_MODEL) $(1)/accesses.log && \
	OCL_ICD_VENDORS=$(abspath $(1))/icd-two $(1)/test_opencl_ext $(TEST_OPENCL_MODEL)

CHECKS += check-opencl
check-opencl: $(TEST_OPENCL) $(O)/icd-two/accel.icd
	$(call TEST_OPENCL_RUN,$(O),opencl)

-include $(TEST_OPENCL:$(O)/%=$(O)/tests/%.d) $(TEST_OPENCL_OBJS:.o=.d)

# The same with memory and with races watched.
CHECKS += check-opencl-asan check-opencl-tsan
check-opencl-asan:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(TEST_OPENCL:$(O)/%=$(O)/asan/%) $(O)/asan/icd-two/accel.icd
	$(call TEST_OPENCL_RUN,$(O)/asan,reference)
check-opencl-tsan:
	$(MAKE) O=$(O)/tsan SAN=-fsanitize=thread CFLAGS="-O1 -g" $(TEST_OPENCL:$(O)/%=$(O)/tsan/%) \
		$(O)/tsan/icd-two/accel.icd
	export TSAN_OPTIONS="halt_on_error=1 die_after_fork=0"; $(call TEST_OPENCL_RUN,$(O)/tsan,reference)

BENCH_OPENCL_OBJS := $(O)/tests/bench_opencl.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))
$(O)/tests/bench_opencl.o: CL_VERSION := 300
$(O)/bench_opencl: $(BENCH_OPENCL_OBJS) | $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN' -o $@ $^ $(O)/libaccel.so -lOpenCL $(RUNTIME_LIBS)

BENCHES += bench-opencl
bench-opencl: $(O)/bench_opencl $(O)/icd-accel/accel.icd
	for m in $(TEST_OPENCL_MODEL) $(wildcard $(addprefix $(ACCEL_MODELS)/,ad01_int8 kws_ref_model vww_96_int8)); do \
		OCL_ICD_VENDORS=$(abspath $(O))/icd-accel ACCEL_OPENCL_DEVICES=sim:ethos-u65-256 POCL_DEVICES=basic \
		POCL_WORK_GROUP_SPECIALIZATION=0 $< $$(ls $$m/vela-*u65-256.tflite | head -1) || exit 1; done

$(O)/opencl_pipeline $(O)/opencl_overlap: $(O)/%: docs/examples/%.c docs/examples/opencl_places.h
	$(Q)$(CC) -std=gnu11 $(WARN) $(CFLAGS) -o $@ $< -lOpenCL

CHECKS += check-opencl-example
check-opencl-example: $(O)/opencl_pipeline $(O)/opencl_overlap $(O)/icd-accel/accel.icd
	tests/opencl_example.sh $(O)/opencl_pipeline $(O)/opencl_overlap $(abspath $(O))

OPENCL_MODELS_OBJS := $(O)/tests/opencl_models.o $(O)/tests/vectors.o $(addprefix $(O)/runtime/,elem.o error.o file.o late.o npy.o npz.o)
$(O)/tests/opencl_models.o: CL_VERSION := 300
$(O)/opencl_models: $(OPENCL_MODELS_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lOpenCL $(RUNTIME_LIBS)

CHECKS += check-opencl-models
check-opencl-models: $(O)/opencl_models $(O)/icd-accel/accel.icd
	OCL_ICD_VENDORS=$(abspath $(O))/icd-accel POCL_DEVICES=basic POCL_WORK_GROUP_SPECIALIZATION=0 \
	ACCEL_OPENCL_DEVICES="sim:ethos-u55-128;sim:ethos-u65-256;sim:ethos-u65-512;sim:ethos-u85-256" \
		$< tests/data $(ACCEL_MODELS)

# libFuzzer: calls in any order; all of the ICD, with the simulator in it.
FUZZ_OPENCL_OBJS := $(O)/tests/fuzz_opencl.o $(OPENCL_OBJS) $(OPENCL_RUNTIME) $(LIBACCEL_OBJS)
$(O)/tests/fuzz_opencl.o: CL_VERSION := 300
$(O)/fuzz_opencl: $(FUZZ_OPENCL_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS) $(RUNTIME_LIBS)

FUZZERS += fuzz-opencl
CHECKS += check-fuzz-opencl
.PHONY: fuzz-opencl
check-fuzz-opencl: FUZZ_ARGS = $(call fuzz_bounded,6000,60)
fuzz-opencl check-fuzz-opencl:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_opencl
	$(call fuzz_run,opencl,$(O)/fuzz/fuzz_opencl \
		-timeout=20 -rss_limit_mb=2048 -max_len=512 -print_final_stats=1,tests/corpus/opencl/*)
