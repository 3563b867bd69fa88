/* SPDX-License-Identifier: MIT */
/* The device: the log of its accesses; devices on threads. */
#include "tests/machine.h"

/* ---- access log ---- */

static void test_log(void **state)
{
	/* 2D on the U65: rows of 16, destination rows 48 apart (SKIP0 32). */
	static const uint32_t words[] = {
		DMA_SRC_REGION(0), DMA_DST_REGION(0x201), SET0(0x132, 3), DMA_SRC(16), DMA_DST(0),
		DMA_LEN(16), SET1(0x033, 32), DMA_START, STOP(0),
	};
	static const struct {
		uint64_t addr, len;
		uint8_t channel, access;
	} expect[] = {
		{ CMD_ADDR, sizeof(words), NPU_CH_CMD, NPU_ACCESS_READ },
		{ CONST_ADDR + 16, 48, NPU_CH_DMA_READ, NPU_ACCESS_READ },
		{ ARENA_ADDR, 16, NPU_CH_DMA_WRITE, NPU_ACCESS_WRITE },
		{ ARENA_ADDR + 48, 16, NPU_CH_DMA_WRITE, NPU_ACCESS_WRITE },
		{ ARENA_ADDR + 96, 16, NPU_CH_DMA_WRITE, NPU_ACCESS_WRITE },
	};
	struct fixture f;
	unsigned int i;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops_logged);
	machine_load(&f, words, sizeof(words) / 4);
	assert_int_equal(machine_run(&f), END_REACHED | IRQ_RAISED);
	assert_int_equal(f.bus.logged, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(f.bus.log[i].addr, expect[i].addr);
		assert_int_equal(f.bus.log[i].len, expect[i].len);
		assert_int_equal(f.bus.log[i].channel, expect[i].channel);
		assert_int_equal(f.bus.log[i].access, expect[i].access);
		assert_true(f.bus.log[i].granted);
		assert_int_equal(f.bus.log[i].offset, i ? sizeof(words) - 8 : 0);
	}
	/* The refused access is told, with what came before it. */
	f.bus.logged = 0;
	assert_int_equal(RUN(&f, DMA_DST_REGION(1), DMA_START, DMA_LEN(WINDOW_SIZE), DMA_START,
			     STOP(0)) & BUS_ERROR, BUS_ERROR);
	assert_int_equal(f.bus.logged, 4);
	assert_int_equal(f.bus.log[3].addr, CONST_ADDR + 16);
	assert_int_equal(f.bus.log[3].len, WINDOW_SIZE);
	assert_false(f.bus.log[3].granted);
	machine_close(&f);
}

#define MAP_SIZE 65536

struct marks {
	uint8_t touched[MAP_SIZE];
	unsigned int runs;
	enum npu_channel channel;
};

static int mark(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct marks *marks = ctx;

	if (channel != marks->channel)
		return 0;
	assert_true(len && addr + len <= MAP_SIZE);
	memset(marks->touched + addr, 1, len);
	marks->runs++;
	return 0;
}

/* Every element's bytes by the formula of op.h against the runs, on random feature maps. */
static void test_log_feature_maps(void **state)
{
	static struct marks got, want;
	const uint64_t base[NPU_REGIONS] = { 0, 0, 4096 };
	const struct npu_space_map none = { 0 };
	unsigned int round, seed = 1;
	uint32_t y, x, c;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct npu_op op = { .kind = NPU_KIND_POOL };
		struct npu_fm *fm = round & 1 ? &op.ofm : &op.a;
		uint32_t es;

		op.a.space = op.ofm.space = NPU_SPACE_INTERNAL;
		fm->space = 2;
		fm->height = 1 + rand_r(&seed) % 9;
		fm->width = 1 + rand_r(&seed) % 9;
		fm->depth = 1 + rand_r(&seed) % 40;
		fm->elem_log2 = rand_r(&seed) % 3;
		fm->brick = rand_r(&seed) & 1;
		es = 1u << fm->elem_log2;
		fm->width0 = 1 + rand_r(&seed) % 10;
		fm->height0 = 1 + rand_r(&seed) % 10;
		fm->height1 = 1 + rand_r(&seed) % 10;
		for (x = 0; x < 4; x++)
			fm->base[x] = 8192 * (x + 1);
		fm->stride_x = fm->brick ? 16 * es : (fm->depth + rand_r(&seed) % 2) * es;
		fm->stride_c = fm->brick ? fm->width * 16 * es : es;
		fm->stride_y = fm->brick ? (fm->depth + 15) / 16 * fm->stride_c :
			       fm->width * fm->stride_x + rand_r(&seed) % 2 * es;
		if (rand_r(&seed) % 4 == 0)
			fm->stride_y = -fm->stride_y;

		memset(&got, 0, sizeof(got));
		memset(&want, 0, sizeof(want));
		got.channel = round & 1 ? NPU_CH_OFM : NPU_CH_IFM;
		for (y = 0; y < fm->height; y++) {
			for (x = 0; x < fm->width; x++) {
				int right = x >= fm->width0;
				int lower = y >= (right ? fm->height1 : fm->height0);
				int64_t yy = lower ? y - (right ? fm->height1 : fm->height0) : y;
				int64_t xx = right ? x - fm->width0 : x;

				for (c = 0; c < fm->depth; c++) {
					int64_t at = 4096 + fm->base[lower * 2 + right] +
						     yy * fm->stride_y;

					at += fm->brick ? xx * 16 * es + c / 16 * fm->stride_c +
						c % 16 * es : xx * fm->stride_x + c * es;
					memset(want.touched + at, 1, es);
				}
			}
		}
		assert_int_equal(npu_log_runs(&op, base, &none, mark, &got), 0);
		assert_memory_equal(got.touched, want.touched, MAP_SIZE);
	}
}

