/* SPDX-License-Identifier: MIT */
/*
 * What Vela puts into the ethos-u operator of a TFLite file: driver payloads of the forms COP1 and
 * COP2.
 */
#ifndef ACCEL_RUNTIME_CONTAINER_H
#define ACCEL_RUNTIME_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"

/**
 * struct container - a payload
 * @stream, @words: the command stream, aligned on 4 bytes if the payload is on 16
 * @config, @id: CONFIG and ID registers of the NPU that it was compiled for
 * @local_io: COP2 with inputs in region 3 and outputs in region 4 instead of in the arena
 */
struct container {
	const uint8_t *stream;
	size_t words;
	uint32_t config;
	uint32_t id;
	bool local_io;
};

/**
 * container_parse - find the command stream of a payload
 *
 * Return: 0, -EINVAL (@err says at which byte), -ENOTSUP.
 */
int container_parse(const uint8_t *data, size_t len, struct container *out, struct error *err);

/**
 * container_name - the NPU that a CONFIG word stands for, "ethos-u65-256"
 */
const char *container_npu(uint32_t config, char *text, size_t len);

/**
 * container_check - can a device run it?
 * @for_config, @for_id: what it was compiled for
 * @config, @id: of the device
 * @device: its name, for the message
 *
 * The NPU's product, size and stream version must be the same, its architecture not older.
 *
 * Return: 0 or -ENOEXEC.
 */
int container_check(uint32_t for_config, uint32_t for_id, uint32_t config, uint32_t id,
		    const char *device, struct error *err);

#endif
