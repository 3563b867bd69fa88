# The plain C reference engine on hand-made operations.

CHECKS += check-ref

$(O)/tests/test_ref: $(O)/tests/test_ref.o $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
check-ref: $(O)/tests/test_ref
	$<

-include $(O)/tests/test_ref.d
