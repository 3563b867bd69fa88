// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory for buffers: one piece of bus addresses each.
 *
 * An Ethos-U has no MMU: a region has one base address, and what lies in it must follow on from there.
 * Shmem's scattered pages are no use without an IOMMU, so memory comes from the DMA API: CMA or a
 * reserved pool (memory-region in the device tree) on boards, an IOMMU's pages where there is one. Where
 * there is neither, the page allocator gives up at 4 MiB and weights are often larger: on machines
 * whose devices see the CPU's caches and its addresses, pages in a row are then taken from it by
 * moving others out of the way.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>

#include "ethosu_compat.h"
#include "ethosu_device.h"

#define ATTRS	(DMA_ATTR_WRITE_COMBINE | DMA_ATTR_NO_WARN)

static bool from_dma_api(struct ethosu_bo *bo, struct device *dev)
{
	bo->vaddr = dma_alloc_attrs(dev, bo->base.size, &bo->dma, GFP_KERNEL, ATTRS);
	return bo->vaddr;
}

static bool from_pages(struct ethosu_bo *bo, struct device *dev)
{
	size_t size = bo->base.size, at;
	struct page *page;

	if (device_iommu_mapped(dev) || !dev_is_dma_coherent(dev))
		return false;
	page = ethosu_alloc_contig(size >> PAGE_SHIFT);
	if (!page)
		return false;
	bo->dma = dma_map_page(dev, page, 0, size, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, bo->dma))
		goto err_free;
	/* Anything else was bounced or is translated: not the memory that the CPU sees. */
	if (bo->dma != page_to_phys(page))
		goto err_unmap;
	bo->vaddr = page_address(page);
	for (at = 0; at < size; at += PAGE_SIZE) {
		clear_page(bo->vaddr + at);
		cond_resched();
	}
	bo->from_pages = true;
	return true;

err_unmap:
	dma_unmap_page(dev, bo->dma, size, DMA_BIDIRECTIONAL);
err_free:
	ethosu_free_contig(page, size >> PAGE_SHIFT);
	return false;
}

/**
 * ethosu_mem_create - a buffer of zeros
 * @edev: what it is for
 * @size: bytes, not 0, is rounded up to whole pages
 *
 * Return: the buffer, with one reference, or an ERR_PTR: -ENOMEM.
 */
struct ethosu_bo *ethosu_mem_create(struct ethosu_device *edev, size_t size)
{
	struct device *dev = edev->base.dev;
	struct ethosu_bo *bo;
	int ret;

	/* No more than could ever be there; also keeps the rounding from wrapping. */
	if (size >> PAGE_SHIFT >= totalram_pages())
		return ERR_PTR(-ENOMEM);
	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->base.funcs = &ethosu_gem_funcs;
	drm_gem_private_object_init(&edev->base, &bo->base, PAGE_ALIGN(size));
	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret)
		goto err;
	ret = -ENOMEM;
	if (!from_dma_api(bo, dev) && !from_pages(bo, dev))
		goto err;
	return bo;

err:
	drm_gem_object_put(&bo->base);
	return ERR_PTR(ret);
}

void ethosu_mem_free(struct ethosu_bo *bo)
{
	struct device *dev = bo->base.dev->dev;

	if (!bo->vaddr)
		return;
	if (bo->from_pages) {
		dma_unmap_page(dev, bo->dma, bo->base.size, DMA_BIDIRECTIONAL);
		ethosu_free_contig(virt_to_page(bo->vaddr), bo->base.size >> PAGE_SHIFT);
	} else {
		dma_free_attrs(dev, bo->base.size, bo->vaddr, bo->dma, ATTRS);
	}
}

/* @vma's offset is relative to the buffer. */
int ethosu_mem_mmap(struct ethosu_bo *bo, struct vm_area_struct *vma)
{
	int ret;

	if (bo->from_pages)
		ret = remap_pfn_range(vma, vma->vm_start,
				      page_to_pfn(virt_to_page(bo->vaddr)) + vma->vm_pgoff,
				      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	else
		ret = dma_mmap_attrs(bo->base.dev->dev, vma, bo->vaddr, bo->dma, bo->base.size,
				     ATTRS);
	if (!ret && !is_vmalloc_addr(bo->vaddr) && virt_addr_valid(bo->vaddr))
		ethosu_forget_pat(vma);
	return ret;
}

/* For other devices: the same memory as a table. Return: it, or an ERR_PTR. */
struct sg_table *ethosu_mem_sg_table(struct ethosu_bo *bo)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	int ret;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (bo->from_pages) {
		ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
		if (!ret)
			sg_set_page(sgt->sgl, virt_to_page(bo->vaddr), bo->base.size, 0);
	} else {
		ret = dma_get_sgtable_attrs(bo->base.dev->dev, sgt, bo->vaddr, bo->dma,
					    bo->base.size, ATTRS);
	}
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}
