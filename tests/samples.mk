# SPDX-License-Identifier: MIT
# Samples and their preprocessing: against Pillow's pixels, and with files that are wrong.

SAMPLES_SRCS := $(wildcard runtime/samples/*.c) $(addprefix runtime/,dataset.c elem.c error.c file.c late.c npy.c npz.c)

$(O)/tests/test_samples: $(O)/tests/test_samples.o $(SAMPLES_SRCS:%.c=$(O)/%.o)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lsndfile $(RUNTIME_LIBS)

CHECKS += check-samples
check-samples:
	$(MAKE) O=$(O)/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" CFLAGS="-O1 -g" \
		$(O)/asan/tests/test_samples
	$(O)/asan/tests/test_samples tests/samples

-include $(O)/tests/test_samples.d
