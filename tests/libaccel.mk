# SPDX-License-Identifier: MIT
# libaccel over a fake NPU (what happens when), and over the simulated one (what comes out).

LIBACCEL_FAKED := open buffer submit queues threads alloc
LIBACCEL_FAKED_BINS := $(LIBACCEL_FAKED:%=$(O)/tests/libaccel_%)
LIBACCEL_FAKE_OBJS := $(O)/tests/libaccel_fake_npu.o $(O)/sim/npu_config.o
LIBACCEL_WRAPPED := malloc calloc realloc strdup mmap mprotect memfd_create ftruncate eventfd pthread_create

$(O)/tests/libaccel_alloc: LIBACCEL_WRAP := $(LIBACCEL_WRAPPED:%=-Wl,--wrap=%)
$(LIBACCEL_FAKED_BINS): $(O)/tests/libaccel_%: $(O)/tests/libaccel_%.o $(LIBACCEL_OBJS) $(LIBACCEL_FAKE_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) $(LIBACCEL_WRAP) -o $@ $^ -lcmocka

$(O)/tests/libaccel_sim: $(O)/tests/libaccel_sim.o $(LIBACCEL_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBACCEL_LIBS) -lcmocka

CHECKS += check-libaccel check-libaccel-sim
check-libaccel: $(LIBACCEL_FAKED_BINS)
	for t in $(LIBACCEL_FAKED_BINS); do $$t || exit 1; done
check-libaccel-sim: $(O)/tests/libaccel_sim
	$<

# All of them once more under the sanitizers, each in a build folder of its own.
CHECKS += check-libaccel-tsan check-libaccel-asan
check-libaccel-tsan:
	$(MAKE) O=$(O)-tsan SAN=-fsanitize=thread check-libaccel check-libaccel-sim
check-libaccel-asan:
	$(MAKE) O=$(O)-asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" \
		check-libaccel check-libaccel-sim

CHECKS += check-libaccel-install
check-libaccel-install: $(O)/libaccel.so
	rm -rf $(O)/install-lib
	$(MAKE) install-lib DESTDIR=$(O)/install-lib PREFIX=/usr LIBDIR=/usr/lib
	CC="$(CC)" tests/libaccel_install.sh $(abspath $(O)/install-lib)

# What it costs a job: over a fake NPU that costs next to nothing, and over the simulated one.
$(O)/tests/libaccel_bench_fake: $(O)/tests/libaccel_bench.o $(LIBACCEL_OBJS) $(LIBACCEL_FAKE_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^
$(O)/tests/libaccel_bench: $(O)/tests/libaccel_bench.o $(LIBACCEL_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBACCEL_LIBS)

BENCHES += bench-libaccel
bench-libaccel: $(O)/tests/libaccel_bench_fake $(O)/tests/libaccel_bench
	$(O)/tests/libaccel_bench_fake
	$(O)/tests/libaccel_bench sim:ethos-u65-256

-include $(LIBACCEL_FAKED_BINS:=.d) $(O)/tests/libaccel_sim.d $(O)/tests/libaccel_bench.d \
	$(O)/tests/libaccel_fake_npu.d
