/* SPDX-License-Identifier: MIT */
/* Finds an OpenCL device and gets the kernels built for it, from a cache on disk where possible. */
#include "sim/cl_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/cpu.h"
#include "sim/hash.h"

#define MAX_PLATFORMS 16

/* The kernels' sources in the order in which they are compiled. */
static const unsigned char kernel_source[] = {
#include "cl_sources.inc"
	, 0
};

struct cl_path {
	const char *name;
	const char *options;
	bool (*usable)(void);
};

static bool cpu_has_vnni(void)
{
	return CPU_HAS_AVX512() && CPU_HAS_VNNI();
}

static bool cpu_has_vbmi(void)
{
	return cpu_has_vnni() && CPU_HAS_VBMI();
}

static bool cpu_has_avx2(void)
{
	return CPU_HAS_AVX2() && CPU_HAS_FMA();
}

static bool always(void)
{
	return true;
}

/* Best first. One that the device's compiler refuses is passed over. */
static const struct cl_path paths[] = {
	{ "vnni+vbmi", "-cl-std=CL1.2 -DNPU_VNNI=1 -DNPU_VBMI=1", cpu_has_vbmi },
	{ "vnni", "-cl-std=CL1.2 -DNPU_VNNI=1", cpu_has_vnni },
	{ "avx2", "-cl-std=CL1.2 -DNPU_AVX2=1", cpu_has_avx2 },
	{ "portable", "-cl-std=CL1.2", always },
};

static void platform_name(const struct npu_cl *cl, cl_platform_id platform, char *name, size_t len)
{
	if (cl->call.GetPlatformInfo(platform, CL_PLATFORM_NAME, len, name, NULL) != CL_SUCCESS)
		name[0] = 0;
}

static bool is_pocl(const char *name)
{
	return !strcmp(name, "Portable Computing Language");
}

static int find_platform(struct npu_cl *cl, const char *want, char *err, size_t err_len)
{
	cl_platform_id list[MAX_PLATFORMS];
	cl_uint n = 0;
	char name[96];

	if (cl->call.GetPlatformIDs(MAX_PLATFORMS, list, &n) != CL_SUCCESS || !n) {
		snprintf(err, err_len,
			 "no OpenCL platform: install one (Debian: pocl-opencl-icd) or use engine=reference");
		return -ENODEV;
	}
	if (n > MAX_PLATFORMS)
		n = MAX_PLATFORMS;
	for (cl_uint i = 0; i < n; i++) {
		platform_name(cl, list[i], name, sizeof(name));
		if (want ? strstr(name, want) != NULL : is_pocl(name)) {
			cl->platform = list[i];
			return 0;
		}
	}
	if (want) {
		platform_name(cl, list[0], name, sizeof(name));
		snprintf(err, err_len, "no OpenCL platform has \"%s\" in its name; there is \"%s\"", want,
			 name);
		return -ENODEV;
	}
	cl->platform = list[0];
	return 0;
}

static int open_device(struct npu_cl *cl, char *err, size_t err_len)
{
	cl_device_type type = 0;
	cl_uint units = 1;
	char device[64] = "", platform[64] = "";
	cl_int rc;

	rc = cl->call.GetDeviceIDs(cl->platform, CL_DEVICE_TYPE_ALL, 1, &cl->device, NULL);
	if (rc != CL_SUCCESS) {
		snprintf(err, err_len, "the OpenCL platform has no device (error %d)", rc);
		return -ENODEV;
	}
	cl->call.GetDeviceInfo(cl->device, CL_DEVICE_TYPE, sizeof(type), &type, NULL);
	cl->call.GetDeviceInfo(cl->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(units), &units, NULL);
	cl->call.GetDeviceInfo(cl->device, CL_DEVICE_NAME, sizeof(device), device, NULL);
	platform_name(cl, cl->platform, platform, sizeof(platform));
	cl->unified = type & CL_DEVICE_TYPE_CPU;
	cl->units = units;
	snprintf(cl->name, sizeof(cl->name), "%.40s %.48s", is_pocl(platform) ? "PoCL" : platform, device);
	cl->context = cl->call.CreateContext(NULL, 1, &cl->device, NULL, NULL, &rc);
	if (rc != CL_SUCCESS) {
		snprintf(err, err_len, "no OpenCL context on %s (error %d)", cl->name, rc);
		return -ENODEV;
	}
	return 0;
}

