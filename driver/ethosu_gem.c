// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Buffer objects and command streams: how they are made, mapped, shared and waited for.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_utils.h>

#include "ethosu_compat.h"
#include "ethosu_device.h"

ETHOSU_IMPORT_NS(DMA_BUF);

static void gem_free(struct drm_gem_object *obj)
{
	struct ethosu_bo *bo = to_ethosu_bo(obj);

	if (bo->sgt)
		drm_prime_gem_destroy(obj, bo->sgt);
	else
		ethosu_mem_free(bo);
	drm_gem_object_release(obj);
	kfree(bo->stream);
	kfree(bo);
}

static int gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct ethosu_bo *bo = to_ethosu_bo(obj);
	int ret;

	if (bo->flags & DRM_ETHOSU_BO_NO_MMAP)
		return -EINVAL;
	/* drm_gem_mmap() found the object by this offset. */
	vma->vm_pgoff -= drm_vma_node_start(&obj->vma_node);
	if (!bo->sgt) {
		vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_PFNMAP);
		return ethosu_mem_mmap(bo, vma);
	}
	/* The exporter's pages, by its own rules; it takes a reference of its own. */
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	ret = dma_buf_mmap(obj->import_attach->dmabuf, vma, vma->vm_pgoff);
	if (!ret)
		drm_gem_object_put(obj);
	return ret;
}

static struct sg_table *gem_sg_table(struct drm_gem_object *obj)
{
	return ethosu_mem_sg_table(to_ethosu_bo(obj));
}

static int gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct ethosu_bo *bo = to_ethosu_bo(obj);

	if (!bo->vaddr)
		return -EOPNOTSUPP;
	iosys_map_set_vaddr(map, bo->vaddr);
	return 0;
}

static struct dma_buf *gem_export(struct drm_gem_object *obj, int flags)
{
	/* What was validated must stay as it was. */
	if (to_ethosu_bo(obj)->stream)
		return ERR_PTR(-EPERM);
	return drm_gem_prime_export(obj, flags);
}

static enum drm_gem_object_status gem_status(struct drm_gem_object *obj)
{
	return DRM_GEM_OBJECT_RESIDENT;
}

static const struct vm_operations_struct gem_vm_ops = {
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

const struct drm_gem_object_funcs ethosu_gem_funcs = {
	.free = gem_free,
	.export = gem_export,
	.get_sg_table = gem_sg_table,
	.vmap = gem_vmap,
	.mmap = gem_mmap,
	.status = gem_status,
	.vm_ops = &gem_vm_ops,
};

/**
 * ethosu_gem_import - drm_driver.gem_prime_import_sg_table
 * @dev: the device
 * @attach: of the dma-buf
 * @sgt: of it, mapped for the device
 *
 * Return: an object; ERR_PTR(-EINVAL): the memory is in pieces, the NPU can not follow it.
 */
struct drm_gem_object *ethosu_gem_import(struct drm_device *dev, struct dma_buf_attachment *attach,
					 struct sg_table *sgt)
{
	size_t size = attach->dmabuf->size;
	struct ethosu_bo *bo;
	int ret;

	if (!size || !PAGE_ALIGNED(size) || drm_prime_get_contiguous_size(sgt) < size) {
		drm_dbg(dev, "dma-buf of %zu bytes: not one piece of whole pages for the device\n",
			size);
		return ERR_PTR(-EINVAL);
	}
	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->base.funcs = &ethosu_gem_funcs;
	drm_gem_private_object_init(dev, &bo->base, size);
	ret = drm_gem_create_mmap_offset(&bo->base);
	if (ret) {
		drm_gem_object_release(&bo->base);
		kfree(bo);
		return ERR_PTR(ret);
	}
	bo->dma = sg_dma_address(sgt->sgl);
	bo->sgt = sgt;
	return &bo->base;
}

int ethosu_ioctl_bo_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_ethosu_bo_create *args = data;
	struct ethosu_bo *bo;
	int cookie, ret;

	if (!args->size || args->flags & ~DRM_ETHOSU_BO_NO_MMAP) {
		drm_dbg(dev, "BO_CREATE: size %llu, flags 0x%x\n", args->size, args->flags);
		return -EINVAL;
	}
	if (args->size > SIZE_MAX)
		return -ENOMEM;
	if (!drm_dev_enter(dev, &cookie))
		return -ENODEV;
	bo = ethosu_mem_create(to_ethosu(dev), args->size);
	if (IS_ERR(bo)) {
		drm_dbg(dev, "BO_CREATE: no %llu bytes in a row\n", args->size);
		ret = PTR_ERR(bo);
		goto out;
	}
	bo->flags = args->flags;
	ret = drm_gem_handle_create(file, &bo->base, &args->handle);
	args->size = bo->base.size;
	drm_gem_object_put(&bo->base);
out:
	drm_dev_exit(cookie);
	return ret;
}

