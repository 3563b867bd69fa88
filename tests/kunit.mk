# SPDX-License-Identifier: MIT
# The driver's KUnit suites, under User-Mode Linux. Its kernel takes six minutes of processor time when it
# is not in the cache. Status 77: no kernel source.

CHECKS += check-kunit
check-kunit:
	$(Q)sh tests/kunit.sh $(O)/kunit; s=$$?; test $$s = 0 -o $$s = 77
