# SPDX-License-Identifier: MIT
# accel-sim, the simulated NPU as a vfio-user PCI device.

SERVER_OBJS := $(filter-out $(O)/sim/server/main.o,$(call objs,sim/server))

all: $(O)/accel-sim

$(O)/accel-sim: $(O)/sim/server/main.o $(SERVER_OBJS) $(O)/libsim.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBACCEL_LIBS)

-include $(SERVER_OBJS:.o=.d) $(O)/sim/server/main.d
