# SPDX-License-Identifier: MIT
# The kernel modules build for all kernels at hand without a word from the compiler, sparse, checkpatch and kernel-doc,
# and keep what they promise in a virtual machine with a simulated NPU. Models, faults and speed are in vm.mk.

DRIVER_KERNELS := 6.12 7.3
# checkpatch's, that do not fit: kernels before 7.0 have no kmalloc_obj(); what a lock is for stands in the struct's
# comment. It takes the tables of tracepoints for function calls.
DRIVER_NO_CHECK := ALLOC_WITH_SIZEOF,UNCOMMENTED_DEFINITION
DRIVER_STYLE := $(filter-out %_trace.h,$(wildcard driver/*.[ch])) driver/probe-kernel.sh
# 77 is a skip.
driver_skipping = @$(1) || { s=$$?; [ $$s = 77 ] && echo "SKIP $@" && exit 0; exit $$s; }

CHECKS += check-driver check-vm-driver
.PHONY: check-driver check-driver-builds check-driver-style check-vm-driver check-vm-driver-run
check-driver:
	$(call driver_skipping,tests/vm/kbuild.sh -n && $(MAKE) check-driver-builds)
	$(call driver_skipping,tests/kernel_scripts.sh > /dev/null && $(MAKE) check-driver-style)

# Debian's own sparse, 0.6.4, can read the headers of 6.12 but not those of 7.3 any more, for which 0.6.5 is fetched. Those
# headers lack the script by which the kernel sees that sparse works, hence C=2 by its other name.
DRIVER_NO_SCRIPT := checker-valid.sh: No such file|specified, but .* is not available or not up to date
check-driver-builds:
	@mkdir -p $(O)/driver/bin && cp "$$(command -v sparse)" $(O)/driver/bin/sparse-6.12
	@newer=$$(tests/sparse.sh) && cp "$$newer" $(O)/driver/bin/sparse-7.3 || [ $$? = 77 ]
	@for k in $(DRIVER_KERNELS); do sparse=; \
		[ ! -e $(O)/driver/bin/sparse-$$k ] || sparse=' KBUILD_CHECKSRC=2 CHECK=$$(M)/../bin/sparse-'$$k; \
		KBUILD_ARGS="W=1 cmd_checkdoc=:$$sparse" tests/vm/kbuild.sh $$k $(O)/driver/$$k driver uapi \
			$(O)/driver/bin > $(O)/driver/$$k.log 2>&1 || { cat $(O)/driver/$$k.log; exit 1; }; \
		! grep -vE '$(DRIVER_NO_SCRIPT)' $(O)/driver/$$k.log || exit 1; \
		echo "ok ethosu.ko ethosu_pci.ko for $$k: W=1$${sparse:+, sparse}"; \
	done

check-driver-style:
	@perl "$$(tests/kernel_scripts.sh)"/scripts/checkpatch.pl --no-tree --strict --terse --no-summary --show-types \
		--max-line-length=110 --ignore $(DRIVER_NO_CHECK) -f $(DRIVER_STYLE)
	@! "$$(tests/kernel_scripts.sh)"/scripts/kernel-doc -none driver/*.c 2>&1 | grep .
	@echo "ok checkpatch --strict, kernel-doc"

$(O)/tests/vm_driver: tests/vm_driver.c tests/vm/drm.h uapi/ethosu_accel.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static -o $@ $<

# The same as a 32-bit program. Without gcc-multilib there is none.
DRIVER_32 := -m32 -static -fno-pic -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
$(O)/tests/vm_driver32: tests/vm_driver.c tests/vm/drm.h uapi/ethosu_accel.h
	@mkdir -p $(@D)
	$(Q)echo 'int main(void) { return 0; }' | $(CC) $(DRIVER_32) -x c -o $@ - 2>/dev/null || \
		{ echo "SKIP 32-bit programs: no gcc-multilib"; exit 0; }; \
	$(CC) $(ALL_CFLAGS) $(DRIVER_32) -o $@ $<

check-vm-driver:
	$(call driver_skipping,tests/vm/kbuild.sh -n && $(MAKE) check-vm-driver-run)

# Not "suspend": it passes (in a guest without 9p, by hand), but the guest's 9p file system does not wake up again.
VM_DRIVER_TESTS := copy refusals priority-needs-capability fences syncobj timeout cancel realtime sram share \
	killed-clients unbind
VM_DRIVER_TESTS_32 := copy refusals fences syncobj timeout cancel share
check-vm-driver-run: $(O)/vm/ours-7.3/ethosu.ko $(O)/vm/ours-6.12/ethosu.ko $(O)/accel-sim $(O)/tests/vm_driver \
		$(O)/tests/vm_driver32 $(O)/tests/vmclient
	@for k in $(DRIVER_KERNELS); do echo "Linux $$k:"; \
		O=$(O) tests/vm/run.sh -k $$k -c $(O)/vm/ours-$$k -n "-c ethos-u85-256 --sram 1M" $(O)/vm/driver-$$k \
			sh -e -c '$(O)/tests/vm_driver $(VM_DRIVER_TESTS); \
			[ ! -e $(O)/tests/vm_driver32 ] || $(O)/tests/vm_driver32 $(VM_DRIVER_TESTS_32); c="$(O)/tests/vmclient /dev/accel/accel0"; \
			$$c share 8 6000 equal; $$c share 8 6000 unlike; $$c realtime 8 200' || exit 1; \
	done
