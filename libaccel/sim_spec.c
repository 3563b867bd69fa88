/* SPDX-License-Identifier: MIT */
/* "sim:ethos-u65-256,engine=reference": what can be simulated, and how it is asked for. */
#include "sim.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On-chip memory of a simulated device unless told otherwise: more than boards have. */
#define SRAM_DEFAULT (4u << 20)
#define SRAM_MAX (256u << 20)
#define THREADS_MAX 256

/* Last event of the PMU's list, as the kernel's ethosu driver has it: U55 and U65, U85. */
#define MAX_EVENT_U65 433
#define MAX_EVENT_U85 671

/* @expected: what the value can be; NULL: it has none. */
struct key {
	const char *name;
	int (*set)(struct sim_spec *spec, const char *value);
	const char *expected;
};

static int set_engine(struct sim_spec *spec, const char *value)
{
	if (strcmp(value, "opencl") && strcmp(value, "reference"))
		return -EINVAL;
	spec->options.engine = value;
	return 0;
}

static int set_threads(struct sim_spec *spec, const char *value)
{
	char *end;
	unsigned long n;

	if (*value < '1' || *value > '9')
		return -EINVAL;
	n = strtoul(value, &end, 10);
	if (*end || n > THREADS_MAX)
		return -EINVAL;
	spec->options.threads = (unsigned int)n;
	return 0;
}

static int set_cl(struct sim_spec *spec, const char *value)
{
	spec->options.cl_path = value;
	return 0;
}

static int set_platform(struct sim_spec *spec, const char *value)
{
	spec->options.cl_platform = value;
	return 0;
}

static int set_cache(struct sim_spec *spec, const char *value)
{
	spec->options.cache_dir = value;
	return 0;
}

static int set_sram(struct sim_spec *spec, const char *value)
{
	unsigned long long n;
	char *end;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno || n > SRAM_MAX)
		return -EINVAL;
	if (*end == 'K')
		n <<= 10;
	else if (*end == 'M')
		n <<= 20;
	if ((*end && end[1]) || (*end && *end != 'K' && *end != 'M') || n > SRAM_MAX)
		return -EINVAL;
	spec->sram_size = (uint32_t)n;
	return 0;
}

static int set_strict(struct sim_spec *spec, const char *value)
{
	(void)value;
	spec->options.strict = true;
	return 0;
}

static int set_log(struct sim_spec *spec, const char *value)
{
	spec->log = value;
	return 0;
}

static const struct key keys[] = {
	{ "engine", set_engine, "opencl or reference" },
	{ "threads", set_threads, "1 to 256" },
	{ "cl", set_cl, "auto, portable or the name of a path" },
	{ "platform", set_platform, "part of the name of an OpenCL platform" },
	{ "cache", set_cache, "a directory" },
	{ "sram", set_sram, "bytes up to 256M, K and M understood" },
	{ "strict", set_strict, NULL },
	{ "log", set_log, "a file" },
};

static int set_key(struct sim_spec *spec, const char *text, const char *key, const char *value,
		   struct accel_error *err)
{
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(key, keys[i].name))
			continue;
		if (!keys[i].expected && *value)
			return accel_fail(err, -EINVAL, "device '%.80s': %s takes no value", text,
					  key);
		if ((keys[i].expected && !*value) || keys[i].set(spec, value))
			return accel_fail(err, -EINVAL, "device '%.80s': %s='%.40s', expected %s",
					  text, key, value, keys[i].expected);
		return 0;
	}
	return accel_fail(err, -EINVAL, "device '%.80s': unknown key '%.30s'; there are engine, "
			  "threads, cl, platform, cache, sram, strict, log", text, key);
}

int sim_spec_parse(const char *text, struct sim_spec *spec, struct accel_error *err)
{
	char *name, *item, *value, *rest;
	int ret;

	memset(spec, 0, sizeof(*spec));
	if (strlen(text) >= sizeof(((struct accel_device_info *)NULL)->spec))
		return accel_fail(err, -EINVAL, "device '%.80s...': longer than 255 characters",
				  text);
	spec->options.size = sizeof(spec->options);
	spec->sram_size = SRAM_DEFAULT;
	spec->text = strdup(text);
	if (!spec->text)
		return accel_fail(err, -ENOMEM, "out of memory");
	/* "sim", "sim,KEY=..." or "sim:NAME,KEY=..." */
	rest = spec->text + strlen(accel_sim.prefix);
	if (*rest && *rest != ':' && *rest != ',') {
		ret = accel_fail(err, -EINVAL, "device '%.80s': expected sim:NAME", text);
		goto fail;
	}
	if (*rest == ':')
		rest++;
	name = strsep(&rest, ",");
	if (!*name)
		name = "ethos-u65-256";
	spec->config = npu_config_find(name);
	if (!spec->config) {
		ret = accel_fail(err, -ENODEV,
				 "device '%.80s': no NPU called '%.40s'; accel_device_list "
				 "and 'accel devices' name those there are",
				 text, name);
		goto fail;
	}
	while ((item = strsep(&rest, ","))) {
		value = strchr(item, '=');
		if (value)
			*value++ = '\0';
		ret = set_key(spec, text, item, value ? value : "", err);
		if (ret)
			goto fail;
	}
	return 0;
fail:
	sim_spec_free(spec);
	return ret;
}

void sim_spec_free(struct sim_spec *spec)
{
	free(spec->text);
	spec->text = NULL;
}

void sim_info(const struct npu_config *config, struct accel_device_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	snprintf(info->spec, sizeof(info->spec), "sim:%s", config->name);
	snprintf(info->transport, sizeof(info->transport), "sim");
	snprintf(info->name, sizeof(info->name), "%s", config->name);
	snprintf(info->family, sizeof(info->family), "ethos-u");
	snprintf(info->description, sizeof(info->description), "simulated");
	info->arch = config->arch;
	info->macs = config->macs;
	info->id = config->id;
	info->config = config->config;
	info->features = ACCEL_FEATURE_SUBRANGE | ACCEL_FEATURE_DMA_BUF | ACCEL_FEATURE_JOB_STATUS |
			 ACCEL_FEATURE_PRIORITY | ACCEL_FEATURE_COUNTERS | ACCEL_FEATURE_WAIT |
			 ACCEL_FEATURE_SIMULATED;
	info->regions = SIM_REGIONS;
	info->sram_region = 2;		/* fixed by the kernel's ethosu driver and by Vela */
	info->sram_size = SRAM_DEFAULT;
	info->event_counters = config->arch == 85 ? 8 : 4;
	info->max_event = config->arch == 85 ? MAX_EVENT_U85 : MAX_EVENT_U65;
}

int sim_list(int (*add)(void *ctx, const struct accel_device_info *info), void *ctx,
	     struct accel_error *err)
{
	const struct npu_config *config;
	struct accel_device_info info;
	int ret = 0;

	(void)err;
	for (config = npu_configs; !ret && config->name; config++) {
		sim_info(config, &info);
		ret = add(ctx, &info);
	}
	return ret;
}
