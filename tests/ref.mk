# The plain C reference engine on hand-made operations.

TEST_REF := $(addprefix $(O)/tests/,test_ref test_ref_layout)

$(TEST_REF): %: %.o $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

CHECKS += check-ref
check-ref: $(TEST_REF)
	$(Q)for t in $^; do $$t || exit 1; done

-include $(TEST_REF:=.d)
