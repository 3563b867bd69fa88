/* SPDX-License-Identifier: MIT */
/* xxHash, compiled in: there is so little of it that to load a library would take longer than to use it. */
#ifndef ACCEL_SIM_HASH_H
#define ACCEL_SIM_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#endif
