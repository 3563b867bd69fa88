/* SPDX-License-Identifier: MIT */
/* Which type and which scale everything gets, before anything is rewritten. */
#ifndef ACCEL_RUNTIME_QUANTISE_PLAN_H
#define ACCEL_RUNTIME_QUANTISE_PLAN_H

#include "runtime/quantise/calibrate.h"
#include "runtime/quantise/quantise.h"
#include "runtime/quantise/rules.h"

/* What an operation computes in, and what a tensor is stored as. */
enum precision {
	PREC_KEEP,	/* nothing is float there: as it is */
	PREC_FLOAT,
	PREC_8,
	PREC_16,
};

/**
 * struct plan_node - a tensor in one of the two integer types
 * @parent: index of a node of the same scale, itself: none
 * @low, @high: range, of a root
 * @fixed: @scale and @zero_point are given
 */
struct plan_node {
	uint32_t parent;
	float low, high;
	bool fixed;
	float scale;
	int32_t zero_point;
};

/**
 * struct plan - decisions for a prepared float graph
 * @precision: of each operation, enum precision
 * @home: of each tensor: what it is stored as by whoever makes it
 * @nodes: two for each tensor, int8 and int16
 * @wide: of each operation: 16 bits are wanted; NULL: of none
 * @real: of each operation: it stays float; NULL: none must
 * @bias_shift: of each operation, to be added to its bias, an entry an output; NULL: nothing
 * @rounded: of each operation, its weights as integers; NULL: to the nearest
 */
struct plan {
	const struct ir_graph *g;
	const struct stats *stats;
	const struct quantise_options *opt;
	uint8_t *precision;
	uint8_t *home;
	struct plan_node *nodes;
	bool *wide, *real;
	float **bias_shift;
	int8_t **rounded;
};

int plan_init(struct plan *p, const struct ir_graph *g, const struct stats *stats,
	      const struct quantise_options *opt, struct error *err);
void plan_free(struct plan *p);

/* plan_assign - decide (again, after @wide changed) */
void plan_assign(struct plan *p);

/* Scale and zero point of a tensor in an integer type. */
void plan_quant(const struct plan *p, uint32_t tensor, unsigned int precision, float *scale,
		int32_t *zero_point);

/**
 * struct layer_quant - a layer's weights and bias in integers
 * @weights: as the float tensor lies
 * @scales: of the weights, @scale_count: 1 or one an output
 * @bias: int32, or int64 for activations of 16 bits; NULL: none. Its scales are @bias_scales.
 */
struct layer_quant {
	struct layer_shape shape;
	int8_t *weights;
	float *scales, *bias_scales;
	uint32_t scale_count;
	int bias_type;
	void *bias;
};

/**
 * layer_quantise - of operation @op, a layer
 * @out: free with layer_quant_free()
 *
 * Return: 0, -ENOMEM.
 */
int layer_quantise(const struct plan *p, uint32_t op, struct layer_quant *out);
void layer_quant_free(struct layer_quant *q);

/* layer_scales - scales of the weights alone: for each output, in any case */
void layer_scales(const struct plan *p, uint32_t op, const struct layer_shape *shape, float *scales);

/**
 * plan_rewrite - the graph in integers
 * @out: a graph of its own
 * @map: of each tensor of the plan's graph the tensor of @out that is its home, IR_NONE: a constant
 */
int plan_rewrite(const struct plan *p, struct ir_graph **out, uint32_t *map, struct error *err);

#endif
