/* SPDX-License-Identifier: MIT */
/*
 * The PCI function's configuration space: type 0 header, memory BARs of 32 bits, one MSI.
 *
 * No INTx: with vfio it is lowered only when the guest next touches a BAR, so that a handler that
 * reads nothing would be called for ever.
 */
#include "sim/server/pci.h"

#include <linux/pci_regs.h>
#include <string.h>

#define MSI_CAP		0x40
/* Processing accelerator, no interface of its own (PCI Code and ID Assignment, base class 12h). */
#define CLASS_ACCELERATOR	0x12

static void put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

void pci_init(struct pci *pci, uint16_t vendor, uint16_t device, const uint32_t bar_size[PCI_BARS],
	      unsigned int prefetch)
{
	unsigned int i;

	memset(pci, 0, sizeof(*pci));
	put16(pci->value + PCI_VENDOR_ID, vendor);
	put16(pci->value + PCI_DEVICE_ID, device);
	put16(pci->value + PCI_SUBSYSTEM_VENDOR_ID, vendor);
	put16(pci->value + PCI_SUBSYSTEM_ID, device);
	put16(pci->value + PCI_STATUS, PCI_STATUS_CAP_LIST);
	pci->value[PCI_CLASS_PROG + 2] = CLASS_ACCELERATOR;
	pci->value[PCI_CAPABILITY_LIST] = MSI_CAP;
	put16(pci->mask + PCI_COMMAND,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	pci->mask[PCI_CACHE_LINE_SIZE] = 0xff;
	pci->mask[PCI_INTERRUPT_LINE] = 0xff;
	for (i = 0; i < PCI_BARS; i++) {
		if (!bar_size[i])
			continue;
		put32(pci->mask + PCI_BASE_ADDRESS_0 + 4 * i, ~(bar_size[i] - 1));
		if (prefetch & 1u << i)
			pci->value[PCI_BASE_ADDRESS_0 + 4 * i] = PCI_BASE_ADDRESS_MEM_PREFETCH;
	}
	pci->value[MSI_CAP + PCI_CAP_LIST_ID] = PCI_CAP_ID_MSI;
	put16(pci->value + MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT);
	put16(pci->mask + MSI_CAP + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	put32(pci->mask + MSI_CAP + PCI_MSI_ADDRESS_LO, ~3u);
	put32(pci->mask + MSI_CAP + PCI_MSI_ADDRESS_HI, ~0u);
	put16(pci->mask + MSI_CAP + PCI_MSI_DATA_64, 0xffff);
}

void pci_reset(struct pci *pci)
{
	unsigned int i;

	for (i = 0; i < PCI_CONFIG_SIZE; i++)
		pci->value[i] &= (uint8_t)~pci->mask[i];
}

void pci_read(const struct pci *pci, size_t offset, void *to, size_t len)
{
	memcpy(to, pci->value + offset, len);
}

void pci_write(struct pci *pci, size_t offset, const void *from, size_t len)
{
	const uint8_t *byte = from;
	size_t i;

	for (i = offset; i < offset + len; i++)
		pci->value[i] = (uint8_t)((pci->value[i] & ~pci->mask[i]) |
					  (*byte++ & pci->mask[i]));
}

bool pci_bar(const struct pci *pci, unsigned int bar, uint64_t *addr)
{
	*addr = get32(pci->value + PCI_BASE_ADDRESS_0 + 4 * bar) &
		get32(pci->mask + PCI_BASE_ADDRESS_0 + 4 * bar);
	return pci->value[PCI_COMMAND] & PCI_COMMAND_MEMORY && *addr;
}
