# SPDX-License-Identifier: MIT
# The weight encoder: against the simulator's decoder and against Vela's own codec.

ENCODE_SRCS := $(wildcard runtime/encode/*.c) runtime/error.c
ENCODE_OBJS := $(ENCODE_SRCS:%.c=$(O)/%.o)
TEST_ENCODE_OBJS := $(O)/tests/test_encode.o $(O)/tests/weights_order.o

$(O)/tests/test_encode: $(TEST_ENCODE_OBJS) $(ENCODE_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

CHECKS += check-encode
check-encode: $(O)/tests/test_encode
	$<

-include $(TEST_ENCODE_OBJS:.o=.d)

# Every convolution that Vela compiled, encoded again: the same weights, never larger.
ENCODE_VELA_OBJS := $(addprefix $(O)/tests/,encode_vela.o vela_file.o)

$(O)/tests/encode_vela: $(ENCODE_VELA_OBJS) $(ENCODE_OBJS) $(O)/libsim.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

CHECKS += check-encode-vela
check-encode-vela: $(O)/tests/encode_vela
	$< $(ACCEL_MODELS); s=$$?; test $$s = 0 -o $$s = 77

-include $(ENCODE_VELA_OBJS:.o=.d)