/* Name of the cached binary: everything that makes a difference to it is hashed. */
static int cache_name(const struct npu_cl *cl, const struct npu_options *opt, const struct cl_path *path,
		      char *dir, size_t dir_len, char *file, size_t file_len)
{
	const char *base = opt && opt->cache_dir ? opt->cache_dir : NULL;
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char version[128] = "", driver[64] = "", device[128] = "";
	XXH3_state_t *state;
	XXH128_hash_t hash;

	if (base)
		snprintf(dir, dir_len, "%s", base);
	else if (xdg && xdg[0] == '/')
		snprintf(dir, dir_len, "%s/accel", xdg);
	else if (home && home[0] == '/')
		snprintf(dir, dir_len, "%s/.cache/accel", home);
	else
		return -ENOENT;
	cl->call.GetPlatformInfo(cl->platform, CL_PLATFORM_VERSION, sizeof(version), version, NULL);
	cl->call.GetDeviceInfo(cl->device, CL_DRIVER_VERSION, sizeof(driver), driver, NULL);
	cl->call.GetDeviceInfo(cl->device, CL_DEVICE_NAME, sizeof(device), device, NULL);
	state = XXH3_createState();
	if (!state)
		return -ENOMEM;
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, kernel_source, sizeof(kernel_source));
	XXH3_128bits_update(state, path->options, strlen(path->options) + 1);
	XXH3_128bits_update(state, version, sizeof(version));
	XXH3_128bits_update(state, driver, sizeof(driver));
	XXH3_128bits_update(state, device, sizeof(device));
	hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	if (snprintf(file, file_len, "%s/npu-%016llx%016llx.clbin", dir, (unsigned long long)hash.high64,
		     (unsigned long long)hash.low64) >= (int)file_len)
		return -ENAMETOOLONG;
	return 0;
}

static int make_dirs(char *dir)
{
	for (char *p = dir + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(dir, 0777) && errno != EEXIST) {
			*p = '/';
			return -errno;
		}
		*p = '/';
	}
	return mkdir(dir, 0777) && errno != EEXIST ? -errno : 0;
}

/* A cached binary that does not load is as good as none: the source is there. */
static int load_binary(struct npu_cl *cl, const char *file)
{
	FILE *f = fopen(file, "rb");
	unsigned char *data = NULL;
	const unsigned char *binary;
	struct stat st;
	size_t size;
	cl_int rc, status;
	int ret = -ENOENT;

	if (!f)
		return -ENOENT;
	if (fstat(fileno(f), &st) || st.st_size <= 0)
		goto out;
	size = (size_t)st.st_size;
	data = malloc(size);
	if (!data || fread(data, 1, size, f) != size)
		goto out;
	binary = data;
	cl->program = cl->call.CreateProgramWithBinary(cl->context, 1, &cl->device, &size, &binary, &status, &rc);
	if (rc != CL_SUCCESS)
		goto out;
	if (cl->call.BuildProgram(cl->program, 1, &cl->device, NULL, NULL, NULL) != CL_SUCCESS) {
		cl->call.ReleaseProgram(cl->program);
		cl->program = NULL;
		goto out;
	}
	ret = 0;
out:
	free(data);
	fclose(f);
	return ret;
}

/* Written beside and renamed, so that another process never sees half of it. Best effort. */
static void save_binary(const struct npu_cl *cl, char *dir, const char *file)
{
	char temp[512];
	unsigned char *data;
	size_t size = 0, written;
	FILE *f;
	int fd;

	if (cl->call.GetProgramInfo(cl->program, CL_PROGRAM_BINARY_SIZES, sizeof(size), &size, NULL) || !size)
		return;
	data = malloc(size);
	if (!data)
		return;
	if (cl->call.GetProgramInfo(cl->program, CL_PROGRAM_BINARIES, sizeof(data), &data, NULL) ||
	    make_dirs(dir) || snprintf(temp, sizeof(temp), "%s.XXXXXX", file) >= (int)sizeof(temp))
		goto out;
	fd = mkstemp(temp);
	if (fd < 0)
		goto out;
	f = fdopen(fd, "wb");
	if (!f) {
		close(fd);
		unlink(temp);
		goto out;
	}
	written = fwrite(data, 1, size, f);
	if (fclose(f) || written != size || rename(temp, file))
		unlink(temp);
out:
	free(data);
}

