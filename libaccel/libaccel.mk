# SPDX-License-Identifier: MIT
# The shared library, which carries the simulated NPU, and what is installed.

LIBACCEL_SONAME := libaccel.so.0
LIBACCEL_MAP := libaccel/libaccel.map
LIBACCEL_LIBS := $(shell pkg-config --libs OpenCL libxxhash 2>/dev/null) -lm
MAN_PAGES := $(wildcard docs/man/*.[1-8])

# libaccel.so.0 is what programs ask for when they run, libaccel.so when they are linked.
$(O)/libaccel.so.$(VERSION): $(LIBACCEL_OBJS) $(O)/libsim.a $(LIBACCEL_MAP)
	$(CC) -shared -Wl,-soname,$(LIBACCEL_SONAME) -Wl,--version-script=$(LIBACCEL_MAP) \
		$(if $(SAN),,-Wl,-z,defs) $(ALL_LDFLAGS) -o $@ $(LIBACCEL_OBJS) $(O)/libsim.a $(LIBACCEL_LIBS)

$(O)/$(LIBACCEL_SONAME): $(O)/libaccel.so.$(VERSION)
	ln -sf $(<F) $@
$(O)/libaccel.so: $(O)/$(LIBACCEL_SONAME)
	ln -sf $(<F) $@

$(O)/libaccel.pc: libaccel/libaccel.pc.in
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

.PHONY: install install-lib
install: install-lib
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(O)/accel $(DESTDIR)$(PREFIX)/bin/accel
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions

# What a program that uses the library needs.
install-lib: $(O)/libaccel.so $(O)/libaccel.pc
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/accel
	install -m 755 $(O)/libaccel.so.$(VERSION) $(DESTDIR)$(LIBDIR)
	ln -sf libaccel.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(LIBACCEL_SONAME)
	ln -sf $(LIBACCEL_SONAME) $(DESTDIR)$(LIBDIR)/libaccel.so
	install -m 644 $(O)/libaccel.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 libaccel/include/accel/accel.h $(DESTDIR)$(PREFIX)/include/accel
	for page in $(MAN_PAGES); do \
		dir=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; \
		install -d $$dir && install -m 644 $$page $$dir || exit 1; \
	done
