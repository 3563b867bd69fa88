# Parts of the OpenCL engine by themselves.
CHECKS += check-lanes check-lanes-tsan check-requant

$(O)/tests/test_lanes: $(O)/tests/test_lanes.o $(O)/sim/cl_lanes.o
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka
$(O)/tests/test_requant: $(O)/tests/test_requant.o $(O)/sim/cl_requant.o
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lm

check-lanes: $(O)/tests/test_lanes
	$<
check-requant: $(O)/tests/test_requant
	$<
check-lanes-tsan:
	$(MAKE) O=$(O)/tsan SAN=-fsanitize=thread $(O)/tsan/tests/test_lanes
	$(O)/tsan/tests/test_lanes

-include $(O)/tests/test_lanes.d $(O)/tests/test_requant.d
