/* SPDX-License-Identifier: MIT */
/* Tensors seen as others with their axes in another order, and axes of extent 1 come or gone. */
#include "runtime/onnx/view.h"

#include <string.h>

bool view_same(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source)
{
	if (t->ndim != source->ndim || memcmp(t->shape, source->shape, sizeof(t->shape[0]) * t->ndim))
		return false;
	return view_in_order(v, t);
}

bool view_in_order(const struct layout_view *v, const struct ir_tensor *t)
{
	int last = -1;

	for (uint32_t i = 0; i < t->ndim; i++) {
		if (t->shape[i] == 1)
			continue;
		if (v->from[i] < last)
			return false;
		last = v->from[i];
	}
	return true;
}

int view_axis(const struct layout_view *v, uint32_t ndim, uint32_t axis)
{
	for (uint32_t i = 0; i < ndim; i++)
		if (v->from[i] == (int)axis)
			return (int)i;
	return -1;
}

/**
 * struct group - axes that become others, their products being the same
 * @from, @to: of the axes before
 * @first, @count: of the new axes
 * @place: the source's axis where they begin, -1: all are of extent 1
 */
struct group {
	uint32_t from, to;
	uint32_t first, count;
	int place;
};

/* Where axes [from, to) of @t lie in the source. False: not beside each other, in order. */
static bool place_of(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source,
		     uint32_t from, uint32_t to, int *place)
{
	int last = -1;

	*place = -1;
	for (uint32_t i = from; i < to; i++) {
		/* Of axes of extent 1 the first one's place is kept, lest they come and go. */
		if (t->shape[i] == 1) {
			*place = *place < 0 ? v->from[i] : *place;
			continue;
		}
		if (last < 0)
			*place = v->from[i];
		else if (v->from[i] <= last)
			return false;
		for (int k = last + 1; last >= 0 && k < v->from[i]; k++)
			if (source->shape[k] != 1)
				return false;
		last = v->from[i];
	}
	return true;
}

/* The fewest axes at a time that have the same product before and after. */
static bool find_groups(const struct ir_tensor *t, uint32_t ndim, const int32_t *shape, struct group *groups,
			uint32_t *count)
{
	uint32_t a = 0, b = 0;

	*count = 0;
	while (a < t->ndim || b < ndim) {
		struct group *g = &groups[(*count)++];
		int64_t before, after;

		g->from = a;
		g->first = b;
		before = a < t->ndim ? t->shape[a++] : 1;
		after = b < ndim ? shape[b] : 1;
		b += b < ndim;
		while (before != after) {
			if (before < after ? a == t->ndim : b == ndim)
				return false;
			if (before < after)
				before *= t->shape[a++];
			else
				after *= shape[b++];
		}
		g->to = a;
		g->count = b - g->first;
	}
	return true;
}

bool view_reshape(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source,
		  uint32_t ndim, const int32_t *shape, uint32_t *new_ndim, int32_t *new_shape,
		  struct layout_view *out)
{
	struct group groups[2 * IR_MAX_DIMS + 1];
	uint32_t count;

	if (!find_groups(t, ndim, shape, groups, &count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!place_of(v, t, source, groups[i].from, groups[i].to, &groups[i].place))
			return false;
	memset(out->from, -1, sizeof(out->from));
	*new_ndim = 0;
	for (int place = 0; place < (int)source->ndim; place++)
		for (uint32_t i = 0; i < count; i++) {
			if (groups[i].place != place)
				continue;
			for (uint32_t k = groups[i].first; k < groups[i].first + groups[i].count; k++) {
				out->from[k] = (int8_t)*new_ndim;
				new_shape[(*new_ndim)++] = shape[k];
			}
		}
	return true;
}

bool view_together(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source,
		   uint32_t ndim, const int32_t *shape, int32_t *perm, struct layout_view *out)
{
	struct group groups[2 * IR_MAX_DIMS + 1];
	uint32_t count, n = 0;
	bool seen[IR_MAX_DIMS] = { false };

	if (!find_groups(t, ndim, shape, groups, &count))
		return false;
	memset(out->from, -1, sizeof(out->from));
	/* Each group where the last of its axes is now: channels stay last. */
	for (int place = -1; place < (int)source->ndim; place++)
		for (uint32_t i = 0; i < count; i++) {
			int last = -1;

			for (uint32_t k = groups[i].from; k < groups[i].to; k++)
				last = v->from[k] > last ? v->from[k] : last;
			if (last != place)
				continue;
			for (uint32_t k = groups[i].from; k < groups[i].to; k++) {
				if (v->from[k] < 0)
					continue;
				out->from[k] = (int8_t)n;
				seen[v->from[k]] = true;
				perm[n++] = v->from[k];
			}
		}
	for (uint32_t i = 0; i < source->ndim; i++)
		if (!seen[i])
			perm[n++] = (int32_t)i;
	return n == source->ndim;
}

bool view_units(const struct ir_tensor *t, const struct ir_tensor *source, struct layout_view *out)
{
	uint32_t k = 0;

	memset(out->from, -1, sizeof(out->from));
	for (uint32_t i = 0; i < t->ndim; i++) {
		while (k < source->ndim && source->shape[k] == 1 && t->shape[i] != 1)
			k++;
		if (k < source->ndim && source->shape[k] == t->shape[i])
			out->from[i] = (int8_t)k++;
		else if (t->shape[i] != 1)
			return false;
	}
	while (k < source->ndim && source->shape[k] == 1)
		k++;
	return k == source->ndim;
}
