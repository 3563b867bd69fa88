/* SPDX-License-Identifier: MIT */
/*
 * A profile as one HTML page that needs nothing else: a line of time, a roofline picture, a table.
 * Pictures are SVG in the page; what a shape stands for is its title, which browsers show.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cost/estimate.h"
#include "runtime/file.h"
#include "runtime/html.h"

#define WIDTH		1100
#define LANE		46
#define ROOF_HEIGHT	420
#define ROOF_LEFT	70
#define ROOF_BOTTOM	50

static const char style[] =
	"body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:1160px;padding:0 1em;"
	"background:#fff;color:#222}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}"
	"table{border-collapse:collapse;width:100%}td,th{padding:.15em .6em;text-align:right;"
	"border-bottom:1px solid #8883;white-space:nowrap}td:nth-child(3),th:nth-child(3),"
	"td:last-child,th:last-child{text-align:left}.sum td{text-align:left!important}"
	"svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}"
	".b0{fill:#2a78c2}.b1{fill:#3aa66a}.b2{fill:#8a8f98}.b3{fill:#d9902f}.b4{fill:#c9483f}"
	".b5{fill:#8e5bb5}.axis{stroke:currentColor;stroke-width:1;fill:none}.grid{stroke:#8884;"
	"stroke-width:1}.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}"
	".scroll{overflow-x:auto}"
	"@media(prefers-color-scheme:dark){body{background:#16181c;color:#ddd}}";

static const char *const colours[] = {
	"#2a78c2", "#3aa66a", "#8a8f98", "#d9902f", "#c9483f", "#8e5bb5",
};

static void heading(FILE *f, const struct profile *p, const char *model)
{
	const struct estimate *e = &p->estimate;
	const struct target *t = p->target;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\"><title>", f);
	html_text(f, model);
	fprintf(f, "</title><style>%s</style></head><body>\n<h1>", style);
	html_text(f, model);
	fprintf(f, "</h1><p>Estimate for %s, ", t->cost.arch->name);
	html_text(f, t->system.name);
	fputs(", ", f);
	html_text(f, t->mode.name);
	fprintf(f, ", %g MHz</p>\n<table class=\"sum\">"
		"<tr><td>latency<td>%.3f ms, %.1f a second, %llu cycles"
		"<tr><td>utilisation<td>%.1f %% of %u multiply-accumulates per cycle"
		"<tr><td>most time<td>%s"
		"<tr><td>SRAM<td>%llu bytes, %llu moved"
		"<tr><td>%s<td>%llu bytes of RAM, %llu moved"
		"<tr><td>flash<td>%llu bytes"
		"<tr><td>operations<td>%u on the NPU, %u copies, %u on the CPU (not counted)"
		"</table>\n",
		t->system.clock_hz / 1e6, e->seconds * 1e3, e->seconds > 0 ? 1 / e->seconds : 0,
		(unsigned long long)e->total.cycles, 100 * e->utilisation,
		(unsigned int)t->cost.arch->macs, estimate_bound_name(t, e->bound),
		(unsigned long long)e->sram, (unsigned long long)e->traffic[COST_SRAM],
		t->system.flash ? "flash" : "DRAM", (unsigned long long)e->ram,
		(unsigned long long)e->traffic[COST_EXT], (unsigned long long)e->flash, e->npu_ops,
		e->total.copies, e->cpu_ops);
}

static void legend(FILE *f, const struct profile *p)
{
	fputs("<p>Waits for:", f);
	for (unsigned int k = 0; k <= COST_BOUND_DMA; k++)
		fprintf(f, "<span class=\"key\" style=\"background:%s\"></span>%s", colours[k],
			estimate_bound_name(p->target, k));
	fputs("</p>\n", f);
}

/* ---- the line of time ---- */

/* A round number of which @range has five to ten. */
static double round_step(double range)
{
	double step = pow(10, floor(log10(range / 5)));

	return range / step > 25 ? 5 * step : range / step > 10 ? 2 * step : step;
}

