/* SPDX-License-Identifier: MIT */
/* Which operators run where: the table in docs/operators.md, from the code. */
#ifndef ACCEL_RUNTIME_COMPILE_SUPPORT_H
#define ACCEL_RUNTIME_COMPILE_SUPPORT_H

#include <stdio.h>

/* support_print - the table, Markdown. */
void support_print(FILE *f);

#endif
