/* SPDX-License-Identifier: MIT */
/*
 * What the processor that this runs on can do. The dynamic linker has asked already: to ask once more, as
 * compilers' built-in functions do, takes 50 us in a virtual machine.
 */
#ifndef ACCEL_SIM_CPU_H
#define ACCEL_SIM_CPU_H

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#define CPU_HAS(glibc, gcc)	CPU_FEATURE_ACTIVE(glibc)
#elif defined(__x86_64__) || defined(__i386__)
#define CPU_HAS(glibc, gcc)	__builtin_cpu_supports(gcc)
#else
#define CPU_HAS(glibc, gcc)	0
#endif

#define CPU_HAS_AVX2()		CPU_HAS(AVX2, "avx2")
#define CPU_HAS_BMI2()		CPU_HAS(BMI2, "bmi2")
#define CPU_HAS_FMA()		CPU_HAS(FMA, "fma")
#define CPU_HAS_AVX512()	(CPU_HAS(AVX512F, "avx512f") && CPU_HAS(AVX512BW, "avx512bw") && \
				 CPU_HAS(AVX512DQ, "avx512dq") && CPU_HAS(AVX512VL, "avx512vl"))
#define CPU_HAS_VNNI()		CPU_HAS(AVX512_VNNI, "avx512vnni")
#define CPU_HAS_VBMI()		CPU_HAS(AVX512_VBMI, "avx512vbmi")

#endif