static void timeline(FILE *f, const struct profile *p)
{
	double end = target_us(p->target, p->estimate.total.cycles);
	double scale = end > 0 ? (WIDTH - 80) / end : 0, step = end > 0 ? round_step(end) : 1;
	char text[64];

	fprintf(f, "<h2>Time</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">"
		"<text x=\"0\" y=\"28\">kernels</text><text x=\"0\" y=\"%d\">DMA</text>\n",
		WIDTH, 2 * LANE + 34, LANE + 28);
	for (double us = 0; us <= end; us += step)
		fprintf(f, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"4\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			70 + us * scale, 70 + us * scale, 2 * LANE + 6, 70 + us * scale,
			2 * LANE + 20, us);
	for (size_t i = 0; i < p->count; i++) {
		const struct profile_op *op = &p->ops[i];
		double from = target_us(p->target, op->step.start) * scale;
		double wide = target_us(p->target, op->step.end - op->step.start) * scale;
		bool dma = op->op.kind == NPU_KIND_DMA;

		if (op->chained)
			continue;
		fprintf(f, "<rect class=\"b%u\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\">"
			"<title>%zu: %s, %u x %u x %u, %.2f us, %s</title></rect>\n",
			dma ? COST_BOUND_DMA : op->step.result.bound, 70 + from,
			dma ? LANE + 8 : 8, wide > 0.3 ? wide : 0.3, LANE - 8, i,
			profile_op_text(op, text, sizeof(text)), op->op.oh, op->op.ow, op->op.oc,
			target_us(p->target, op->step.end - op->step.start),
			estimate_bound_name(p->target, op->step.result.bound));
	}
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">microseconds</text></svg>\n", WIDTH,
		2 * LANE + 33);
}

/* ---- the roofline ---- */

/* Both axes are logarithmic: x multiply-accumulates per byte, y per cycle. */
struct axes {
	double x0, x1, y0, y1;
};

static double at_x(const struct axes *a, double v)
{
	return ROOF_LEFT + (log10(v) - a->x0) / (a->x1 - a->x0) * (WIDTH - ROOF_LEFT - 10);
}

static double at_y(const struct axes *a, double v)
{
	return (ROOF_HEIGHT - ROOF_BOTTOM) * (1 - (log10(v) - a->y0) / (a->y1 - a->y0));
}

/* The memory that an operation needs longest; false: it has no place in the picture. */
static bool place(const struct profile_op *op, unsigned int *memory, double *intensity,
		  double *rate)
{
	const struct cost_result *r = &op->step.result;
	uint64_t bytes;

	if (op->chained || op->op.kind == NPU_KIND_DMA || !r->macs || !r->cycles)
		return false;
	*memory = r->memory_cycles[COST_EXT] >= r->memory_cycles[COST_SRAM] ? COST_EXT : COST_SRAM;
	bytes = profile_op_bytes(op, *memory);
	if (!bytes)
		return false;
	*intensity = (double)r->macs / (double)bytes;
	*rate = (double)r->macs / (double)r->cycles;
	return true;
}

static void set_axes(const struct profile *p, struct axes *a)
{
	double peak = p->target->cost.arch->macs, x, y;
	unsigned int memory;

	*a = (struct axes){ .x0 = 0, .x1 = 2, .y0 = log10(peak) - 2, .y1 = log10(peak) + 0.2 };
	for (size_t i = 0; i < p->count; i++) {
		if (!place(&p->ops[i], &memory, &x, &y))
			continue;
		a->x0 = fmin(a->x0, log10(x) - 0.1);
		a->x1 = fmax(a->x1, log10(x) + 0.1);
		a->y0 = fmin(a->y0, log10(y) - 0.1);
	}
}

static void roof(FILE *f, const struct axes *a, double peak, double bandwidth, const char *name,
		 const char *colour)
{
	double knee = fmin(fmax(log10(peak / bandwidth), a->x0), a->x1);
	double left = fmax(a->x0, a->y0 - log10(bandwidth));

	if (left < knee)
		fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
			"stroke-width=\"2\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s, %g bytes a cycle"
			"</text>\n",
			at_x(a, pow(10, left)), at_y(a, pow(10, left) * bandwidth),
			at_x(a, pow(10, knee)), at_y(a, pow(10, knee) * bandwidth), colour,
			at_x(a, pow(10, (left + 3 * knee) / 4)) - 4,
			at_y(a, pow(10, (left + 3 * knee) / 4) * bandwidth) - 4, name, bandwidth);
}

static void roof_axes(FILE *f, const struct axes *a)
{
	for (double d = ceil(a->x0); d <= a->x1; d++)
		fprintf(f, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			at_x(a, pow(10, d)), at_x(a, pow(10, d)), ROOF_HEIGHT - ROOF_BOTTOM,
			at_x(a, pow(10, d)), ROOF_HEIGHT - ROOF_BOTTOM + 18, pow(10, d));
	for (double d = ceil(a->y0); d <= a->y1; d++)
		fprintf(f, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", ROOF_LEFT, WIDTH - 10,
			at_y(a, pow(10, d)), at_y(a, pow(10, d)), ROOF_LEFT - 6,
			at_y(a, pow(10, d)) + 4, pow(10, d));
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">multiply-accumulates per byte"
		"</text><text x=\"0\" y=\"12\">per cycle</text>\n", WIDTH - 10, ROOF_HEIGHT - 8);
}

