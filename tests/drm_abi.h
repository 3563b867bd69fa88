/* SPDX-License-Identifier: MIT */
/*
 * The layout of the kernel interface, as pahole printed it for Linux 7.3.4 on x86-64 and, for the
 * extension, as its design has it. Held against uapi/ethosu_accel.h and the kernel's header alike.
 *
 *	S(struct, size)		I(ioctl, its whole number)		V(constant, value)
 *	F(struct, member, offset, size)
 */
#ifndef TESTS_DRM_ABI_H
#define TESTS_DRM_ABI_H

#define DRM_ABI_MAINLINE(S, F, I, V) \
	S(drm_ethosu_npu_info, 16) \
	F(drm_ethosu_npu_info, id, 0, 4) \
	F(drm_ethosu_npu_info, config, 4, 4) \
	F(drm_ethosu_npu_info, sram_size, 8, 4) \
	F(drm_ethosu_npu_info, pmu_counters, 12, 4) \
	S(drm_ethosu_dev_query, 16) \
	F(drm_ethosu_dev_query, type, 0, 4) \
	F(drm_ethosu_dev_query, size, 4, 4) \
	F(drm_ethosu_dev_query, pointer, 8, 8) \
	S(drm_ethosu_bo_create, 16) \
	F(drm_ethosu_bo_create, size, 0, 8) \
	F(drm_ethosu_bo_create, flags, 8, 4) \
	F(drm_ethosu_bo_create, handle, 12, 4) \
	S(drm_ethosu_bo_wait, 16) \
	F(drm_ethosu_bo_wait, handle, 0, 4) \
	F(drm_ethosu_bo_wait, pad, 4, 4) \
	F(drm_ethosu_bo_wait, timeout_ns, 8, 8) \
	S(drm_ethosu_bo_mmap_offset, 16) \
	F(drm_ethosu_bo_mmap_offset, handle, 0, 4) \
	F(drm_ethosu_bo_mmap_offset, pad, 4, 4) \
	F(drm_ethosu_bo_mmap_offset, offset, 8, 8) \
	S(drm_ethosu_cmdstream_bo_create, 24) \
	F(drm_ethosu_cmdstream_bo_create, size, 0, 4) \
	F(drm_ethosu_cmdstream_bo_create, flags, 4, 4) \
	F(drm_ethosu_cmdstream_bo_create, data, 8, 8) \
	F(drm_ethosu_cmdstream_bo_create, handle, 16, 4) \
	F(drm_ethosu_cmdstream_bo_create, pad, 20, 4) \
	S(drm_ethosu_job, 40) \
	F(drm_ethosu_job, cmd_bo, 0, 4) \
	F(drm_ethosu_job, sram_size, 4, 4) \
	F(drm_ethosu_job, region_bo_handles, 8, 32) \
	S(drm_ethosu_submit, 16) \
	F(drm_ethosu_submit, jobs, 0, 8) \
	F(drm_ethosu_submit, job_count, 8, 4) \
	F(drm_ethosu_submit, perfmon_id, 12, 4) \
	S(drm_ethosu_perfmon_create, 24) \
	F(drm_ethosu_perfmon_create, id, 0, 4) \
	F(drm_ethosu_perfmon_create, ncounters, 4, 4) \
	F(drm_ethosu_perfmon_create, counters, 8, 16) \
	S(drm_ethosu_perfmon_destroy, 8) \
	F(drm_ethosu_perfmon_destroy, id, 0, 4) \
	F(drm_ethosu_perfmon_destroy, pad, 4, 4) \
	S(drm_ethosu_perfmon_get_values, 16) \
	F(drm_ethosu_perfmon_get_values, id, 0, 4) \
	F(drm_ethosu_perfmon_get_values, pad, 4, 4) \
	F(drm_ethosu_perfmon_get_values, values_ptr, 8, 8) \
	S(drm_ethosu_perfmon_set_global, 8) \
	F(drm_ethosu_perfmon_set_global, flags, 0, 4) \
	F(drm_ethosu_perfmon_set_global, id, 4, 4) \
	I(DRM_IOCTL_ETHOSU_DEV_QUERY, 0xc0106440) \
	I(DRM_IOCTL_ETHOSU_BO_CREATE, 0xc0106441) \
	I(DRM_IOCTL_ETHOSU_BO_WAIT, 0xc0106442) \
	I(DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, 0xc0106443) \
	I(DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, 0xc0186444) \
	I(DRM_IOCTL_ETHOSU_SUBMIT, 0xc0106445) \
	I(DRM_IOCTL_ETHOSU_PERFMON_CREATE, 0xc0186446) \
	I(DRM_IOCTL_ETHOSU_PERFMON_DESTROY, 0xc0086447) \
	I(DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES, 0xc0106448) \
	I(DRM_IOCTL_ETHOSU_PERFMON_SET_GLOBAL, 0xc0086449) \
	V(DRM_ETHOSU_DEV_QUERY, 0) \
	V(DRM_ETHOSU_BO_CREATE, 1) \
	V(DRM_ETHOSU_BO_WAIT, 2) \
	V(DRM_ETHOSU_BO_MMAP_OFFSET, 3) \
	V(DRM_ETHOSU_CMDSTREAM_BO_CREATE, 4) \
	V(DRM_ETHOSU_SUBMIT, 5) \
	V(DRM_ETHOSU_PERFMON_CREATE, 6) \
	V(DRM_ETHOSU_PERFMON_DESTROY, 7) \
	V(DRM_ETHOSU_PERFMON_GET_VALUES, 8) \
	V(DRM_ETHOSU_PERFMON_SET_GLOBAL, 9) \
	V(DRM_ETHOSU_DEV_QUERY_NPU_INFO, 0) \
	V(DRM_ETHOSU_BO_NO_MMAP, 1) \
	V(ETHOSU_MAX_REGIONS, 8) \
	V(DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS, 8) \
	V(DRM_ETHOSU_MAX_PERF_COUNTERS, 9) \
	V(DRM_ETHOSU_PERFMON_CLEAR_GLOBAL, 1) \
	V(DRM_ETHOSU_ARCH_MAJOR(0x21a34567u), 2) \
	V(DRM_ETHOSU_ARCH_MINOR(0x21a34567u), 0x1a) \
	V(DRM_ETHOSU_ARCH_PATCH(0x21a34567u), 3) \
	V(DRM_ETHOSU_PRODUCT_MAJOR(0x21a34567u), 4) \
	V(DRM_ETHOSU_VERSION_MAJOR(0x21a34567u), 5) \
	V(DRM_ETHOSU_VERSION_STATUS(0x21a34567u), 7)

