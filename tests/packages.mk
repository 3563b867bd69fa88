# SPDX-License-Identifier: MIT
# The Debian packages: built and looked at; with FULL=1, as root, installed in a fresh Debian 12 and 13, with kernels
# that come, fail and go, and purged.

PACKAGE_SUITES := bookworm trixie

CHECKS += check-packages
check-packages:
	$(Q)tests/packages.sh build $(abspath $(O))/packages || [ $$? = 77 ]
ifeq ($(FULL),1)
	$(Q)for suite in $(PACKAGE_SUITES); do \
		nice tests/packages.sh install $$suite $(abspath $(O))/packages || [ $$? = 77 ] || exit 1; \
	done
endif