static void roofline(FILE *f, const struct profile *p)
{
	const struct cost_target *t = &p->target->cost;
	double peak = t->arch->macs, longest = 1, x, y;
	unsigned int memory;
	struct axes a;
	char text[64];

	set_axes(p, &a);
	fprintf(f, "<h2>Roofline</h2>\n<p>Operations by what they do with a byte of the memory they "
		"need longest. The area is the time.</p>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">\n",
		WIDTH, ROOF_HEIGHT);
	roof_axes(f, &a);
	fprintf(f, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u a cycle</text>\n", ROOF_LEFT, WIDTH - 10,
		at_y(&a, peak), at_y(&a, peak), WIDTH - 14, at_y(&a, peak) - 4,
		(unsigned int)t->arch->macs);
	roof(f, &a, peak, t->memory[COST_SRAM].bandwidth, "SRAM", colours[COST_BOUND_SRAM]);
	roof(f, &a, peak, t->memory[COST_EXT].bandwidth, p->target->system.flash ? "flash" : "DRAM",
	     colours[COST_BOUND_EXT]);
	for (size_t i = 0; i < p->count; i++)
		longest = fmax(longest, (double)p->ops[i].step.result.cycles);
	for (size_t i = 0; i < p->count; i++) {
		const struct profile_op *op = &p->ops[i];

		if (!place(op, &memory, &x, &y))
			continue;
		fprintf(f, "<circle class=\"b%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" opacity=\"0.7\">"
			"<title>%zu: %s, %u x %u x %u: %.2f per byte of %s, %.1f a cycle</title>"
			"</circle>\n", op->step.result.bound, at_x(&a, x), at_y(&a, y),
			2 + 12 * sqrt((double)op->step.result.cycles / longest), i,
			profile_op_text(op, text, sizeof(text)), op->op.oh, op->op.ow, op->op.oc, x,
			estimate_bound_name(p->target, COST_BOUND_SRAM + memory), y);
	}
	fputs("</svg>\n", f);
}

/* ---- the table ---- */

static void table(FILE *f, const struct profile *p)
{
	double all = (double)p->estimate.total.cycles;
	char text[64];

	fputs("<h2>Operations</h2>\n<div class=\"scroll\"><table><tr><th><th>offset<th>operation"
	      "<th>output<th>block<th>start us<th>us<th>%<th>MAC %<th>SRAM bytes<th>external bytes"
	      "<th>waits for\n", f);
	for (size_t i = 0; i < p->count; i++) {
		const struct profile_op *op = &p->ops[i];
		const struct cost_result *r = &op->step.result;

		fprintf(f, "<tr><td>%zu<td>0x%x<td>%s", i, op->op.offset,
			profile_op_text(op, text, sizeof(text)));
		if (op->op.kind == NPU_KIND_DMA)
			fprintf(f, "<td>%llu bytes<td>",
				(unsigned long long)(op->op.dma_len * op->op.dma_rows * op->op.dma_planes));
		else
			fprintf(f, "<td>%u x %u x %u<td>%u x %u x %u", op->op.oh, op->op.ow,
				op->op.oc, op->aux.block_h, op->aux.block_w, op->aux.block_d);
		if (op->chained) {
			fprintf(f, "<td><td><td><td><td><td><td>with %u\n", op->step.first);
			continue;
		}
		fprintf(f, "<td>%.2f<td>%.2f<td>%.1f<td>%.1f<td>%llu<td>%llu<td>%s\n",
			target_us(p->target, op->step.start), target_us(p->target, r->cycles),
			all > 0 ? 100 * (double)op->step.advance / all : 0,
			r->cycles ? 100 * (double)r->macs / (double)r->cycles /
					    p->target->cost.arch->macs : 0,
			(unsigned long long)profile_op_bytes(op, COST_SRAM),
			(unsigned long long)profile_op_bytes(op, COST_EXT),
			estimate_bound_name(p->target, r->bound));
	}
	fputs("</table></div>\n", f);
}

int profile_write_html(const struct profile *profile, const char *model, const char *path,
		       struct error *err)
{
	struct file_out out;
	int rc = file_create(path, &out, err);

	if (rc)
		return rc;
	heading(out.stream, profile, model);
	legend(out.stream, profile);
	timeline(out.stream, profile);
	roofline(out.stream, profile);
	table(out.stream, profile);
	fputs("</body></html>\n", out.stream);
	return file_commit(&out, err);
}
