/* SPDX-License-Identifier: MIT */
/* The fake engine and the device on it, see machine.h. */
#include "tests/machine.h"

struct npu_engine {
	struct controls *controls;
};

struct npu_plan {
	const struct npu_op *ops;
	size_t count;
};

static int fake_create(struct npu_engine **out, const struct npu_config *config,
		       const struct npu_options *opt, char *err, size_t err_len)
{
	struct npu_engine *engine = malloc(sizeof(*engine));

	(void)config;
	(void)err;
	(void)err_len;
	engine->controls = (struct controls *)(uintptr_t)opt->cache_dir;
	*out = engine;
	return 0;
}

static void fake_destroy(struct npu_engine *engine)
{
	free(engine);
}

static int fake_prepare(struct npu_engine *engine, struct npu_plan **out, const struct npu_op *ops,
			size_t count, const struct npu_space_map maps[NPU_SPACES])
{
	struct npu_plan *plan;

	(void)maps;
	if (count > 1 && engine->controls->fail_prepare)
		return engine->controls->fail_prepare;
	plan = malloc(sizeof(*plan));
	plan->ops = ops;
	plan->count = count;
	engine->controls->prepared++;
	*out = plan;
	return 0;
}

static void fake_release(struct npu_engine *engine, struct npu_plan *plan)
{
	engine->controls->released++;
	free(plan);
}

/* The bytes [at, at + len) of a space; they must be in its map. */
static uint8_t *fake_bytes(const struct npu_space_map *map, int64_t at, int64_t len)
{
	assert_non_null(map->base);
	assert_true(at >= map->lo && at + len <= map->hi);
	return map->base + (at - map->lo);
}

static void fake_dma(const struct npu_op *op, const struct npu_space_map *maps)
{
	uint32_t plane, row;

	for (plane = 0; plane < op->dma_planes; plane++) {
		for (row = 0; row < op->dma_rows; row++) {
			int64_t src = op->dma_src + plane * op->dma_src_step[1] +
				      row * op->dma_src_step[0];
			int64_t dst = op->dma_dst + plane * op->dma_dst_step[1] +
				      row * op->dma_dst_step[0];

			memmove(fake_bytes(&maps[op->dma_dst_space], dst, op->dma_len),
				fake_bytes(&maps[op->dma_src_space], src, op->dma_len),
				op->dma_len);
		}
	}
}

static int fake_run(struct npu_engine *engine, struct npu_plan *plan, size_t first, size_t count,
		    const struct npu_space_map maps[NPU_SPACES], const int *abort_flag,
		    size_t *failed)
{
	struct controls *controls = engine->controls;
	size_t i;

	assert_true(first + count <= plan->count);
	controls->runs++;
	controls->last_first = first;
	controls->last_count = count;
	for (i = first; i < first + count; i++) {
		pthread_mutex_lock(&controls->lock);
		if (controls->hold && controls->hold_at == i) {
			controls->held = true;
			pthread_cond_broadcast(&controls->changed);
			while (controls->hold)
				pthread_cond_wait(&controls->changed, &controls->lock);
		}
		pthread_mutex_unlock(&controls->lock);
		if (__atomic_load_n(abort_flag, __ATOMIC_RELAXED))
			return 0;
		if (controls->fail && controls->fail_at == i) {
			*failed = i;
			return controls->fail;
		}
		if (plan->ops[i].kind == NPU_KIND_DMA)
			fake_dma(&plan->ops[i], maps);
		controls->ops++;
	}
	return 0;
}

static void fake_window_gone(struct npu_engine *engine, uint64_t id)
{
	engine->controls->gone = id;
}

static void fake_describe(struct npu_engine *engine, char *text, size_t len)
{
	(void)engine;
	snprintf(text, len, "fake");
}

const struct npu_engine_ops npu_engine_reference = {
	.name = "reference", .create = fake_create, .destroy = fake_destroy,
	.prepare = fake_prepare, .release = fake_release, .run = fake_run,
	.window_gone = fake_window_gone, .describe = fake_describe,
};

