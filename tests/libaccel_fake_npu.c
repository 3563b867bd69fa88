/* SPDX-License-Identifier: MIT */
/*
 * An NPU for the tests of libaccel: the interface of sim/npu.h, and streams of words that do what
 * the tests need instead of arithmetic. Jobs can be held at a gate, so that what happens while one
 * runs is no matter of timing.
 */
#include "tests/libaccel_fake_npu.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/npu.h"

#define REG_STATUS	0x04
#define STATUS_FAULT	(1u << 4)
#define REG_CMD		0x08
#define REG_RESET	0x0c
#define REG_QBASE	0x10
#define REG_QREAD	0x18
#define REG_QSIZE	0x20
#define REG_BASEP	0x80
#define REG_PMCR	0x180
#define REG_PMCCNTR	0x1a0
#define REG_PMEVCNTR	0x300
#define REG_PMEVTYPER	0x380

struct npu {
	const struct npu_config *config;
	const struct npu_bus_ops *ops;
	void *ctx;
	uint32_t reg[0x2000 / 4];
	uint32_t pmu;
	bool running;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int at_gate, opened;
static uint32_t run_log[FAKE_LOG_MAX];
static unsigned int log_len;
static unsigned int gone;
static pthread_t runner;
static unsigned int live;

void fake_reset(void)
{
	pthread_mutex_lock(&lock);
	at_gate = opened = log_len = gone = 0;
	pthread_mutex_unlock(&lock);
}

void fake_wait_at_gate(unsigned int jobs)
{
	pthread_mutex_lock(&lock);
	while (at_gate < jobs)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

void fake_open_gate(unsigned int jobs)
{
	pthread_mutex_lock(&lock);
	opened += jobs;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

unsigned int fake_log(uint32_t *tags)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = log_len;
	memcpy(tags, run_log, n * sizeof(*tags));
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned int fake_windows_gone(void)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = gone;
	pthread_mutex_unlock(&lock);
	return n;
}

void fake_wait_log(unsigned int tags)
{
	pthread_mutex_lock(&lock);
	while (log_len < tags)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

bool fake_wait_all_gone(unsigned int seconds)
{
	struct timespec deadline;
	bool gone_all;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += seconds;
	pthread_mutex_lock(&lock);
	while (live && !ret)
		ret = pthread_cond_timedwait(&changed, &lock, &deadline);
	gone_all = !live;
	live = 0;
	pthread_mutex_unlock(&lock);
	return gone_all;
}

static void count_live(int change)
{
	pthread_mutex_lock(&lock);
	if (change > 0 || live)
		live += (unsigned int)change;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

bool fake_ran_here(void)
{
	bool here;

	pthread_mutex_lock(&lock);
	here = pthread_equal(runner, pthread_self());
	pthread_mutex_unlock(&lock);
	return here;
}

static void gate(void)
{
	pthread_mutex_lock(&lock);
	at_gate++;
	pthread_cond_broadcast(&changed);
	while (!opened)
		pthread_cond_wait(&changed, &lock);
	opened--;
	at_gate--;
	pthread_mutex_unlock(&lock);
}

static void log_tag(uint32_t tag)
{
	pthread_mutex_lock(&lock);
	if (log_len < FAKE_LOG_MAX)
		run_log[log_len++] = tag;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int npu_create(struct npu **out, const struct npu_config *config, const struct npu_bus_ops *ops,
	       void *ctx, const struct npu_options *opt, char *err, size_t err_len)
{
	struct npu *npu;

	if (opt->cl_platform && !strcmp(opt->cl_platform, "none")) {
		snprintf(err, err_len, "no OpenCL platform has 'none' in its name");
		return -ENODEV;
	}
	npu = calloc(1, sizeof(*npu));
	if (!npu)
		return -ENOMEM;
	npu->config = config;
	npu->ops = ops;
	npu->ctx = ctx;
	npu->pmu = config->arch == 85 ? 0x1000 : 0;
	npu->reg[0] = config->id;
	npu->reg[0x28 / 4] = config->config;
	count_live(1);
	*out = npu;
	return 0;
}

void npu_destroy(struct npu *npu)
{
	free(npu);
	count_live(-1);
}

uint32_t npu_read(struct npu *npu, uint32_t offset)
{
	if (offset == npu->pmu + REG_PMCR)
		return npu->config->arch == 85 ? 8 << 11 : 4 << 11;
	return npu->reg[offset / 4];
}

void npu_write(struct npu *npu, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case REG_RESET:
		memset(npu->reg + 1, 0, sizeof(npu->reg) - 4);
		npu->reg[0x28 / 4] = npu->config->config;
		npu->ops->irq(npu->ctx, false);
		return;
	case REG_CMD:
		/* Faults stay until reset. */
		if (value & 1 && !(npu->reg[REG_STATUS / 4] & STATUS_FAULT)) {
			npu->running = true;
			npu->reg[REG_STATUS / 4] = 1;
		}
		if (value & 2) {
			npu->reg[REG_STATUS / 4] &= ~2u;
			npu->ops->irq(npu->ctx, false);
		}
		return;
	default:
		npu->reg[offset / 4] = value;
	}
}

static uint64_t addr(struct npu *npu, uint32_t reg)
{
	return npu->reg[reg / 4] | (uint64_t)npu->reg[reg / 4 + 1] << 32;
}

static int copy(struct npu *npu, uint32_t from, uint32_t to, uint32_t len)
{
	uint64_t src = addr(npu, REG_BASEP + 8 * from), dst = addr(npu, REG_BASEP + 8 * to);
	struct npu_window in, out;

	if (npu->ops->resolve(npu->ctx, src, len, NPU_ACCESS_READ, &in) ||
	    npu->ops->resolve(npu->ctx, dst, len, NPU_ACCESS_WRITE, &out))
		return -EFAULT;
	if (out.constant) {
		fputs("fake: writing was granted where nothing changes\n", stderr);
		abort();
	}
	if (!in.id || !out.id || in.constant != (from == FAKE_CONSTANTS))
		return -EINVAL;
	memcpy((char *)out.host + (dst - out.addr), (char *)in.host + (src - in.addr), len);
	return 0;
}

/* Executes a word and what belongs to it; NULL, or why it faults. */
static const char *execute(struct npu *npu, const uint32_t *word)
{
	switch (word[0]) {
	case FAKE_GATE:
		gate();
		return NULL;
	case FAKE_LOG:
		log_tag(word[1]);
		return NULL;
	case FAKE_COPY:
		return copy(npu, word[1] & 0xff, word[1] >> 8 & 0xff, word[1] >> 16) ?
		       "fake: copy reaches what it must not" : NULL;
	default:
		return "fake: no such word";
	}
}

void npu_run(struct npu *npu)
{
	uint32_t size = npu->reg[REG_QSIZE / 4], at = 0, i;
	const char *why = "fake: stream not readable";
	struct npu_window win;
	const uint32_t *word;

	if (!npu->running)
		return;
	pthread_mutex_lock(&lock);
	runner = pthread_self();
	pthread_mutex_unlock(&lock);
	if (!npu->ops->resolve(npu->ctx, addr(npu, REG_QBASE), size, NPU_ACCESS_READ, &win) &&
	    win.constant) {
		word = win.host;
		for (why = NULL; !why && word[at / 4] != FAKE_STOP; at += 8)
			why = execute(npu, &word[at / 4]);
	}
	if (why && at)
		at -= 8;
	npu->running = false;
	npu->reg[REG_QREAD / 4] = at;
	npu->reg[REG_STATUS / 4] = why ? 2 | STATUS_FAULT : 2 | 1 << 5;
	npu->reg[(npu->pmu + REG_PMCCNTR) / 4] = 1000 + at;
	for (i = 0; i < 8; i++)
		npu->reg[(npu->pmu + REG_PMEVCNTR) / 4 + i] =
			npu->reg[(npu->pmu + REG_PMEVTYPER) / 4 + i] * 3;
	if (why)
		npu->ops->trace(npu->ctx, why);
	npu->ops->irq(npu->ctx, true);
}

void npu_window_gone(struct npu *npu, uint64_t id)
{
	(void)npu;
	(void)id;
	pthread_mutex_lock(&lock);
	gone++;
	pthread_mutex_unlock(&lock);
}

void npu_get_stats(struct npu *npu, struct npu_stats *stats)
{
	(void)npu;
	memset(stats, 0, sizeof(*stats));
	snprintf(stats->device, sizeof(stats->device), "the tests' fake");
}
