// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What /sys/class/devcoredump shows of a job that was taken down.
 *
 * A header, then records: each a header of its own, then its bytes. No contents of buffers: they are the
 * client's business. Numbers are little endian.
 */
#include <linux/devcoredump.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "ethosu_device.h"

#define DUMP_MAGIC	0x4d445545	/* "EUDM" */
#define DUMP_VERSION	1
/* ID to BASEP, and what the NPU was at: everything that has no side effect when read. */
#define REGS_FIRST	0x000
#define REGS_WORDS	0x40

enum {
	RECORD_REGS = 1,	/* u32 registers from 0 up */
	RECORD_JOB = 2,		/* struct drm_ethosux_job_info, its time and result not yet known */
	RECORD_REGIONS = 3,	/* struct dump_region, by region */
	RECORD_STREAM = 4,	/* the command stream as it ran, prologue included */
};

struct dump_header {
	__le32 magic;
	__le32 version;
	__le32 records;
	__le32 prologue_bytes;
	char task[TASK_COMM_LEN];
};

struct dump_record {
	__le32 kind;
	__le32 size;
};

struct dump_region {
	__le64 base;
	__le64 size;
	__le64 read_end;
	__le64 write_end;
};

struct ethosu_dump {
	size_t size;
	u8 *at;
	u8 data[];
};

static void *record(struct ethosu_dump *dump, u32 kind, u32 size)
{
	struct dump_record *header = (struct dump_record *)dump->at;
	void *data = header + 1;

	header->kind = cpu_to_le32(kind);
	header->size = cpu_to_le32(size);
	dump->at = (u8 *)data + size;
	return data;
}

/**
 * ethosu_dump_take - collect what may help to find out what went wrong
 * @core: is blocked, not yet reset
 * @job: of it
 *
 * Does not wait for memory: the jobs of others wait for this. Return: it, or NULL.
 */
struct ethosu_dump *ethosu_dump_take(struct ethosu_core *core, struct ethosu_job *job)
{
	size_t prologue = core->edev->prologue_words * sizeof(__le32);
	size_t stream = prologue + job->cmd->stream->size;
	struct dump_header *header;
	struct dump_region *region;
	struct ethosu_dump *dump;
	__le32 *regs;
	unsigned int i;
	size_t size;

	size = sizeof(*header) + 4 * sizeof(struct dump_record) + REGS_WORDS * sizeof(*regs) +
	       sizeof(job->info) + ETHOSU_MAX_REGIONS * sizeof(*region) + stream;
	dump = kvzalloc(sizeof(*dump) + size, GFP_NOWAIT | __GFP_NOWARN);
	if (!dump)
		return NULL;
	dump->size = size;
	header = (struct dump_header *)dump->data;
	header->magic = cpu_to_le32(DUMP_MAGIC);
	header->version = cpu_to_le32(DUMP_VERSION);
	header->records = cpu_to_le32(4);
	header->prologue_bytes = cpu_to_le32(prologue);
	dump->at = (u8 *)(header + 1);
	regs = record(dump, RECORD_REGS, REGS_WORDS * sizeof(*regs));
	for (i = 0; i < REGS_WORDS; i++)
		regs[i] = cpu_to_le32(ethosu_hw_read(core, REGS_FIRST + 4 * i));
	memcpy(record(dump, RECORD_JOB, sizeof(job->info)), &job->info, sizeof(job->info));
	region = record(dump, RECORD_REGIONS, ETHOSU_MAX_REGIONS * sizeof(*region));
	for (i = 0; i < ETHOSU_MAX_REGIONS; i++) {
		const struct ethosu_region_use *use = &job->cmd->stream->region[i];

		region[i].base = cpu_to_le64(job->base[i]);
		region[i].size = cpu_to_le64(job->regions[i] ? job->regions[i]->base.size : 0);
		region[i].read_end = cpu_to_le64(use->read_end);
		region[i].write_end = cpu_to_le64(use->write_end);
	}
	memcpy(record(dump, RECORD_STREAM, stream), job->cmd->vaddr, stream);
	return dump;
}

/* Hands it to whoever collects such things, or frees it. */
void ethosu_dump_give(struct ethosu_dump *dump, struct device *dev)
{
	void *copy;

	if (!dump)
		return;
	/* devcoredump frees what it gets with vfree(). */
	copy = vmalloc(dump->size);
	if (copy) {
		memcpy(copy, dump->data, dump->size);
		dev_coredumpv(dev, copy, dump->size, GFP_KERNEL);
	}
	kvfree(dump);
}
