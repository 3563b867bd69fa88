# SPDX-License-Identifier: MIT
# The kernel module in virtual machines with simulated NPUs: stock kernels 6.12 and 7.3 of Debian, and mainline's own
# module on 7.3 for comparison. What they need is fetched once (tests/vm/root.sh); without it all is skipped.

VM_DRIVER_SRCS := $(wildcard driver/*) $(wildcard uapi/*)
VM_OURS := $(O)/vm/ours-6.12/ethosu.ko $(O)/vm/ours-7.3/ethosu.ko
VM_MAINLINE := $(O)/vm/mainline-7.3/ethosu.ko
VM_NPUS := -n "-c ethos-u65-256" -n "-c ethos-u65-512" -n "-c ethos-u85-256"
# As tests/vm/faults.sh has them.
VM_U65 := -n "-c ethos-u65-256 -e reference
VM_FAULTY := $(foreach f,hang:every=5 lost-irq:every=3 spurious-irq:every=2 bus-error:every=4 parse-error:every=4 \
	slow:every=5:ms=50,$(VM_U65) -f $(f)") \
	$(VM_U65) -f hang:every=5 -f reset-stuck:every=3" $(VM_U65) -f vanish:20" $(VM_U65)"
VM_RUN := O=$(O) tests/vm/run.sh
VM_TESTS := $(O)/tests/models
# All models on our module with the newer kernel; with the older one, and on mainline's, whole models only.
VM_FEW := $(if $(FULL),,$(if $(wildcard $(ACCEL_MODELS)/README.md),-w))

$(VM_OURS): $(O)/vm/ours-%/ethosu.ko: $(VM_DRIVER_SRCS)
	tests/vm/kbuild.sh $* $(@D) driver uapi

$(VM_MAINLINE): driver/ethosu_pci.c tests/vm/mainline.sh tests/vm/kbuild.sh
	tests/vm/mainline.sh $(@D)

# $(call vm_skipping,COMMANDS): 77 from one of them is a skip, not a failure.
vm_skipping = @$(1) || { s=$$?; [ $$s = 77 ] && echo "SKIP $@" && exit 0; exit $$s; }

CHECKS += check-vm
.PHONY: check-vm-models check-vm-opencl check-vm-faults check-vm-cores check-vm-fuzz check-vm-kasan check-vm-kasan-run
check-vm:
	$(call vm_skipping,tests/vm/kbuild.sh -n && $(MAKE) check-vm-models check-vm-opencl check-vm-faults check-vm-cores \
		check-vm-fuzz)

check-vm-models: $(VM_OURS) $(VM_MAINLINE) $(O)/accel-sim $(O)/accel $(VM_TESTS)
	$(VM_RUN) -t 1800 -k 7.3 -c $(O)/vm/ours-7.3 $(VM_NPUS) $(O)/vm/models-7.3 \
		sh tests/vm/models.sh $(O) tests/vm/none.list tests/data $(ACCEL_MODELS)
	$(VM_RUN) -t 1800 -k 6.12 -c $(O)/vm/ours-6.12 $(VM_NPUS) $(O)/vm/models-6.12 \
		sh tests/vm/models.sh $(O) tests/vm/none.list $(VM_FEW) tests/data $(ACCEL_MODELS)
	$(VM_RUN) -t 1800 -k 7.3 -c $(O)/vm/mainline-7.3 $(VM_NPUS) $(O)/vm/models-mainline \
		sh tests/vm/models.sh $(O) tests/vm/mainline.list $(VM_FEW) tests/data $(ACCEL_MODELS)

# Whole models through OpenCL on our module, what Vela compiled and what is compiled when it is built.
$(O)/icd-npu/accel.icd: $(OPENCL_LIB)
	@mkdir -p $(@D)
	$(Q)echo $(abspath $<) > $@

check-vm-opencl: $(O)/vm/ours-7.3/ethosu.ko $(O)/accel-sim $(O)/opencl_models $(O)/test_opencl_ext $(O)/icd-npu/accel.icd
	$(VM_RUN) -k 7.3 -c $(O)/vm/ours-7.3 $(VM_NPUS) $(O)/vm/opencl-7.3 \
		sh tests/vm/opencl.sh $(abspath $(O)) $(TEST_OPENCL_MODEL) $(VM_FEW) tests/data $(ACCEL_MODELS)

# A client of the kernel's interface without libaccel, nor anything else that is not in memory once it runs.
VM_CLIENT_OBJS := $(call objs,tests/vm)

$(O)/tests/vmclient: $(VM_CLIENT_OBJS)
	$(Q)$(CC) $(ALL_LDFLAGS) -static-pie -o $@ $^

-include $(VM_CLIENT_OBJS:.o=.d)

# How often each fault is committed.
VM_FAULTS ?= $(if $(FULL),1000,8)
check-vm-faults: $(VM_OURS) $(O)/accel-sim $(O)/tests/vmclient
	$(Q)for k in 7.3 6.12; do echo "Linux $$k:"; $(VM_RUN) -t $(if $(FULL),7200,300) -k $$k -c $(O)/vm/ours-$$k $(VM_FAULTY) $(O)/vm/faults-$$k \
		sh tests/vm/faults.sh $(O)/tests/vmclient $(VM_FAULTS) || exit 1; done

# Several NPUs behind one node, as tests/vm/cores.sh has them. By default on the newer kernel only, and whole models only.
# A few models, or all that there are without the folder of real ones.
VM_SOME := $(if $(FULL),,$(if $(wildcard $(ACCEL_MODELS)/README.md),-w -m ref_model))
VM_CORE := -c ethos-u65-256 -e reference
VM_SLOW := $(VM_CORE) -f slow:every=1:ms=20
VM_CORES := -n "$(VM_SLOW)" -m "$(VM_SLOW)" -m "$(VM_SLOW)" -m "$(VM_SLOW)" \
	-n "$(VM_CORE) -f hang:every=5" -m "$(VM_CORE)" \
	-n "$(VM_CORE)" -m "$(VM_CORE) -f bus-error:every=4" \
	-n "$(VM_CORE) -f hang:every=5 -f reset-stuck:every=3" -m "$(VM_CORE)" \
	-n "$(VM_CORE) -f lost-irq:every=3" -m "$(VM_CORE) -f spurious-irq:every=2" \
	-n "$(VM_CORE) -f vanish:20" -m "$(VM_CORE)" \
	-n "$(VM_CORE) -f slow:every=1:ms=2" -m "$(VM_CORE) -f slow:every=1:ms=2" \
	-n "-c ethos-u85-256 --sram 1M" -m "-c ethos-u85-256 --sram 1M"
check-vm-cores: $(VM_OURS) $(O)/accel-sim $(O)/tests/vmclient $(VM_TESTS)
	$(Q)for k in 7.3 $(if $(FULL),6.12); do echo "Linux $$k:"; \
		$(VM_RUN) -t $(if $(FULL),7200,300) -k $$k -c $(O)/vm/ours-$$k $(VM_CORES) $(O)/vm/cores-$$k \
			sh tests/vm/cores.sh $(O) $(VM_FAULTS) $(VM_SOME) tests/data $(ACCEL_MODELS) || exit 1; \
	done

# Requests that a grammar makes; VM_FUZZ_SECONDS=3600 VM_FUZZ_SEED=7 for longer and others.
VM_FUZZ_SECONDS ?= $(if $(FULL),300,30)
VM_FUZZ_SEED ?= 1
check-vm-fuzz: $(O)/vm/ours-7.3/ethosu.ko $(O)/accel-sim $(O)/tests/vmclient
	$(VM_RUN) -t $$(($(VM_FUZZ_SECONDS) + 300)) -k 7.3 -c $(O)/vm/ours-7.3 -n "-c ethos-u85-256 --sram 1M" $(O)/vm/fuzz \
		$(O)/tests/vmclient /dev/accel/accel0 fuzz $(VM_FUZZ_SECONDS) $(VM_FUZZ_SEED)

# All of it once more under a kernel with KASAN, kmemleak, lockdep and the like, and each allocation failed in turn. Not
# part of make check: building that kernel takes 10 minutes, once.
check-vm-kasan:
	$(call vm_skipping,tests/vm/kbuild.sh -n && tests/vm/debug_kernel.sh > /dev/null && $(MAKE) check-vm-kasan-run)

$(O)/vm/ours-debug/ethosu.ko: $(VM_DRIVER_SRCS)
	tests/vm/kbuild.sh debug $(@D) driver uapi

VM_KASAN := $(VM_RUN) -t $$(($(VM_FUZZ_SECONDS) + 1200)) -k debug -c $(O)/vm/ours-debug
check-vm-kasan-run: $(O)/vm/ours-debug/ethosu.ko $(O)/accel-sim $(O)/tests/vmclient $(O)/tests/vm_driver
	$(VM_KASAN) -n "-c ethos-u85-256 --sram 1M" $(O)/vm/kasan-driver sh tests/vm/kasan.sh sh -e -c '\
		c="$(O)/tests/vmclient /dev/accel/accel0"; $$c alloc; $$c fuzz $(VM_FUZZ_SECONDS) $(VM_FUZZ_SEED); \
		$(O)/tests/vm_driver $(VM_DRIVER_TESTS)'
	$(VM_KASAN) $(VM_FAULTY) $(O)/vm/kasan-faults sh tests/vm/kasan.sh \
		sh tests/vm/faults.sh $(O)/tests/vmclient $(VM_FAULTS)

# Our module against mainline's, in one guest, in turn. VM_ROUNDS=9 for steadier medians.
BENCHES += bench-vm
VM_ROUNDS ?= 5
bench-vm: $(VM_OURS) $(VM_MAINLINE) $(O)/accel-sim $(O)/tests/vmclient
	$(VM_RUN) -t 1200 -k 7.3 -L -c $(O)/vm/ours-7.3 -n "-c ethos-u65-256" $(O)/vm/bench \
		sh tests/vm/bench.sh $(O)/tests/vmclient $(O)/vm/ours-7.3 $(O)/vm/mainline-7.3 $(VM_ROUNDS)
