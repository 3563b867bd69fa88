# SPDX-License-Identifier: MIT
# Streams of other Vela versions, cores and formats, and of configurations no model is kept for.

OTHER_OBJS := $(addprefix $(O)/tests/,stream_check.o stream_run.o vela_file.o)

$(O)/tests/stream_check: $(OTHER_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Installs Vela from PyPI. FULL=1: all models, older versions. Status 77: no models or no PyPI.
CHECKS += check-other-streams
check-other-streams: $(O)/tests/stream_check
	$(Q)$(PYTHON) tests/other_streams.py $(if $(FULL),--full) $< $(ACCEL_MODELS) \
		$(O)/other-streams > $(O)/other-streams.log; s=$$?; \
	grep -v '^ok' $(O)/other-streams.log; test $$s = 0 -o $$s = 77

-include $(OTHER_OBJS:.o=.d)
