/* SPDX-License-Identifier: MIT */
/*
 * Libraries that are loaded when they are needed first. Some bring others along, and to load them all
 * takes longer than to compile a small model, which needs none.
 */
#ifndef ACCEL_RUNTIME_LATE_H
#define ACCEL_RUNTIME_LATE_H

#include <stddef.h>

#include "runtime/error.h"

/**
 * struct late_call - a function of such a library
 * @name: of the symbol
 * @at: offset of the pointer to it in the caller's structure
 */
struct late_call {
	const char *name;
	size_t at;
};

/**
 * late_load - load a library and look up functions
 * @soname: as the dynamic linker knows it
 * @out: pointers are put here; they stay valid, the library is never unloaded
 *
 * Return: 0, -ENOSYS: there is no such library, or it lacks a function; @err says which.
 */
int late_load(const char *soname, const struct late_call *calls, size_t count, void *out,
	      struct error *err);

#endif
