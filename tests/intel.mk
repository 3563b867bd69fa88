# Random operations and Vela's streams on a second OpenCL, Intel's for processors, from PyPI (700 MB). Not part of
# `make check`: its compiler takes minutes, once. INTEL_ARGS="-m NAME" runs one model.
INTEL_VERSION ?= 2026.2.0
INTEL_VENV ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/accel/venv-intel-opencl-$(INTEL_VERSION)
INTEL_COUNT ?= 1000
INTEL_ARGS ?=

.PHONY: check-intel
check-intel: $(O)/tests/checkops $(O)/tests/golden
	$(Q)PYTHON="$(PYTHON)" tests/intel.sh "$(INTEL_VENV)" "$(INTEL_VERSION)" "$(abspath $(O))" \
		"$(CHECKOPS_SEED)" "$(INTEL_COUNT)" "$(ACCEL_MODELS)" $(INTEL_ARGS)
