/* SPDX-License-Identifier: MIT */
/* Command streams in words. */
#ifndef ACCEL_RUNTIME_DISASM_H
#define ACCEL_RUNTIME_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * disasm_print - print a command stream, a command a line
 * @out: where to
 * @arch: 55, 65 or 85
 * @words, @count: the stream
 * @json: as an array of objects instead
 *
 * Names every command and every field; the halves of an address are shown as one number. Bits that no
 * field holds are shown as RESERVED_PARAM and RESERVED_DATA where they are set. A command that has no
 * name is shown as its words and why.
 *
 * Return: number of words that have no name, -EINVAL for another @arch, -EIO if @out fails, or -ENOMEM.
 */
int disasm_print(FILE *out, unsigned int arch, const uint32_t *words, size_t count, bool json);

#endif
