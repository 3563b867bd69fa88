/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The objects of the driver and how they hang together.
 *
 * A device has one or more cores (NPUs), each with registers, an interrupt and maybe on-chip memory. An
 * open file is a client; a client has queues; a queue has jobs, which run in order. The scheduler
 * (ethosu_sched.c) hands the jobs that are ready to the cores, from the interrupt handler where it can.
 *
 * Locks, outermost first: queue->submit_lock, reservation locks, fence locks, sched->lock. Fences are
 * signalled without sched->lock, because what waits for them may want to start a job.
 */
#ifndef ETHOSU_DEVICE_H
#define ETHOSU_DEVICE_H

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/irqreturn.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>

#include "ethosu_accel.h"
#include "ethosu_regs.h"
#include "ethosu_validate.h"

#define ETHOSU_CORES		4
#define ETHOSU_PRIORITIES	4
#define ETHOSU_HISTORY		256	/* ended jobs that JOB_INFO knows, a queue */
#define ETHOSU_QUEUES		64	/* of a client, beside queue 0 */
#define ETHOSU_SUBMIT_JOBS	ETHOSU_HISTORY	/* of a submission */
#define ETHOSU_SUBMIT_SYNCS	1024
#define ETHOSU_QUEUED_JOBS	16384	/* of a queue, not ended */
#define ETHOSU_SRAM_REGION	2	/* that a job's SRAM is behind, as with mainline and Vela */

struct clk_bulk_data;
struct gen_pool;
struct drm_file;
struct platform_device;
struct sg_table;
struct ethosu_device;
struct ethosu_job;

/**
 * struct ethosu_core - an NPU
 * @regs: its registers
 * @pmu: of those, where the U65's PMU registers are (the U85 has them 0x1000 further up)
 * @job: the one it runs, or prepares or recovers from; NULL: idle
 * @blocked: takes no job although it is idle or its job has ended: being reset, or its SRAM cleared
 * @dead: a reset failed; the next submission tries again
 * @why: of the recovery that is due: -EIO or -ETIME
 * @status: STATUS, when the recovery became due
 * @qread, @moved_ns: progress as the watchdog saw it, and when
 * @base, @qbase, @qsize: what BASEP, QBASE and QSIZE hold; a write costs more than a look
 * @counting: the PMU is on
 * @perfmon: gets what it counts; NULL: nobody
 * @sram: on-chip memory as the CPU and as the NPU sees it; NULL: none
 * @sram_client: id of the client that used the SRAM last; 0: it is clean
 * @sram_dirty: bytes of it that may not be 0
 * @turn: by priority, whose jobs it ran last: goes on a little; NULL: nobody's
 * @busy_ns: time with a job, of all clients that ever were
 */
struct ethosu_core {
	struct ethosu_device *edev;
	unsigned int index;
	int irq;
	void __iomem *regs;
	void __iomem *pmu;

	struct ethosu_job *job;
	bool blocked;
	bool dead;
	int why;
	u32 status;
	u32 qread;
	u64 moved_ns;
	u64 base[ETHOSU_MAX_REGIONS];
	u64 qbase;
	u32 qsize;
	bool counting;
	struct ethosu_perfmon *perfmon;
	struct ethosu_share *turn[ETHOSU_PRIORITIES];
	u64 busy_ns;

	struct gen_pool *sram_pool;
	void __iomem *sram;
	dma_addr_t sram_dma;
	u64 sram_client;
	u32 sram_dirty;

	struct work_struct recover;
	struct work_struct clear_sram;
};

/**
 * struct ethosu_share - what a client has of the NPU at one priority
 * @vtime: ns it had, raised to near what the others have when it comes back from having nothing to run
 * @queues: of the client, that have a job ready
 * @node: in the level's tree by @vtime while there are any
 */
struct ethosu_share {
	struct rb_node node;
	u64 vtime;
	struct list_head queues;
};

/**
 * struct ethosu_level - all shares of a priority
 * @vtime: of the share that was served last
 */
struct ethosu_level {
	struct rb_root_cached shares;
	u64 vtime;
};

