# SPDX-License-Identifier: MIT
# Streams of other Vela versions, cores and formats, and of configurations no model is kept for.

OTHER_OBJS := $(addprefix $(O)/tests/,stream_check.o stream_run.o vela_file.o)

$(O)/tests/stream_check: $(OTHER_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

-include $(OTHER_OBJS:.o=.d)
