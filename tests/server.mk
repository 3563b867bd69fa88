# SPDX-License-Identifier: MIT
# accel-sim: its server through a client of our own, with ASan and UBSan, with TSan, and under the fuzzer.

SERVER_TEST_SRCS := $(filter-out sim/server/main.c,$(wildcard sim/server/*.c)) \
	$(filter-out sim/cl_%.c,$(wildcard sim/*.c))

SERVER_TESTS := $(O)/tests/test_server $(O)/tests/test_server_faults
SERVER_FIXTURE := $(patsubst %.c,$(O)/%.o,tests/server_fixture.c tests/server_client.c $(SERVER_TEST_SRCS))

$(SERVER_TESTS): %: %.o $(SERVER_FIXTURE)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lxxhash $(LIBS)

CHECKS += check-server check-server-tsan
check-server:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(SERVER_TESTS:$(O)/%=$(O)/asan/%)
	$(foreach t,$(SERVER_TESTS:$(O)/%=$(O)/asan/%),$(t) &&) :
check-server-tsan:
	$(MAKE) O=$(O)/tsan SAN=-fsanitize=thread CFLAGS="-O1 -g" $(SERVER_TESTS:$(O)/%=$(O)/tsan/%)
	export TSAN_OPTIONS=halt_on_error=1; $(foreach t,$(SERVER_TESTS:$(O)/%=$(O)/tsan/%),$(t) &&) :

$(O)/fuzz_vfio_user: $(patsubst %.c,$(O)/%.o,tests/fuzz_vfio_user.c $(SERVER_TEST_SRCS))
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ -lxxhash $(LIBS)

FUZZERS += fuzz-vfio-user
CHECKS += check-fuzz-vfio-user
.PHONY: fuzz-vfio-user
check-fuzz-vfio-user: FUZZ_ARGS = $(call fuzz_bounded,50000,30)
fuzz-vfio-user check-fuzz-vfio-user:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CLANG) SAN="$(FUZZ_SAN)" CFLAGS="-O1 -g" $(O)/fuzz/fuzz_vfio_user
	$(call fuzz_run,vfio-user,$(FUZZ_ENV) $(O)/fuzz/fuzz_vfio_user \
		-timeout=10 -rss_limit_mb=1024 -max_len=4096,tests/corpus/vfio-user/*)

-include $(SERVER_TESTS:=.d) $(SERVER_FIXTURE:.o=.d) $(O)/tests/fuzz_vfio_user.d