/**
 * struct ethosu_sched - which job runs next
 * @paused: start nothing (suspend)
 * @gone: the device was removed
 * @late: jobs that ended where their fences could not be signalled, for @retire
 * @ended: jobs that ended and are to be freed; their memory may only be where one can sleep
 */
struct ethosu_sched {
	spinlock_t lock;
	struct ethosu_level level[ETHOSU_PRIORITIES];
	struct list_head queues;
	bool paused;
	bool gone;
	bool watching;
	struct delayed_work watchdog;
	struct list_head late;
	struct work_struct retire;
	struct llist_head ended;
	struct delayed_work reap;
	struct workqueue_struct *wq;
	wait_queue_head_t idle;
};

/**
 * struct ethosu_device - what is behind a node
 * @info: as DEV_QUERY tells it
 * @hw: what the validator knows of it
 * @prologue: commands in front of every client's stream, that leave no register to inherit
 * @nothing: a page of zeros for regions that a job does not use
 * @global_perfmon: counts all jobs; under sched.lock
 * @resets: how often an NPU had to be reset to go on
 */
struct ethosu_device {
	struct drm_device base;
	struct ethosu_core core[ETHOSU_CORES];
	unsigned int cores;
	struct clk_bulk_data *clks;
	int num_clks;
	struct drm_ethosu_npu_info info;
	struct ethosu_hw hw;
	__le32 prologue[ETHOSU_PROLOGUE_MAX];
	size_t prologue_words;
	struct ethosu_bo *nothing;
	struct ethosu_sched sched;
	struct ethosu_perfmon *global_perfmon;
	struct mutex reset_lock;
	atomic64_t next_client;
	atomic_t resets;
};

#define to_ethosu(dev) container_of(dev, struct ethosu_device, base)

/**
 * struct ethosu_client - an open file
 * @id: never used again
 * @queues: by id; 0 is there from the start
 * @share: by priority; under sched.lock
 * @busy_ns, @jobs: what fdinfo tells; under sched.lock
 */
struct ethosu_client {
	struct kref ref;
	struct ethosu_device *edev;
	u64 id;
	struct xarray queues;
	struct xarray perfmons;
	struct ethosu_share share[ETHOSU_PRIORITIES];
	u64 busy_ns;
	u64 jobs;
};

/**
 * struct ethosu_queue - jobs that run in order
 * @submit_lock: whoever puts jobs in; keeps sequence numbers and places the same
 * @context: of its fences
 * @node: in sched.queues
 * @ready: in the share's list of queues while its first job could run
 * @jobs: not started yet, in order
 * @running: started, not ended
 * @closing: what its jobs that have not started end with: -ECANCELED or -ENODEV; 0: they run
 * @history: by seqno, of jobs that ended
 */
struct ethosu_queue {
	struct kref ref;
	struct ethosu_client *client;
	struct mutex submit_lock;
	u32 id;
	u32 priority;
	u32 core_mask;
	u32 timeout_ms;
	char name[16];
	u64 context;

	/* under sched.lock */
	struct list_head node;
	struct list_head ready;
	struct list_head jobs;
	struct ethosu_job *running;
	u32 queued;
	int closing;
	u32 state;
	u64 submitted;
	u64 ended;
	u64 failed;
	u64 last_failed;
	u64 busy_ns;
	struct drm_ethosux_job_info *history;
};

/**
 * struct ethosu_bo - memory that the NPU reaches
 * @vaddr, @dma: one piece for the CPU, one for the NPU
 * @from_pages: it came from the page allocator, not dma_alloc_attrs()
 * @sgt: of an imported buffer
 * @flags: DRM_ETHOSU_BO_*
 * @stream: of a command stream: what it uses; else NULL
 */
struct ethosu_bo {
	struct drm_gem_object base;
	void *vaddr;
	dma_addr_t dma;
	bool from_pages;
	struct sg_table *sgt;
	u32 flags;
	struct ethosu_stream_use *stream;
};

