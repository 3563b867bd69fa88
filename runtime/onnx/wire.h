/* SPDX-License-Identifier: MIT */
/* Protobuf messages of ONNX files, checked before they are unpacked. */
#ifndef ACCEL_RUNTIME_ONNX_WIRE_H
#define ACCEL_RUNTIME_ONNX_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "runtime/ir/ir.h"

/**
 * wire_unpack - unpack a message into a graph's memory
 * @g: what is unpacked lives as long as it
 * @type: of the message
 *
 * protobuf-c follows nested messages by recursion and allocates what they ask for; so their depth,
 * their lengths and the memory that they will need are looked at first.
 *
 * Return: the message, or NULL: @err says at which byte it is broken.
 */
const ProtobufCMessage *wire_unpack(struct ir_graph *g, const ProtobufCMessageDescriptor *type,
				    const void *data, size_t size, struct error *err);

#endif
