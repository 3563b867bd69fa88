/* SPDX-License-Identifier: MIT */
/* Functions of real numbers that libm has not, as TFLite's float kernels compute them. */
#ifndef ACCEL_RUNTIME_CPU_REAL_H
#define ACCEL_RUNTIME_CPU_REAL_H

#include <math.h>

#define REAL_HALF_SQRT_2	0.70710678118654752440f
#define REAL_SQRT_2_BY_PI	0.79788456080286535588f

static inline float real_logistic(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

static inline float real_gelu(float x)
{
	return 0.5f * x * erfcf(x * -REAL_HALF_SQRT_2);
}

static inline float real_gelu_tanh(float x)
{
	return 0.5f * x * (1.0f + tanhf(REAL_SQRT_2_BY_PI * (x + 0.044715f * x * x * x)));
}

static inline float real_elu(float x)
{
	return x < 0 ? expm1f(x) : x;
}

#endif
