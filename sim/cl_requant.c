/* SPDX-License-Identifier: MIT */
/* Finds and proves single precision coefficients for the output stage, see cl_requant.h. */
#include "sim/cl_requant.h"

#include <math.h>

#include "sim/op.h"

/*
 * Neighbours of the natural factor that are tried before giving up, in units of its last place, and offsets for
 * each: how the sums are rounded differs from one to the next.
 */
#define FIT_FACTORS	2
#define FIT_OFFSETS	10

/* Largest magnitude that acc * m + b may reach: beyond it a conversion to int32 is undefined. */
#define FIT_LIMIT 1e9

/* What accumulators may be moved by, and reach before: both together stay within 32 bits. */
#define BASE_MAX 0x1p30

static int64_t round_tfl(int64_t product, unsigned int shift)
{
	/* Below 31 the accumulator is shifted up first, so only the high multiply rounds. */
	int64_t high, mask, threshold;
	unsigned int rest;

	if (shift < 31)
		return shift ? (product + (1LL << (shift - 1))) >> shift : product;
	high = (product + (1LL << 30)) >> 31;
	rest = shift - 31;
	mask = (1LL << rest) - 1;
	threshold = (mask >> 1) + (high < 0);
	return (high >> rest) + ((high & mask) > threshold);
}

int32_t npu_requant_exact(const struct npu_requant *r, int64_t acc)
{
	int64_t product = acc * (int64_t)r->scale;
	int64_t half = r->shift ? 1LL << (r->shift - 1) : 0;
	int64_t v;

	switch (r->round) {
	case NPU_ROUND_TFL:
		v = round_tfl(product, r->shift);
		break;
	case NPU_ROUND_SYMMETRIC:
		v = product < 0 ? -((-product + half) >> r->shift) : (product + half) >> r->shift;
		break;
	case NPU_ROUND_TO_ZERO:
		v = product < 0 ? -(-product >> r->shift) : product >> r->shift;
		break;
	case NPU_ROUND_TO_LOWER:
		v = product >> r->shift;
		break;
	default:
		v = (product + half) >> r->shift;
		break;
	}
	v += r->zero_point;
	return v < r->lo ? r->lo : v > r->hi ? r->hi : (int32_t)v;
}

/* The smallest accumulator in range whose output is at least @t; acc_max + 1 if there is none. */
static int64_t step_at(const struct npu_requant *r, int32_t t)
{
	double guess = (t - r->zero_point - 0.5) * ldexp(1.0, (int)r->shift) / r->scale;
	int64_t acc;

	if (guess <= (double)r->acc_min)
		acc = r->acc_min;
	else if (guess >= (double)r->acc_max)
		acc = r->acc_max;
	else
		acc = (int64_t)guess;
	while (acc > r->acc_min && npu_requant_exact(r, acc - 1) >= t)
		acc--;
	while (acc <= r->acc_max && npu_requant_exact(r, acc) < t)
		acc++;
	return acc;
}

/* Where the float expression is for an accumulator. */
static float fit_eval(const struct npu_requant *r, const struct npu_fit *f, int64_t acc)
{
	return fmaf((float)(acc - f->base), f->m, !r->center && acc < 0 ? -f->c : f->c);
}

/* What the kernels make of the expression. */
static int32_t fit_out(const struct npu_requant *r, const struct npu_fit *f, int64_t acc)
{
	float v = rintf(fit_eval(r, f, acc)) + (float)(r->center + r->zero_point);

	return v < (float)r->lo ? r->lo : v > (float)r->hi ? r->hi : (int32_t)v;
}

/* An accumulator for which the expression is on the wrong side of a step: can it be moved? */
static bool fit_move(const struct npu_requant *r, struct npu_fit *f, int64_t acc, int by)
{
	if (f->by || fit_out(r, f, acc + by) != npu_requant_exact(r, acc))
		return false;
	f->odd = (int32_t)acc;
	f->by = by;
	return true;
}

/*
 * The expression never falls, so from a step outwards it is enough to go until it is right by itself.
 * That takes one or two values, as it is off by much less than a step.
 */
static bool fit_step(const struct npu_requant *r, struct npu_fit *f, int64_t acc, int32_t t)
{
	for (int64_t i = acc; i <= r->acc_max && rintf(fit_eval(r, f, i)) < t; i++)
		if (!fit_move(r, f, i, 1))
			return false;
	for (int64_t i = acc - 1; i >= r->acc_min && rintf(fit_eval(r, f, i)) >= t; i--)
		if (!fit_move(r, f, i, -1))
			return false;
	return true;
}

