# SPDX-License-Identifier: MIT
# The shared library, which carries the simulated NPU, and what is installed.

LIBACCEL_SONAME := libaccel.so.0
LIBACCEL_MAP := libaccel/libaccel.map
LIBACCEL_LIBS := -lm
MAN_PAGES := $(wildcard docs/man/*.[1-8])

# libaccel.so.0 is what programs ask for when they run, libaccel.so when they are linked.
$(O)/libaccel.so.$(VERSION): $(LIBACCEL_OBJS) $(O)/libsim.a $(LIBACCEL_MAP)
	$(Q)$(CC) -shared -Wl,-soname,$(LIBACCEL_SONAME) -Wl,--version-script=$(LIBACCEL_MAP) \
		$(if $(SAN),,-Wl,-z,defs) $(ALL_LDFLAGS) -o $@ $(LIBACCEL_OBJS) $(O)/libsim.a $(LIBACCEL_LIBS)

$(O)/$(LIBACCEL_SONAME): $(O)/libaccel.so.$(VERSION)
	$(Q)ln -sf $(<F) $@
$(O)/libaccel.so: $(O)/$(LIBACCEL_SONAME)
	$(Q)ln -sf $(<F) $@

$(O)/libaccel.pc: libaccel/libaccel.pc.in
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

.PHONY: install install-lib
install: $(O)/accel $(O)/accel-sim install-lib
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(O)/accel $(DESTDIR)$(PREFIX)/bin/accel
	install -m 755 $(O)/accel-sim $(DESTDIR)$(PREFIX)/bin/accel-sim
	for f in $(wildcard runtime/*.bash); do \
		dir=$(DESTDIR)$(PREFIX)/share/bash-completion/completions; \
		name=$${f##*/}; install -d $$dir && install -m 644 $$f $$dir/$${name%.bash} || exit 1; \
	done

# Systems and memory modes to start one's own from; they are built in, too.
install: install-systems
.PHONY: install-systems
install-systems:
	install -d $(DESTDIR)$(PREFIX)/share/accel/systems
	install -m 644 runtime/target/systems/*.json $(DESTDIR)$(PREFIX)/share/accel/systems

# What a program that uses the library needs. A man page goes by every name it describes.
install-lib: $(O)/libaccel.so $(O)/libaccel.pc
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/accel
	install -m 755 $(O)/libaccel.so.$(VERSION) $(DESTDIR)$(LIBDIR)
	ln -sf libaccel.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(LIBACCEL_SONAME)
	ln -sf $(LIBACCEL_SONAME) $(DESTDIR)$(LIBDIR)/libaccel.so
	install -m 644 $(O)/libaccel.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 libaccel/include/accel/accel.h $(wildcard uapi/*.h) $(DESTDIR)$(PREFIX)/include/accel
	for page in $(MAN_PAGES); do \
		dir=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; \
		install -d $$dir && install -m 644 $$page $$dir || exit 1; \
		for name in $$(sed -n 's/^\.Nm \(\(lib\)\{0,1\}accel[a-z_-]*\).*/\1/p' $$page | sort -u); do \
			[ -e $$dir/$$name.$${page##*.} ] || ln -s $${page##*/} $$dir/$$name.$${page##*.} || exit 1; \
		done; \
	done
