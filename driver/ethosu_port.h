/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the validator needs from where it is compiled: the kernel, or a C library for the same file
 * in user space. Nothing else of either is used.
 */
#ifndef ETHOSU_PORT_H
#define ETHOSU_PORT_H

#ifdef __KERNEL__

#include <asm/byteorder.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/types.h>

/* Called now and then while a long stream is walked. Return: 0, or -EINTR to give up. */
static inline int ethosu_breathe(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

#else

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define le32_to_cpu(v) le32toh(v)
#define cpu_to_le32(v) htole32(v)
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define check_mul_overflow(a, b, product) __builtin_mul_overflow(a, b, product)
#define BIT(n) (1ul << (n))
#define BIT_ULL(n) (1ull << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline int ethosu_breathe(void)
{
	return 0;
}

#endif

#endif
