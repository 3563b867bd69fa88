/* SPDX-License-Identifier: MIT */
/*
 * The driver of the simulated NPU: it opens the device, programs the registers for a job and reads
 * back what became of it, as a driver of the real one does.
 */
#include "sim.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/ethosu_regs.h"

/*
 * Region i's memory attributes or port: weights and feature maps on 1, SRAM on 0 (Linux ethosu). The
 * U55, which Linux does not drive, has flash on 1: weights only.
 */
#define REGIONCFG_VALUE 0xaa8a
#define REGIONCFG_U55	0x0002

/* U85: attributes 2, which those of the other regions are, lead to the external port. */
#define MEM_ATTR_DRAM	0xb7

/* STATUS bits that say a job failed; which of them a family has does not matter. */
#define STATUS_FAULTS \
	(ETHOSU_REG_BIT(STATUS_BUS_STATUS) | ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR) | \
	 ETHOSU_REG_BIT(STATUS_WD_FAULT) | ETHOSU_REG_BIT(STATUS_ECC_FAULT) | \
	 ETHOSU_REG_BIT(STATUS_BRANCH_FAULT))

#define PMCNTEN_CYCLES	(1u << 31)
#define PMCR_COUNTERS	0x1f	/* PMCR.NUM_EVENT_CNT */

static struct sim_device *to_sim(struct accel_device *device)
{
	return (struct sim_device *)device;
}

/* ---- the bus ---- */

static int bus_resolve(void *ctx, uint64_t addr, uint64_t len, unsigned int access,
		       struct npu_window *win)
{
	const struct sim_device *sim = ctx;
	const struct npu_window *w;
	unsigned int i;

	for (i = 0; i < sim->windows; i++) {
		w = &sim->window[i];
		if (addr - w->addr > w->size || len > w->size - (addr - w->addr) ||
		    (w->access & access) != access)
			continue;
		*win = *w;
		return 0;
	}
	return -EFAULT;
}

static void bus_irq(void *ctx, bool level)
{
	struct sim_device *sim = ctx;

	sim->irq = level;
}

static void bus_trace(void *ctx, const char *text)
{
	struct sim_device *sim = ctx;

	snprintf(sim->trace, sizeof(sim->trace), "%s", text);
}

/* How many of the bytes from @offset of @region on hold data when a job of @program starts. */
static uint64_t written_from(const struct accel_program *program, uint32_t region, uint64_t offset)
{
	uint64_t end = offset, before;
	uint32_t i;

	do {
		before = end;
		for (i = 0; i < program->written_count; i++) {
			const struct accel_range *r = &program->written[i];

			if (r->region == region && r->offset <= end &&
			    r->offset + r->length > end)
				end = r->offset + r->length;
		}
	} while (end != before);
	return end - offset;
}

/* Strict: SRAM holds nothing, what is bound as much as the program says. */
static bool bus_defined(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad)
{
	const struct sim_device *sim = ctx;
	const struct sim_job *job = sim->job;
	uint64_t most = 0;
	unsigned int i;

	for (i = 0; i < SIM_REGIONS; i++) {
		const struct sim_view *view = job->view[i];
		uint64_t offset, n;

		if (!view || addr - view->win.addr >= view->win.size)
			continue;
		offset = addr - view->win.addr;
		n = view->win.size - offset;
		if (job->buffer[i] && job->program->written)
			n = written_from(job->program, i, offset);
		else if (!job->buffer[i] && !view->win.constant)
			n = 0;
		most = n > most ? n : most;
	}
	*bad = addr + most;
	return most >= len;
}

/* By the address in this process, which accel_buffer_map() gives as well. */
static void bus_log(void *ctx, const struct npu_access_log *entry)
{
	const struct sim_device *sim = ctx;
	struct npu_window win;

	if (!bus_resolve(ctx, entry->addr, entry->len, entry->access, &win))
		fprintf(sim->log, "%s %p %llu\n", entry->access == NPU_ACCESS_WRITE ? "write" : "read",
			(void *)((uint8_t *)win.host + (entry->addr - win.addr)),
			(unsigned long long)entry->len);
}

static const struct npu_bus_ops bus_ops = {
	.resolve = bus_resolve,
	.irq = bus_irq,
	.trace = bus_trace,
	.defined = bus_defined,
};

/* Told of every access. */
static const struct npu_bus_ops bus_log_ops = {
	.resolve = bus_resolve,
	.irq = bus_irq,
	.log = bus_log,
	.trace = bus_trace,
	.defined = bus_defined,
};

/* ---- registers ---- */

static void write_addr(struct sim_device *sim, uint32_t reg, uint64_t addr)
{
	npu_write(sim->npu, reg, (uint32_t)addr);
	npu_write(sim->npu, reg + 4, (uint32_t)(addr >> 32));
}

