/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What differs between the kernels this driver builds for, 6.12 to 7.3, all in one place. Which side a
 * kernel is on was found by probe-kernel.sh: versions say nothing where distributions backport.
 */
#ifndef ETHOSU_COMPAT_H
#define ETHOSU_COMPAT_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mmzone.h>

#include "ethosu_features.h"

/* Until 6.13 the namespace was a token, since then it is a string. */
#ifdef ETHOSU_HAVE_IMPORT_NS_STRING
#define ETHOSU_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#else
#define ETHOSU_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#endif

/* Where it exists it must be set: DRM_IOCTL_VERSION would warn. */
#ifdef ETHOSU_HAVE_DRIVER_DATE
#define ETHOSU_DRIVER_DATE .date = "20261124",
#else
#define ETHOSU_DRIVER_DATE
#endif

/*
 * Pages in a row, by moving others away. alloc_contig_pages() is exported since 6.17 or so; before that
 * there is alloc_contig_range(), which has to be told where.
 */
#if defined(ETHOSU_HAVE_CONTIG_PAGES)

static inline struct page *ethosu_alloc_contig(unsigned long pages)
{
	return alloc_contig_pages(pages, GFP_KERNEL | __GFP_NOWARN, numa_mem_id(), NULL);
}

#elif defined(ETHOSU_HAVE_CONTIG_RANGE)

#define ETHOSU_CONTIG_TRIES 64

static inline bool ethosu_contig_candidate(struct zone *zone, unsigned long pfn,
					   unsigned long pages)
{
	unsigned long end = pfn + pages;
	struct page *page;

	for (; pfn < end; pfn++) {
		page = pfn_to_online_page(pfn);
		if (!page || page_zone(page) != zone || PageReserved(page) || PageHuge(page) ||
		    PageSlab(page))
			return false;
	}
	return true;
}

static inline struct page *ethosu_alloc_contig(unsigned long pages)
{
	pg_data_t *node = NODE_DATA(numa_mem_id());
	unsigned int tries = 0;
	struct zone *zone;
	unsigned long pfn;
	int i;

	for (i = MAX_NR_ZONES - 1; i >= 0; i--) {
		zone = &node->node_zones[i];
		if (!managed_zone(zone))
			continue;
		for (pfn = ALIGN(zone->zone_start_pfn, pageblock_nr_pages);
		     pfn + pages <= zone_end_pfn(zone) && tries < ETHOSU_CONTIG_TRIES;
		     pfn += pageblock_nr_pages) {
			if (!ethosu_contig_candidate(zone, pfn, pages))
				continue;
			tries++;
			if (!alloc_contig_range(pfn, pfn + pages, MIGRATE_MOVABLE,
						GFP_KERNEL | __GFP_NOWARN))
				return pfn_to_page(pfn);
		}
	}
	return NULL;
}

#else

static inline struct page *ethosu_alloc_contig(unsigned long pages)
{
	return NULL;
}

#endif

static inline void ethosu_free_contig(struct page *page, unsigned long pages)
{
#if defined(ETHOSU_HAVE_CONTIG_PAGES) || defined(ETHOSU_HAVE_CONTIG_RANGE)
	free_contig_range(page_to_pfn(page), pages);
#endif
}

/*
 * Until Linux 6.15 x86 keeps in mind which mappings are one range, and warns when one is taken away from two
 * sides at once: by a process that ends, and since the device goes. For RAM there is nothing to keep.
 */
static inline void ethosu_forget_pat(struct vm_area_struct *vma)
{
#ifdef VM_PAT
	vm_flags_clear(vma, VM_PAT);
#endif
}

#endif
