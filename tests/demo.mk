# The demo: a network trained on clothes, on an NPU that is not there.
DEMO_MODEL := tests/demo/ds-cnn
DEMO_DATA ?= /usr/share/datasets/fashion-mnist

.PHONY: demo
demo: $(O)/accel
	@echo "A network trained on Fashion-MNIST, quantised to int8, is compiled for three Arm Ethos-U NPUs that are not there:"
	@for npu in u65-256 u65-512 u85-256; do \
		$< compile $(DEMO_MODEL).tflite -t ethos-$$npu -o $(O)/demo-$$npu.accel || exit 1; done
	@echo
	@echo "The simulated NPUs run it register by register and bit for bit: the 10,000 pictures it was not trained on,"
	@echo "on an Ethos-U65-256 ..."
	@$< eval $(O)/demo-u65-256.accel -d sim:ethos-u65-256 --dataset fashion-mnist:$(DEMO_DATA)
	@echo
	@echo "... and 2,000 of them on an Ethos-U65-512 and on an Ethos-U85-256, which has other commands, weights and arithmetic:"
	@for npu in u65-512 u85-256; do \
		$< eval $(O)/demo-$$npu.accel -d sim:ethos-$$npu --dataset fashion-mnist:$(DEMO_DATA) --limit 2000 | \
			grep -E '^(top-1|macro|speed)' || exit 1; done
	@echo
	@echo "What it would cost on each NPU and memory, by Arm's public performance model:"
	@$< estimate $(DEMO_MODEL).tflite

# The same pictures, the same answers as TFLite's reference kernels: see tests/demo/PROVENANCE.md.
CHECKS += check-demo
check-demo: $(O)/accel
	$(PYTHON) tests/demo/check.py --accel $(O)/accel --data $(DEMO_DATA)
