# SPDX-License-Identifier: MIT
# libaccel over a fake NPU (what happens when), and over the simulated one (what comes out).

LIBACCEL_FAKED := open submit
LIBACCEL_FAKED_BINS := $(LIBACCEL_FAKED:%=$(O)/tests/libaccel_%)
LIBACCEL_FAKE_OBJS := $(O)/tests/libaccel_fake_npu.o $(O)/sim/npu_config.o

$(LIBACCEL_FAKED_BINS): $(O)/tests/libaccel_%: $(O)/tests/libaccel_%.o $(LIBACCEL_OBJS) $(LIBACCEL_FAKE_OBJS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBACCEL_WRAP)

CHECKS += check-libaccel
check-libaccel: $(LIBACCEL_FAKED_BINS)
	for t in $(LIBACCEL_FAKED_BINS); do $$t || exit 1; done

-include $(LIBACCEL_FAKED_BINS:=.d) $(O)/tests/libaccel_fake_npu.d
