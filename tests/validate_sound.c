/* SPDX-License-Identifier: MIT */
/*
 * Is the validator sound? Makes streams, and has the simulated NPU's decoder judge each that the
 * validator accepts: nothing may be touched beyond what the validator said. Some of them run on the
 * whole simulated NPU. And is it complete: what does it refuse that the simulator would run?
 *
 * Stream N of a seed does not depend on those before it: "--seed S --start N --count 1 --dump" shows it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/validate_device.h"
#include "tests/validate_gen.h"
#include "tests/validate_oracle.h"

/* One in so many refused streams is given to the simulator. */
#define REFUSED_SAMPLE 16

/* One in so many accepted ones runs on the device. */
#define DEVICE_SAMPLE 500

/* One in so many runs as the driver has it: the prologue in front, registers as another left them. */
#define PROLOGUE_SAMPLE 8

#define REASONS 80

struct reason {
	const char *why;
	unsigned long count, runs;
};

struct totals {
	unsigned long streams, accepted, unmodelled, failed, ops, walked, sampled;
	unsigned long device[DEVICE_LARGE + 1];
	struct reason reasons[REASONS];
};

/* What does not change from stream to stream. */
struct bench {
	struct gen gen;
	struct device *devices[GEN_CONFIGS];
};

struct options {
	uint64_t seed, start, count;
	unsigned int least;	/* percent that must be accepted */
	bool dump, why;
};

static struct reason *reason_of(struct totals *t, const char *why)
{
	unsigned int i = 0;

	while (i < REASONS - 1 && t->reasons[i].why && t->reasons[i].why != why)
		i++;
	t->reasons[i].why = why;
	return &t->reasons[i];
}

static void dump(const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%08x%c", words[i], i % 8 == 7 || i + 1 == count ? '\n' : ' ');
}

static void refused(struct totals *t, const struct npu_config *config, const uint32_t *words,
		    size_t count, const char *why)
{
	struct reason *reason = reason_of(t, why);

	if (reason->count++ % REFUSED_SAMPLE)
		return;
	t->sampled++;
	reason->runs += oracle_runs(config, words, count);
}

static void failed(struct totals *t, const struct npu_config *config, const uint32_t *words,
		   size_t count, uint64_t n, const char *what, const char *why)
{
	printf("FAIL: stream %llu, %s: accepted, but %s: %s\n", (unsigned long long)n,
	       config->name, what, why);
	if (!t->failed++)
		dump(words, count);
}

static void judge_as_run(struct oracle *o, const struct bench *b, unsigned int config,
			 const uint32_t *words, size_t count, const struct ethosu_stream_use *use,
			 uint64_t n)
{
	uint32_t all[ETHOSU_PROLOGUE_MAX + GEN_WORDS];
	struct rng r = { .state = n };
	struct npu_state left;
	size_t prologue;

	for (unsigned int i = 0; i < 256; i++) {
		left.cmd0[i] = (uint16_t)rng_next(&r);
		left.cmd1[i] = (uint64_t)rng_next(&r) << 16 | rng_below(&r, 1 << 16);
	}
	prologue = ethosu_prologue(&b->gen.hw[config], all);
	memcpy(all + prologue, words, 4 * count);
	oracle_judge(o, b->gen.configs[config], &left, all, prologue + count, use);
}

static void accepted(struct totals *t, struct bench *b, unsigned int config,
		     const uint32_t *words, size_t count, const struct ethosu_stream_use *use,
		     uint64_t n)
{
	static const struct npu_state reset;
	const struct npu_config *c = b->gen.configs[config];
	enum device_verdict verdict;
	struct oracle o = { .ops = 0 };
	char why[512];

	t->accepted++;
	if (t->accepted % PROLOGUE_SAMPLE)
		oracle_judge(&o, c, &reset, words, count, use);
	else
		judge_as_run(&o, b, config, words, count, use, n);
	t->ops += o.ops;
	t->walked += o.walked;
	if (o.verdict == ORACLE_UNMODELLED)
		t->unmodelled++;
	if (o.verdict == ORACLE_STRAY || o.verdict == ORACLE_FAULT)
		failed(t, c, words, count, n, o.verdict == ORACLE_STRAY ? "strays" : "no stream",
		       o.why);
	if (t->accepted % DEVICE_SAMPLE)
		return;
	verdict = device_run(b->devices[config], words, count, use, n, why, sizeof(why));
	t->device[verdict]++;
	if (verdict == DEVICE_BAD)
		failed(t, c, words, count, n, "on the device", why);
}

