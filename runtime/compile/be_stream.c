/* SPDX-License-Identifier: MIT */
/* Words of a command stream. */
#include "runtime/compile/be_stream.h"

#include <stdlib.h>

static void put_word(struct be_stream *s, uint32_t word)
{
	if (s->failed)
		return;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		uint32_t *words = realloc(s->words, room * sizeof(*words));

		if (!words) {
			s->failed = true;
			return;
		}
		s->words = words;
		s->room = room;
	}
	s->words[s->count++] = word;
}

void be_put(struct be_stream *s, unsigned int opcode, unsigned int param)
{
	put_word(s, opcode | (uint32_t)(uint16_t)param << ETHOSU_PARAM_SHIFT);
}

void be_set(struct be_stream *s, unsigned int opcode, unsigned int param)
{
	unsigned int i = opcode & 0xff;

	if (s->known0[i] && s->cmd0[i] == (uint16_t)param)
		return;
	s->known0[i] = true;
	s->cmd0[i] = (uint16_t)param;
	be_put(s, opcode, param);
}

void be_set2(struct be_stream *s, unsigned int opcode, unsigned int param, uint32_t payload)
{
	unsigned int i = opcode & 0xff;
	uint64_t value = (uint64_t)(uint16_t)param << 32 | payload;

	if (s->known1[i] && s->cmd1[i] == value)
		return;
	s->known1[i] = true;
	s->cmd1[i] = value;
	put_word(s, opcode | 1u << ETHOSU_CONTROL_SHIFT |
			    (uint32_t)(uint16_t)param << ETHOSU_PARAM_SHIFT);
	put_word(s, payload);
}

void be_set_address(struct be_stream *s, unsigned int opcode, int64_t address)
{
	unsigned int high = s->arch->address_bits > 32 ? (unsigned int)(address >> 32) & 0xff : 0;

	be_set2(s, opcode, high, (uint32_t)address);
}
