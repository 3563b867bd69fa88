/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Tracepoints: the life of a job, and what interrupts it. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ethosu

#if !defined(ETHOSU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ETHOSU_TRACE_H

#include <linux/tracepoint.h>

#include "ethosu_device.h"

DECLARE_EVENT_CLASS(ethosu_job,
	TP_PROTO(const struct ethosu_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, seqno)
		__field(u32, queue)
		__field(u32, core)
		__field(u32, state)
		__field(s32, error)
		__field(u64, ran_ns)
		__field(u64, cycles)
	),
	TP_fast_assign(
		__entry->client = job->queue->client->id;
		__entry->seqno = job->info.seqno;
		__entry->queue = job->queue->id;
		__entry->core = job->info.core;
		__entry->state = job->info.state;
		__entry->error = job->info.error;
		__entry->ran_ns = job->info.ended_ns && job->info.started_ns ?
			job->info.ended_ns - job->info.started_ns : 0;
		__entry->cycles = job->info.cycles;
	),
	TP_printk("client=%llu queue=%u seqno=%llu core=%u state=%u error=%d ran_ns=%llu cycles=%llu",
		  __entry->client, __entry->queue, __entry->seqno, __entry->core, __entry->state,
		  __entry->error, __entry->ran_ns, __entry->cycles)
);

DEFINE_EVENT(ethosu_job, ethosu_job_queue,
	TP_PROTO(const struct ethosu_job *job), TP_ARGS(job));
DEFINE_EVENT(ethosu_job, ethosu_job_start,
	TP_PROTO(const struct ethosu_job *job), TP_ARGS(job));
DEFINE_EVENT(ethosu_job, ethosu_job_end,
	TP_PROTO(const struct ethosu_job *job), TP_ARGS(job));

TRACE_EVENT(ethosu_reset,
	TP_PROTO(unsigned int core, u32 status, int result),
	TP_ARGS(core, status, result),
	TP_STRUCT__entry(
		__field(u32, core)
		__field(u32, status)
		__field(s32, result)
	),
	TP_fast_assign(
		__entry->core = core;
		__entry->status = status;
		__entry->result = result;
	),
	TP_printk("core=%u status=0x%x result=%d", __entry->core, __entry->status, __entry->result)
);

TRACE_EVENT(ethosu_sram_clear,
	TP_PROTO(unsigned int core, u32 bytes),
	TP_ARGS(core, bytes),
	TP_STRUCT__entry(
		__field(u32, core)
		__field(u32, bytes)
	),
	TP_fast_assign(
		__entry->core = core;
		__entry->bytes = bytes;
	),
	TP_printk("core=%u bytes=%u", __entry->core, __entry->bytes)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE ethosu_trace
#include <trace/define_trace.h>
