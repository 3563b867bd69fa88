# SPDX-License-Identifier: MIT
# The ISA's lists, the disassembler and the command stream decoder.

DECODE_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard sim/decode*.c) sim/npu_config.c)

DECODE_MODELS_OBJS := $(O)/tests/decode_models.o $(DECODE_OBJS) \
	$(addprefix $(O)/runtime/,container.o disasm.o elem.o error.o file.o tflite.o tflite_names.o)

$(O)/tests/decode_models: $(DECODE_MODELS_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Some models are part of the tree; $(ACCEL_MODELS), if it is there, has many more.
CHECKS += check-decode-models
check-decode-models: $(O)/tests/decode_models
	$(Q)$< tests/data $(ACCEL_MODELS)

TEST_ISA_OBJS := $(O)/tests/test_isa.o $(O)/runtime/disasm.o

$(O)/tests/test_isa: $(TEST_ISA_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

CHECKS += check-isa
check-isa: $(O)/tests/test_isa
	$(Q)$<

-include $(DECODE_MODELS_OBJS:.o=.d) $(TEST_ISA_OBJS:.o=.d)

TEST_DECODE := $(addprefix $(O)/tests/,test_decode test_decode_flow test_decode_kernel test_decode_stream)

$(TEST_DECODE): %: %.o $(DECODE_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

CHECKS += check-decode
check-decode: $(TEST_DECODE)
	$(Q)for t in $^; do $$t || exit 1; done

# libFuzzer, as in machine.mk; "make fuzz-decode FUZZ_ARGS=-runs=10000000" goes on for longer.
# tests/fuzz_decode_seeds.py made the seeds.
FUZZ_DECODE_OBJS := $(O)/tests/fuzz_decode.o $(O)/runtime/disasm.o $(DECODE_OBJS)

$(O)/fuzz_decode: $(FUZZ_DECODE_OBJS)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

FUZZERS += fuzz-decode
CHECKS += check-fuzz-decode
.PHONY: fuzz-decode
check-fuzz-decode: FUZZ_ARGS = $(call fuzz_bounded,60000,30)
fuzz-decode check-fuzz-decode:
	$(MAKE) O=$(O)/fuzz-knowing CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN_KNOWING)" CFLAGS="-O2 -g" \
		$(O)/fuzz-knowing/fuzz_decode
	$(call fuzz_run,decode,$(FUZZ_ENV) $(O)/fuzz-knowing/fuzz_decode \
		-timeout=10 -rss_limit_mb=1024 -max_len=2049 -print_final_stats=1,tests/corpus/decode/*)

-include $(TEST_DECODE:=.d) $(O)/tests/fuzz_decode.d

# The lists are for everybody: C and C++, the kernel (which has only its own types), other targets.
HEADER_TARGETS := x86_64-linux-gnu aarch64-linux-gnu armv7-linux-gnueabihf riscv32-unknown-elf
HEADER_C = $(FUZZ_CLANG) -fsyntax-only -ffreestanding -Wall -Wextra -Wpedantic -Werror

CHECKS += check-isa-headers
check-isa-headers: | $(CL_GEN)
	@mkdir -p $(O)/gen/kernel/linux
	$(Q)printf 'typedef unsigned short uint16_t;\ntypedef unsigned int uint32_t;\n' \
		> $(O)/gen/kernel/linux/types.h
	$(Q)for t in $(HEADER_TARGETS); do for f in isa regs; do \
		echo "#include \"uapi/ethosu_$$f.h\"" > $(O)/gen/header.c && \
		$(HEADER_C) --target=$$t -std=c11 -I. $(O)/gen/header.c && \
		$(HEADER_C) --target=$$t -x c++ -std=c++17 -I. $(O)/gen/header.c && \
		$(HEADER_C) --target=$$t -std=gnu11 -nostdinc -D__KERNEL__ -I. -I$(O)/gen/kernel \
			$(O)/gen/header.c && \
		echo "ok uapi/ethosu_$$f.h $$t" || exit 1; done; done
