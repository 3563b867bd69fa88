# Random operations: the OpenCL engine against the reference engine, byte for byte.

CHECKOPS_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/checkops*.c))
CHECKOPS_COUNT ?= 3000
CHECKOPS_SEED ?= 1

CHECKS += check-ops
BENCHES += bench-ops

$(O)/tests/checkops: $(CHECKOPS_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
check-ops: $(O)/tests/checkops
	$< --seed $(CHECKOPS_SEED) --count $(CHECKOPS_COUNT)
	$< --seed $(CHECKOPS_SEED) --count $(CHECKOPS_COUNT) --path portable
	$< --seed $(CHECKOPS_SEED) --count 1000 --only conv-common
	$< --seed $(CHECKOPS_SEED) --count 500 --threads 2
	if grep -q avx2 /proc/cpuinfo; then $< --seed $(CHECKOPS_SEED) --count $(CHECKOPS_COUNT) --path avx2; fi
	if grep -q avx512_vnni /proc/cpuinfo; then $< --seed $(CHECKOPS_SEED) --count 1000 --path vnni; fi
bench-ops: $(O)/tests/checkops
	$< --bench
	$< --bench --path portable

-include $(CHECKOPS_OBJS:.o=.d)
