/* SPDX-License-Identifier: MIT */
/* The functions of OpenCL, looked up when they are needed first. */
#include "sim/cl_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SONAME	"libOpenCL.so.1"	/* every OpenCL loader's */

#define CL_NAME(name) { "cl" #name, offsetof(struct cl_calls, name) },
static const struct {
	const char *name;
	size_t at;
} names[] = {
	CL_CALLS(CL_NAME)
};
#undef CL_NAME

int cl_calls_load(struct cl_calls *calls, char *err, size_t err_len)
{
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		snprintf(err, err_len,
			 "no OpenCL: %s; install one (Debian: pocl-opencl-icd) or use engine=reference",
			 dlerror());
		return -ENODEV;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *call = dlsym(library, names[i].name);

		if (!call) {
			snprintf(err, err_len, "%s has no %s", SONAME, names[i].name);
			return -ENODEV;
		}
		memcpy((char *)calls + names[i].at, &call, sizeof(call));
	}
	return 0;
}
