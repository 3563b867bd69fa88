/* SPDX-License-Identifier: MIT */
/* Registers the simulated transport uses; goes when uapi/ has them. */
#ifndef LIBACCEL_SIM_REGS_H
#define LIBACCEL_SIM_REGS_H

#define NPU_ID			0x0000u
#define NPU_STATUS		0x0004u
#define NPU_STATUS_RESET	(1u << 3)
#define NPU_STATUS_END		(1u << 5)
#define NPU_STATUS_FAULTS	(1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9)
#define NPU_CMD			0x0008u
#define NPU_CMD_RUN		(1u << 0)
#define NPU_CMD_CLEAR_IRQ	(1u << 1)
#define NPU_RESET		0x000cu
#define NPU_RESET_PENDING_CSL	(1u << 1)
#define NPU_QBASE		0x0010u
#define NPU_QREAD		0x0018u
#define NPU_QSIZE		0x0020u
#define NPU_CONFIG		0x0028u
#define NPU_REGIONCFG		0x003cu
#define NPU_BASEP(i)		(0x0080u + 8 * (i))

#define NPU_PMU_U85		0x1000u
#define NPU_PMCR		0x0180u
#define NPU_PMCR_ENABLE		(1u << 0)
#define NPU_PMCR_EVENT_RESET	(1u << 1)
#define NPU_PMCR_CYCLE_RESET	(1u << 2)
#define NPU_PMCR_COUNTERS(v)	((v) >> 11 & 0x1f)
#define NPU_PMCNTENSET		0x0184u
#define NPU_PMCNTEN_CYCLES	(1u << 31)
#define NPU_PMCCNTR		0x01a0u
#define NPU_PMEVCNTR(i)		(0x0300u + 4 * (i))
#define NPU_PMEVTYPER(i)	(0x0380u + 4 * (i))

#endif
