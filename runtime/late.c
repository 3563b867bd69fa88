/* SPDX-License-Identifier: MIT */
/* Libraries that are loaded when they are needed first. */
#include "runtime/late.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int late_load(const char *soname, const struct late_call *calls, size_t count, void *out,
	      struct error *err)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set(err, -ENOSYS, "this needs a library: %s", dlerror());
	for (size_t i = 0; i < count; i++) {
		void *call = dlsym(library, calls[i].name);

		if (!call)
			return error_set(err, -ENOSYS, "%s has no %s", soname, calls[i].name);
		memcpy((char *)out + calls[i].at, &call, sizeof(call));
	}
	return 0;
}
