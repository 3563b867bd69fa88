/* SPDX-License-Identifier: MIT */
/* Finding devices and opening them: every kind of spec, and what is said about wrong ones. */
#include "tests/libaccel_test.h"

#include <stdlib.h>
#include <unistd.h>

static void list_names_simulated(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device_list *list;
	struct accel_device *device;
	size_t i, count, sims = 0;

	(void)state;
	must(accel_device_list_create(&list, &err));
	count = accel_device_list_count(list);
	for (i = 0; i < count; i++) {
		assert_int_equal(accel_device_list_get(list, i, &info), 0);
		if (strcmp(info.transport, "sim")) {
			assert_int_equal(sims, 0);	/* real ones come first */
			continue;
		}
		sims++;
		assert_true(info.features & ACCEL_FEATURE_SIMULATED);
		assert_string_equal(info.family, "ethos-u");
		assert_true(info.arch == 55 || info.arch == 65 || info.arch == 85);
		/* What is listed opens, and is what the list said. */
		must(accel_device_open(info.spec, &device, &err));
		accel_device_unref(device);
	}
	assert_int_equal(sims, 11);	/* U55 32 64 128 256, U65 256 512, U85 128..2048 */
	assert_int_equal(accel_device_list_get(list, count, &info), -ERANGE);
	info.size = 1;
	assert_int_equal(accel_device_list_get(list, 0, &info), -EINVAL);
	accel_device_list_free(list);
	accel_device_list_free(NULL);
}

static void info_tells_the_npu(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device;

	(void)state;
	must(accel_device_open("sim:u85-512,threads=2,engine=reference,sram=384K", &device, &err));
	assert_int_equal(accel_device_get_info(device, &info), 0);
	assert_string_equal(info.name, "ethos-u85-512");
	assert_string_equal(info.spec, "sim:u85-512,threads=2,engine=reference,sram=384K");
	assert_int_equal(info.arch, 85);
	assert_int_equal(info.macs, 512);
	assert_int_equal(info.id >> 28, 2);		/* arch_major_rev of the U85 */
	assert_int_equal(info.config & 0xf, 9);		/* log2 of the MACs */
	assert_int_equal(info.regions, 8);
	assert_int_equal(info.sram_region, 2);
	assert_int_equal(info.sram_size, 384 << 10);
	assert_int_equal(info.event_counters, 8);
	accel_device_unref(device);
}

static void info_of_another_size(void **state)
{
	struct { struct accel_device_info info; char more[16]; } longer;
	struct accel_device_info shorter;
	struct accel_device *device = open_device();

	(void)state;
	memset(&longer, 0xee, sizeof(longer));
	longer.info.size = sizeof(longer);
	assert_int_equal(accel_device_get_info(device, &longer.info), 0);
	assert_int_equal(longer.more[15], 0);
	assert_int_equal(longer.info.size, sizeof(longer));
	memset(&shorter, 0xee, sizeof(shorter));
	shorter.size = offsetof(struct accel_device_info, transport);
	assert_int_equal(accel_device_get_info(device, &shorter), 0);
	assert_string_equal(shorter.spec, SPEC);
	assert_int_equal((unsigned char)shorter.transport[0], 0xee);
	accel_device_unref(device);
}

static void default_follows_environment(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	static const char *const defaults[] = { NULL, "", "default" };
	struct accel_device *device;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		setenv("ACCEL_DEVICE", "sim:ethos-u55-64", 1);
		must(accel_device_open(defaults[i], &device, &err));
		assert_int_equal(accel_device_get_info(device, &info), 0);
		assert_string_equal(info.name, "ethos-u55-64");
		accel_device_unref(device);
		setenv("ACCEL_DEVICE", "sim:nothing", 1);
		refused(-ENODEV, "nothing", accel_device_open(defaults[i], &device, &err));
		unsetenv("ACCEL_DEVICE");
		must(accel_device_open(defaults[i], &device, &err));
		assert_int_equal(accel_device_get_info(device, &info), 0);
		if (access("/dev/accel/accel0", F_OK))
			assert_string_equal(info.name, "ethos-u65-256");
		accel_device_unref(device);
	}
	must(accel_device_open("sim", &device, &err));
	accel_device_unref(device);
	must(accel_device_open("sim,sram=1M", &device, &err));
	accel_device_unref(device);
}

static void wrong_specs(void **state)
{
	static const struct { const char *spec; int code; const char *says; } wrong[] = {
		{ "npu0", -EINVAL, "expected sim:NAME" },
		{ "simulated", -EINVAL, "expected sim:NAME" },
		{ "/etc/passwd", -EINVAL, "/dev/accel/accelN" },
		{ "sim:ethos-u65-257", -ENODEV, "ethos-u65-257" },
		{ "sim:u65-256,", -EINVAL, "unknown key" },
		{ "sim:u65-256,colour=red", -EINVAL, "colour" },
		{ "sim:u65-256,engine=magic", -EINVAL, "opencl or reference" },
		{ "sim:u65-256,engine", -EINVAL, "opencl or reference" },
		{ "sim:u65-256,threads=0", -EINVAL, "1 to 256" },
		{ "sim:u65-256,threads=1x", -EINVAL, "1 to 256" },
		{ "sim:u65-256,threads=-1", -EINVAL, "1 to 256" },
		{ "sim:u65-256,threads=99999999999999999999", -EINVAL, "1 to 256" },
		{ "sim:u65-256,sram=1T", -EINVAL, "sram" },
		{ "sim:u65-256,sram=1KB", -EINVAL, "sram" },
		{ "sim:u65-256,sram=300M", -EINVAL, "sram" },
		{ "sim:u65-256,sram=99999999999999999999999", -EINVAL, "sram" },
		{ "sim:u65-256,platform=none", -ENODEV, "no OpenCL platform" },
		{ "/dev/accel/accel65535", -ENOENT, "/dev/accel/accel65535" },
	};
	struct accel_device *device = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		refused(wrong[i].code, wrong[i].says,
			accel_device_open(wrong[i].spec, &device, &err));
		assert_null(device);
		/* Without a struct for the message, too. */
		assert_int_equal(accel_device_open(wrong[i].spec, &device, NULL), wrong[i].code);
	}
}

static void long_specs(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device;
	char spec[4096];

	(void)state;
	memset(spec, 'x', sizeof(spec) - 1);
	spec[sizeof(spec) - 1] = '\0';
	refused(-EINVAL, "expected", accel_device_open(spec, &device, &err));
	memcpy(spec, "sim:", 4);
	refused(-EINVAL, "longer than 255", accel_device_open(spec, &device, &err));
	spec[256] = '\0';
	refused(-EINVAL, "longer than 255", accel_device_open(spec, &device, &err));
	spec[255] = '\0';
	refused(-ENODEV, "no NPU", accel_device_open(spec, &device, &err));
	memcpy(spec, "sim:u65-256,", 12);
	refused(-EINVAL, "unknown key", accel_device_open(spec, &device, &err));
	/* The longest that opens, and opens again by what it is called then. */
	memcpy(spec, "sim:u65-256,cache=", 18);
	must(accel_device_open(spec, &device, &err));
	assert_int_equal(accel_device_get_info(device, &info), 0);
	assert_string_equal(info.spec, spec);
	accel_device_unref(device);
}

static void version_is_said(void **state)
{
	(void)state;
	assert_int_equal(accel_version()[1], '.');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(list_names_simulated),
		test(info_tells_the_npu),
		test(info_of_another_size),
		test(default_follows_environment),
		test(wrong_specs),
		test(long_specs),
		test(version_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
