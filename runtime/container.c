/* SPDX-License-Identifier: MIT */
/* Reads driver payloads, and says for which NPU they are. */
#include "runtime/container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "uapi/ethosu_regs.h"

#define COP1	0x31504f43u	/* "COP1" */
#define COP2	0x32504f43u	/* "COP2" */
#define VEUM	0x4d554556u	/* "VEUM", metadata of a COP2 entry */

/* COP1: a list of actions, each a word and what belongs to it. */
#define ACTION_CONFIG	0x01
#define ACTION_STREAM	0x02
#define ACTION_NOP	0x05

/* COP2: fixed places. */
#define COP2_LENGTH	8
#define COP2_TYPE	16
#define COP2_ENTRY	20
#define COP2_META	24
#define COP2_MAGIC	28
#define COP2_CONFIG	40
#define COP2_ID		44
#define COP2_FEATURES	48
#define COP2_FIXED	60
#define COP2_LOCAL	2u

#define FIELD(word, reg, field, width) \
	((word) >> ETHOSU_##reg##_##field##_LOW & ((1u << (width)) - 1))

static uint32_t word_at(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int parse_cop1(const uint8_t *data, size_t len, struct container *out, struct error *err)
{
	bool configured = false;
	size_t at = 4;

	while (at + 4 <= len) {
		uint32_t action = word_at(data + at);
		size_t words;

		switch (action & 0xff) {
		case ACTION_CONFIG:
			if (len - at < 12)
				return error_set(err, -EINVAL, "byte %zu: configuration cut short",
						 at);
			out->config = word_at(data + at + 4);
			out->id = word_at(data + at + 8);
			configured = true;
			at += 12;
			break;
		case ACTION_NOP:
			at += 4;
			break;
		case ACTION_STREAM:
			/* 24 bits: the high ones between action and length. */
			words = (action >> 16) | (size_t)(action >> 8 & 0xff) << 16;
			at += 4;
			if (words > (len - at) / 4)
				return error_set(
					err, -EINVAL,
					"byte %zu: command stream of %zu words, %zu bytes are left",
					at, words, len - at);
			if (!configured)
				return error_set(err, -EINVAL,
						 "the stream does not say for which NPU it is");
			out->stream = data + at;
			out->words = words;
			return words ? 0
				     : error_set(err, -EINVAL, "byte %zu: empty command stream",
						 at);
		default:
			return error_set(err, -EINVAL, "byte %zu: unknown driver action 0x%02x", at,
					 action & 0xff);
		}
	}
	return error_set(err, -EINVAL, "no command stream in the payload");
}

static int parse_cop2(const uint8_t *data, size_t len, struct container *out, struct error *err)
{
	size_t stream;

	if (len < COP2_FIXED)
		return error_set(err, -EINVAL, "COP2 payload of %zu bytes is cut short", len);
	if (word_at(data + COP2_TYPE) != 1)
		return error_set(err, -ENOTSUP, "byte %d: COP2 entry of type %u", COP2_TYPE,
				 word_at(data + COP2_TYPE));
	if (word_at(data + COP2_MAGIC) != VEUM)
		return error_set(err, -EINVAL, "byte %d: no metadata", COP2_MAGIC);
	/* The metadata's length counts from behind itself, the padding of the stream included. */
	stream = COP2_MAGIC + (size_t)word_at(data + COP2_META);
	if (stream < COP2_FIXED || stream >= len || (stream | len) % 4 ||
	    word_at(data + COP2_ENTRY) != len - COP2_META ||
	    word_at(data + COP2_LENGTH) != len - COP2_TYPE)
		return error_set(err, -EINVAL, "byte %d: lengths do not fit a payload of %zu bytes",
				 COP2_META, len);
	out->config = word_at(data + COP2_CONFIG);
	out->id = word_at(data + COP2_ID);
	out->local_io = word_at(data + COP2_FEATURES) & COP2_LOCAL;
	out->stream = data + stream;
	out->words = (len - stream) / 4;
	return 0;
}

int container_parse(const uint8_t *data, size_t len, struct container *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (len < 8)
		return error_set(err, -EINVAL, "driver payload of %zu bytes", len);
	switch (word_at(data)) {
	case COP1:
		return parse_cop1(data, len, out, err);
	case COP2:
		return parse_cop2(data, len, out, err);
	default:
		return error_set(err, -EINVAL, "driver payload does not begin with COP1 or COP2");
	}
}

const char *container_npu(uint32_t config, char *text, size_t len)
{
	static const char *const products[] = { "u55", "u65", "u85" };
	unsigned int product = FIELD(config, CONFIG, PRODUCT, 4);

	snprintf(text, len, "ethos-%s-%u", product < 3 ? products[product] : "?",
		 1u << FIELD(config, CONFIG, MACS_PER_CC, 4));
	return text;
}

int container_check(uint32_t for_config, uint32_t for_id, uint32_t config, uint32_t id,
		    const char *device, struct error *err)
{
	char npu[32];

	if (FIELD(for_config, CONFIG, PRODUCT, 4) != FIELD(config, CONFIG, PRODUCT, 4) ||
	    FIELD(for_config, CONFIG, MACS_PER_CC, 4) != FIELD(config, CONFIG, MACS_PER_CC, 4)) {
		container_npu(for_config, npu, sizeof(npu));
		return error_set(
			err, -ENOEXEC,
			"compiled for %s, the device is %s: compile for it, or use -d sim:%s", npu,
			device, npu);
	}
	if (FIELD(for_config, CONFIG, CMD_STREAM_VERSION, 4) !=
	    FIELD(config, CONFIG, CMD_STREAM_VERSION, 4))
		return error_set(err, -ENOEXEC, "command stream version %u, %s takes %u",
				 FIELD(for_config, CONFIG, CMD_STREAM_VERSION, 4), device,
				 FIELD(config, CONFIG, CMD_STREAM_VERSION, 4));
	if (FIELD(for_id, ID, ARCH_MAJOR_REV, 4) != FIELD(id, ID, ARCH_MAJOR_REV, 4) ||
	    FIELD(for_id, ID, ARCH_MINOR_REV, 8) > FIELD(id, ID, ARCH_MINOR_REV, 8))
		return error_set(
			err, -ENOEXEC, "compiled for architecture %u.%u, %s has %u.%u",
			FIELD(for_id, ID, ARCH_MAJOR_REV, 4), FIELD(for_id, ID, ARCH_MINOR_REV, 8),
			device, FIELD(id, ID, ARCH_MAJOR_REV, 4), FIELD(id, ID, ARCH_MINOR_REV, 8));
	return 0;
}
