# The accel command, on the library.

RUNTIME_PKGS := jansson libxxhash zlib libpng libjpeg libprotobuf-c
# Not all that link these need all of them.
RUNTIME_LIBS := -Wl,--push-state,--as-needed $(shell pkg-config --libs $(RUNTIME_PKGS) 2>/dev/null) -lm -Wl,--pop-state

# ONNX's messages, from the description that Debian has.
ONNX_PROTO := /usr/include/onnx/onnx.proto
ONNX_OBJS := $(call objs,runtime/onnx) $(O)/gen/onnx.pb-c.o
RUNTIME_OBJS += $(O)/gen/onnx.pb-c.o

$(O)/gen/onnx.pb-c.h $(O)/gen/onnx.pb-c.c &: $(ONNX_PROTO)
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(O)/gen -I$(dir $<) $<
$(O)/gen/onnx.pb-c.o: $(O)/gen/onnx.pb-c.c
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(call objs,runtime/onnx): | $(O)/gen/onnx.pb-c.h

# With libraries in it, also those of the system where they come as archives: to compile a small model takes
# hardly longer than to load them. SHARED=1 loads them all the same.
SHARED ?=
archive = $(if $(SHARED),,$(findstring /,$(shell $(CC) -print-file-name=lib$(1).a)))
ACCEL_LIBS := $(foreach l,png16 z jpeg protobuf-c jansson,$(if $(call archive,$(l)),-l:lib$(l).a,-l$(l))) -lm

$(O)/accel: $(O)/runtime/main.o $(RUNTIME_OBJS) $(LIBACCEL_OBJS) $(O)/libsim.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ACCEL_LIBS)

# Systems and memory modes that are known without any file.
SYSTEMS := $(sort $(wildcard runtime/target/systems/*.json))
$(O)/runtime/target/target_set.o: $(O)/gen/systems.inc
$(O)/gen/systems.inc: $(SYSTEMS)
	@mkdir -p $(@D)
	$(Q)cat $^ | xxd -i > $@

# What takes most of the time of compiling: loops over weights and their histograms.
$(O)/runtime/encode/%.o: CFLAGS += -O3

# Libraries that are loaded late (late.h), by the names they go by in the dynamic linker.
soname = $(shell readelf -d "$$($(CC) -print-file-name=$(1))" 2>/dev/null | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
$(O)/runtime/npz.o: ALL_CFLAGS += -DZIP_SONAME='"$(call soname,libzip.so)"'
$(O)/runtime/samples/source_sound.o: ALL_CFLAGS += -DSNDFILE_SONAME='"$(call soname,libsndfile.so)"'

# Gradients: loops over channels.
$(O)/runtime/train/%.o: CFLAGS += -O3
