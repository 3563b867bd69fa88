// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The simulated NPU's PCI function as the platform device that real boards have, so that a driver that is
 * tested with it, this project's or Linux's own, is the one that runs on boards.
 *
 * BAR 0 is the registers, BAR 2, if there is one, on-chip memory, MSI the interrupt.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#define REGS_BAR	0
#define SRAM_BAR	2
#define ADDRESS_BITS	40

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

static int ethosu_pci_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct platform_device_info info = {
		.parent = &pci->dev,
		.name = "ethosu",
		.id = PLATFORM_DEVID_AUTO,
		.dma_mask = DMA_BIT_MASK(ADDRESS_BITS),
	};
	struct platform_device *npu;
	struct resource res[3] = {};
	int irq, ret;

	ret = pcim_enable_device(pci);
	if (ret)
		return ret;
	if (!pci_resource_len(pci, REGS_BAR))
		return -ENODEV;
	pci_set_master(pci);
	ret = pci_alloc_irq_vectors(pci, 1, 1, PCI_IRQ_MSI | PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(&pci->dev, ret, "no message signalled interrupt\n");
	irq = pci_irq_vector(pci, 0);

	bar_resource(pci, REGS_BAR, "npu", &res[0]);
	res[1] = DEFINE_RES_IRQ(irq);
	info.res = res;
	info.num_res = 2;
	/* Last, for drivers that know of nothing but the first. */
	if (pci_resource_len(pci, SRAM_BAR))
		bar_resource(pci, SRAM_BAR, "sram", &res[info.num_res++]);
	npu = platform_device_register_full(&info);
	if (IS_ERR(npu)) {
		pci_free_irq_vectors(pci);
		return PTR_ERR(npu);
	}
	pci_set_drvdata(pci, npu);
	return 0;
}

static void ethosu_pci_remove(struct pci_dev *pci)
{
	platform_device_unregister(pci_get_drvdata(pci));
	pci_free_irq_vectors(pci);
}

static const struct pci_device_id ethosu_pci_ids[] = {
	{ PCI_DEVICE(0x1234, 0xe705) },
	{}
};
MODULE_DEVICE_TABLE(pci, ethosu_pci_ids);

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
