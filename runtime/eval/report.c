/* SPDX-License-Identifier: MIT */
/* What an evaluation found, as a table. */
#include "runtime/eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LABEL_WIDTH	22
#define COLUMN_MIN	16
#define COLUMN_MAX	34
#define MATRIX_CLASSES	20	/* more do not fit a line */
#define SPARSE_CLASSES	100	/* of more, JSON has only the entries that are not 0 */

double report_top1(const struct column *c)
{
	return c->score.count ? (double)score_correct(&c->score) / (double)c->score.count : 0;
}

static double in_top(const struct column *c)
{
	return c->score.count ? (double)c->score.in_top / (double)c->score.count : 0;
}

static double speed(const struct evaluation *e, const struct column *c)
{
	return c->seconds > 0 ? (double)e->count / c->seconds : 0;
}

/* ---- of one model: its classes ---- */

static const char *class_name(const struct evaluation *e, unsigned int c, char text[16])
{
	const char *name = samples_class_name(e->columns[0].samples, c);

	if (name)
		return name;
	snprintf(text, 16, "%u", c);
	return text;
}

/* What a class was most often taken for, itself aside. */
static void mistakes(const struct evaluation *e, const struct score *s, unsigned int c)
{
	const size_t *row = s->confusion + (size_t)c * s->classes;
	size_t last = SIZE_MAX;
	unsigned int after = 0;
	char text[16];

	for (int shown = 0; shown < 3; shown++) {
		unsigned int best = s->classes;

		/* The next by count, of equal counts by number. */
		for (unsigned int i = 0; i < s->classes; i++) {
			if (i == c || !row[i] || row[i] > last || (row[i] == last && i <= after))
				continue;
			if (best == s->classes || row[i] > row[best])
				best = i;
		}
		if (best == s->classes)
			return;
		printf(" %s %zu", class_name(e, best, text), row[best]);
		last = row[best];
		after = best;
	}
}

static void print_classes(const struct evaluation *e, const struct column *column)
{
	const struct score *s = &column->score;
	char text[16];

	printf("%-12s %9s %7s %6s   taken for\n", "class", "precision", "recall", "F1");
	for (unsigned int c = 0; c < s->classes; c++) {
		struct class_score r = score_class(s, c);

		if (s->classes > MATRIX_CLASSES && !r.labelled)
			continue;
		printf("%-12s %9.3f %7.3f %6.3f  ", class_name(e, c, text), r.precision, r.recall,
		       r.f1);
		if (s->classes > MATRIX_CLASSES)
			mistakes(e, s, c);
		for (unsigned int i = 0; i < s->classes && s->classes <= MATRIX_CLASSES; i++)
			printf(" %4zu", s->confusion[(size_t)c * s->classes + i]);
		putchar('\n');
	}
	putchar('\n');
}

static void print_likeness(const struct column *c)
{
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(c->engine, &count);

	for (uint32_t o = 0; o < count; o++)
		printf("%s: MSE %.3g, cosine %.5f, SNR %.1f dB, largest difference %.3g\n",
		       out[o].info.name, likeness_mse(&c->likeness[o]),
		       likeness_cosine(&c->likeness[o]), likeness_snr(&c->likeness[o]),
		       c->likeness[o].worst);
}

static void print_one(const struct evaluation *e)
{
	const struct column *c = &e->columns[0];
	const struct score *s = &c->score;

	if (e->classes) {
		struct class_score macro = score_macro(s);

		print_classes(e, c);
		printf("top-1     %.2f %%  (%zu of %zu)\n", 100 * report_top1(c), score_correct(s),
		       s->count);
		if (e->top > 1)
			printf("top-%-5u %.2f %%\n", e->top, 100 * in_top(c));
		printf("macro-F1  %.4f\n", macro.f1);
	}
	if (evaluation_compares(e, 0))
		print_likeness(c);
	printf("speed     %.0f %s/s on %s%s%s\n", speed(e, c), e->classes ? "images" : "samples",
	       *c->device ? c->device : "the CPU", *c->description ? ", " : "", c->description);
}

/* ---- of several: a line for each number, a column for each model ---- */

static int width(const struct evaluation *e)
{
	size_t n = COLUMN_MIN;

	for (unsigned int c = 0; c < e->column_count; c++) {
		const char *path = engine_path(e->columns[c].engine), *slash = strrchr(path, '/');
		size_t len = strlen(slash ? slash + 1 : path);

		n = len > n ? len : n;
	}
	return n > COLUMN_MAX ? COLUMN_MAX : (int)n;
}

enum row_kind {
	ROW_MODEL, ROW_ENGINE, ROW_TOP1, ROW_TOP, ROW_CORRECT, ROW_DROP, ROW_PRECISION, ROW_RECALL,
	ROW_F1, ROW_MICRO, ROW_COSINE, ROW_SNR, ROW_MSE, ROW_SPEED, ROW_KINDS,
};

