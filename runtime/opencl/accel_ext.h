/* SPDX-License-Identifier: MIT */
/*
 * What an application can ask about the arguments of a model's kernel beyond OpenCL's own queries:
 * further values for its queries. Plain constants; no function of ours is needed.
 */
#ifndef ACCEL_EXT_H
#define ACCEL_EXT_H

/* int32_t[]: extents, as many as the answer's size says. */
#define CL_KERNEL_ARG_TENSOR_SHAPE_ACCEL	0x4A00
/* char[]: "int8", "uint8", "int16" and so on. */
#define CL_KERNEL_ARG_TENSOR_TYPE_ACCEL		0x4A01
/* size_t: bytes. */
#define CL_KERNEL_ARG_TENSOR_SIZE_ACCEL		0x4A02
/* float, int32_t: real = scale * (value - zero point); 0 if it is not quantised. */
#define CL_KERNEL_ARG_TENSOR_SCALE_ACCEL	0x4A03
#define CL_KERNEL_ARG_TENSOR_ZERO_POINT_ACCEL	0x4A04

/*
 * clGetKernelInfo(). cl_ulong: bytes that the last launch copied between buffers and the model's own
 * memory. 0: the NPU had all arguments where they are.
 */
#define CL_KERNEL_COPIED_ACCEL			0x4A10

/*
 * clGetMemObjectInfo() of a buffer that is no part of another. int: a new fd, the application's, for its
 * memory: a dma-buf, or a memfd from a simulated device.
 */
#define CL_MEM_DMA_BUF_ACCEL			0x4A20

#endif