#define DRM_ABI_EXTENSION(S, F, I, V) \
	S(drm_ethosux_caps, 56) \
	F(drm_ethosux_caps, version, 0, 4) \
	F(drm_ethosux_caps, features, 4, 4) \
	F(drm_ethosux_caps, cores, 8, 4) \
	F(drm_ethosux_caps, max_priority, 12, 4) \
	F(drm_ethosux_caps, default_timeout_ms, 16, 4) \
	F(drm_ethosux_caps, max_timeout_ms, 20, 4) \
	F(drm_ethosux_caps, max_queues, 24, 4) \
	F(drm_ethosux_caps, max_jobs, 28, 4) \
	F(drm_ethosux_caps, max_syncs, 32, 4) \
	F(drm_ethosux_caps, job_history, 36, 4) \
	F(drm_ethosux_caps, max_event, 40, 4) \
	F(drm_ethosux_caps, reserved, 44, 4) \
	F(drm_ethosux_caps, bo_limit, 48, 8) \
	S(drm_ethosux_queue_create, 40) \
	F(drm_ethosux_queue_create, flags, 0, 4) \
	F(drm_ethosux_queue_create, priority, 4, 4) \
	F(drm_ethosux_queue_create, core_mask, 8, 4) \
	F(drm_ethosux_queue_create, timeout_ms, 12, 4) \
	F(drm_ethosux_queue_create, id, 16, 4) \
	F(drm_ethosux_queue_create, pad, 20, 4) \
	F(drm_ethosux_queue_create, name, 24, 16) \
	S(drm_ethosux_queue_destroy, 8) \
	F(drm_ethosux_queue_destroy, id, 0, 4) \
	F(drm_ethosux_queue_destroy, flags, 4, 4) \
	S(drm_ethosux_sync, 24) \
	F(drm_ethosux_sync, handle, 0, 4) \
	F(drm_ethosux_sync, flags, 4, 4) \
	F(drm_ethosux_sync, point, 8, 8) \
	F(drm_ethosux_sync, job, 16, 4) \
	F(drm_ethosux_sync, pad, 20, 4) \
	S(drm_ethosux_job, 184) \
	F(drm_ethosux_job, job, 0, 40) \
	F(drm_ethosux_job, flags, 40, 4) \
	F(drm_ethosux_job, timeout_ms, 44, 4) \
	F(drm_ethosux_job, user_data, 48, 8) \
	F(drm_ethosux_job, region_offset, 56, 64) \
	F(drm_ethosux_job, region_length, 120, 64) \
	S(drm_ethosux_queue_submit, 72) \
	F(drm_ethosux_queue_submit, queue_id, 0, 4) \
	F(drm_ethosux_queue_submit, flags, 4, 4) \
	F(drm_ethosux_queue_submit, jobs, 8, 8) \
	F(drm_ethosux_queue_submit, job_count, 16, 4) \
	F(drm_ethosux_queue_submit, job_stride, 20, 4) \
	F(drm_ethosux_queue_submit, in_syncs, 24, 8) \
	F(drm_ethosux_queue_submit, out_syncs, 32, 8) \
	F(drm_ethosux_queue_submit, in_count, 40, 4) \
	F(drm_ethosux_queue_submit, out_count, 44, 4) \
	F(drm_ethosux_queue_submit, sync_stride, 48, 4) \
	F(drm_ethosux_queue_submit, perfmon_id, 52, 4) \
	F(drm_ethosux_queue_submit, seqno, 56, 8) \
	F(drm_ethosux_queue_submit, reserved, 64, 8) \
	S(drm_ethosux_queue_get_state, 56) \
	F(drm_ethosux_queue_get_state, id, 0, 4) \
	F(drm_ethosux_queue_get_state, flags, 4, 4) \
	F(drm_ethosux_queue_get_state, state, 8, 4) \
	F(drm_ethosux_queue_get_state, pad, 12, 4) \
	F(drm_ethosux_queue_get_state, submitted, 16, 8) \
	F(drm_ethosux_queue_get_state, ended, 24, 8) \
	F(drm_ethosux_queue_get_state, failed, 32, 8) \
	F(drm_ethosux_queue_get_state, last_failed, 40, 8) \
	F(drm_ethosux_queue_get_state, busy_ns, 48, 8) \
	S(drm_ethosux_job_info, 144) \
	F(drm_ethosux_job_info, queue_id, 0, 4) \
	F(drm_ethosux_job_info, flags, 4, 4) \
	F(drm_ethosux_job_info, seqno, 8, 8) \
	F(drm_ethosux_job_info, state, 16, 4) \
	F(drm_ethosux_job_info, error, 20, 4) \
	F(drm_ethosux_job_info, status, 24, 4) \
	F(drm_ethosux_job_info, offset, 28, 4) \
	F(drm_ethosux_job_info, core, 32, 4) \
	F(drm_ethosux_job_info, event_count, 36, 4) \
	F(drm_ethosux_job_info, queued_ns, 40, 8) \
	F(drm_ethosux_job_info, started_ns, 48, 8) \
	F(drm_ethosux_job_info, ended_ns, 56, 8) \
	F(drm_ethosux_job_info, cycles, 64, 8) \
	F(drm_ethosux_job_info, events, 72, 64) \
	F(drm_ethosux_job_info, user_data, 136, 8) \
	S(drm_ethosux_bo_info, 88) \
	F(drm_ethosux_bo_info, handle, 0, 4) \
	F(drm_ethosux_bo_info, flags, 4, 4) \
	F(drm_ethosux_bo_info, size, 8, 8) \
	F(drm_ethosux_bo_info, regions_read, 16, 4) \
	F(drm_ethosux_bo_info, regions_written, 20, 4) \
	F(drm_ethosux_bo_info, region_size, 24, 64) \
	I(DRM_IOCTL_ETHOSUX_QUEUE_CREATE, 0xc0286460) \
	I(DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, 0xc0086461) \
	I(DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, 0xc0486462) \
	I(DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, 0xc0386463) \
	I(DRM_IOCTL_ETHOSUX_JOB_INFO, 0xc0906464) \
	I(DRM_IOCTL_ETHOSUX_BO_INFO, 0xc0586466) \
	V(DRM_ETHOSU_VERSION_MINOR(0x21a34567u), 6) \
	V(DRM_ETHOSUX_DEV_QUERY_CAPS, 0x1000) \
	V(DRM_ETHOSUX_VERSION, 1) \
	V(DRM_ETHOSUX_QUEUE_CANCEL_ONLY, 1) \
	V(DRM_ETHOSUX_SYNC_TIMELINE, 1) \
	V(DRM_ETHOSUX_SYNC_NEEDS_SUCCESS, 2) \
	V(DRM_ETHOSUX_SUBMIT_NO_IMPLICIT, 1) \
	V(DRM_ETHOSUX_BO_CACHED, 0x10000) \
	V(DRM_ETHOSUX_PRIORITY_LOW, 0) \
	V(DRM_ETHOSUX_PRIORITY_NORMAL, 1) \
	V(DRM_ETHOSUX_PRIORITY_HIGH, 2) \
	V(DRM_ETHOSUX_PRIORITY_REALTIME, 3)

#endif
