/* SPDX-License-Identifier: MIT */
/* The life of a device: options, creation, power-on, statistics. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"

/*
 * @chunk_work: MACs after which an engine call should return, so that QREAD moves well within the
 *	100 ms that Linux' ethosu driver watches for, and a call costs little against its work
 */
static const struct {
	const struct npu_engine_ops *ops;
	uint64_t chunk_work;
} engines[] = {
	{ &npu_engine_opencl, 128u << 20 },
	{ &npu_engine_reference, 4u << 20 },
};

#define ENGINES (sizeof(engines) / sizeof(engines[0]))

static __attribute__((format(printf, 3, 4))) void explain(char *err, size_t err_len,
							   const char *fmt, ...)
{
	va_list args;

	if (!err || !err_len)
		return;
	va_start(args, fmt);
	vsnprintf(err, err_len, fmt, args);
	va_end(args);
}

/* The caller's options, with zeros for what its version of the struct lacks. */
static int take_options(const struct npu_options *opt, struct npu_options *out, char *err,
			size_t err_len)
{
	const uint8_t *bytes = (const uint8_t *)opt;
	size_t i;

	memset(out, 0, sizeof(*out));
	if (!opt)
		return 0;
	if (opt->size < sizeof(opt->size)) {
		explain(err, err_len, "npu_options.size is %zu: set it to sizeof(struct npu_options)",
			opt->size);
		return -EINVAL;
	}
	for (i = sizeof(*out); i < opt->size; i++) {
		if (bytes[i]) {
			explain(err, err_len, "npu_options has fields that this library does not know");
			return -EINVAL;
		}
	}
	memcpy(out, opt, opt->size < sizeof(*out) ? opt->size : sizeof(*out));
	return 0;
}

static int pick_engine(struct npu *npu, const char *name, char *err, size_t err_len)
{
	size_t i;

	for (i = 0; i < ENGINES; i++) {
		if (name && strcmp(name, engines[i].ops->name))
			continue;
		npu->engine_ops = engines[i].ops;
		npu->chunk_work = engines[i].chunk_work;
		return 0;
	}
	explain(err, err_len, "no engine \"%s\": there are \"%s\" and \"%s\"", name,
		engines[0].ops->name, engines[1].ops->name);
	return -EINVAL;
}

int npu_create(struct npu **out, const struct npu_config *config, const struct npu_bus_ops *ops,
	       void *ctx, const struct npu_options *opt, char *err, size_t err_len)
{
	struct npu_options options;
	struct npu *npu;
	int ret;

	ret = take_options(opt, &options, err, err_len);
	if (ret)
		return ret;
	npu = calloc(1, sizeof(*npu));
	if (!npu) {
		explain(err, err_len, "out of memory");
		return -ENOMEM;
	}
	npu->config = config;
	npu->bus = ops;
	npu->bus_ctx = ctx;
	npu->work_limit = options.work_limit ? options.work_limit : NPU_MAX_WORK;
	npu->strict = options.strict;
	npu->addr_limit = config->arch == 55 ? 1ull << 32 : 1ull << 40;
	npu->internal_size = config->arch == 85 ? NPU_LUT_RAM_SIZE : config->shram_kib * 1024u;
	pthread_mutex_init(&npu->lock, NULL);
	pthread_mutex_init(&npu->run_lock, NULL);
	npu_regs_init(npu);

	ret = pick_engine(npu, options.engine, err, err_len);
	if (ret)
		goto fail;
	npu->internal = calloc(1, npu->internal_size);
	if (!npu->internal) {
		explain(err, err_len, "out of memory");
		ret = -ENOMEM;
		goto fail;
	}
	ret = npu->engine_ops->create(&npu->engine, config, &options, err, err_len);
	if (ret) {
		npu->engine = NULL;
		goto fail;
	}
	npu->engine_ops->describe(npu->engine, npu->stats.device, sizeof(npu->stats.device));
	*out = npu;
	return 0;
fail:
	npu_destroy(npu);
	return ret;
}

void npu_destroy(struct npu *npu)
{
	if (!npu)
		return;
	npu_plan_drop_all(npu);
	if (npu->engine)
		npu->engine_ops->destroy(npu->engine);
	free(npu->internal);
	free(npu->chain);
	pthread_mutex_destroy(&npu->lock);
	pthread_mutex_destroy(&npu->run_lock);
	free(npu);
}

void npu_power_on_reset(struct npu *npu)
{
	pthread_mutex_lock(&npu->lock);
	if (npu->in_run) {
		npu->reset_asked = true;
		npu->reset_level = 0;
		__atomic_store_n(&npu->abort, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&npu->lock);

	pthread_mutex_lock(&npu->run_lock);
	pthread_mutex_lock(&npu->lock);
	npu_regs_reset(npu, 0);
	memset(npu->internal, 0, npu->internal_size);
	npu_irq_update(npu);
	pthread_mutex_unlock(&npu->lock);
	pthread_mutex_unlock(&npu->run_lock);
}

bool npu_running(struct npu *npu)
{
	bool running;

	pthread_mutex_lock(&npu->lock);
	running = npu->started;
	pthread_mutex_unlock(&npu->lock);
	return running;
}

void npu_run(struct npu *npu)
{
	pthread_mutex_lock(&npu->run_lock);
	npu_job_run(npu);
	pthread_mutex_unlock(&npu->run_lock);

	/* Only now: the handler may well start and run the next job. */
	pthread_mutex_lock(&npu->lock);
	npu_irq_update(npu);
	pthread_mutex_unlock(&npu->lock);
}

void npu_window_gone(struct npu *npu, uint64_t id)
{
	pthread_mutex_lock(&npu->run_lock);
	npu_plan_window_gone(npu, id);
	if (npu->engine_ops->window_gone)
		npu->engine_ops->window_gone(npu->engine, id);
	pthread_mutex_unlock(&npu->run_lock);
}

void npu_get_stats(struct npu *npu, struct npu_stats *stats)
{
	pthread_mutex_lock(&npu->lock);
	*stats = npu->stats;
	pthread_mutex_unlock(&npu->lock);
}
