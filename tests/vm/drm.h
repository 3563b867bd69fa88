/* SPDX-License-Identifier: MIT */
/* Tests in the guest: of DRM's own interface what they use. Debian 12 has its header in a package of libdrm's only. */
#ifndef ACCEL_TESTS_VM_DRM_H
#define ACCEL_TESTS_VM_DRM_H

#include <stdint.h>
#include <sys/ioctl.h>

struct drm_gem_close {
	uint32_t handle, pad;
};

struct drm_prime_handle {
	uint32_t handle, flags;
	int32_t fd;
};

struct drm_auth {
	uint32_t magic;
};

#define DRM_SYNCOBJ_CREATE_SIGNALED	1u

struct drm_syncobj_create {
	uint32_t handle, flags;
};

struct drm_syncobj_destroy {
	uint32_t handle, pad;
};

struct drm_syncobj_wait {
	uint64_t handles;
	int64_t timeout_nsec;
	uint32_t count_handles, flags, first_signaled, pad;
};

struct drm_syncobj_timeline_wait {
	uint64_t handles, points;
	int64_t timeout_nsec;
	uint32_t count_handles, flags, first_signaled, pad;
	uint64_t deadline_nsec;
};

#define DRM_IOCTL_GET_MAGIC		_IOR('d', 0x02, struct drm_auth)
#define DRM_IOCTL_GEM_CLOSE		_IOW('d', 0x09, struct drm_gem_close)
#define DRM_IOCTL_PRIME_HANDLE_TO_FD	_IOWR('d', 0x2d, struct drm_prime_handle)
#define DRM_IOCTL_PRIME_FD_TO_HANDLE	_IOWR('d', 0x2e, struct drm_prime_handle)
#define DRM_IOCTL_SYNCOBJ_CREATE	_IOWR('d', 0xbf, struct drm_syncobj_create)
#define DRM_IOCTL_SYNCOBJ_DESTROY	_IOWR('d', 0xc0, struct drm_syncobj_destroy)
#define DRM_IOCTL_SYNCOBJ_WAIT		_IOWR('d', 0xc3, struct drm_syncobj_wait)
#define DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT	_IOWR('d', 0xca, struct drm_syncobj_timeline_wait)

#endif
