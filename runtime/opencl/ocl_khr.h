/* SPDX-License-Identifier: MIT */
/*
 * Extensions that the headers of some distribution lack or have an older version of, by the numbers of the
 * registry: cl_khr_external_memory 1.0.0, cl_khr_command_buffer 0.9.8.
 */
#ifndef ACCEL_RUNTIME_OCL_KHR_H
#define ACCEL_RUNTIME_OCL_KHR_H

#define OCL_MEM_DEVICE_HANDLE_LIST	0x2051	/* and devices up to a 0 */

typedef struct _cl_command_buffer_khr *ocl_command_buffer;
typedef cl_uint ocl_sync_point;
typedef cl_ulong ocl_properties;

#define OCL_DEVICE_COMMAND_BUFFER_CAPABILITIES	0x12A9
#define OCL_DEVICE_COMMAND_BUFFER_SUPPORTED	0x129A	/* properties of queues */
#define OCL_DEVICE_COMMAND_BUFFER_REQUIRED	0x12AA

#define OCL_COMMAND_BUFFER_FLAGS		0x1293
/* Of cl_khr_command_buffer_mutable_dispatch and of earlier versions: it may be enqueued while it is pending. */
#define OCL_COMMAND_BUFFER_SIMULTANEOUS_USE	(1u << 0)
#define OCL_CAPABILITY_SIMULTANEOUS_USE		(1u << 2)
/* Of extensions that are not here. */
#define OCL_COMMAND_BUFFER_MUTABLE		(1u << 1)
#define OCL_COMMAND_BUFFER_DEVICE_SIDE_SYNC	(1u << 2)

#define OCL_COMMAND_BUFFER_QUEUES		0x1294
#define OCL_COMMAND_BUFFER_NUM_QUEUES		0x1295
#define OCL_COMMAND_BUFFER_REFERENCE_COUNT	0x1296
#define OCL_COMMAND_BUFFER_STATE		0x1297
#define OCL_COMMAND_BUFFER_PROPERTIES_ARRAY	0x1298
#define OCL_COMMAND_BUFFER_CONTEXT		0x1299

#define OCL_STATE_RECORDING			0u
#define OCL_STATE_EXECUTABLE			1u

#define OCL_COMMAND_COMMAND_BUFFER		0x12A8

#define OCL_INVALID_COMMAND_BUFFER		-1138
#define OCL_INVALID_SYNC_POINT_WAIT_LIST	-1139
#define OCL_INCOMPATIBLE_COMMAND_QUEUE		-1140

#endif
