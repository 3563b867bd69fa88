/* SPDX-License-Identifier: MIT */
/* The PCI function's configuration space. */
#ifndef ACCEL_SERVER_PCI_H
#define ACCEL_SERVER_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE	256
#define PCI_BARS	6

/*
 * What a guest's driver binds to. 0x1234 is a vendor id that no one was given and that QEMU's own
 * teaching devices use.
 */
#define PCI_VENDOR_DEFAULT	0x1234
#define PCI_DEVICE_DEFAULT	0xe705

/**
 * struct pci - configuration space
 * @value: what is read
 * @mask: bits a write can change
 */
struct pci {
	uint8_t value[PCI_CONFIG_SIZE];
	uint8_t mask[PCI_CONFIG_SIZE];
};

/**
 * pci_init - the space after reset
 * @bar_size: powers of two from 16 on, 0: there is no such BAR
 * @prefetch: a bit for each BAR that is memory without side effects
 */
void pci_init(struct pci *pci, uint16_t vendor, uint16_t device, const uint32_t bar_size[PCI_BARS],
	      unsigned int prefetch);

/* Everything that can be written back to 0. */
void pci_reset(struct pci *pci);

/* @offset + @len within PCI_CONFIG_SIZE. */
void pci_read(const struct pci *pci, size_t offset, void *to, size_t len);
void pci_write(struct pci *pci, size_t offset, const void *from, size_t len);

/* Bus address of a BAR. False while it does not answer. */
bool pci_bar(const struct pci *pci, unsigned int bar, uint64_t *addr);

#endif
