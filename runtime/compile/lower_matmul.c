/* SPDX-License-Identifier: MIT */
/*
 * Lowering: BATCH_MATMUL. U85 takes the second matrix in place of weights. U55 and U65 do not: for
 * each column of the result the rows are multiplied by the column, and the products summed.
 */
#include "runtime/compile/lower.h"

/* The matrix with its last two axes swapped, elements one behind the other. */
static int turn(struct lower *l, struct nd *m)
{
	int32_t shape[2] = { m->shape[1], m->shape[0] };
	uint32_t t = lower_temp(l, m->type, 2, shape);
	struct nd to;
	int rc;

	if (t == IR_NONE)
		return lower_no_memory(l);
	nd_permute(m, (uint32_t[]){ 1, 0 });
	to = lower_nd(l, t);
	rc = lower_copy(l, to, *m);
	to.zero_point = m->zero_point;
	*m = to;
	return rc;
}

/*
 * struct matrices - one product
 * @a: [rows][depth]
 * @b: [columns][depth]
 */
struct matrices {
	struct nd a, b, ofm;
};

static int emit_u85(struct lower *l, const struct ir_npu *proto, struct matrices m)
{
	struct ir_npu npu = *proto;

	nd_rank(&m.a, 3);
	nd_rank(&m.b, 3);
	nd_rank(&m.ofm, 3);
	if (!nd_view(&m.a, &npu.ifm) || !nd_view(&m.b, &npu.ifm2) || !nd_view(&m.ofm, &npu.ofm))
		return lower_cpu(l, "elements do not follow each other in memory");
	return lower_emit(l, &npu);
}

static int emit_columns(struct lower *l, const struct ir_npu *proto, struct matrices m)
{
	struct ir_npu mul = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT32);
	struct ir_npu sum = lower_npu(IR_NPU_POOL, IR_POOL_REDUCE_SUM, m.ofm.type);
	int rc = 0;

	mul.round = IR_ROUND_NATURAL;
	sum.round = IR_ROUND_TFL;
	sum.ofm_scale = proto->ofm_scale;
	for (int32_t i = 0; i < m.b.shape[0] && !rc; i++) {
		struct nd column = m.b, out = m.ofm, products;
		uint32_t t = lower_temp(l, ELEM_INT32, 2, m.a.shape);

		if (t == IR_NONE)
			return lower_no_memory(l);
		products = lower_nd(l, t);
		nd_slice(&column, 0, i, 1, 1);
		nd_slice(&out, 1, i, 1, 1);
		rc = lower_map(l, &mul, products, m.a, &column);
		if (rc)
			break;
		nd_rank(&products, 3);
		nd_rank(&out, 3);
		if (!nd_view(&products, &sum.ifm) || !nd_view(&out, &sum.ofm))
			return lower_cpu(l, "elements do not follow each other in memory");
		rc = lower_emit(l, &sum);
	}
	return rc;
}

/* One of the leading axes' matrices; an axis of extent 1 goes with any. */
static struct nd matrix_at(struct nd d, const int32_t *at)
{
	for (uint32_t i = 0; d.n > 2; i++) {
		nd_slice(&d, 0, d.shape[0] == 1 ? 0 : at[i], 1, 1);
		nd_drop(&d, 0);
	}
	return d;
}

/* Scale, rounding and accumulators. */
static const char *prepare(const struct lower *l, const struct ir_op *op, struct ir_npu *npu)
{
	const struct ir_tensor *a = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *b = lower_tensor(l, op->inputs[1]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	bool wide = a->type == ELEM_INT16;
	double m;

	if (a->type != b->type || a->type != out->type ||
	    (a->type != ELEM_INT8 && !(wide && l->u85)))
		return "the type is not int8";
	if (!quant_of(a) || !quant_of(b) || !quant_of(out))
		return "a tensor is not quantised";
	m = (double)(a->quant.scale[0] * b->quant.scale[0]) / quant_of(out);
	npu->acc48 = wide;
	npu->round = wide ? IR_ROUND_NATURAL : IR_ROUND_TFL;
	if (wide ? !quant_scale16(m, &npu->ofm_scale) : !quant_scale(m, 0, &npu->ofm_scale))
		return "the scale is out of range";
	npu->act_min = quant_low(out->type);
	npu->act_max = quant_high(out->type);
	return NULL;
}

#define PRODUCTS_MAX	4096	/* operations that one BATCH_MATMUL may become */

int lower_matmul(struct lower *l, const struct ir_op *op)
{
	struct ir_npu npu = lower_npu(IR_NPU_MATMUL, 0, ELEM_INT8);
	struct nd a = lower_nd(l, op->inputs[0]), b = lower_nd(l, op->inputs[1]);
	struct nd ofm = lower_nd(l, op->outputs[0]);
	const char *why = prepare(l, op, &npu);
	int32_t at[IR_MAX_DIMS] = { 0 };
	int64_t batches = 1, done = 0;
	int rc = 0;

	if (why)
		return lower_cpu(l, why);
	if (ofm.n < 2 || a.n < 2 || b.n < 2 || a.n > ofm.n || b.n > ofm.n)
		return lower_cpu(l, "fewer than two axes");
	nd_rank(&a, ofm.n);
	nd_rank(&b, ofm.n);
	for (uint32_t i = 0; i + 2 < ofm.n; i++) {
		batches *= ofm.shape[i];
		if ((a.shape[i] != 1 && a.shape[i] != ofm.shape[i]) ||
		    (b.shape[i] != 1 && b.shape[i] != ofm.shape[i]))
			return lower_cpu(l, "leading axes do not broadcast");
	}
	if (batches * (l->u85 ? 1 : ofm.shape[ofm.n - 1]) > PRODUCTS_MAX)
		return lower_cpu(l, "too many products");
	for (; done < batches && !rc; done++) {
		struct matrices m = { matrix_at(a, at), matrix_at(b, at), matrix_at(ofm, at) };

		/* [rows][depth] and [columns][depth]. */
		if (op->options->adj_x)
			rc = turn(l, &m.a);
		if (!rc && !op->options->adj_y)
			rc = turn(l, &m.b);
		if (rc)
			return rc;
		if (m.a.shape[1] != m.b.shape[1] || m.a.shape[0] != m.ofm.shape[0] ||
		    m.b.shape[0] != m.ofm.shape[1])
			return lower_cpu(l, "the matrices do not fit each other");
		rc = l->u85 ? emit_u85(l, &npu, m) : emit_columns(l, &npu, m);
		/* The next of the leading axes. */
		for (uint32_t i = ofm.n - 2; i-- > 0;) {
			if (++at[i] < ofm.shape[i])
				break;
			at[i] = 0;
		}
	}
	return rc;
}
