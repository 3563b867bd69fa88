# SPDX-License-Identifier: MIT
# libaccel over a fake NPU (what happens when), and over the simulated one (what comes out).

LIBACCEL_FAKED := open buffer submit queues threads alloc
LIBACCEL_FAKED_BINS := $(LIBACCEL_FAKED:%=$(O)/tests/libaccel_%)
LIBACCEL_FAKE_OBJS := $(O)/tests/libaccel_fake_npu.o $(O)/sim/npu_config.o
LIBACCEL_WRAPPED := malloc calloc realloc strdup mmap mprotect memfd_create ftruncate eventfd pthread_create

$(O)/tests/libaccel_alloc: LIBACCEL_WRAP := $(LIBACCEL_WRAPPED:%=-Wl,--wrap=%)
$(LIBACCEL_FAKED_BINS): $(O)/tests/libaccel_%: $(O)/tests/libaccel_%.o $(LIBACCEL_OBJS) $(LIBACCEL_FAKE_OBJS)
	$(CC) $(ALL_LDFLAGS) $(LIBACCEL_WRAP) -o $@ $^ -lcmocka

CHECKS += check-libaccel
check-libaccel: $(LIBACCEL_FAKED_BINS)
	for t in $(LIBACCEL_FAKED_BINS); do $$t || exit 1; done

# The same tests built for a sanitizer, each in a build folder of its own.
CHECKS += check-libaccel-tsan check-libaccel-asan
check-libaccel-tsan:
	$(MAKE) O=$(O)-tsan SAN=-fsanitize=thread CFLAGS="-O1 -g" check-libaccel
check-libaccel-asan:
	$(MAKE) O=$(O)-asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" \
		CFLAGS="-O1 -g" check-libaccel

-include $(LIBACCEL_FAKED_BINS:=.d) $(O)/tests/libaccel_fake_npu.d
