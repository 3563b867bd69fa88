#!/bin/sh
# SPDX-License-Identifier: MIT
# Is the validator free of everything? Compiles it as kernel code for targets of 32 and 64 bits, with no
# header but the few lines below, and looks at what it still asks for.
#
# usage: validate_freestanding.sh CLANG DIR
set -eu

clang=$1
dir=$2
# memset, and what a kernel for the ARMv7 has for dividing by a number that is not constant.
allowed=' memset __aeabi_uidiv cond_resched current fatal_signal_pending '

rm -rf "$dir"
mkdir -p "$dir/linux/sched" "$dir/asm"
cat > "$dir/linux/types.h" << 'END'
#ifndef TYPES
#define TYPES
typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16, uint16_t;
typedef __UINT32_TYPE__ u32, uint32_t, __le32;
typedef unsigned long long u64;
typedef long long s64;
typedef _Bool bool;
typedef __SIZE_TYPE__ size_t;
#define NULL ((void *)0)
enum { false, true };
enum { EINTR = 4, E2BIG = 7, ENODEV = 19, EINVAL = 22, EOVERFLOW = 75, EOPNOTSUPP = 95 };
#define le32_to_cpu(v) (v)
#define cpu_to_le32(v) (v)
#define BIT(n) (1ul << (n))
#define BIT_ULL(n) (1ull << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define check_mul_overflow(a, b, product) __builtin_mul_overflow(a, b, product)
void *memset(void *at, int byte, size_t size);
void cond_resched(void);
extern void *current;
int fatal_signal_pending(void *task);
#endif
END
for h in asm/byteorder linux/bits linux/errno linux/kernel linux/overflow linux/sched linux/sched/signal \
	linux/string; do
	echo '#include <linux/types.h>' > "$dir/$h.h"
done
for target in x86_64-linux-gnu aarch64-linux-gnu armv7-linux-gnueabihf riscv32-unknown-elf; do
	: > "$dir/defined"
	: > "$dir/wanted"
	for file in driver/ethosu_validate*.c; do
		"$clang" --target=$target -std=gnu11 -O2 -Wall -Wextra -Werror -nostdinc -D__KERNEL__ \
			-I"$dir" -I. -c -o "$dir/o" "$file"
		nm --defined-only "$dir/o" | awk '{ print $3 }' >> "$dir/defined"
		nm -u "$dir/o" | awk '{ print $2 }' >> "$dir/wanted"
	done
	for symbol in $(sort -u "$dir/wanted"); do
		grep -qx "$symbol" "$dir/defined" && continue
		case $allowed in
		*" $symbol "*) ;;
		*) echo "FAIL: on $target the validator needs $symbol"; exit 1 ;;
		esac
	done
	echo "ok driver/ethosu_validate*.c $target"
done
