// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The simulated NPU's PCI function as the platform device that real boards have, so that a driver that is
 * tested with it, this project's or Linux's own, is the one that runs on boards.
 *
 * BAR 0 is the registers, BAR 2, if there is one, on-chip memory, MSI the interrupt. The functions of one
 * slot are the cores of one device, which is there while all that the slot has are bound to this.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#define REGS_BAR	0
#define SRAM_BAR	2
#define ADDRESS_BITS	40
#define SLOT_FUNCTIONS	8

/**
 * struct function - a core
 * @irq: its MSI
 * @npu: of the slot's first one: the device that they make up, or NULL
 */
struct function {
	int irq;
	struct platform_device *npu;
};

static const struct pci_device_id ethosu_pci_ids[] = {
	{ PCI_DEVICE(0x1234, 0xe705) },
	{}
};
MODULE_DEVICE_TABLE(pci, ethosu_pci_ids);

/* Functions of a slot come and go on their own. */
static DEFINE_MUTEX(slots);

static void bar_resource(struct pci_dev *pci, int bar, const char *name, struct resource *res)
{
	*res = (struct resource) {
		.start = pci_resource_start(pci, bar),
		.end = pci_resource_end(pci, bar),
		.name = name,
		.flags = IORESOURCE_MEM,
		.parent = &pci->resource[bar],
	};
}

/* All of @pci's slot that are NPUs, with references, in order. Return: how many. */
static unsigned int slot_functions(struct pci_dev *pci, struct pci_dev **functions)
{
	unsigned int i, count = 0;
	struct pci_dev *other;

	for (i = 0; i < SLOT_FUNCTIONS; i++) {
		other = pci_get_slot(pci->bus, PCI_DEVFN(PCI_SLOT(pci->devfn), i));
		if (other && pci_match_id(ethosu_pci_ids, other))
			functions[count++] = other;
		else
			pci_dev_put(other);
	}
	return count;
}

static void put_functions(struct pci_dev **functions, unsigned int count)
{
	while (count)
		pci_dev_put(functions[--count]);
}

/* The slot's device, as soon as all functions are bound. Under the lock. */
static int slot_register(struct pci_dev *pci)
{
	struct platform_device_info info = {
		.name = "ethosu",
		.id = PLATFORM_DEVID_AUTO,
		.dma_mask = DMA_BIT_MASK(ADDRESS_BITS),
	};
	struct pci_dev *functions[SLOT_FUNCTIONS];
	unsigned int count = slot_functions(pci, functions), i;
	struct platform_device *npu;
	struct function *function;
	struct resource *res;
	int ret = 0;

	/* Registers, interrupt and on-chip memory. */
	res = kcalloc(3 * count, sizeof(*res), GFP_KERNEL);
	if (!res) {
		ret = -ENOMEM;
		goto out;
	}
	for (i = 0; i < count; i++) {
		if (!pci_get_drvdata(functions[i]))
			goto out;
		bar_resource(functions[i], REGS_BAR, "npu", &res[info.num_res++]);
	}
	for (i = 0; i < count; i++) {
		function = pci_get_drvdata(functions[i]);
		res[info.num_res++] = DEFINE_RES_IRQ(function->irq);
	}
	/* Last, for drivers that know of nothing but the first. */
	for (i = 0; i < count; i++)
		if (pci_resource_len(functions[i], SRAM_BAR))
			bar_resource(functions[i], SRAM_BAR, "sram", &res[info.num_res++]);
	info.res = res;
	info.parent = &functions[0]->dev;
	npu = platform_device_register_full(&info);
	if (IS_ERR(npu)) {
		ret = PTR_ERR(npu);
		goto out;
	}
	function = pci_get_drvdata(functions[0]);
	function->npu = npu;
out:
	kfree(res);
	put_functions(functions, count);
	return ret;
}

/* Under the lock. */
static void slot_unregister(struct pci_dev *pci)
{
	struct pci_dev *functions[SLOT_FUNCTIONS];
	unsigned int count = slot_functions(pci, functions), i;
	struct function *function;

	for (i = 0; i < count; i++) {
		function = pci_get_drvdata(functions[i]);
		if (!function || !function->npu)
			continue;
		platform_device_unregister(function->npu);
		function->npu = NULL;
	}
	put_functions(functions, count);
}

static int ethosu_pci_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct function *function;
	int ret;

	ret = pcim_enable_device(pci);
	if (ret)
		return ret;
	if (!pci_resource_len(pci, REGS_BAR))
		return -ENODEV;
	function = devm_kzalloc(&pci->dev, sizeof(*function), GFP_KERNEL);
	if (!function)
		return -ENOMEM;
	pci_set_master(pci);
	ret = pci_alloc_irq_vectors(pci, 1, 1, PCI_IRQ_MSI | PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(&pci->dev, ret, "no message signalled interrupt\n");
	function->irq = pci_irq_vector(pci, 0);
	mutex_lock(&slots);
	pci_set_drvdata(pci, function);
	ret = slot_register(pci);
	if (ret) {
		pci_set_drvdata(pci, NULL);
		pci_free_irq_vectors(pci);
	}
	mutex_unlock(&slots);
	return ret;
}

static void ethosu_pci_remove(struct pci_dev *pci)
{
	mutex_lock(&slots);
	slot_unregister(pci);
	pci_set_drvdata(pci, NULL);
	mutex_unlock(&slots);
	pci_free_irq_vectors(pci);
}

static struct pci_driver ethosu_pci_driver = {
	.name = "ethosu-pci",
	.id_table = ethosu_pci_ids,
	.probe = ethosu_pci_probe,
	.remove = ethosu_pci_remove,
};
module_pci_driver(ethosu_pci_driver);

MODULE_AUTHOR("The accel authors");
MODULE_DESCRIPTION("Simulated Arm Ethos-U: PCI function to platform device");
MODULE_LICENSE("Dual MIT/GPL");
