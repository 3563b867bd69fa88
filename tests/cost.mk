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

STRICT_OBJS := $(STREAM_OBJS) $(patsubst %.c,$(O)/%.o,$(wildcard sim/strict*.c)) \
	$(addprefix $(O)/sim/,npu_log.o)
STRICT_MODELS_OBJS := $(O)/tests/strict_models.o $(STRICT_OBJS) \
	$(addprefix $(O)/runtime/,container.o elem.o error.o file.o tflite.o)

$(O)/tests/strict_models: $(STRICT_MODELS_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

-include $(STRICT_MODELS_OBJS:.o=.d)

$(O)/tests/test_strict: $(O)/tests/test_strict.o $(STRICT_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

# Every rule fires, and every stream of Vela's current core passes: those of the models, and those
# that check-cost-vela and check-other-streams compiled, if they ran.
VELA_LAYERS = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/accel/vela-5.2.0-layers
CHECKS += check-strict
check-strict: $(O)/tests/test_strict $(O)/tests/test_strict_job $(O)/tests/strict_models
	$(Q)$(O)/tests/test_strict
	$(Q)$(O)/tests/test_strict_job
	$(Q)$(O)/tests/strict_models tests/data $(ACCEL_MODELS) $(VELA_LAYERS) $(O)/other-streams

$(O)/tests/test_strict_job: $(O)/tests/test_strict_job.o $(LIBACCEL_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBACCEL_LIBS) -lcmocka

-include $(O)/tests/test_strict.d $(O)/tests/test_strict_job.d

CHECKS += check-cost-cli
check-cost-cli: $(O)/accel
	$(Q)sh tests/test_cost_cli.sh $<

TARGET_OBJS := $(call objs,runtime/target) $(O)/runtime/error.o $(O)/runtime/file.o $(O)/sim/cost_op.o \
	$(O)/sim/cost_memory.o

$(O)/tests/test_target: $(O)/tests/test_target.o $(TARGET_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

CHECKS += check-target
check-target: $(O)/tests/test_target
	$(Q)$<

# libFuzzer, as in machine.mk. The seeds are the decoder's, and the systems that are built in.
FUZZ_STRICT_OBJS := $(O)/tests/fuzz_strict.o $(STRICT_OBJS)
FUZZ_SYSTEMS_OBJS := $(O)/tests/fuzz_systems.o $(TARGET_OBJS)

$(O)/fuzz_strict: $(FUZZ_STRICT_OBJS)
$(O)/fuzz_systems: $(FUZZ_SYSTEMS_OBJS)
$(O)/fuzz_strict $(O)/fuzz_systems:
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

FUZZERS += fuzz-strict fuzz-systems
CHECKS += check-fuzz-strict check-fuzz-systems
.PHONY: fuzz-strict fuzz-systems
check-fuzz-strict: FUZZ_ARGS = $(call fuzz_bounded,25000,24)
check-fuzz-systems: FUZZ_ARGS = $(call fuzz_bounded,1000000,24)
fuzz-strict check-fuzz-strict: FUZZ_SEEDS := tests/corpus/decode
fuzz-systems check-fuzz-systems: FUZZ_SEEDS := runtime/target/systems
fuzz-strict check-fuzz-strict fuzz-systems check-fuzz-systems:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" \
		$(O)/fuzz/fuzz_$(lastword $(subst -, ,$@))
	$(call fuzz_run,$(lastword $(subst -, ,$@)),$(O)/fuzz/fuzz_$(lastword $(subst -, ,$@)) -timeout=25 \
		-rss_limit_mb=4096 -max_len=4096 -print_final_stats=1,$(FUZZ_SEEDS)/*)

-include $(addprefix $(O)/tests/,test_target.d fuzz_strict.d fuzz_systems.d)

STRICT_MUTATE_OBJS := $(O)/tests/strict_mutate.o $(O)/tests/vela_file.o $(STRICT_OBJS)

$(O)/tests/strict_mutate: $(STRICT_MUTATE_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

CHECKS += check-strict-mutate
check-strict-mutate: $(O)/tests/strict_mutate
	$(Q)set -- $(wildcard $(ACCEL_MODELS)/*/vela-*.tflite); \
	if [ $$# = 0 ]; then echo "SKIP check-strict-mutate: no models in $(ACCEL_MODELS)"; \
	else $< "$$@"; fi

-include $(STRICT_MUTATE_OBJS:.o=.d)
