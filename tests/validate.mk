# SPDX-License-Identifier: MIT
# The command stream validator in user space: unit tests, real streams, soundness against the simulator.

VALIDATE_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard driver/ethosu_validate*.c))

$(O)/libethosu-validate.a: $(VALIDATE_OBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

all: $(O)/libethosu-validate.a

VALIDATE_FILES := $(addprefix $(O)/runtime/,container.o elem.o error.o file.o tflite.o tflite_names.o)

TEST_VALIDATE := $(addprefix $(O)/tests/,test_validate test_validate_stream)

$(TEST_VALIDATE): %: %.o $(O)/libethosu-validate.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

VALIDATE_MODELS_OBJS := $(O)/tests/validate_models.o $(VALIDATE_FILES)

$(O)/tests/validate_models: $(VALIDATE_MODELS_OBJS) $(O)/libethosu-validate.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The judge is the simulator: its decoder, what makes its access log, and all of it for a sample.
VALIDATE_SOUND_OBJS := $(addprefix $(O)/tests/validate_,sound.o gen.o seeds.o oracle.o device.o) \
	$(VALIDATE_FILES)

$(O)/tests/validate_sound: $(VALIDATE_SOUND_OBJS) $(O)/libethosu-validate.a $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Some models are part of the tree; $(ACCEL_MODELS), if it is there, has many more.
CHECKS += check-validate
check-validate: $(TEST_VALIDATE) $(addprefix $(O)/tests/,validate_models validate_sound)
	$(Q)for t in $(TEST_VALIDATE); do $$t || exit 1; done
	$(Q)sh tests/validate_freestanding.sh $(FUZZ_CLANG) $(O)/gen/freestanding
	$(Q)$(O)/tests/validate_models tests/data $(ACCEL_MODELS)
	$(Q)$(O)/tests/validate_sound --count 1000000 --accept 20 tests/data

BENCHES += bench-validate
bench-validate: $(O)/tests/validate_models
	$(Q)$< -r 200 tests/data $(ACCEL_MODELS)

# Holes made on purpose.
CHECKS += check-validate-mutants
check-validate-mutants: $(O)/tests/validate_sound
	$(Q)CC="$(CC) $(SAN)" sh tests/validate_mutants.sh $(O) "$(LIBS)" tests/data

# Vela from PyPI, every configuration. FULL=1: all models. Status 77: no PyPI.
CHECKS += check-validate-vela
check-validate-vela: $(O)/tests/validate_models
	$(Q)$(PYTHON) tests/validate_vela.py $(if $(FULL),--full) $< $(ACCEL_MODELS) \
		$(O)/validate-vela > $(O)/validate-vela.log; s=$$?; \
	cat $(O)/validate-vela.log; test $$s = 0 -o $$s = 77

# libFuzzer, as in machine.mk; the seeds are fuzz_decode's.
FUZZ_VALIDATE_OBJS := $(addprefix $(O)/tests/,fuzz_validate.o validate_gen.o validate_seeds.o validate_oracle.o) \
	$(VALIDATE_FILES) $(VALIDATE_OBJS) $(patsubst %.c,$(O)/%.o,$(filter-out sim/cl_%.c,$(wildcard sim/*.c)))

$(O)/fuzz_validate: $(FUZZ_VALIDATE_OBJS)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

FUZZERS += fuzz-validate
CHECKS += check-fuzz-validate
.PHONY: fuzz-validate
check-fuzz-validate: FUZZ_ARGS = $(call fuzz_bounded,200000,45)
fuzz-validate check-fuzz-validate:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_validate
	$(call fuzz_run,validate,$(O)/fuzz/fuzz_validate \
		-timeout=10 -rss_limit_mb=1024 -max_len=4097 -print_final_stats=1,tests/corpus/decode/*)

-include $(VALIDATE_OBJS:.o=.d) $(O)/tests/fuzz_validate.d $(TEST_VALIDATE:=.d) $(VALIDATE_MODELS_OBJS:.o=.d) $(VALIDATE_SOUND_OBJS:.o=.d)
