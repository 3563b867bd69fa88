/* SPDX-License-Identifier: MIT */
/* Products of matrices, by OpenBLAS; and the only place that sets the number of its threads. */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <cblas.h>

#include "runtime/float/blas.h"

#define LIBRARY		"libopenblas.so.0"
#define THREADS_FROM	(UINT64_C(1) << 26)	/* products: a smaller matrix takes a few milliseconds */

/*
 * The library's functions: loaded once, then never changed. @threads: of large products; @now: what the
 * library was last told, which several may do at once: either number is right.
 */
static struct {
	pthread_once_t once;
	bool loaded;
	__typeof__(&cblas_sgemm) sgemm;
	__typeof__(&cblas_sgemv) sgemv;
	__typeof__(&openblas_set_num_threads) set_threads;
	__typeof__(&openblas_get_num_threads) get_threads;
	__typeof__(&openblas_get_num_procs) processors;
	atomic_int threads, now;
} blas = { .once = PTHREAD_ONCE_INIT };

static void load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	/* A function's address by way of an object's: POSIX has dlsym() give them so. */
	*(void **)&blas.sgemm = dlsym(library, "cblas_sgemm");
	*(void **)&blas.sgemv = dlsym(library, "cblas_sgemv");
	*(void **)&blas.set_threads = dlsym(library, "openblas_set_num_threads");
	*(void **)&blas.get_threads = dlsym(library, "openblas_get_num_threads");
	*(void **)&blas.processors = dlsym(library, "openblas_get_num_procs");
	blas.loaded = blas.sgemm && blas.sgemv && blas.set_threads && blas.get_threads &&
		      blas.processors;
	/* All CPUs, unless the environment says otherwise. */
	if (blas.loaded)
		blas.threads = blas.now = blas.get_threads();
}

int blas_load(struct error *err)
{
	pthread_once(&blas.once, load);
	if (!blas.loaded)
		return error_set(err, -ENOTSUP, "no " LIBRARY " for products of float32: "
				 "install Debian's libopenblas0");
	return 0;
}

void blas_threads(unsigned int count)
{
	blas.threads = count && count < INT_MAX ? (int)count : blas.processors();
}

/* Threads wait for each other: where others want the CPUs as well, a small product is done sooner by one. */
static void use_threads(const struct gemm *g)
{
	int wanted = (uint64_t)g->m * g->n * g->k >= THREADS_FROM ? blas.threads : 1;

	if (blas.now == wanted)
		return;
	blas.now = wanted;
	blas.set_threads(wanted);
}

bool gemm_fits(const struct gemm *g)
{
	return g->m <= INT_MAX && g->n <= INT_MAX && g->k <= INT_MAX && g->lda <= INT_MAX &&
		g->ldb <= INT_MAX && g->ldc <= INT_MAX;
}

static void clear(const struct gemm *g, float *c)
{
	for (size_t i = 0; i < g->m; i++)
		memset(c + i * g->ldc, 0, g->n * sizeof(*c));
}

void gemm(const struct gemm *g, const float *a, const float *b, float *c)
{
	if (!g->m || !g->n)
		return;
	if (!g->k) {
		if (!g->add)
			clear(g, c);
		return;
	}
	use_threads(g);
	/* One row times a matrix: its weights are not worth packing. */
	if (g->m == 1 && !g->a_turned) {
		/* Some versions multiply what is there by 0, which keeps what is no number. */
		if (!g->add)
			clear(g, c);
		blas.sgemv(CblasRowMajor, g->b_turned ? CblasNoTrans : CblasTrans,
			   (int)(g->b_turned ? g->n : g->k), (int)(g->b_turned ? g->k : g->n), 1.0f,
			   b, (int)g->ldb, a, 1, g->add ? 1.0f : 0.0f, c, 1);
		return;
	}
	blas.sgemm(CblasRowMajor, g->a_turned ? CblasTrans : CblasNoTrans,
		   g->b_turned ? CblasTrans : CblasNoTrans, (int)g->m, (int)g->n, (int)g->k, 1.0f, a,
		   (int)g->lda, b, (int)g->ldb, g->add ? 1.0f : 0.0f, c, (int)g->ldc);
}
