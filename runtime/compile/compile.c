/* SPDX-License-Identifier: MIT */
/* The front end: its passes in order. */
#include "runtime/compile/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/compile/lower.h"
#include "runtime/compile/passes.h"
#include "runtime/target/target.h"

struct pass {
	const char *name;
	int (*run)(struct ir_graph *g, struct error *err);
};

static const struct pass before[] = {
	{ "fold", pass_fold },
	{ "share", pass_share },
	{ "fuse", pass_fuse },
	{ "sweep", pass_sweep },
};

static const struct pass after[] = {
	{ "merge", pass_merge },
};

/* Print the graph if that was asked for, and in builds for debugging see that it is well formed. */
static int done(const struct ir_graph *g, const char *name, const struct compile_options *opt,
		struct error *err)
{
	if (opt->dump && opt->dump_file && !strcmp(opt->dump, name) && ir_print(g, opt->dump_file))
		return error_set(err, -EIO, "the graph could not be printed");
#ifndef NDEBUG
	return ir_verify(g, err);
#else
	return 0;
#endif
}

static int run(struct ir_graph *g, const struct pass *passes, size_t count,
	       const struct compile_options *opt, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		rc = passes[i].run(g, err);
		if (!rc)
			rc = done(g, passes[i].name, opt, err);
	}
	return rc;
}

/* A name that no pass has is an error, and says which there are. */
static int check_dump(const char *name, struct error *err)
{
	char text[256] = "import";
	bool found = !strcmp(name, "import") || !strcmp(name, "lower");

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		found |= !strcmp(name, before[i].name);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s", before[i].name);
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ", lower");
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		found |= !strcmp(name, after[i].name);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s", after[i].name);
	}
	return found ? 0 : error_set(err, -EINVAL, "no pass \"%s\" to dump after; there are %s", name,
				     text);
}

int compile_lower(struct ir_graph *g, const struct compile_options *opt, struct error *err)
{
	int rc = opt->dump ? check_dump(opt->dump, err) : 0;

	if (!rc)
		rc = done(g, "import", opt, err);
	if (!rc)
		rc = run(g, before, sizeof(before) / sizeof(before[0]), opt, err);
	if (!rc)
		rc = lower_graph(g, opt->target->system.family == 85, opt->no_cpu, err);
	if (!rc)
		rc = done(g, "lower", opt, err);
	if (!rc)
		rc = run(g, after, sizeof(after) / sizeof(after[0]), opt, err);
	return rc;
}
