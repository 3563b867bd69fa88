/* SPDX-License-Identifier: MIT */
/*
 * The job kernel: every work-group walks the whole task table. With one group that is all; with
 * several they claim a task's tiles from a counter and wait, before a task that depends on others, only
 * for tiles that a running group has claimed. So it does not matter how many of the groups run at a time.
 */

static int run_tile(const struct npu_mem *mem, __global const struct npu_op *op,
		    __global const struct npu_task *t, __global const uchar *blob, __global uchar *scratch,
		    uint tile)
{
	switch (t->impl) {
	case NPU_IMPL_CONV:
		conv_tile(mem, op, t, blob, scratch, tile);
		return 0;
	case NPU_IMPL_DEPTHWISE:
		depthwise_tile(mem, op, t, blob, scratch, tile);
		return 0;
	case NPU_IMPL_ADD:
		add_tile(mem, op, t, blob, tile);
		return 0;
	case NPU_IMPL_POOL:
		pool_tile(mem, op, t, tile);
		return 0;
	case NPU_IMPL_MAP:
		map_tile(mem, op, t, blob, scratch, tile);
		return 0;
	case NPU_IMPL_WORD:
		word_tile(mem, op, tile);
		return 0;
	default:
		return generic_tile(mem, op, (__global const short *)(blob + t->panel),
				    (__global const struct cl_bias *)(blob + t->channels), tile);
	}
}

static void fail(__global struct npu_run_args *args, uint task)
{
	atomic_min(&args->failed, task);
}

/* All tiles of a task. False if its data broke a rule. */
static int run_whole(const struct npu_mem *mem, __global const struct npu_op *op,
		     __global const struct npu_task *t, __global const uchar *blob, __global uchar *scratch)
{
	uint tiles = t->tiles ? t->tiles : generic_tiles(op);

	for (uint tile = 0; tile < tiles; tile++)
		if (run_tile(mem, op, t, blob, scratch, tile))
			return 0;
	return 1;
}

static void run_alone(const struct npu_mem *mem, __global const struct npu_op *ops,
		      __global const struct npu_task *tasks, __global const uchar *blob,
		      __global struct npu_run_args *args, __global uchar *scratch,
		      __global volatile int *stop)
{
	for (uint i = args->first; i < args->first + args->count && !*stop; i++)
		if (!run_whole(mem, ops + tasks[i].op, tasks + i, blob, scratch)) {
			fail(args, i);
			return;
		}
}

/* Looks at a counter before a group leaves: some 50 us. */
#if NPU_VNNI || NPU_AVX2
#define PATIENCE 1500
#define RELAX() __builtin_ia32_pause()
#else
#define PATIENCE 20000
#define RELAX()
#endif

/* Until the claimed tiles of tasks [from, to) are done. False if that takes long and the group may leave. */
static int wait_for(__global volatile uint *counters, uint from, uint to, uint leave)
{
	uint looks = 0;

	for (uint i = from; i < to; i++)
		while (counters[NPU_COUNTER_STRIDE * i + 1] < counters[NPU_COUNTER_STRIDE * i]) {
			if (leave && ++looks > PATIENCE)
				return 0;
			RELAX();
		}
	mem_fence(CLK_GLOBAL_MEM_FENCE);
	return 1;
}

/*
 * The first of a task's counters says how many tiles were claimed, the second how many of the claims have
 * been dealt with: a claim beyond the last tile is dealt with at once. So a group that comes in late, or
 * again, finds its way. One that leaves has no tile, and the last one there has no other's to wait for.
 */
static void run_shared(const struct npu_mem *mem, __global const struct npu_op *ops,
		       __global const struct npu_task *tasks, __global const uchar *blob,
		       __global struct npu_run_args *args, __global volatile uint *counters,
		       __global uchar *scratch, __global volatile int *stop, uint group)
{
	uint first = args->first, end = first + args->count, since = 0;

	args->left[group] = 0;
	for (uint i = first; i < end; i += max(tasks[i].chain, 1u)) {
		__global const struct npu_task *t = tasks + i;
		__global const struct npu_op *op = ops + t->op;
		__global volatile uint *claims = counters + NPU_COUNTER_STRIDE * (i - first);
		uint chain = min(max(t->chain, 1u), end - i);
		uint tiles = chain > 1 ? 1 : t->tiles ? t->tiles : generic_tiles(op);

		if (t->wait) {
			if (!wait_for(counters, since, i - first, args->leave)) {
				args->left[group] = 1;
				return;
			}
			since = i - first;
		}
		if (*stop || *(__global volatile uint *)&args->failed < i)
			return;
		for (;;) {
			uint tile = atomic_inc(claims);

			if (tile < tiles && chain > 1) {
				for (uint k = i; k < i + chain; k++)
					if (!run_whole(mem, ops + tasks[k].op, tasks + k, blob, scratch)) {
						fail(args, k);
						break;
					}
			} else if (tile < tiles && run_tile(mem, op, t, blob, scratch, tile)) {
				fail(args, i);
			}
			mem_fence(CLK_GLOBAL_MEM_FENCE);
			atomic_inc(claims + 1);
			if (tile >= tiles)
				break;
		}
	}
}

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void npu_job(__global const struct npu_op *ops, __global const struct npu_task *tasks,
		      __global const uchar *blob, __global struct npu_run_args *args,
		      __global uint *counters, __global uchar *scratch, uint lane, __global volatile int *stop, __global uchar *s0,
		      __global uchar *s1, __global uchar *s2, __global uchar *s3, __global uchar *s4,
		      __global uchar *s5, __global uchar *s6, __global uchar *s7, __global uchar *s8,
		      __global uchar *s9)
{
	struct npu_mem mem = { { s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 }, { 0 } };

	lane += get_group_id(0);
	scratch += (ulong)lane * NPU_SCRATCH;
	for (int s = 0; s < NPU_SPACES; s++)
		mem.lo[s] = -args->offset[s];
	if (args->groups == 1)
		run_alone(&mem, ops, tasks, blob, args, scratch, stop);
	else
		run_shared(&mem, ops, tasks, blob, args, counters, scratch, stop, lane);
}