static const char *const row_names[ROW_KINDS] = {
	[ROW_MODEL] = "",		  [ROW_ENGINE] = "",
	[ROW_TOP1] = "top-1 %",		  [ROW_CORRECT] = "right",
	[ROW_DROP] = "lost against float, points", [ROW_PRECISION] = "macro precision",
	[ROW_RECALL] = "macro recall",	  [ROW_F1] = "macro F1",
	[ROW_MICRO] = "micro F1",	  [ROW_COSINE] = "cosine",
	[ROW_SNR] = "SNR dB",		  [ROW_MSE] = "MSE",
	[ROW_SPEED] = "samples/s",
};

/* All outputs of a column together. */
static struct likeness total(const struct column *c)
{
	struct likeness sum = { 0 };
	uint32_t count;

	engine_outputs(c->engine, &count);
	for (uint32_t o = 0; o < count; o++) {
		sum.count += c->likeness[o].count;
		sum.numbers += c->likeness[o].numbers;
		sum.signal += c->likeness[o].signal;
		sum.noise += c->likeness[o].noise;
		sum.cosine += c->likeness[o].cosine;
		sum.worst = fmax(sum.worst, c->likeness[o].worst);
	}
	return sum;
}

static void cell(const struct evaluation *e, unsigned int index, enum row_kind row, char *text,
		 size_t len)
{
	const struct column *c = &e->columns[index];
	struct class_score macro = { 0 };
	struct likeness l = total(c);
	bool compares = evaluation_compares(e, index);
	const char *path = engine_path(c->engine), *slash = strrchr(path, '/');

	if (e->classes)
		macro = score_macro(&c->score);
	snprintf(text, len, "-");
	switch (row) {
	case ROW_MODEL:
		snprintf(text, len, "%.*s", COLUMN_MAX, slash ? slash + 1 : path);
		break;
	case ROW_ENGINE:
		snprintf(text, len, "%s", *c->device ? c->device :
						       engine_kind_names[engine_kind(c->engine)]);
		break;
	case ROW_TOP1:
		snprintf(text, len, "%.2f", 100 * report_top1(c));
		break;
	case ROW_TOP:
		snprintf(text, len, "%.2f", 100 * in_top(c));
		break;
	case ROW_CORRECT:
		snprintf(text, len, "%zu of %zu", score_correct(&c->score), c->score.count);
		break;
	case ROW_DROP:
		if (e->has_float && index)
			snprintf(text, len, "%.2f",
				 100 * (report_top1(&e->columns[0]) - report_top1(c)));
		break;
	case ROW_PRECISION:
		snprintf(text, len, "%.4f", macro.precision);
		break;
	case ROW_RECALL:
		snprintf(text, len, "%.4f", macro.recall);
		break;
	case ROW_F1:
		snprintf(text, len, "%.4f", macro.f1);
		break;
	case ROW_MICRO:
		/* One answer a sample: each wrong one is missed once and found once too often. */
		snprintf(text, len, "%.4f", report_top1(c));
		break;
	case ROW_COSINE:
		if (compares)
			snprintf(text, len, "%.5f", likeness_cosine(&l));
		break;
	case ROW_SNR:
		if (compares)
			snprintf(text, len, "%.1f", likeness_snr(&l));
		break;
	case ROW_MSE:
		if (compares)
			snprintf(text, len, "%.3g", likeness_mse(&l));
		break;
	case ROW_SPEED:
		snprintf(text, len, "%.0f", speed(e, c));
		break;
	case ROW_KINDS:
		break;
	}
}

static bool has_row(const struct evaluation *e, enum row_kind row)
{
	if (row == ROW_TOP)
		return e->classes && e->top > 1;
	if (row == ROW_DROP)
		return e->classes && e->has_float;
	if (row >= ROW_TOP1 && row <= ROW_MICRO)
		return e->classes;
	if (row >= ROW_COSINE && row <= ROW_MSE)
		return e->has_float || e->targets;
	return true;
}

static void print_table(const struct evaluation *e)
{
	int wide = width(e);
	char text[260];

	for (enum row_kind row = 0; row < ROW_KINDS; row++) {
		if (!has_row(e, row))
			continue;
		if (row == ROW_TOP)
			snprintf(text, sizeof(text), "top-%u %%", e->top);
		else
			snprintf(text, sizeof(text), "%s", row_names[row]);
		printf("%-*s", LABEL_WIDTH + 5, text);
		for (unsigned int c = 0; c < e->column_count; c++) {
			cell(e, c, row, text, sizeof(text));
			printf("  %*s", wide, text);
		}
		putchar('\n');
	}
}

static void print_agreement(const struct evaluation *e)
{
	for (unsigned int c = 0; c < e->column_count; c++) {
		const struct column *column = &e->columns[c];

		if (column->twin < 0)
			continue;
		printf("%s on %s: outputs equal to the reference's, byte for byte, in %zu of %zu samples",
		       engine_path(column->engine), column->device, column->identical, e->count);
		if (e->classes)
			printf(", the answer in %zu", column->same_answer);
		putchar('\n');
	}
}