#define to_ethosu_bo(obj) container_of(obj, struct ethosu_bo, base)

/**
 * struct ethosu_perfmon - events to count, and the sums
 * @values: one an event, then cycles; under sched.lock
 */
struct ethosu_perfmon {
	struct kref ref;
	u32 events;
	u16 event[DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS];
	u64 values[DRM_ETHOSU_MAX_PERF_COUNTERS];
};

/**
 * struct ethosu_dep - a fence that a job waits for
 * @armed: @cb may be called
 * @needs_success: an error of the fence cancels the job
 */
struct ethosu_dep {
	struct dma_fence_cb cb;
	struct dma_fence *fence;
	struct ethosu_job *job;
	struct list_head node;
	bool armed;
	bool needs_success;
};

/**
 * struct ethosu_job - a run of a command stream
 * @fence: signals its end. First member: the fence's memory is the job's, and outlives it.
 * @fence_lock: the fence's
 * @node: in queue->jobs, later in a list of those that ended
 * @ended: in sched.ended
 * @deps: fences it waits for before it may start
 * @waiting: how many are left, and one while it is being submitted; under sched.lock once it is pushed
 * @last: sequence number of the last job of its submission
 * @cancel: ends without having run, and with it those up to @last; under sched.lock once it is pushed
 * @base: address of each region
 * @regions: objects it keeps alive
 * @info: what JOB_INFO tells; under sched.lock
 */
struct ethosu_job {
	struct dma_fence fence;
	spinlock_t fence_lock;
	struct ethosu_device *edev;
	struct ethosu_queue *queue;
	struct list_head node;
	struct llist_node ended;
	struct list_head deps;
	unsigned int waiting;
	u64 last;
	bool cancel;
	struct ethosu_bo *cmd;
	struct ethosu_bo *regions[ETHOSU_MAX_REGIONS];
	u64 base[ETHOSU_MAX_REGIONS];
	u32 sram_size;
	u32 timeout_ms;
	struct ethosu_perfmon *perfmon;
	bool powered;
	struct drm_ethosux_job_info info;
};

/* ethosu_hw.c: registers. All but the first need the clocks on. */
int ethosu_hw_probe(struct ethosu_device *edev, struct platform_device *pdev);
int ethosu_hw_identify(struct ethosu_core *core, u32 *id, u32 *config);
int ethosu_hw_reset(struct ethosu_core *core);
void ethosu_hw_start(struct ethosu_core *core, const struct ethosu_job *job);
u32 ethosu_hw_status(struct ethosu_core *core);
u32 ethosu_hw_qread(struct ethosu_core *core);
void ethosu_hw_clear_irq(struct ethosu_core *core);
u32 ethosu_hw_read(struct ethosu_core *core, u32 offset);
void ethosu_hw_count(struct ethosu_core *core, const struct ethosu_perfmon *perfmon);
void ethosu_hw_read_counts(struct ethosu_core *core, u32 events, u64 *values);
bool ethosu_hw_sram_unclean(const struct ethosu_core *core, const struct ethosu_job *job);
void ethosu_hw_clear_sram(struct ethosu_core *core);

/* STATUS of a device that is not there any more. */
#define ETHOSU_STATUS_GONE	(~0u)
#define ETHOSU_STATUS_ERRORS \
	(ETHOSU_REG_BIT(STATUS_BUS_STATUS) | ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR) | \
	 ETHOSU_REG_BIT(STATUS_ECC_FAULT))

/* ethosu_mem.c: contiguous memory. */
struct ethosu_bo *ethosu_mem_create(struct ethosu_device *edev, size_t size);
void ethosu_mem_free(struct ethosu_bo *bo);
int ethosu_mem_mmap(struct ethosu_bo *bo, struct vm_area_struct *vma);
struct sg_table *ethosu_mem_sg_table(struct ethosu_bo *bo);

/* ethosu_gem.c: buffer objects. */
extern const struct drm_gem_object_funcs ethosu_gem_funcs;
struct drm_gem_object *ethosu_gem_import(struct drm_device *dev, struct dma_buf_attachment *attach,
					 struct sg_table *sgt);
