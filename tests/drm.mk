# SPDX-License-Identifier: MIT
# The kernel interface: its header against the layout and against the kernel's own.

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
