/* SPDX-License-Identifier: MIT */
/* Protobuf messages of ONNX files, checked before they are unpacked. */
#include "runtime/onnx/wire.h"

#include <errno.h>

#define DEPTH_MAX	40	/* subgraphs in subgraphs: five levels each */
#define MEMORY_BASE	(16u << 20)
#define MEMORY_FACTOR	32	/* a node of some 60 bytes becomes 1.5 KiB */
#define PER_ITEM	48	/* of an element of a list, of an allocation, of an unknown field */

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

/**
 * struct walk - a walk through a file
 * @memory: what unpacking will take at most, so far; @limit: how much it may
 */
struct walk {
	const uint8_t *start;
	uint64_t memory, limit;
	struct error *err;
};

static int broken(const struct walk *w, const uint8_t *at, const char *what)
{
	return error_set(w->err, -EINVAL, "neither TFLite (no TFL3) nor ONNX, or damaged: byte %zu: %s",
			 (size_t)(at - w->start), what);
}

/* False: it does not end, or is longer than 64 bits. */
static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 64 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static int walk(struct walk *w, const uint8_t *p, const uint8_t *end,
		const ProtobufCMessageDescriptor *type, unsigned int depth)
{
	w->memory += type->sizeof_message + PER_ITEM;
	if (depth > DEPTH_MAX)
		return broken(w, p, "messages are nested too deeply");
	while (p < end) {
		const uint8_t *at = p;
		const ProtobufCFieldDescriptor *field;
		uint64_t tag, value;
		int rc;

		if (!varint(&p, end, &tag) || tag >> 32 || !(tag >> 3))
			return broken(w, at, "a field without a number");
		field = protobuf_c_message_descriptor_get_field(type, (unsigned int)(tag >> 3));
		switch (tag & 7) {
		case VARINT:
			if (!varint(&p, end, &value))
				return broken(w, at, "a number that does not end");
			value = 0;
			break;
		case FIXED64:
		case FIXED32:
			value = (tag & 7) == FIXED64 ? 8 : 4;
			break;
		case LENGTH:
			if (!varint(&p, end, &value))
				return broken(w, at, "a length that does not end");
			break;
		default:
			return broken(w, at, "a field of unknown kind");
		}
		if (value > (uint64_t)(end - p))
			return broken(w, at, "a field reaches beyond its message");
		/* Numbers packed to a byte each become 8. */
		w->memory += PER_ITEM + (field && field->type != PROTOBUF_C_TYPE_MESSAGE &&
					 field->type != PROTOBUF_C_TYPE_BYTES &&
					 field->type != PROTOBUF_C_TYPE_STRING ? 8 * value : value);
		if (w->memory > w->limit)
			return broken(w, at, "far more parts than a model of that size has");
		if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
			if ((tag & 7) != LENGTH)
				return broken(w, at, "a number where a message should be");
			rc = walk(w, p, p + value, field->descriptor, depth + 1);
			if (rc)
				return rc;
		}
		p += value;
	}
	return 0;
}

static void *allocate(void *data, size_t size)
{
	return ir_alloc(data, size ? size : 1);
}

static void release(void *data, void *p)
{
	(void)data;
	(void)p;
}

const ProtobufCMessage *wire_unpack(struct ir_graph *g, const ProtobufCMessageDescriptor *type,
				    const void *data, size_t size, struct error *err)
{
	ProtobufCAllocator in_graph = { .alloc = allocate, .free = release, .allocator_data = g };
	struct walk w = { .start = data, .err = err,
			  .limit = MEMORY_BASE + (uint64_t)size * MEMORY_FACTOR };
	const ProtobufCMessage *message;

	if (walk(&w, data, w.start + size, type, 0))
		return NULL;
	message = protobuf_c_message_unpack(type, &in_graph, size, data);
	if (!message)
		error_set(err, -EINVAL, "neither TFLite (no TFL3) nor ONNX, or damaged, or out of memory");
	return message;
}
