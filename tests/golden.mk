# Vela's streams against their goldens, on an engine without registers around it.

GOLDEN_OBJS := $(addprefix $(O)/,tests/golden.o tests/stream_run.o tests/vela_file.o runtime/npy.o \
	runtime/late.o runtime/npz.o runtime/elem.o runtime/error.o runtime/file.o)
GOLDEN_NEEDS := $(wildcard sim/decode.c sim/weights.c runtime/npz.c)

# Until the decoder, the weight decoder and the .npz reader are all there, there is nothing to run.
ifeq ($(words $(GOLDEN_NEEDS)),3)
CHECKS += check-golden-reference check-golden-opencl
endif

$(O)/tests/golden: $(GOLDEN_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lzip

# FULL=1: all vectors of every model. Status 77 means that there are no models.
check-golden-reference check-golden-opencl: check-golden-%: $(O)/tests/golden
	$(Q)$< -e $* $(if $(FULL),-a) $(ACCEL_MODELS) > $(O)/golden-$*.log; s=$$?; \
	grep -v '^ok' $(O)/golden-$*.log; test $$s = 0 -o $$s = 77

-include $(GOLDEN_OBJS:.o=.d)