int ethosu_ioctl_bo_create(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_bo_wait(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_bo_mmap_offset(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_bo_info(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_cmdstream_bo_create(struct drm_device *dev, void *data, struct drm_file *file);

/* ethosu_queue.c: clients and queues. */
struct ethosu_client *ethosu_client_create(struct ethosu_device *edev);
void ethosu_client_close(struct ethosu_client *client);
void ethosu_client_put(struct ethosu_client *client);
struct ethosu_queue *ethosu_queue_get(struct ethosu_client *client, u32 id);
void ethosu_queue_put(struct ethosu_queue *queue);
u32 ethosu_max_priority(void);
int ethosu_ioctl_queue_create(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_queue_destroy(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_queue_get_state(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_job_info(struct drm_device *dev, void *data, struct drm_file *file);

/* ethosu_sched.c: what runs next. */
int ethosu_sched_init(struct ethosu_device *edev);
void ethosu_sched_fini(struct ethosu_device *edev);
irqreturn_t ethosu_irq(int irq, void *data);
void ethosu_sched_kick(struct ethosu_device *edev, struct list_head *ended);
void ethosu_sched_push(struct ethosu_job **jobs, u32 count);
void ethosu_sched_ready(struct ethosu_job *job, bool cancel);
void ethosu_sched_end(struct ethosu_core *core, u32 state, int error, u32 status,
		      struct list_head *ended);
void ethosu_sched_start(struct ethosu_core *core, struct ethosu_job *job);
void ethosu_sched_forget(struct ethosu_client *client);
void ethosu_sched_close(struct ethosu_queue *queue, int error);
void ethosu_sched_flush(struct ethosu_queue *queue, int error, struct list_head *ended);
void ethosu_jobs_retire(struct list_head *ended);
void ethosu_jobs_reap(struct ethosu_device *edev);

/* ethosu_submit.c */
void ethosu_job_free(struct ethosu_job *job);
int ethosu_ioctl_submit(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_queue_submit(struct drm_device *dev, void *data, struct drm_file *file);

/* ethosu_recover.c: timeouts, faults, reset. */
extern unsigned int ethosu_default_timeout_ms;
extern unsigned int ethosu_max_timeout_ms;
void ethosu_watchdog(struct work_struct *work);
void ethosu_recover(struct work_struct *work);
void ethosu_recover_later(struct ethosu_core *core, int why, u32 status);
bool ethosu_all_dead(const struct ethosu_device *edev, u32 core_mask);
int ethosu_revive(struct ethosu_device *edev, u32 core_mask);
void ethosu_lose(struct ethosu_device *edev, int error);

/* ethosu_dump.c */
struct ethosu_dump;
struct ethosu_dump *ethosu_dump_take(struct ethosu_core *core, struct ethosu_job *job);
void ethosu_dump_give(struct ethosu_dump *dump, struct device *dev);

/* ethosu_perfmon.c */
struct ethosu_perfmon *ethosu_perfmon_get(struct ethosu_client *client, u32 id);
void ethosu_perfmon_put(struct ethosu_perfmon *perfmon);
u32 ethosu_max_event(const struct ethosu_device *edev);
void ethosu_perfmons_close(struct ethosu_client *client);
int ethosu_ioctl_perfmon_create(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_perfmon_destroy(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_perfmon_get_values(struct drm_device *dev, void *data, struct drm_file *file);
int ethosu_ioctl_perfmon_set_global(struct drm_device *dev, void *data, struct drm_file *file);

/* ethosu_pm.c */
extern const struct dev_pm_ops ethosu_pm_ops;
int ethosu_pm_on(struct ethosu_device *edev);
void ethosu_pm_off(struct ethosu_device *edev);

/* ethosu_info.c */
extern const struct attribute_group *ethosu_attr_groups[];
int ethosu_ioctl_dev_query(struct drm_device *dev, void *data, struct drm_file *file);
void ethosu_show_fdinfo(struct drm_printer *p, struct drm_file *file);

#endif
