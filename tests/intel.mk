# The same streams on a second OpenCL, Intel's for processors, from PyPI (700 MB). Not part of `make check`: its
# compiler takes its time. INTEL_ARGS="-m NAME" runs one model.
INTEL_VENV ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/accel/venv-intel-opencl
INTEL_ARGS ?=

$(INTEL_VENV)/lib/libintelocl.so:
	$(PYTHON) -m venv $(INTEL_VENV)
	$(INTEL_VENV)/bin/pip install -q intel-opencl-rt intel-cmplr-lib-rt || { rm -rf $(INTEL_VENV); exit 1; }

.PHONY: check-intel
check-intel: $(O)/tests/golden $(INTEL_VENV)/lib/libintelocl.so
	mkdir -p $(O)/icd && echo $(INTEL_VENV)/lib/libintelocl.so > $(O)/icd/intel.icd
	OCL_ICD_VENDORS=$(O)/icd LD_LIBRARY_PATH=$(INTEL_VENV)/lib ACCEL_CL_PLATFORM=Intel \
		$< -e opencl $(INTEL_ARGS) $(ACCEL_MODELS)
