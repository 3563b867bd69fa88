/* SPDX-License-Identifier: MIT */
/* Reads a graph's text form, see ir_text.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ir/ir_ops.h"
#include "runtime/ir/ir_text.h"

#define WORD_MAX	64	/* longest keyword or number */

static const char *const npu_names[] = { IR_NPU_KIND_NAMES };

/*
 * The text and where in it the parser is. The first mistake is kept in @rc and @err; after it every
 * word is empty, so that loops over words end.
 */
struct parser {
	const char *at, *end;
	unsigned int line;
	const char *name;
	struct ir_graph *g;
	struct error *err;
	int rc;
	/* Numbers of a list being read. */
	int64_t *numbers;
	size_t number_room;
};

static int fail(struct parser *p, const char *what)
{
	if (!p->rc)
		p->rc = error_set(p->err, -EINVAL, "%s:%u: %s", p->name, p->line, what);
	return p->rc;
}

static int no_memory(struct parser *p)
{
	if (!p->rc)
		p->rc = error_set(p->err, -ENOMEM, "%s:%u: out of memory", p->name, p->line);
	return p->rc;
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
	if (p->at < p->end && *p->at == '#')
		while (p->at < p->end && *p->at != '\n')
			p->at++;
}

static bool line_ends(struct parser *p)
{
	skip_space(p);
	return p->rc || p->at == p->end || *p->at == '\n';
}

static bool word_char(char c)
{
	return c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '[' && c != ']' && c != '"';
}

/* The next word of the line; "" at its end. */
static const char *word(struct parser *p, char out[WORD_MAX])
{
	size_t n = 0;

	out[0] = '\0';
	if (line_ends(p))
		return out;
	while (p->at < p->end && word_char(*p->at)) {
		if (n + 1 == WORD_MAX) {
			fail(p, "a word is too long");
			out[0] = '\0';
			return out;
		}
		out[n++] = *p->at++;
	}
	out[n] = '\0';
	return out;
}

/* True, and past it, if the next word is @what. */
static bool accept(struct parser *p, const char *what)
{
	size_t n = strlen(what);

	if (line_ends(p) || (size_t)(p->end - p->at) < n || memcmp(p->at, what, n))
		return false;
	if (n > 1 && (size_t)(p->end - p->at) > n && word_char(p->at[n]))
		return false;
	p->at += n;
	return true;
}

static void expect(struct parser *p, const char *what)
{
	char text[WORD_MAX];

	if (!accept(p, what)) {
		snprintf(text, sizeof(text), "expected '%s'", what);
		fail(p, text);
	}
}

static int64_t to_number(struct parser *p, const char *text, char **end)
{
	long long v;

	errno = 0;
	v = strtoll(text, end, 10);
	if (errno || *end == text)
		fail(p, "expected a number");
	return v;
}

static int64_t number(struct parser *p, int64_t low, int64_t high)
{
	char text[WORD_MAX], *end;
	int64_t v = to_number(p, word(p, text), &end);

	if (!p->rc && (*end || v < low || v > high))
		fail(p, "a number is malformed or out of range");
	return p->rc ? 0 : v;
}

/* A quoted string: malloc'ed, NULL on error. */
static char *string(struct parser *p)
{
	const char *start;
	char *out;
	size_t n = 0;

	if (line_ends(p) || *p->at != '"') {
		fail(p, "expected a string");
		return NULL;
	}
	start = ++p->at;
	while (p->at < p->end && *p->at != '"' && *p->at != '\n')
		p->at += *p->at == '\\' && p->end - p->at > 1 && p->at[1] != '\n' ? 2 : 1;
	if (p->at >= p->end || *p->at != '"') {
		fail(p, "a string does not end");
		return NULL;
	}
	out = malloc((size_t)(p->at - start) + 1);
	if (!out) {
		no_memory(p);
		return NULL;
	}
	for (const char *s = start; s < p->at; s++) {
		char hex[3] = { 0 };

		if (*s == '\\' && s[1] == 'x' && p->at - s > 3) {
			memcpy(hex, s + 2, 2);
			out[n] = (char)strtol(hex, NULL, 16);
			s += 3;
		} else {
			if (*s == '\\')
				s++;
			out[n] = *s;
		}
		/* A zero would end the name early. */
		if (!out[n])
			out[n] = '?';
		n++;
	}
	out[n] = '\0';
	p->at++;
	return out;
}

