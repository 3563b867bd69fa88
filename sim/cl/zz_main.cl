/* SPDX-License-Identifier: MIT */
/*
 * The job kernel: every work-group walks the whole task table. With one group that is all; with
 * several they claim a task's tiles from a counter and wait, before the next task, only for tiles that
 * a running group has claimed. So it does not matter how many of the groups run at a time.
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

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void npu_job(__global const struct npu_op *ops, __global const struct npu_task *tasks,
		      __global const uchar *blob, __global struct npu_run_args *args,
		      __global uint *counters, __global uchar *scratch, uint lane, __global volatile int *stop, __global uchar *s0,
		      __global uchar *s1, __global uchar *s2, __global uchar *s3, __global uchar *s4,
		      __global uchar *s5, __global uchar *s6, __global uchar *s7, __global uchar *s8,
		      __global uchar *s9)
{
	struct npu_mem mem = { { s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 }, { 0 } };
	uint first = args->first, end = first + args->count;

	lane += get_group_id(0);
	scratch += (ulong)lane * NPU_SCRATCH;
	for (int s = 0; s < NPU_SPACES; s++)
		mem.lo[s] = -args->offset[s];
	for (uint i = first; i < end; i++) {
		__global const struct npu_task *t = tasks + i;
		__global const struct npu_op *op = ops + t->op;
		__global volatile uint *claimed = counters + 2 * (i - first), *done = claimed + 1;
		uint tiles = t->tiles ? t->tiles : generic_tiles(op);

		if (*stop)
			return;
		if (args->groups == 1) {
			for (uint tile = 0; tile < tiles; tile++)
				if (run_tile(&mem, op, t, blob, scratch, tile)) {
					fail(args, i);
					return;
				}
			continue;
		}
		for (;;) {
			uint tile = atomic_inc(claimed);

			if (tile >= tiles)
				break;
			if (run_tile(&mem, op, t, blob, scratch, tile))
				fail(args, i);
			atomic_inc(done);
		}
		while (atomic_add(done, 0) < tiles)
			;
		if (*(volatile __global uint *)&args->failed <= i)
			return;
	}
}