int ethosu_ioctl_bo_wait(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_ethosu_bo_wait *args = data;
	unsigned long timeout = drm_timeout_abs_to_jiffies(args->timeout_ns);

	if (args->pad)
		return -EINVAL;
	/* No drm_dev_enter(): jobs of a device that went away have ended, and this must not hold it up. */
	return drm_gem_dma_resv_wait(file, args->handle, true, timeout);
}

int ethosu_ioctl_bo_mmap_offset(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_ethosu_bo_mmap_offset *args = data;
	struct drm_gem_object *obj;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return 0;
}

int ethosu_ioctl_bo_info(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_ethosux_bo_info *args = data;
	struct drm_gem_object *obj;
	struct ethosu_bo *bo;
	unsigned int i;
	u32 handle = args->handle;

	if (args->flags)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, handle);
	if (!obj)
		return -ENOENT;
	bo = to_ethosu_bo(obj);
	memset(args, 0, sizeof(*args));
	args->handle = handle;
	args->flags = bo->flags;
	args->size = obj->size;
	if (bo->sgt)
		args->flags |= DRM_ETHOSUX_BO_INFO_IMPORTED;
	if (bo->stream) {
		args->flags |= DRM_ETHOSUX_BO_INFO_CMDSTREAM;
		args->size = bo->stream->size;
	}
	for (i = 0; bo->stream && i < ETHOSU_MAX_REGIONS; i++) {
		const struct ethosu_region_use *use = &bo->stream->region[i];

		args->regions_read |= use->read_end ? BIT(i) : 0;
		args->regions_written |= use->write_end ? BIT(i) : 0;
		args->region_size[i] = max(use->read_end, use->write_end);
	}
	drm_gem_object_put(obj);
	return 0;
}

/* Copies and validates. Return: what the stream uses, or an ERR_PTR; @words receives the copy. */
static struct ethosu_stream_use *read_stream(struct ethosu_device *edev, u64 pointer, u32 size,
					     __le32 **words)
{
	struct ethosu_stream_use *use;
	struct ethosu_check *check;
	__le32 *copy;
	int ret;

	copy = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	check = kvmalloc(sizeof(*check), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!copy || !check)
		goto err;
	ret = -EFAULT;
	if (copy_from_user(copy, u64_to_user_ptr(pointer), size))
		goto err;
	ret = ethosu_validate(&edev->hw, copy, size / sizeof(*copy), check);
	if (ret) {
		drm_dbg(&edev->base, "command stream refused at 0x%x: command 0x%08x: %s (0x%llx)\n",
			check->reject.offset, check->reject.command,
			check->reject.why ?: "interrupted", check->reject.value);
		/* Mainline knows no other errors here. */
		ret = ret == -EINTR ? ret : -EINVAL;
		goto err;
	}
	ret = -ENOMEM;
	use = kmemdup(&check->use, sizeof(check->use), GFP_KERNEL_ACCOUNT);
	if (!use)
		goto err;
	kvfree(check);
	*words = copy;
	return use;

err:
	kvfree(check);
	kvfree(copy);
	return ERR_PTR(ret);
}

int ethosu_ioctl_cmdstream_bo_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_ethosu_cmdstream_bo_create *args = data;
	struct ethosu_device *edev = to_ethosu(dev);
	size_t prologue = edev->prologue_words * sizeof(__le32);
	struct ethosu_stream_use *use;
	struct ethosu_bo *bo;
	__le32 *words;
	int cookie, ret;

	if (!args->size || !args->data || args->pad || args->flags)
		return -EINVAL;
	if (args->size % sizeof(__le32) || args->size > ETHOSU_STREAM_MAX - prologue) {
		drm_dbg(dev, "command stream of %u bytes\n", args->size);
		return -EINVAL;
	}
	if (!drm_dev_enter(dev, &cookie))
		return -ENODEV;
	use = read_stream(edev, args->data, args->size, &words);
	if (IS_ERR(use)) {
		ret = PTR_ERR(use);
		goto out;
	}
	bo = ethosu_mem_create(edev, prologue + args->size);
	if (IS_ERR(bo)) {
		ret = PTR_ERR(bo);
		kfree(use);
		goto out_words;
	}
	memcpy(bo->vaddr, edev->prologue, prologue);
	memcpy(bo->vaddr + prologue, words, args->size);
	bo->stream = use;
	bo->flags = DRM_ETHOSU_BO_NO_MMAP;
	ret = drm_gem_handle_create(file, &bo->base, &args->handle);
	/* As mainline does, whatever for: who reuses the struct counts on either. */
	args->flags = DRM_ETHOSU_BO_NO_MMAP;
	drm_gem_object_put(&bo->base);
out_words:
	kvfree(words);
out:
	drm_dev_exit(cookie);
	return ret;
}
