# The accel command, on the library.

RUNTIME_PKGS := jansson libxxhash libzip zlib
RUNTIME_LIBS := $(shell pkg-config --libs $(RUNTIME_PKGS) 2>/dev/null) -lm

# In the build tree the library is found beside the command; the installed one looks where libraries are.
$(O)/accel: RPATH := -Wl,-rpath,'$$ORIGIN'
$(O)/accel $(O)/install/accel: $(O)/runtime/main.o $(RUNTIME_OBJS) | $(O)/libaccel.so
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) $(RPATH) -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)
