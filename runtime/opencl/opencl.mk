# SPDX-License-Identifier: MIT
# The NPUs as OpenCL devices: a library that the ICD loader finds.

OPENCL_OBJS := $(call objs,runtime/opencl)
OPENCL_LIB := $(O)/libaccel-opencl.so
# Of the rest what compiling and running a model takes: nothing that only the command is for.
OPENCL_WITHOUT := $(foreach d,samples eval compress quantise train,$(O)/runtime/$(d)/%.o) $(O)/runtime/cmd%.o
OPENCL_RUNTIME := $(filter-out $(OPENCL_WITHOUT),$(RUNTIME_OBJS))

# It offers 3.0; what it uses itself, through the simulator, is 1.2.
$(OPENCL_OBJS): CL_VERSION := 300
all: $(OPENCL_LIB)
# In the build tree libaccel is found beside it; the installed one looks where libraries are.
$(OPENCL_LIB): RPATH := -Wl,-rpath,'$$ORIGIN'
$(OPENCL_LIB) $(O)/install/libaccel-opencl.so: $(OPENCL_OBJS) $(OPENCL_RUNTIME) \
		runtime/opencl/opencl.map | $(O)/libaccel.so
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) -shared -Wl,-Bsymbolic -Wl,--version-script=runtime/opencl/opencl.map $(RPATH) \
		$(if $(SAN),,-Wl,-z,defs) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(O)/libaccel.so $(RUNTIME_LIBS)

-include $(OPENCL_OBJS:.o=.d)

# Loaders look in /etc/OpenCL/vendors, wherever the library is.
VENDORSDIR ?= /etc/OpenCL/vendors

# In a folder of its own: it is the OpenCL loader's to find, not the linker's.
.PHONY: install-opencl
install: install-opencl
install-opencl: $(O)/install/libaccel-opencl.so
	install -d $(DESTDIR)$(LIBDIR)/accel $(DESTDIR)$(PREFIX)/include/accel $(DESTDIR)$(VENDORSDIR)
	install -m 755 $(O)/install/libaccel-opencl.so $(DESTDIR)$(LIBDIR)/accel
	install -m 644 runtime/opencl/accel_ext.h $(DESTDIR)$(PREFIX)/include/accel/opencl_ext.h
	echo $(LIBDIR)/accel/libaccel-opencl.so > $(DESTDIR)$(VENDORSDIR)/accel.icd