static void reset(struct sim_device *sim)
{
	unsigned int i;

	npu_write(sim->npu, ETHOSU_REG_RESET, ETHOSU_REG_BIT(RESET_PENDING_CSL));
	/* Nothing runs, so this ends at the second reading at the latest. */
	while (npu_read(sim->npu, ETHOSU_REG_STATUS) & ETHOSU_REG_BIT(STATUS_RESET_STATUS))
		;
	npu_write(sim->npu, ETHOSU_REG_REGIONCFG,
		  sim->spec.config->arch == 55 ? REGIONCFG_U55 : REGIONCFG_VALUE);
	if (sim->spec.config->arch == 85)
		npu_write(sim->npu, ETHOSU_REG_MEM_ATTR + 8, MEM_ATTR_DRAM);
	npu_write(sim->npu, sim->pmu + ETHOSU_REG_PMCNTENSET,
		  PMCNTEN_CYCLES | ((1u << sim->base.info.event_counters) - 1));
	for (i = 0; i < SIM_REGIONS; i++)
		sim->basep[i] = 0;
	memset(sim->eventsel, 0, sizeof(sim->eventsel));
}

static void add_window(struct sim_device *sim, const struct sim_view *view)
{
	sim->window[sim->windows++] = view->win;
}

static void program(struct sim_device *sim, const struct sim_job *job)
{
	const struct sim_program *prog = (const struct sim_program *)job->program;
	uint64_t addr;
	unsigned int i;

	sim->windows = 0;
	add_window(sim, job->stream);
	for (i = 0; i < SIM_REGIONS; i++) {
		/* No job finds another's address in a region of its own that it left unbound. */
		addr = job->view[i] ? job->view[i]->win.addr : 0;
		if (job->view[i])
			add_window(sim, job->view[i]);
		if (addr != sim->basep[i])
			write_addr(sim, ETHOSU_REG_BASEP + 8 * i, addr);
		sim->basep[i] = addr;
	}
	for (i = 0; i < job->result.event_count; i++) {
		if (job->events[i] != sim->eventsel[i])
			npu_write(sim->npu, sim->pmu + ETHOSU_REG_PMEVTYPER + 4 * i, job->events[i]);
		sim->eventsel[i] = job->events[i];
	}
	npu_write(sim->npu, sim->pmu + ETHOSU_REG_PMCR,
		  ETHOSU_REG_BIT(PMCR_CNT_EN) | ETHOSU_REG_BIT(PMCR_EVENT_CNT_RST) |
			  ETHOSU_REG_BIT(PMCR_CYCLE_CNT_RST));
	write_addr(sim, ETHOSU_REG_QBASE, job->stream->win.addr);
	npu_write(sim->npu, ETHOSU_REG_QSIZE, prog->stream_size);
}

static void read_counters(struct sim_device *sim, struct accel_job_result *result)
{
	unsigned int i;

	result->cycles = npu_read(sim->npu, sim->pmu + ETHOSU_REG_PMCCNTR) |
			 (uint64_t)npu_read(sim->npu, sim->pmu + ETHOSU_REG_PMCCNTR + 4) << 32;
	for (i = 0; i < result->event_count; i++)
		result->events[i] = npu_read(sim->npu, sim->pmu + ETHOSU_REG_PMEVCNTR + 4 * i);
}

void sim_device_run(struct sim_device *sim, const struct sim_job *job)
{
	struct accel_job_result *result = &sim->outcome;

	memcpy(result, &job->result, offsetof(struct accel_job_result, cause) + 1);
	sim->trace[0] = '\0';
	program(sim, job);
	sim->job = job;
	result->started_ns = (uint64_t)accel_now();
	npu_write(sim->npu, ETHOSU_REG_CMD, ETHOSU_REG_BIT(CMD_TRANSITION_TO_RUNNING_STATE));
	npu_run(sim->npu);
	if (sim->log)
		fflush(sim->log);
	result->status = npu_read(sim->npu, ETHOSU_REG_STATUS);
	result->ended_ns = (uint64_t)accel_now();
	read_counters(sim, result);
	if (sim->irq && result->status & ETHOSU_REG_BIT(STATUS_CMD_END_REACHED) &&
	    !(result->status & STATUS_FAULTS)) {
		result->state = ACCEL_JOB_DONE;
		npu_write(sim->npu, ETHOSU_REG_CMD, ETHOSU_REG_BIT(CMD_CLEAR_IRQ));
		return;
	}
	result->state = ACCEL_JOB_FAULTED;
	result->error = -EIO;
	result->offset = npu_read(sim->npu, ETHOSU_REG_QREAD);
	snprintf(result->cause, sizeof(result->cause), "%s", sim->trace[0] ? sim->trace :
		 "the NPU stopped without saying why");
	reset(sim);
}

/* ---- the device ---- */

