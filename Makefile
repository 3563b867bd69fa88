# SPDX-License-Identifier: MIT
# One entry for everything but the kernel module (Kbuild). Objects go to $(O), sources stay clean.

VERSION := 0.1.0
O ?= build
CC ?= cc
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=
ACCEL_MODELS ?= ../shared/models
PYTHON ?= python3

# make V=1 shows the commands.
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS ?= -O2 -g
SAN ?=
PKGS := OpenCL libxxhash jansson
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) openblas 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
# Of libdrm its headers only, which hold the kernel's DRM ioctls.
DRM_CFLAGS := $(shell pkg-config --cflags libdrm 2>/dev/null)
ALL_CFLAGS = -std=gnu11 $(WARN) -D_GNU_SOURCE -DACCEL_VERSION='"$(VERSION)"' -DCL_TARGET_OPENCL_VERSION=$(or $(CL_VERSION),120) \
	-I. -Iuapi -Ilibaccel/include -I$(O)/gen $(PKG_CFLAGS) $(DRM_CFLAGS) $(CFLAGS) $(SAN) -fPIC -fvisibility=hidden -pthread
ALL_LDFLAGS = $(LDFLAGS) $(SAN) -pthread
LIBS = $(PKG_LIBS) -lm

# $(call objs,dir): the objects of a folder's sources.
objs = $(patsubst %.c,$(O)/%.o,$(wildcard $(1)/*.c))

SIM_OBJS := $(call objs,sim)
# With the validator, which says what the kernel has against a stream.
LIBACCEL_OBJS := $(call objs,libaccel) $(patsubst %.c,$(O)/%.o,$(wildcard driver/ethosu_validate*.c))
# What the runtime shares with the simulator: a stream's meaning and what it costs.
STREAM_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard sim/cost*.c sim/decode*.c) sim/npu_config.c sim/ref_table.c)
RUNTIME_DIRS := $(filter-out runtime/opencl,runtime $(patsubst %/,%,$(wildcard runtime/*/)))
RUNTIME_OBJS := $(filter-out $(O)/runtime/main.o,$(foreach d,$(RUNTIME_DIRS),$(call objs,$(d)))) $(STREAM_OBJS)

# The kernels as one C string initialiser, so that the library needs no data files. The generic ones
# come first: the fast ones and the job kernel build on them.
CL_SOURCES := sim/op.h sim/cl_task.h $(sort $(wildcard sim/cl/generic_*.cl)) $(sort $(wildcard sim/cl/fast_*.cl)) \
	sim/cl/zz_main.cl
CL_GEN := $(O)/gen/cl_sources.inc

.PHONY: all clean
all: $(O)/accel $(O)/libaccel.so

# Each tests/NAME.mk adds its targets and its name to CHECKS.
CHECKS :=
BENCHES :=
FUZZERS :=
include libaccel/libaccel.mk udev/udev.mk runtime/runtime.mk runtime/opencl/opencl.mk sim/server/server.mk $(sort $(wildcard tests/*.mk))

.PHONY: check bench $(CHECKS) $(BENCHES)
check: $(CHECKS)
bench: $(BENCHES)

$(O)/%.o: %.c | $(CL_GEN)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(CL_GEN): $(CL_SOURCES)
	@mkdir -p $(@D)
	$(Q)cat $^ | xxd -i > $@

$(O)/libsim.a: $(SIM_OBJS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

clean:
	rm -rf $(O)

-include $(SIM_OBJS:.o=.d) $(LIBACCEL_OBJS:.o=.d) $(RUNTIME_OBJS:.o=.d)