void report_text(const struct evaluation *e, bool confusion)
{
	if (e->column_count == 1) {
		print_one(e);
		return;
	}
	for (unsigned int c = 0; c < e->column_count && confusion && e->classes; c++) {
		printf("%s, %s:\n", engine_path(e->columns[c].engine),
		       engine_kind_names[engine_kind(e->columns[c].engine)]);
		print_classes(e, &e->columns[c]);
	}
	print_table(e);
	print_agreement(e);
}

/* ---- JSON ---- */

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

/* [label][answer] */
static json_t *confusion_rows(const struct score *s)
{
	json_t *rows = json_array();

	for (unsigned int i = 0; i < s->classes; i++) {
		json_t *row = json_array();

		for (unsigned int k = 0; k < s->classes; k++)
			json_array_append_new(row, json_integer((json_int_t)
							s->confusion[(size_t)i * s->classes + k]));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* [label, answer, count], where there is anything to count */
static json_t *confusion_entries(const struct score *s)
{
	json_t *entries = json_array();

	for (size_t i = 0; i < (size_t)s->classes * s->classes; i++)
		if (s->confusion[i])
			json_array_append_new(entries, json_pack("[i, i, I]", (int)(i / s->classes),
								 (int)(i % s->classes),
								 (json_int_t)s->confusion[i]));
	return entries;
}

static int add_classes(json_t *o, const struct evaluation *e, const struct column *c)
{
	const struct score *s = &c->score;
	struct class_score macro = score_macro(s);
	json_t *classes = json_array();
	char text[16];
	int rc = 0;

	for (unsigned int i = 0; i < s->classes; i++) {
		struct class_score r = score_class(s, i);

		rc |= json_array_append_new(classes,
					    json_pack("{s:s, s:f, s:f, s:f, s:I}", "name",
						      class_name(e, i, text), "precision", r.precision,
						      "recall", r.recall, "f1", r.f1, "samples",
						      (json_int_t)r.labelled));
	}
	json_object_set_new(o, "correct", json_integer((json_int_t)score_correct(s)));
	json_object_set_new(o, "top1", json_real(report_top1(c)));
	if (e->top > 1) {
		json_object_set_new(o, "top_k", json_integer(e->top));
		json_object_set_new(o, "in_top_k", json_real(in_top(c)));
	}
	json_object_set_new(o, "macro_precision", json_real(macro.precision));
	json_object_set_new(o, "macro_recall", json_real(macro.recall));
	json_object_set_new(o, "macro_f1", json_real(macro.f1));
	json_object_set_new(o, "micro_f1", json_real(report_top1(c)));
	json_object_set_new(o, "classes", classes);
	if (s->classes <= SPARSE_CLASSES)
		json_object_set_new(o, "confusion", confusion_rows(s));
	else
		json_object_set_new(o, "confusions", confusion_entries(s));
	return rc;
}

static json_t *column_json(const struct evaluation *e, unsigned int index)
{
	const struct column *c = &e->columns[index];
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(c->engine, &count);
	json_t *o = json_pack("{s:s, s:s, s:I, s:f}", "model", engine_path(c->engine), "engine",
			      engine_kind_names[engine_kind(c->engine)], "images",
			      (json_int_t)e->count, "images_per_second", speed(e, c));
	int rc = o ? 0 : -1;

	if (o && *c->device) {
		rc |= json_object_set_new(o, "device", json_string(c->device));
		rc |= json_object_set_new(o, "description", json_string(c->description));
	}
	if (o && e->classes)
		rc |= add_classes(o, e, c);
	if (o && e->classes && e->has_float && index)
		json_object_set_new(o, "drop", json_real(report_top1(&e->columns[0]) - report_top1(c)));
	if (o && evaluation_compares(e, index)) {
		json_t *outputs = json_array();

		for (uint32_t i = 0; i < count; i++)
			rc |= json_array_append_new(
				outputs, json_pack("{s:s, s:o, s:o, s:o, s:o}", "name",
						   out[i].info.name, "mse",
						   number(likeness_mse(&c->likeness[i])), "cosine",
						   number(likeness_cosine(&c->likeness[i])), "snr",
						   number(likeness_snr(&c->likeness[i])), "worst",
						   number(c->likeness[i].worst)));
		json_object_set_new(o, "outputs", outputs);
	}
	if (o && c->twin >= 0) {
		json_object_set_new(o, "equal_to_reference", json_integer((json_int_t)c->identical));
		if (e->classes)
			json_object_set_new(o, "same_answer_as_reference",
					    json_integer((json_int_t)c->same_answer));
	}
	if (!rc)
		return o;
	json_decref(o);
	return NULL;
}

json_t *report_json(const struct evaluation *e)
{
	json_t *columns;

	if (e->column_count == 1)
		return column_json(e, 0);
	columns = json_array();
	for (unsigned int c = 0; c < e->column_count; c++)
		if (json_array_append_new(columns, column_json(e, c))) {
			json_decref(columns);
			return NULL;
		}
	return json_pack("{s:I, s:o}", "images", (json_int_t)e->count, "columns", columns);
}
