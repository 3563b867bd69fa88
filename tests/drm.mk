# SPDX-License-Identifier: MIT
# The kernel interface: its header against the layout and against the kernel's own. The DRM transport over a
# kernel that is none: everything of libaccel.mk once more, and what the transport has of its own.

# The table holds for every target, in C and C++, strict or not. Mainline's header comes from Debian's
# linux-libc-dev, which brings all targets' asm/ along; where it cannot be had, only this machine's are tried.
DRM_ABI_TARGETS := x86_64-linux-gnu i386-linux-gnu aarch64-linux-gnu arm-linux-gnueabihf riscv64-linux-gnu \
	powerpc64-linux-gnu
DRM_ABI_CC = $(FUZZ_CLANG) -fsyntax-only -ffreestanding -Wall -Wextra -Werror -I.

CHECKS += check-drm-abi
check-drm-abi:
	$(Q)! awk 'length > 110' uapi/ethosu_accel.h | grep .
	$(Q)check() { t=$$1; shift; $(DRM_ABI_CC) --target=$$t "$$@" tests/drm_abi.c || exit 1; }; \
	own() { \
		check "$$@" -std=c99 -Wpedantic; check "$$@" -std=c11 -Wpedantic; check "$$@" -std=gnu11; \
		check "$$@" -x c++ -std=c++11 -Wpedantic; check "$$@" -x c++ -std=c++20; \
	}; \
	if headers=$$(tests/deb_headers.sh); then \
		for t in $(DRM_ABI_TARGETS); do \
			at="-isystem $$headers/usr/include -isystem $$headers/usr/include/$$t"; \
			own $$t $$at; check $$t $$at -DMAINLINE; check $$t $$at -x c++ -DMAINLINE; \
			check $$t $$at -DBOTH; check $$t $$at -DBOTH_REVERSED; check $$t $$at -x c++ -DBOTH; \
			echo "ok uapi/ethosu_accel.h $$t, and mainline's of $${headers##*/}"; \
		done; \
	elif [ $$? = 77 ]; then \
		echo "SKIP the comparison with mainline's ethosu_accel.h"; \
		own x86_64-linux-gnu; own i386-linux-gnu -isystem /usr/include/x86_64-linux-gnu; \
	else exit 1; fi

# The same sources as libaccel.mk's, and the fake kernel instead of the system calls.
DRM_OBJS := $(filter-out $(O)/libaccel/drm_sys.o,$(LIBACCEL_OBJS)) $(O)/tests/drm_fake.o $(O)/tests/drm_fake_run.o
DRM_FAKE_NPU := $(O)/tests/libaccel_fake_npu.o $(O)/sim/npu_config.o
DRM_FAKED_BINS := $(addprefix $(O)/tests/drm/libaccel_,open buffer submit queues threads alloc)

$(O)/tests/drm/%.o: tests/%.c | $(CL_GEN)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -DTEST_DRM -MMD -MP -c -o $@ $<

$(O)/tests/drm/libaccel_alloc: LIBACCEL_WRAP = $(LIBACCEL_WRAPPED:%=-Wl,--wrap=%)
$(DRM_FAKED_BINS): %: %.o $(DRM_OBJS) $(DRM_FAKE_NPU)
	$(Q)$(CC) $(ALL_LDFLAGS) $(LIBACCEL_WRAP) -o $@ $^ -lcmocka

CHECKS += check-drm-libaccel
check-drm-libaccel: $(DRM_FAKED_BINS)
	for t in $(DRM_FAKED_BINS); do $$t || exit 1; done

-include $(DRM_FAKED_BINS:=.d) $(O)/tests/drm_fake.d $(O)/tests/drm_fake_run.d

# On the simulated NPU, through Linux's driver too.
$(O)/tests/drm_transport: $(O)/tests/drm_transport.o $(DRM_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBACCEL_LIBS) -lcmocka

CHECKS += check-drm-transport
check-drm-transport: $(O)/tests/drm_transport
	$<

CHECKS += check-drm-tsan check-drm-asan
check-drm-tsan:
	$(MAKE) O=$(O)-tsan SAN=-fsanitize=thread check-drm-libaccel check-drm-transport
check-drm-asan:
	$(MAKE) O=$(O)-asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" \
		check-drm-libaccel check-drm-transport

-include $(O)/tests/drm_transport.d

# What a stream uses, by libaccel and by the validator.
DRM_SCAN_OBJS := $(O)/tests/drm_scan.o $(O)/libaccel/drm_scan.o \
	$(addprefix $(O)/runtime/,container.o elem.o error.o file.o tflite.o tflite_names.o)
$(O)/tests/drm_scan: $(DRM_SCAN_OBJS) $(O)/libethosu-validate.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

CHECKS += check-drm-scan
check-drm-scan: $(O)/tests/drm_scan
	$(Q)$< tests/data $(ACCEL_MODELS)

-include $(O)/tests/drm_scan.d

# On a node that is really there: `make drm-live NODE=/dev/accel/accel0`.
$(O)/tests/drm_live: $(O)/tests/drm_live.o $(O)/libaccel.so
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ $< $(O)/libaccel.so -lcmocka

NODE ?= /dev/accel/accel0
.PHONY: drm-live
drm-live: $(O)/tests/drm_live
	$< $(NODE)

-include $(O)/tests/drm_live.d

# In virtual machines (vm.mk): this driver on two kernels, Linux's on one, U65 and U85 each.
DRM_VM := 7.3:ours-7.3 6.12:ours-6.12 7.3:mainline-7.3
DRM_VM_NPUS := -n "-c ethos-u65-256 --sram 512K" -n "-c ethos-u85-256"

CHECKS += check-vm-libaccel
.PHONY: check-vm-libaccel-run
check-vm-libaccel:
	$(call vm_skipping,tests/vm/kbuild.sh -n && $(MAKE) check-vm-libaccel-run)

check-vm-libaccel-run: $(foreach m,$(DRM_VM),$(O)/vm/$(lastword $(subst :, ,$(m)))/ethosu.ko) $(O)/accel-sim \
		$(O)/tests/drm_live
	$(Q)for m in $(DRM_VM); do \
		$(VM_RUN) -k $${m%%:*} -c $(O)/vm/$${m#*:} $(DRM_VM_NPUS) $(O)/vm/libaccel-$${m#*:} \
			sh -c 'for n in 0 1; do $(O)/tests/drm_live /dev/accel/accel$$n || exit 1; done' || exit 1; \
	done
