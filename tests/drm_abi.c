/* SPDX-License-Identifier: MIT */
/*
 * Compiles if the kernel interface has the layout of drm_abi.h. Compiled for several targets, as C and
 * as C++, against uapi/ethosu_accel.h; with -DMAINLINE against the kernel's own header; with -DBOTH
 * against the two together. Without pedantry about enumerators above INT_MAX, which the kernel has.
 */
#ifdef MAINLINE
#include <drm/ethosu_accel.h>
#else
#ifdef BOTH
#include <drm/ethosu_accel.h>
#endif
#include "uapi/ethosu_accel.h"
#ifdef BOTH_REVERSED
#include <drm/ethosu_accel.h>
#endif
#endif

#include "tests/drm_abi.h"

#ifdef __cplusplus
#define ASSERT(what, text) static_assert(what, text);
#elif __STDC_VERSION__ >= 201112L
#define ASSERT(what, text) _Static_assert(what, text);
#else
/* C99 has no assertion: an array that must not be of negative size, with a name of its own. */
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define ASSERT(what, text) extern char PASTE(assert_, __COUNTER__)[(what) ? 1 : -1];
#endif

#define S(type, size) ASSERT(sizeof(struct type) == (size), #type) ASSERT((size) % 8 == 0, #type)
#define F(type, member, offset, bytes) \
	ASSERT(__builtin_offsetof(struct type, member) == (offset), #type "." #member) \
	ASSERT(sizeof(((struct type *)0)->member) == (bytes), #type "." #member)
#define I(ioctl, number) ASSERT((unsigned int)(ioctl) == (number), #ioctl)
#define V(constant, value) ASSERT((constant) == (value), #constant)

DRM_ABI_MAINLINE(S, F, I, V)
#ifndef MAINLINE
#ifdef BOTH
/* The kernel's macro came first. */
#undef DRM_ETHOSU_VERSION_MINOR
#define DRM_ETHOSU_VERSION_MINOR(id) ((id) >> 4 & 0xf)
#endif
DRM_ABI_EXTENSION(S, F, I, V)
#endif
