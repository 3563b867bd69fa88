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

# Readers of files, built with ASan and UBSan: files put together by hand, cut short and damaged everywhere.
FILE_TESTS := $(addprefix $(O)/tests/test_,container image npy tflite)
IMAGE_SRCS := $(addprefix runtime/image/,accel_file.c accel_write.c image.c vela.c) runtime/ir/ir_ops.c
FILE_SRCS := $(IMAGE_SRCS) $(addprefix runtime/,container.c elem.c error.c file.c late.c npy.c npz.c tflite.c tflite_names.c)

$(FILE_TESTS): $(O)/tests/test_%: $(O)/tests/test_%.o $(FILE_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(RUNTIME_LIBS)

CHECKS += check-files
check-files:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(FILE_TESTS:$(O)/%=$(O)/asan/%)
	$(foreach t,$(FILE_TESTS:$(O)/%=$(O)/asan/%),$(t) &&) :

-include $(FILE_TESTS:=.d)

# libFuzzer, as in machine.mk; "make fuzz-model FUZZ_ARGS=-runs=10000000" goes on for longer. Seeds are the
# models of the tree and their payloads.
FUZZ_RUNTIME := $(addprefix runtime/,container.c elem.c error.c file.c tflite.c tflite_names.c)

# A model may have to be compiled, so that this is all of the runtime; the device is the fuzzer's own.
$(O)/fuzz_model: $(O)/tests/fuzz_model.o $(filter-out $(O)/runtime/cmd_%.o,$(RUNTIME_OBJS))
$(O)/fuzz_container: $(patsubst %.c,$(O)/%.o,tests/fuzz_container.c runtime/container.c runtime/error.c)
$(O)/fuzz_image: $(patsubst %.c,$(O)/%.o,tests/fuzz_image.c $(IMAGE_SRCS) $(FUZZ_RUNTIME))
$(O)/fuzz_npy: $(patsubst %.c,$(O)/%.o,tests/fuzz_npy.c runtime/late.c runtime/npy.c runtime/npz.c $(FUZZ_RUNTIME))
$(O)/fuzz_tflite: $(patsubst %.c,$(O)/%.o,tests/fuzz_tflite.c $(FUZZ_RUNTIME))
$(O)/fuzz_model $(O)/fuzz_container $(O)/fuzz_image $(O)/fuzz_npy $(O)/fuzz_tflite:
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(RUNTIME_LIBS)

FUZZ_FILES := model container image npy tflite
FUZZERS += $(FUZZ_FILES:%=fuzz-%)
CHECKS += $(FUZZ_FILES:%=check-fuzz-%)
.PHONY: $(FUZZ_FILES:%=fuzz-%)
FUZZ_RUNS_model := 80000
FUZZ_RUNS_container := 4000000
FUZZ_RUNS_image := 400000
FUZZ_RUNS_npy := 250000
FUZZ_RUNS_tflite := 300000
$(FUZZ_FILES:%=check-fuzz-%): FUZZ_ARGS = $(call fuzz_bounded,$(FUZZ_RUNS_$(NAME)),30)
$(FUZZ_FILES:%=fuzz-%) $(FUZZ_FILES:%=check-fuzz-%): NAME = $(lastword $(subst -, ,$@))
$(FUZZ_FILES:%=fuzz-%) $(FUZZ_FILES:%=check-fuzz-%): SEEDS = tests/corpus/$(NAME)
fuzz-tflite check-fuzz-tflite: SEEDS = tests/corpus/model
$(FUZZ_FILES:%=fuzz-%) $(FUZZ_FILES:%=check-fuzz-%):
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_$(NAME)
	$(call fuzz_run,$(NAME),$(O)/fuzz/fuzz_$(NAME) -timeout=10 -rss_limit_mb=1536 -max_len=16384 \
		-print_final_stats=1,$(SEEDS)/*)
