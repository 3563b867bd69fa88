# SPDX-License-Identifier: MIT
# What makes devices usable on a machine: udev rules, module parameters, groups, and the module's source for DKMS.

# Fixed places, whatever PREFIX: systemd, modprobe and dkms look nowhere else.
SYSTEM_DIR := $(DESTDIR)/usr/lib
DKMS_SRC := $(DESTDIR)/usr/src/accel-$(VERSION)
WITH_VERSION = sed -e 's|@VERSION@|$(VERSION)|'

.PHONY: install-system install-dkms
install-system:
	install -d $(addprefix $(SYSTEM_DIR)/,udev/rules.d modprobe.d sysusers.d)
	install -m 644 udev/60-accel.rules $(SYSTEM_DIR)/udev/rules.d
	install -m 644 udev/accel.modprobe.conf $(SYSTEM_DIR)/modprobe.d/accel.conf
	install -m 644 udev/accel.sysusers.conf $(SYSTEM_DIR)/sysusers.d/accel.conf

# `dkms add accel/$(VERSION)` takes it from there; hooks keep up with new kernels.
install-dkms:
	install -d $(DKMS_SRC)/driver $(DKMS_SRC)/uapi $(SYSTEM_DIR)/accel \
		$(DESTDIR)/etc/kernel/postinst.d $(DESTDIR)/etc/kernel/header_postinst.d
	$(WITH_VERSION) udev/dkms.conf > $(DKMS_SRC)/dkms.conf
	install -m 644 driver/Kbuild $(wildcard driver/*.[ch]) $(DKMS_SRC)/driver
	install -m 755 $(wildcard driver/*.sh) $(DKMS_SRC)/driver
	install -m 644 $(wildcard uapi/*.h) $(DKMS_SRC)/uapi
	$(WITH_VERSION) udev/build-modules > $(SYSTEM_DIR)/accel/build-modules
	chmod 755 $(SYSTEM_DIR)/accel/build-modules
	install -m 755 udev/kernel-hook $(DESTDIR)/etc/kernel/postinst.d/accel-dkms
	install -m 755 udev/kernel-hook $(DESTDIR)/etc/kernel/header_postinst.d/accel-dkms