/* "1x2x3" or "scalar". */
static uint32_t shape(struct parser *p, int32_t *out, uint32_t max)
{
	char text[WORD_MAX], *at = text, *end;
	uint32_t n = 0;

	word(p, text);
	if (!strcmp(text, "scalar"))
		return 0;
	do {
		int64_t v = to_number(p, at, &end);

		if (!p->rc && (n == max || v < 1 || v > INT32_MAX || (*end && *end != 'x')))
			fail(p, "a shape is malformed");
		if (p->rc)
			return 0;
		out[n++] = (int32_t)v;
		at = end + 1;
	} while (*end == 'x');
	return n;
}

static int type(struct parser *p)
{
	char text[WORD_MAX];

	word(p, text);
	for (int i = 0; i < ELEM_COUNT; i++)
		if (elem_size(i) && !strcmp(elem_name(i), text))
			return i;
	fail(p, "expected an element type");
	return ELEM_INT8;
}

static uint32_t tensor_index(struct parser *p)
{
	char text[WORD_MAX], *end;
	int64_t v;

	word(p, text);
	if (!strcmp(text, "-"))
		return IR_NONE;
	v = text[0] == '%' ? to_number(p, text + 1, &end) : -1;
	if (!p->rc && (v < 0 || *end || v >= p->g->tensor_count))
		fail(p, "expected a tensor, as %0");
	return p->rc ? IR_NONE : (uint32_t)v;
}

static bool more_numbers(struct parser *p, size_t count)
{
	size_t room = p->number_room ? p->number_room * 2 : 64;
	int64_t *new;

	if (count < p->number_room)
		return true;
	new = realloc(p->numbers, room * sizeof(*new));
	if (!new) {
		no_memory(p);
		return false;
	}
	p->numbers = new;
	p->number_room = room;
	return true;
}

/* Tensors up to the end of the line, or up to "->" or a word that is none; into p->numbers. */
static uint32_t tensor_list(struct parser *p)
{
	uint32_t n = 0;

	while (!line_ends(p) && (*p->at == '%' || (*p->at == '-' && p->at + 1 < p->end &&
						   p->at[1] != '>'))) {
		if (!more_numbers(p, n) || n == UINT16_MAX) {
			fail(p, "too many tensors");
			return 0;
		}
		p->numbers[n++] = tensor_index(p);
	}
	return n;
}

static uint32_t *keep_list(struct parser *p, uint32_t n)
{
	uint32_t *list = ir_alloc(p->g, (n ? n : 1) * sizeof(*list));

	if (!list) {
		no_memory(p);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++)
		list[i] = (uint32_t)p->numbers[i];
	return list;
}

