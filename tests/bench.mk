# Speed against other people's software. Never part of `make check`.
BENCHES += bench-xnnpack
BENCH_VENV ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/accel/venv-litert-2.3.0
BENCH_ARGS ?=

$(BENCH_VENV)/bin/python:
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install -q ai-edge-litert==2.3.0 numpy || { rm -rf $(BENCH_VENV); exit 1; }

bench-xnnpack: $(O)/accel $(BENCH_VENV)/bin/python
	$(BENCH_VENV)/bin/python tests/bench_xnnpack.py --accel $(O)/accel --models $(ACCEL_MODELS) $(BENCH_ARGS)
