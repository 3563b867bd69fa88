# SPDX-License-Identifier: MIT
# The driver's KUnit suites, under User-Mode Linux; on request, as the kernel takes five minutes of processor
# time to build when it is not in the cache. Status 77: no kernel source.

.PHONY: check-kunit
check-kunit:
	$(Q)sh tests/kunit.sh $(O)/kunit; s=$$?; test $$s = 0 -o $$s = 77