static void quant(struct parser *p, struct ir_tensor *t)
{
	char text[WORD_MAX], *end;
	float *scales;
	int32_t *zeros;
	uint32_t n = 0;

	t->quant.axis = (int32_t)number(p, 0, IR_MAX_DIMS);
	/* A scale and a zero point in one number. */
	while (!line_ends(p) && ((*p->at >= '0' && *p->at <= '9') || *p->at == '-')) {
		float scale = strtof(word(p, text), &end);
		int64_t zero = *end == ':' ? to_number(p, end + 1, &end) : INT64_MAX;
		uint32_t bits;

		/* Written so that it is false for NaN. */
		if (!(scale >= 0 && scale <= 3.4e38f) || zero < INT32_MIN || zero > INT32_MAX || *end)
			fail(p, "expected scale:zero_point");
		if (p->rc || !more_numbers(p, n))
			return;
		memcpy(&bits, &scale, sizeof(bits));
		p->numbers[n++] = (int64_t)((uint64_t)bits << 32 | (uint32_t)zero);
	}
	scales = ir_alloc(p->g, (n + 1) * sizeof(*scales));
	zeros = ir_alloc(p->g, (n + 1) * sizeof(*zeros));
	if (!scales || !zeros) {
		no_memory(p);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bits = (uint32_t)((uint64_t)p->numbers[i] >> 32);

		memcpy(&scales[i], &bits, sizeof(bits));
		zeros[i] = (int32_t)p->numbers[i];
	}
	t->quant.count = n;
	t->quant.scale = scales;
	t->quant.zero_point = zeros;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void data(struct parser *p, struct ir_tensor *t)
{
	size_t n = ir_tensor_bytes(t);
	unsigned char *bytes;

	if (line_ends(p) || (size_t)(p->end - p->at) / 2 < n) {
		fail(p, "the data of a tensor is shorter than its shape");
		return;
	}
	bytes = ir_alloc(p->g, n);
	if (!bytes) {
		no_memory(p);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(p->at[2 * i]), low = hex_digit(p->at[2 * i + 1]);

		if (high < 0 || low < 0) {
			fail(p, "the data of a tensor is not hexadecimal, or too short");
			return;
		}
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	p->at += 2 * n;
	t->data = bytes;
	t->size = n;
}

static void parse_tensor(struct parser *p)
{
	int32_t extent[IR_MAX_DIMS];
	struct ir_tensor *t;
	uint32_t ndim, index;
	char *name = string(p);
	int elem;

	if (!name)
		return;
	elem = type(p);
	ndim = shape(p, extent, IR_MAX_DIMS);
	index = p->rc ? IR_NONE : ir_tensor_new(p->g, name, elem, ndim, extent);
	free(name);
	if (index == IR_NONE) {
		fail(p, "a tensor is too large");
		return;
	}
	t = &p->g->tensors[index];
	while (!line_ends(p)) {
		if (accept(p, "hwc")) {
			if (shape(p, t->hwc, 3) != 3)
				fail(p, "expected three extents");
		} else if (accept(p, "quant")) {
			quant(p, t);
		} else if (accept(p, "variable")) {
			t->variable = true;
		} else if (accept(p, "data")) {
			data(p, t);
		} else {
			fail(p, "unknown word about a tensor");
		}
	}
}

static void field(struct parser *p, const struct ir_field *f, void *base)
{
	char text[WORD_MAX], *end;
	uint32_t bits;
	float real;

	switch (f->type) {
	case IR_FIELD_F32:
		real = strtof(word(p, text), &end);
		if (end == text || *end)
			fail(p, "expected a number");
		memcpy(&bits, &real, sizeof(bits));
		ir_field_set(f, base, bits);
		break;
	case IR_FIELD_S32:
		ir_field_set(f, base, number(p, INT32_MIN, INT32_MAX));
		break;
	case IR_FIELD_U32:
		ir_field_set(f, base, number(p, 0, UINT32_MAX));
		break;
	default:
		ir_field_set(f, base, number(p, 0, f->type == IR_FIELD_BOOL ? 1 : UINT8_MAX));
	}
}

static void parse_op(struct parser *p)
{
	struct ir_options options = { 0 };
	const struct ir_kind_info *info;
	uint32_t *inputs, *outputs, input_count, output_count;
	char text[WORD_MAX], *why = NULL;
	uint32_t origin = 0;
	struct ir_op *op;
	int kind;

	word(p, text);
	kind = ir_kind_by_name(text, strlen(text));
	if (p->rc || kind <= IR_NPU) {
		fail(p, "unknown operation");
		return;
	}
	info = ir_kind_info((unsigned int)kind);
	input_count = tensor_list(p);
	inputs = keep_list(p, input_count);
	expect(p, "->");
	output_count = tensor_list(p);
	outputs = keep_list(p, output_count);
	while (!line_ends(p)) {
		unsigned int i;

		if (accept(p, "cpu")) {
			free(why);
			why = string(p);
			continue;
		}
		if (accept(p, "from")) {
			origin = (uint32_t)number(p, 0, UINT32_MAX);
			continue;
		}
		word(p, text);
		for (i = 0; i < info->option_count; i++)
			if (!strcmp(info->options[i].field.name, text))
				break;
		if (i == info->option_count)
			fail(p, "the operation has no such option");
		else
			field(p, &info->options[i].field, &options);
	}
	op = p->rc ? NULL : ir_op_new(p->g, (unsigned int)kind, inputs, input_count, outputs,
				      output_count, info->option_count ? &options : NULL);
	if (op) {
		op->origin = origin;
		if (why)
			op->why_cpu = ir_strdup(p->g, why, strlen(why));
	} else {
		no_memory(p);
	}
	free(why);
}

static void view(struct parser *p, struct ir_view *v)
{
	int32_t size[3] = { 1, 1, 1 };
	char text[WORD_MAX], *end;

	expect(p, "[");
	if (accept(p, "value")) {
		v->scalar = true;
		v->value = (int32_t)number(p, INT32_MIN, INT32_MAX);
	} else {
		v->tensor = tensor_index(p);
		v->type = v->tensor == IR_NONE ? ELEM_INT8 : p->g->tensors[v->tensor].type;
	}
	while (!line_ends(p) && !accept(p, "]")) {
		if (accept(p, "base")) {
			v->base = number(p, INT64_MIN / 4, INT64_MAX / 4);
		} else if (accept(p, "step")) {
			v->sy = to_number(p, word(p, text), &end);
			v->sx = *end == ',' ? to_number(p, end + 1, &end) : 0;
		} else if (accept(p, "size")) {
			if (shape(p, size, 3) != 3)
				fail(p, "expected three extents");
		} else if (accept(p, "zp")) {
			v->zero_point = (int32_t)number(p, INT32_MIN, INT32_MAX);
		} else if (accept(p, "type")) {
			v->type = type(p);
		} else {
			fail(p, "unknown word about a view");
		}
	}
	v->h = size[0];
	v->w = size[1];
	v->c = size[2];
}

/* Numbers in brackets, as many as there are channels. Pairs "a>>b" are packed by @pairs. */
static const int64_t *numbers(struct parser *p, uint32_t count, bool pairs)
{
	char text[WORD_MAX], *end;
	uint32_t n = 0;

	expect(p, "[");
	while (!line_ends(p) && !accept(p, "]")) {
		int64_t v = to_number(p, word(p, text), &end), shift = 0;

		if (pairs && !strncmp(end, ">>", 2))
			shift = to_number(p, end + 2, &end);
		if (*end || n == count || (pairs && (v < 0 || v > UINT32_MAX || shift < 0 ||
						     shift > UINT8_MAX)))
			fail(p, "a list is malformed, or has more entries than channels");
		if (p->rc || !more_numbers(p, n))
			return NULL;
		p->numbers[n++] = pairs ? v << 8 | shift : v;
	}
	if (n != count)
		fail(p, "a list has fewer entries than channels");
	return p->rc ? NULL : p->numbers;
}

static void channel_lists(struct parser *p, struct ir_npu *n, const char *which)
{
	const int64_t *list = numbers(p, n->channels, !strcmp(which, "scale"));
	struct ir_scale *scale;
	int64_t *bias;
	int32_t *zeros;

	if (!list || !n->channels)
		return;
	if (!strcmp(which, "bias")) {
		n->bias = bias = ir_alloc(p->g, n->channels * sizeof(*bias));
		for (uint32_t i = 0; bias && i < n->channels; i++)
			bias[i] = list[i];
	} else if (!strcmp(which, "scale")) {
		n->channel_scale = scale = ir_alloc(p->g, n->channels * sizeof(*scale));
		for (uint32_t i = 0; scale && i < n->channels; i++)
			scale[i] = (struct ir_scale){ (uint32_t)(list[i] >> 8),
						      (uint8_t)list[i] };
	} else {
		n->weight_zero_points = zeros = ir_alloc(p->g, n->channels * sizeof(*zeros));
		for (uint32_t i = 0; zeros && i < n->channels; i++)
			zeros[i] = (int32_t)list[i];
	}
}

static bool npu_word(struct parser *p, struct ir_npu *n, uint32_t *origin)
{
	const struct ir_field *fields;
	char text[WORD_MAX];
	unsigned int count;

	word(p, text);
	if (!strcmp(text, "mode")) {
		n->mode = (uint8_t)number(p, 0, UINT8_MAX);
	} else if (!strcmp(text, "ifm")) {
		view(p, &n->ifm);
	} else if (!strcmp(text, "ifm2")) {
		view(p, &n->ifm2);
	} else if (!strcmp(text, "ofm")) {
		view(p, &n->ofm);
	} else if (!strcmp(text, "weights")) {
		n->weights = tensor_index(p);
	} else if (!strcmp(text, "lut_data")) {
		n->lut_data = tensor_index(p);
	} else if (!strcmp(text, "channels")) {
		/* A list costs two bytes of text an entry: no more than that is believed. */
		n->channels = (uint32_t)number(p, 1, p->end - p->at + 1);
	} else if (!strcmp(text, "from")) {
		*origin = (uint32_t)number(p, 0, UINT32_MAX);
	} else if (!strcmp(text, "bias") || !strcmp(text, "scale") ||
		   !strcmp(text, "weight_zero_points")) {
		channel_lists(p, n, text);
	} else {
		fields = ir_npu_fields(&count);
		for (unsigned int i = 0; i < count; i++) {
			if (!strcmp(fields[i].name, text)) {
				field(p, &fields[i], n);
				return true;
			}
		}
		return false;
	}
	return true;
}

static void parse_npu(struct parser *p)
{
	struct ir_npu *n = ir_alloc(p->g, sizeof(*n));
	char text[WORD_MAX];
	uint32_t origin = 0;
	unsigned int kind;
	struct ir_op *op;

	if (!n) {
		no_memory(p);
		return;
	}
	ir_npu_init(n);
	word(p, text);
	for (kind = 0; kind < sizeof(npu_names) / sizeof(npu_names[0]); kind++)
		if (!strcmp(npu_names[kind], text))
			break;
	if (kind == sizeof(npu_names) / sizeof(npu_names[0])) {
		fail(p, "unknown operation of the NPU");
		return;
	}
	n->kind = (uint8_t)kind;
	while (!line_ends(p))
		if (!npu_word(p, n, &origin))
			fail(p, "unknown word about an operation");
	if (p->rc)
		return;
	n->origin = origin;
	op = ir_npu_new(p->g, n);
	if (op)
		op->origin = origin;
	else
		no_memory(p);
}

static void parse_ends(struct parser *p, bool output)
{
	uint32_t n = tensor_list(p), *list = keep_list(p, n);

	if (!list)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (list[i] == IR_NONE) {
			fail(p, "an input or output is left out");
			return;
		}
		*(output ? &p->g->tensors[list[i]].output : &p->g->tensors[list[i]].input) =
			(int32_t)i;
	}
	*(output ? &p->g->outputs : &p->g->inputs) = list;
	*(output ? &p->g->output_count : &p->g->input_count) = n;
}

static void parse_line(struct parser *p)
{
	char text[WORD_MAX], *name;

	word(p, text);
	if (!strcmp(text, "tensor")) {
		parse_tensor(p);
	} else if (!strcmp(text, "inputs") || !strcmp(text, "outputs")) {
		parse_ends(p, text[0] == 'o');
	} else if (!strcmp(text, "op")) {
		parse_op(p);
	} else if (!strcmp(text, "npu")) {
		parse_npu(p);
	} else if (!strcmp(text, "graph") || !strcmp(text, "origin")) {
		name = string(p);
		if (!name)
			return;
		if (text[0] == 'g')
			p->g->name = ir_strdup(p->g, name, strlen(name));
		else if (ir_origin_new(p->g, name) == IR_NONE)
			no_memory(p);
		free(name);
	} else {
		fail(p, "expected graph, tensor, inputs, outputs, origin, op or npu");
	}
	if (!p->rc && !line_ends(p))
		fail(p, "more on the line than there should be");
}

int ir_parse(const char *text, size_t len, const char *name, struct ir_graph **out,
	     struct error *err)
{
	struct parser p = { .at = text, .end = text + len, .name = name, .err = err, .line = 1 };

	p.g = ir_new("");
	if (!p.g)
		return no_memory(&p);
	while (!p.rc && p.at < p.end) {
		if (!line_ends(&p))
			parse_line(&p);
		if (!p.rc && p.at < p.end) {
			p.at++;
			p.line++;
		}
	}
	free(p.numbers);
	if (!p.rc && !p.g->name)
		no_memory(&p);
	if (p.rc) {
		ir_free(p.g);
		return p.rc;
	}
	*out = p.g;
	return 0;
}
