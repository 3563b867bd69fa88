# The demo: from a float network to accurate int8 on NPUs that are not there.
DEMO_MODEL := tests/demo/ds-cnn
DEMO_DATA ?= /usr/share/datasets/fashion-mnist

.PHONY: demo
demo: $(O)/accel
	@echo "A float network for Fashion-MNIST becomes one of int8, with 256 of the pictures it was trained on:"
	@$< quantise $(DEMO_MODEL).onnx -o $(O)/demo.tflite -c fashion-mnist:$(DEMO_DATA):train
	@echo
	@echo "It is compiled for three Arm Ethos-U NPUs that are not there:"
	@for npu in u65-256 u65-512 u85-256; do \
		$< compile $(O)/demo.tflite -t ethos-$$npu -o $(O)/demo-$$npu.accel || exit 1; done
	@echo
	@echo "The 10,000 pictures it was not trained on: the float network, int8 as TFLite's reference defines it, and a"
	@echo "simulated Ethos-U65-256, register by register. At most 0.3 points may be lost:"
	@$< eval $(O)/demo.tflite -d sim:ethos-u65-256 --float $(DEMO_MODEL).onnx --dataset fashion-mnist:$(DEMO_DATA) --max-drop 0.3
	@echo
	@echo "What was compiled, on an Ethos-U65-512 and on an Ethos-U85-256, which has other commands, weights and arithmetic:"
	@for npu in u65-512 u85-256; do \
		$< eval $(O)/demo-$$npu.accel -d sim:ethos-$$npu --dataset fashion-mnist:$(DEMO_DATA) | \
			grep -E '^(top-1|macro|speed)' || exit 1; done
	@echo
	@echo "What it would cost on each NPU and memory, by Arm's public performance model:"
	@$< estimate $(O)/demo.tflite

# The same pictures, the same answers as TFLite's reference kernels: see tests/demo/PROVENANCE.md.
CHECKS += check-demo
check-demo: $(O)/accel
	$(PYTHON) tests/demo/check.py --accel $(O)/accel --data $(DEMO_DATA)