static void build_log(const struct npu_cl *cl, char *err, size_t err_len)
{
	char *log, *line;
	size_t size = 0;

	if (cl->call.GetProgramBuildInfo(cl->program, cl->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) || !size)
		return;
	log = malloc(size);
	if (!log)
		return;
	if (!cl->call.GetProgramBuildInfo(cl->program, cl->device, CL_PROGRAM_BUILD_LOG, size, log, NULL)) {
		line = strstr(log, "error");
		snprintf(err, err_len, "the kernels do not build on %s: %.*s", cl->name,
			 (int)strcspn(line ? line : log, "\n"), line ? line : log);
	}
	free(log);
}

static int build_source(struct npu_cl *cl, const struct cl_path *path, char *err, size_t err_len)
{
	const char *source = (const char *)kernel_source;
	cl_int rc;

	cl->program = cl->call.CreateProgramWithSource(cl->context, 1, &source, NULL, &rc);
	if (rc != CL_SUCCESS)
		return -EIO;
	if (cl->call.BuildProgram(cl->program, 1, &cl->device, path->options, NULL, NULL) == CL_SUCCESS)
		return 0;
	snprintf(err, err_len, "the kernels do not build on %s", cl->name);
	build_log(cl, err, err_len);
	cl->call.ReleaseProgram(cl->program);
	cl->program = NULL;
	return -EIO;
}

static int build(struct npu_cl *cl, const struct npu_options *opt, const struct cl_path *path, char *err,
		 size_t err_len)
{
	char dir[400], file[480];
	bool cached = !cache_name(cl, opt, path, dir, sizeof(dir), file, sizeof(file));
	int rc;

	if (cached && !load_binary(cl, file))
		return 0;
	rc = build_source(cl, path, err, err_len);
	if (!rc && cached)
		save_binary(cl, dir, file);
	return rc;
}

static int build_best(struct npu_cl *cl, const struct npu_options *opt, char *err, size_t err_len)
{
	const char *want = opt ? opt->cl_path : NULL;
	bool any = !want || !strcmp(want, "auto"), known = any;
	int rc = -EIO;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!any && strcmp(want, paths[i].name))
			continue;
		known = true;
		if (!paths[i].usable()) {
			snprintf(err, err_len, "this processor cannot run the %s kernels", paths[i].name);
			rc = -EOPNOTSUPP;
			continue;
		}
		rc = build(cl, opt, &paths[i], err, err_len);
		if (!rc) {
			cl->path = paths[i].name;
			return 0;
		}
	}
	if (!known) {
		snprintf(err, err_len, "unknown kernels \"%s\": auto, vnni+vbmi, vnni, avx2 or portable", want);
		return -EINVAL;
	}
	return rc;
}

int npu_cl_open(struct npu_cl *cl, const struct npu_options *opt, char *err, size_t err_len)
{
	const char *want = opt && opt->cl_platform ? opt->cl_platform : getenv("ACCEL_CL_PLATFORM");
	int rc;

	memset(cl, 0, sizeof(*cl));
	rc = cl_calls_load(&cl->call, err, err_len);
	if (rc)
		return rc;
	rc = find_platform(cl, want, err, err_len);
	if (rc)
		return rc;
	rc = open_device(cl, err, err_len);
	if (rc)
		return rc;
	rc = build_best(cl, opt, err, err_len);
	if (rc)
		npu_cl_close(cl);
	return rc;
}

void npu_cl_close(struct npu_cl *cl)
{
	if (cl->program)
		cl->call.ReleaseProgram(cl->program);
	if (cl->context)
		cl->call.ReleaseContext(cl->context);
	memset(cl, 0, sizeof(*cl));
}
