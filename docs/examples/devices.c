/* SPDX-License-Identifier: MIT */
/*
 * Lists NPUs, real ones first, and opens the first that can be: what a program does before all else.
 *
 *	cc devices.c $(pkg-config --cflags --libs libaccel) -o devices
 */
#include <stdio.h>

#include <accel/accel.h>

int main(void)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device_list *list;
	struct accel_device *device;
	struct accel_error err;
	size_t i;

	if (accel_device_list_create(&list, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	for (i = 0; i < accel_device_list_count(list); i++)
		if (!accel_device_list_get(list, i, &info))
			printf("%-24s %s\n", info.spec, info.description);
	accel_device_list_free(list);

	if (accel_device_open("default", &device, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	accel_device_get_info(device, &info);
	printf("\n%s: %s, %u MACs a cycle, %u KiB of SRAM, counts %u events at a time\n", info.spec,
	       info.name, info.macs, info.sram_size >> 10, info.event_counters);
	accel_device_unref(device);
	return 0;
}