static void fill_info(struct sim_device *sim, const char *spec)
{
	struct accel_device_info *info = &sim->base.info;
	struct npu_stats stats;

	sim_info(sim->spec.config, info);
	snprintf(info->spec, sizeof(info->spec), "%s", spec);
	npu_get_stats(sim->npu, &stats);
	snprintf(info->description, sizeof(info->description), "simulated on %s", stats.device);
	info->sram_size = sim->spec.sram_size;
	info->id = npu_read(sim->npu, ETHOSU_REG_ID);
	info->config = npu_read(sim->npu, ETHOSU_REG_CONFIG);
	info->event_counters = npu_read(sim->npu, sim->pmu + ETHOSU_REG_PMCR) >>
			       ETHOSU_PMCR_NUM_EVENT_CNT_LOW & PMCR_COUNTERS;
	if (info->event_counters > ACCEL_MAX_EVENTS)
		info->event_counters = ACCEL_MAX_EVENTS;
}

static void destroy(struct sim_device *sim)
{
	if (sim->sram) {
		LIST_REMOVE(sim->sram, link);
		LIST_INSERT_HEAD(&sim->grave, sim->sram, link);
	}
	sim_reap(sim);
	if (sim->npu)
		npu_destroy(sim->npu);
	if (sim->log)
		fclose(sim->log);
	sim_spec_free(&sim->spec);
	pthread_cond_destroy(&sim->done);
	pthread_cond_destroy(&sim->work);
	pthread_mutex_destroy(&sim->lock);
	free(sim);
}

static int init_locks(struct sim_device *sim)
{
	pthread_condattr_t attr;
	int ret;

	ret = pthread_condattr_init(&attr);
	if (ret)
		return -ret;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&sim->lock, NULL);
	pthread_cond_init(&sim->work, NULL);
	pthread_cond_init(&sim->done, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

static int sim_open(const char *text, struct accel_device **out, struct accel_error *err)
{
	char why[ACCEL_ERROR_MAX] = "";
	struct sim_device *sim;
	struct sim_spec spec;
	unsigned int i;
	int ret;

	ret = sim_spec_parse(text, &spec, err);
	if (ret)
		return ret;
	sim = calloc(1, sizeof(*sim));
	ret = sim ? init_locks(sim) : -ENOMEM;
	if (ret) {
		free(sim);
		sim_spec_free(&spec);
		return accel_fail(err, ret, "device '%.100s': %s", text, strerrordesc_np(-ret));
	}
	sim->base.ops = &accel_sim;
	sim->base.refs = 1;
	sim->spec = spec;
	sim->pmu = spec.config->arch == 85 ? ETHOSU_PMU_OFFSET_U85 : 0;
	sim->addr_end = UINT64_C(1) << (spec.config->arch == 55 ? 32 : 40);
	LIST_INIT(&sim->buffers);
	LIST_INIT(&sim->grave);
	for (i = 0; i < SIM_PRIORITIES; i++)
		TAILQ_INIT(&sim->queues[i]);
	if (spec.log) {
		sim->log = fopen(spec.log, "ae");
		if (!sim->log) {
			ret = accel_fail(err, -errno, "device '%.80s': log '%.80s': %s", text, spec.log,
					 strerrordesc_np(errno));
			goto fail;
		}
	}
	ret = npu_create(&sim->npu, spec.config, spec.log ? &bus_log_ops : &bus_ops, sim, &spec.options, why, sizeof(why));
	if (ret) {
		accel_fail(err, ret, "device '%.80s': %.160s", text, why);
		goto fail;
	}
	fill_info(sim, text);
	reset(sim);
	if (spec.sram_size) {
		ret = sim_memory_new(sim, spec.sram_size, -1, false, &sim->sram, err);
		if (ret)
			goto fail;
	}
	ret = sim_queue_start(sim);
	if (ret) {
		accel_fail(err, ret, "device '%.100s': no thread: %s", text, strerrordesc_np(-ret));
		goto fail;
	}
	*out = &sim->base;
	return 0;
fail:
	destroy(sim);
	return ret;
}

static void sim_close(struct accel_device *device)
{
	struct sim_device *sim = to_sim(device);

	sim_queue_stop(sim);
	destroy(sim);
}

const struct accel_transport accel_sim = {
	.name = "sim",
	.prefix = "sim",
	.list = sim_list,
	.open = sim_open,
	.close = sim_close,
	.buffer_create = sim_buffer_create,
	.buffer_import = sim_buffer_import,
	.buffer_export = sim_buffer_export,
	.buffer_map = sim_buffer_map,
	.buffer_unmap = sim_buffer_unmap,
	.buffer_seal = sim_buffer_seal,
	.buffer_sealed = sim_buffer_sealed,
	.buffer_destroy = sim_buffer_destroy,
	.program_create = sim_program_create,
	.program_destroy = sim_program_destroy,
	.queue_create = sim_queue_create,
	.queue_destroy = sim_queue_destroy,
	.submit = sim_submit,
	.fence_wait = sim_fence_wait,
	.fence_fd = sim_fence_fd,
	.fence_result = sim_fence_result,
	.fence_destroy = sim_fence_destroy,
};
