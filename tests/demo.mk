# The demo: a network trained on clothes, on an NPU that is not there.
DEMO_MODEL := tests/demo/ds-cnn
DEMO_DATA ?= /usr/share/datasets/fashion-mnist

.PHONY: demo
demo: $(O)/accel
	@echo "A network trained on Fashion-MNIST, compiled for Arm Ethos-U NPUs, runs on simulated ones, register by"
	@echo "register and bit for bit: the 10,000 pictures it was not trained on, on an Ethos-U65-256 ..."
	@$< eval $(DEMO_MODEL).u65-256.tflite -d sim:ethos-u65-256 --dataset fashion-mnist:$(DEMO_DATA)
	@echo
	@echo "... and 2,000 of them on an Ethos-U85-256, which has other commands, weights and arithmetic:"
	@$< eval $(DEMO_MODEL).u85-256.tflite -d sim:ethos-u85-256 --dataset fashion-mnist:$(DEMO_DATA) --limit 2000

# The same pictures, the same answers as TFLite's reference kernels: see tests/demo/PROVENANCE.md.
CHECKS += check-demo
check-demo: $(O)/accel
	$(PYTHON) tests/demo/check.py --accel $(O)/accel --data $(DEMO_DATA)