static bool fit_holds(const struct npu_requant *r, const int64_t *steps, struct npu_fit *f)
{
	f->by = 0;
	for (int32_t t = r->lo + 1; t <= r->hi; t++)
		if (!fit_step(r, f, steps[t - r->lo - 1], t - r->zero_point - r->center))
			return false;
	return true;
}

/* Is the value on the right side of step @t, or so near a tie that it will be looked at again? */
static bool tie_side(float v, int32_t t, bool at_least, float limit)
{
	return (rintf(v) >= t) == at_least || fabsf(v - rintf(v)) > limit;
}

static bool tie_step(const struct npu_requant *r, const struct npu_fit *f, int64_t acc, int32_t t)
{
	for (int64_t i = acc; i <= r->acc_max; i++) {
		float v = fit_eval(r, f, i);

		if (!tie_side(v, t, true, f->limit))
			return false;
		if (rintf(v) >= t)
			break;
	}
	for (int64_t i = acc - 1; i >= r->acc_min; i--) {
		float v = fit_eval(r, f, i);

		if (!tie_side(v, t, false, f->limit))
			return false;
		if (rintf(v) < t)
			break;
	}
	return true;
}

/* Does it hold if values nearer to a tie than @f->limit are looked at again? */
static bool ties_hold(const struct npu_requant *r, const int64_t *steps, const struct npu_fit *f)
{
	for (int32_t t = r->lo + 1; t <= r->hi; t++)
		if (!tie_step(r, f, steps[t - r->lo - 1], t - r->zero_point - r->center))
			return false;
	return true;
}

/* Between which offsets all steps are right for the factor. If they contradict, @low is above @high. */
static void fit_offsets(const struct npu_requant *r, const int64_t *steps, const struct npu_fit *f, double *lowest,
			double *highest)
{
	double middle = (double)f->base * f->m - r->center;
	double low = middle - 1, high = middle + 1;

	for (int32_t t = r->lo + 1; t <= r->hi; t++) {
		int64_t acc = steps[t - r->lo - 1];
		double edge = t - r->zero_point - r->center - 0.5;
		double above = edge - (double)(acc - f->base) * f->m;
		double below = edge - (double)(acc - 1 - f->base) * f->m;
		bool flip = !r->center && acc < 0, flip_below = !r->center && acc - 1 < 0;

		if (acc <= r->acc_max && !flip)
			low = fmax(low, above);
		else if (acc <= r->acc_max)
			high = fmin(high, -above);
		if (acc > r->acc_min && !flip_below)
			high = fmin(high, below);
		else if (acc > r->acc_min)
			low = fmax(low, -below);
	}
	*lowest = low;
	*highest = high;
}

/* From the middle outwards. */
static float offset_at(double low, double high, int try)
{
	int side = try & 1 ? (try + 1) / 2 : -(try / 2);

	return (float)((low + high) / 2 + (high - low) * side / (FIT_OFFSETS + 1));
}

struct npu_fit npu_requant_fit(const struct npu_requant *r, float band)
{
	float factor = (float)ldexp(r->scale, -(int)r->shift);
	double reach = fmax(fabs((double)r->acc_min), fabs((double)r->acc_max));
	struct npu_fit f = { .m = factor, .limit = -1 }, moved = f;
	int64_t steps[255];
	double low, high;

	if (r->hi - r->lo > 255 || r->hi < r->lo || reach > (double)INT32_MAX + 1 ||
	    reach * factor >= FIT_LIMIT)
		return f;
	/* A channel that is all but dead does not get to the middle: it stays where it is. */
	if (r->center && r->center / factor < BASE_MAX && reach < BASE_MAX)
		f.base = (int32_t)lrint(r->center / factor);
	f.c = (float)((double)f.base * f.m - r->center);
	if (!r->scale) {
		f.limit = 1;
		return f;
	}
	for (int32_t t = r->lo + 1; t <= r->hi; t++)
		steps[t - r->lo - 1] = step_at(r, t);
	for (int i = 0; i <= 2 * FIT_FACTORS; i++) {
		int ulps = i & 1 ? (i + 1) / 2 : -(i / 2);

		f.m = factor * (1 + (float)ulps * 0x1p-23f);
		fit_offsets(r, steps, &f, &low, &high);
		for (int k = 0; k <= FIT_OFFSETS; k++) {
			f.c = offset_at(low, high, k);
			if (!fit_holds(r, steps, &f))
				continue;
			f.limit = 1;
			if (!f.by)
				return f;
			moved = f;
		}
	}
	if (moved.by)
		return moved;
	f.m = factor;
	f.by = 0;
	fit_offsets(r, steps, &f, &low, &high);
	f.c = offset_at(low, high, 0);
	f.limit = 0.5f - band;
	if (!ties_hold(r, steps, &f))
		f.limit = -1;
	return f;
}
