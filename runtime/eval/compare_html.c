/* SPDX-License-Identifier: MIT */
/* A comparison as a page that needs nothing else: a plot in the order of computing, and the table. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/eval/compare.h"
#include "runtime/file.h"
#include "runtime/html.h"

#define WIDTH		960
#define HEIGHT		300
#define LEFT		50
#define BOTTOM		26
#define SNR_TOP		60.0	/* dB; more is shown as that */
#define SNR_GRID	10

/* Below the first a tensor carries little of what it should, above the second int8 can hardly do better. */
static const double snr_bad = 10, snr_good = 25;

static const char *shade(double snr)
{
	return snr < snr_bad ? "bad" : snr < snr_good ? "fair" : "good";
}

static int by_order(const void *a, const void *b)
{
	const struct compare_tensor *x = *(const struct compare_tensor *const *)a;
	const struct compare_tensor *y = *(const struct compare_tensor *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void heading(FILE *f, const struct comparison *c, const char *wanted, const char *got)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", f);
	html_text(f, got);
	fputs("</title>\n<style>\n"
	      "body { font: 14px/1.4 sans-serif; color: #222; max-width: 980px; margin: 2em auto; "
	      "padding: 0 1em }\n"
	      "svg { width: 100%; height: auto; font-size: 11px }\n"
	      "table { border-collapse: collapse; font-variant-numeric: tabular-nums }\n"
	      "th, td { padding: 2px 8px; text-align: right; border-bottom: 1px solid #ddd }\n"
	      "th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left }\n"
	      ".scroll { overflow-x: auto }\n.grid { stroke: #e4e4e4 }\n.line { fill: none; stroke: #999 }\n"
	      ".bad { fill: #c0392b }\n.fair { fill: #d68910 }\n.good { fill: #1e8449 }\n"
	      "td.bad { color: #c0392b }\ntd.fair { color: #9a6207 }\ntd.good { color: #1e8449 }\n"
	      "@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd } "
	      "svg text { fill: #ddd } .grid { stroke: #3a3a3a } th, td { border-color: #444 } }\n"
	      "</style></head><body>\n<h1>",
	      f);
	html_text(f, got);
	fputs(" against ", f);
	html_text(f, wanted);
	fprintf(f, "</h1>\n<p>%u tensors on %zu samples", c->count, c->samples);
	if (c->unmatched)
		fprintf(f, "; %u more are in the integer model only", c->unmatched);
	fputs(".</p>\n", f);
}

static double at_x(const struct comparison *c, uint32_t place)
{
	return LEFT + 8 + (c->count > 1 ? (double)place / (c->count - 1) : 0.5) * (WIDTH - LEFT - 20);
}

static double at_y(double snr)
{
	double v = fmin(fmax(snr, 0), SNR_TOP);

	return 8 + (HEIGHT - BOTTOM - 8) * (1 - v / SNR_TOP);
}

static void plot(FILE *f, const struct comparison *c, const struct compare_tensor *const *list)
{
	fprintf(f, "<h2>Signal to noise</h2>\n<p>In the order of computing: where the curve falls, "
		"something is lost; errors add up from there. Point at a tensor to see its name.</p>\n"
		"<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
	for (int db = 0; db <= (int)SNR_TOP; db += SNR_GRID)
		fprintf(f, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d dB</text>\n", LEFT, WIDTH,
			at_y(db), at_y(db), LEFT - 6, at_y(db) + 4, db);
	fputs("<polyline class=\"line\" points=\"", f);
	for (uint32_t i = 0; i < c->count; i++)
		fprintf(f, "%.1f,%.1f ", at_x(c, i), at_y(likeness_snr(&list[i]->likeness)));
	fputs("\"/>\n", f);
	for (uint32_t i = 0; i < c->count; i++) {
		double snr = likeness_snr(&list[i]->likeness);

		fprintf(f, "<circle class=\"%s\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\"><title>", shade(snr),
			at_x(c, i), at_y(snr));
		html_text(f, list[i]->tensor.info.name);
		fprintf(f, " (%s): %.1f dB, cosine %.5f</title></circle>\n", list[i]->op, snr,
			likeness_cosine(&list[i]->likeness));
	}
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">order of computing</text></svg>\n",
		WIDTH - 4, HEIGHT - 6);
}

static void table(FILE *f, const struct comparison *c)
{
	fputs("<h2>Tensors, worst first</h2>\n<div class=\"scroll\"><table><tr><th>tensor<th>made by"
	      "<th>#<th>SQNR dB<th>cosine<th>MSE<th>largest error<th>range<th>scale<th>zero point"
	      "<th>at the ends %\n",
	      f);
	for (uint32_t i = 0; i < c->count; i++) {
		const struct compare_tensor *t = &c->tensors[i];
		double snr = likeness_snr(&t->likeness);

		fputs("<tr><td>", f);
		html_text(f, t->tensor.info.name);
		fprintf(f, "<td>%s<td>%u<td class=\"%s\">%.1f<td>%.5f<td>%.3g<td>%.3g<td>%.4g to %.4g"
			"<td>%.4g<td>%d<td>%.2f\n", t->op, t->order, shade(snr), snr,
			likeness_cosine(&t->likeness), likeness_mse(&t->likeness), t->likeness.worst,
			t->low, t->high, t->tensor.scale, t->tensor.zero_point,
			100.0 * (double)t->ends / (double)t->likeness.numbers);
	}
	fputs("</table></div>\n<p>At the ends: elements that are the lowest or the highest integer. A "
	      "ReLU's zeros are; elsewhere many of them mean that the range was chosen too narrow.</p>\n",
	      f);
}

int compare_write_html(const struct comparison *c, const char *wanted, const char *got,
		       const char *path, struct error *err)
{
	const struct compare_tensor **list = malloc((c->count + 1) * sizeof(*list));
	struct file_out out;
	int rc;

	if (!list)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->count; i++)
		list[i] = &c->tensors[i];
	qsort(list, c->count, sizeof(*list), by_order);
	rc = file_create(path, &out, err);
	if (!rc) {
		heading(out.stream, c, wanted, got);
		plot(out.stream, c, list);
		table(out.stream, c);
		fputs("</body></html>\n", out.stream);
		rc = file_commit(&out, err);
	}
	free(list);
	return rc;
}