/* Rows that a table picks; the walk ends at an index that is too large. */
static void test_log_indexed_dma(void **state)
{
	static const int32_t table[] = { 3, 0, 5, 9 };
	static struct marks got;
	const uint64_t base[NPU_REGIONS] = { 0x1000, 0x2000, 0x3000 };
	struct npu_space_map idx = { .base = (uint8_t *)(uintptr_t)table, .lo = 64, .hi = 80 };
	struct npu_op op = {
		.kind = NPU_KIND_DMA, .dma_src_space = 0, .dma_dst_space = 1, .dma_idx_space = 2,
		.dma_src_indexed = 1, .dma_len = 8, .dma_rows = 4, .dma_planes = 1,
		.dma_src_step = { 100 }, .dma_dst_step = { 8 }, .dma_idx = 64, .dma_idx_max = 5,
	};

	(void)state;
	got.channel = NPU_CH_DMA_READ;
	npu_log_runs(&op, base, &idx, mark, &got);
	assert_int_equal(got.runs, 3);
	assert_int_equal(got.touched[0x1000 + 300], 1);
	assert_int_equal(got.touched[0x1000 + 507], 1);
	assert_int_equal(got.touched[0x1000 + 508], 0);
	memset(&got, 0, sizeof(got));
	got.channel = NPU_CH_DMA_INDEX;
	npu_log_runs(&op, base, &idx, mark, &got);
	assert_int_equal(got.runs, 1);
	assert_int_equal(got.touched[0x3000 + 79], 1);
	memset(&got, 0, sizeof(got));
	got.channel = NPU_CH_DMA_WRITE;
	npu_log_runs(&op, base, &idx, mark, &got);
	assert_int_equal(got.runs, 1);
	assert_int_equal(got.touched[0x2000 + 23], 1);
	assert_int_equal(got.touched[0x2000 + 24], 0);
}

/* ---- threads ---- */

#define THREADS 4
#define JOBS 200

struct worker {
	struct fixture f;
	pthread_t thread, poker;
	bool stop;
};

/* Reads and writes whatever it can while jobs run. */
static void *poke(void *arg)
{
	struct worker *worker = arg;
	struct npu_stats stats;
	uint32_t offset = 0;

	while (!__atomic_load_n(&worker->stop, __ATOMIC_RELAXED)) {
		npu_read(worker->f.npu, offset);
		npu_write(worker->f.npu, 0x184, 0x80000000);
		npu_write(worker->f.npu, CMD, 0xc);
		npu_get_stats(worker->f.npu, &stats);
		offset = (offset + 4) % 0x1000;
	}
	return NULL;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	for (i = 0; i < JOBS; i++) {
		uint32_t status = RUN(&worker->f, DMA(0, i % 8 * 16, 1, 0, 16), IRQ(1), DMA(1, 0, 1, 32, 16),
				      STOP(2));

		assert_int_equal(status & ~IN_RESET, END_REACHED | IRQ_RAISED | 0x30000);
		assert_memory_equal((uint8_t *)worker->f.arena->host + 32,
				    (uint8_t *)worker->f.constants->host + i % 8 * 16, 16);
		npu_write(worker->f.npu, CMD, 0xffff000c | 2);
	}
	return NULL;
}

static void test_devices_on_threads(void **state)
{
	static struct worker workers[THREADS];
	struct npu_stats stats;
	unsigned int i;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		machine_open(&workers[i].f, i & 1 ? "u85-512" : "u65-256", &test_bus_ops);
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		pthread_create(&workers[i].poker, NULL, poke, &workers[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		__atomic_store_n(&workers[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(workers[i].poker, NULL);
		npu_get_stats(workers[i].f.npu, &stats);
		assert_int_equal(stats.jobs, JOBS);
		machine_close(&workers[i].f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_feature_maps),
		cmocka_unit_test(test_log_indexed_dma),
		cmocka_unit_test(test_devices_on_threads),
	};

	return cmocka_run_group_tests_name("machine: log and threads", tests, NULL, NULL);
}
