# The accel command, on the library.

RUNTIME_PKGS := jansson libzip zlib
RUNTIME_LIBS := $(shell pkg-config --libs $(RUNTIME_PKGS) 2>/dev/null) -lm

# In the build tree the library is found beside the command; installed, where libraries are.
$(O)/accel: $(O)/runtime/main.o $(RUNTIME_OBJS) | $(O)/libaccel.so
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-rpath,'$$ORIGIN' -o $@ $^ $(O)/libaccel.so $(RUNTIME_LIBS)