static void run(struct totals *t, struct bench *b, const struct options *opt)
{
	uint32_t words[GEN_WORDS];
	struct ethosu_check check;

	for (uint64_t n = opt->start; n < opt->start + opt->count && t->failed < 10; n++) {
		struct rng r = { .state = opt->seed * 0x2545f4914f6cdd1dull + n * 0xd1342543de82ef95ull };
		const struct npu_config *c;
		unsigned int config;
		size_t count = gen_make(&b->gen, &r, words, &config);

		t->streams++;
		c = b->gen.configs[config];
		if (opt->dump)
			dump(words, count);
		if (!ethosu_validate(&b->gen.hw[config], words, count, &check))
			accepted(t, b, config, words, count, &check.use, n);
		else
			refused(t, c, words, count, check.reject.why);
		if (opt->dump)
			printf("%s: %s\n", c->name,
			       check.reject.why ? check.reject.why : "accepted");
	}
}

static int by_runs(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	if (x->runs != y->runs)
		return x->runs < y->runs ? 1 : -1;
	return x->count < y->count ? 1 : -1;
}

static void report(struct totals *t, double seconds, bool why)
{
	unsigned long runs = 0;

	qsort(t->reasons, REASONS, sizeof(t->reasons[0]), by_runs);
	for (unsigned int i = 0; i < REASONS && t->reasons[i].why; i++) {
		runs += t->reasons[i].runs;
		if (why)
			printf("%9lu refused, %6lu of one in %d would run: %s\n", t->reasons[i].count,
			       t->reasons[i].runs, REFUSED_SAMPLE, t->reasons[i].why);
	}
	printf("validate_sound: on the device %lu ended, %lu had bad data or too much work, %lu went on "
	       "to what is not simulated, %lu were too large\n", t->device[DEVICE_DONE],
	       t->device[DEVICE_DATA], t->device[DEVICE_UNMODELLED], t->device[DEVICE_LARGE]);
	printf("validate_sound: %lu streams in %.1f s (%.0f a second), %lu accepted (%.1f %%) with "
	       "%lu operations, %lu of them walked byte by byte; %lu go on to what is not simulated; "
	       "%lu of %lu refused ones would run; %lu failures\n",
	       t->streams, seconds, (double)t->streams / seconds, t->accepted,
	       100.0 * (double)t->accepted / (double)t->streams, t->ops, t->walked, t->unmodelled,
	       runs, t->sampled, t->failed);
}

static void usage(void)
{
	fprintf(stderr, "usage: validate_sound [--seed N] [--start N] [--count N] [--accept PERCENT] "
			"[--why] [--dump] FOLDER...\n");
	exit(2);
}

static void parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "start", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },
		{ "accept", required_argument, NULL, 'a' },
		{ "dump", no_argument, NULL, 'd' },
		{ "why", no_argument, NULL, 'w' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			opt->seed = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			opt->start = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			opt->count = strtoull(optarg, NULL, 0);
			break;
		case 'a':
			opt->least = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'd':
			opt->dump = true;
			break;
		case 'w':
			opt->why = true;
			break;
		default:
			usage();
		}
	}
	if (optind == argc || !opt->count)
		usage();
}

int main(int argc, char **argv)
{
	struct options opt = { .seed = 1, .count = 1000000 };
	struct totals totals = { 0 };
	struct timespec from, to;
	struct bench b = { .devices = { NULL } };

	parse(argc, argv, &opt);
	if (!gen_init(&b.gen, argv + optind)) {
		printf("validate_sound: no models in %s\n", argv[optind]);
		return 1;
	}
	for (unsigned int i = 0; i < GEN_CONFIGS; i++)
		b.devices[i] = device_new(b.gen.configs[i]);
	printf("validate_sound: seed %llu, %zu real streams, %zu and %zu different operations\n",
	       (unsigned long long)opt.seed, b.gen.stream_count, b.gen.op_count[0],
	       b.gen.op_count[1]);
	clock_gettime(CLOCK_MONOTONIC, &from);
	run(&totals, &b, &opt);
	clock_gettime(CLOCK_MONOTONIC, &to);
	report(&totals, (double)(to.tv_sec - from.tv_sec) +
				(double)(to.tv_nsec - from.tv_nsec) / 1e9, opt.why);
	for (unsigned int i = 0; i < GEN_CONFIGS; i++)
		device_free(b.devices[i]);
	gen_free(&b.gen);
	return totals.failed || 100 * totals.accepted < opt.least * totals.streams;
}