const struct npu_engine_ops npu_engine_opencl = {
	.name = "opencl", .create = fake_create, .destroy = fake_destroy,
	.prepare = fake_prepare, .release = fake_release, .run = fake_run,
	.window_gone = fake_window_gone, .describe = fake_describe,
};

/* Hold the engine before an operation; wait until it is there; let it go. */
void machine_hold(struct controls *controls, size_t at)
{
	pthread_mutex_lock(&controls->lock);
	controls->hold = true;
	controls->hold_at = at;
	controls->held = false;
	pthread_mutex_unlock(&controls->lock);
}

void machine_wait_held(struct controls *controls)
{
	pthread_mutex_lock(&controls->lock);
	while (!controls->held)
		pthread_cond_wait(&controls->changed, &controls->lock);
	pthread_mutex_unlock(&controls->lock);
}

void machine_let_go(struct controls *controls)
{
	pthread_mutex_lock(&controls->lock);
	controls->hold = false;
	pthread_cond_broadcast(&controls->changed);
	pthread_mutex_unlock(&controls->lock);
}

void machine_open(struct fixture *f, const char *config, const struct npu_bus_ops *ops)
{
	struct npu_options opt = {
		.size = sizeof(opt),
		.cache_dir = (const char *)(uintptr_t)&f->controls,
	};
	char err[128] = "";
	unsigned int i;

	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->controls.lock, NULL);
	pthread_cond_init(&f->controls.changed, NULL);
	f->bus = (struct test_bus)TEST_BUS_INIT;
	f->cmd = test_bus_add(&f->bus, CMD_ADDR, WINDOW_SIZE, NPU_ACCESS_READ);
	f->constants = test_bus_add(&f->bus, CONST_ADDR, WINDOW_SIZE, NPU_ACCESS_READ);
	f->arena = test_bus_add(&f->bus, ARENA_ADDR, WINDOW_SIZE,
				NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	for (i = 0; i < WINDOW_SIZE; i++)
		((uint8_t *)f->constants->host)[i] = i * 7 + 1;
	assert_int_equal(npu_create(&f->npu, npu_config_find(config), ops, &f->bus, &opt, err,
				    sizeof(err)), 0);
	/* Power-on reset is over when it was seen. */
	assert_int_equal(npu_read(f->npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f->npu, STATUS), 0);
	npu_write(f->npu, BASEP(0), CONST_ADDR);
	npu_write(f->npu, BASEP(1), ARENA_ADDR);
}

void machine_close(struct fixture *f)
{
	npu_destroy(f->npu);
	assert_int_equal(f->controls.prepared, f->controls.released);
	test_bus_free(&f->bus);
	pthread_mutex_destroy(&f->controls.lock);
	pthread_cond_destroy(&f->controls.changed);
}

void machine_load(struct fixture *f, const uint32_t *words, size_t count)
{
	memcpy(f->cmd->host, words, count * sizeof(*words));
	npu_write(f->npu, QBASE, CMD_ADDR);
	npu_write(f->npu, QSIZE, count * sizeof(*words));
}

void machine_start(struct fixture *f)
{
	npu_write(f->npu, CMD, 0xc | 1);
	assert_true(npu_running(f->npu));
}

uint32_t machine_run(struct fixture *f)
{
	machine_start(f);
	npu_run(f->npu);
	assert_false(npu_running(f->npu));
	return npu_read(f->npu, STATUS);
}

void *machine_run_thread(void *npu)
{
	npu_run(npu);
	return NULL;
}

void machine_expect_fault(struct fixture *f, uint32_t status, uint32_t fault, uint32_t qread)
{
	assert_int_equal(status, fault | IRQ_RAISED);
	assert_int_equal(npu_read(f->npu, QREAD), qread);
	assert_true(f->bus.level);
	assert_string_not_equal(f->bus.trace, "");
	npu_write(f->npu, RESET, 0);
	assert_int_equal(npu_read(f->npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f->npu, STATUS), 0);
	assert_false(f->bus.level);
	f->bus.trace[0] = '\0';
}
