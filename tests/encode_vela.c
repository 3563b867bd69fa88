/* SPDX-License-Identifier: MIT */
/*
 * The weight encoder against Vela's, on every convolution of every model that Vela compiled: the
 * weights of a stream are decoded, encoded again for the same operation, decoded, and must be the
 * same and no larger.
 *
 * usage: encode_vela [-d DUMP] [-m part-of-path] FOLDER
 * FOLDER is searched for [ops/]MODEL/vela-[ethos-]CONFIG.tflite. DUMP gets the standard streams, for
 * tests/encode_vela.py: u32 count, s16 weights in stream order, u32 length, bytes.
 * Exit status: 0, 1, or 77 if there is nothing to do.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/encode/weights.h"
#include "sim/decode.h"
#include "sim/weights.h"
#include "tests/vela_file.h"

#define EXIT_SKIP 77

struct totals {
	unsigned int operations, fewer;
	uint64_t weights, ours, velas;
};

struct run {
	FILE *dump;
	struct totals all;
	unsigned int files, skipped, failed;
	uint64_t best_bytes;	/* WENC_AUTO by size, U85 */
	uint64_t estimate;	/* of standard streams, and what they are */
	uint64_t estimated;
	double seconds, auto_seconds, estimate_seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Where in the constants the bytes that an operation reads come from, staged by a DMA or not. */
static const uint8_t *constants(const struct npu_program *program, size_t before,
				const struct vela_file *file, unsigned int space, uint64_t base,
				uint64_t len)
{
	if (space == 0)
		return base + len <= file->constants_size ? file->constants + base : NULL;
	while (before-- > 0) {
		const struct npu_op *op = &program->ops[before];

		if (op->kind != NPU_KIND_DMA || op->dma_dst_space != space || base < op->dma_dst ||
		    base + len > op->dma_dst + op->dma_len || op->dma_rows > 1)
			continue;
		return constants(program, before, file, op->dma_src_space,
				 op->dma_src + base - op->dma_dst, len);
	}
	return NULL;
}

static void describe(const struct npu_op *op, struct wenc_layer *layer, const int16_t *w)
{
	*layer = (struct wenc_layer){
		.weights = w, .type = WENC_S16, .oc = op->oc, .kh = op->kernel_h, .kw = op->kernel_w,
		.ic = op->kind == NPU_KIND_DEPTHWISE ? 1 : op->a.depth, .stride_y = op->stride_y,
		.stride_x = op->stride_x, .dilation_y = op->dilation_y, .dilation_x = op->dilation_x,
		.depthwise = op->kind == NPU_KIND_DEPTHWISE,
	};
	wenc_layer_ohwi(layer);
}

static void configure(const struct npu_config *npu, const struct npu_op *op,
		      struct wenc_config *config)
{
	static const enum wenc_format formats[2][2] = {
		{ WENC_STANDARD, WENC_FAST }, { WENC_SPARSE, WENC_FAST_SPARSE },
	};

	*config = (struct wenc_config){
		.arch = npu->arch, .macs = npu->macs, .cores = op->cores,
		.ifm_bits = 8u << op->a.elem_log2, .ofm_block_depth = op->ofm_block_depth,
		.part_kernel = op->part_kernel, .microblock = op->microblock,
		.format = formats[op->weight_sparse != 0][op->weight_fwd != 0],
	};
}

static uint64_t weight_bytes(const struct wenc_blob *blob)
{
	uint64_t bytes = 0;

	for (unsigned int s = 0; s < WENC_MAX_STREAMS; s++)
		bytes += blob->slices[0].weights[s].length;
	return bytes;
}

static void dump_streams(FILE *dump, const struct wenc_blob *blob)
{
	for (unsigned int s = 0; s < WENC_MAX_STREAMS; s++) {
		struct wenc_range range = blob->slices[0].weights[s];
		const uint8_t *data = blob->data + range.offset;
		int16_t *w = NULL;
		long count;

		if (!range.length)
			continue;
		count = npu_mlw_decode(data, range.length, SIZE_MAX, &w);
		if (count <= 0)
			abort();
		fwrite(&(uint32_t){ (uint32_t)count }, 4, 1, dump);
		fwrite(w, sizeof(*w), (size_t)count, dump);
		fwrite(&range.length, 4, 1, dump);
		fwrite(data, 1, range.length, dump);
		free(w);
	}
}

/* What is estimated before encoding is hardly less than what comes out. */
static const char *estimate(struct run *run, const struct npu_op *op,
			    const struct wenc_layer *layer, const struct wenc_config *config,
			    uint64_t bytes)
{
	double start = now();
	struct wenc_size size;

	if (op->weight_fwd || op->weight_sparse)
		return NULL;
	if (wenc_estimate(layer, config, 0, op->oc, &size, NULL))
		return "has no estimate";
	run->estimate_seconds += now() - start;
	run->estimate += size.bytes;
	run->estimated += bytes;
	return bytes > size.bytes + 16 * op->cores ? "is larger than its estimate" : NULL;
}

static const char *encode(struct run *run, const struct npu_config *npu, const struct npu_op *op,
			  const int16_t *w, size_t count, uint64_t *bytes)
{
	struct npu_stream streams[NPU_MAX_CORES];
	struct wenc_config config;
	struct wenc_layer layer;
	struct wenc_blob blob, best;
	int16_t *back = malloc(count * sizeof(*back));
	struct npu_op again = *op;
	double start = now();
	const char *wrong;
	bool same;

	describe(op, &layer, w);
	configure(npu, op, &config);
	if (!back || wenc_encode(&layer, &config, NULL, NULL, 0, &blob, NULL))
		return "is not encoded";
	run->seconds += now() - start;
	*bytes = weight_bytes(&blob);
	for (unsigned int s = 0; s < NPU_MAX_CORES; s++) {
		struct wenc_range range = blob.slices[0].weights[s];

		streams[s] = (struct npu_stream){ blob.data + range.offset, range.length };
		again.weight_len[s] = range.length;
	}
	same = !npu_weights_decode(npu, &again, streams, back, count) &&
		!memcmp(back, w, count * sizeof(*w));
	if (run->dump && !op->weight_fwd)
		dump_streams(run->dump, &blob);
	wenc_blob_free(&blob);
	free(back);
	if (!same)
		return "is not decoded as it was encoded";
	wrong = estimate(run, op, &layer, &config, *bytes);
	if (wrong)
		return wrong;
	config.format = WENC_AUTO;
	start = now();
	if (wenc_encode(&layer, &config, NULL, NULL, 0, &best, NULL))
		return "is not encoded in the best format";
	run->auto_seconds += now() - start;
	run->best_bytes += weight_bytes(&best);
	if (weight_bytes(&best) > *bytes)
		return "has a best format that is not the best";
	wenc_blob_free(&best);
	return NULL;
}

static void operation(struct run *run, const char *path, const struct npu_config *npu,
		      const struct npu_program *program, size_t i, const struct vela_file *file,
		      struct totals *model)
{
	const struct npu_op *op = &program->ops[i];
	struct npu_stream streams[NPU_MAX_CORES] = { 0 };
	size_t count = npu_weights_count(op);
	uint64_t velas = 0, ours = 0;
	const char *wrong = NULL;
	int16_t *w;

	for (unsigned int s = 0; s < NPU_MAX_CORES; s++) {
		streams[s].len = op->weight_len[s];
		if (!streams[s].len)
			continue;
		streams[s].data = constants(program, i, file, op->weight_space, op->weight_base[s],
					    streams[s].len);
		if (!streams[s].data) {
			printf("FAIL %s: weights of the operation at %u are no constants\n", path,
			       op->offset);
			run->failed++;
			return;
		}
		velas += streams[s].len;
	}
	w = malloc((count + !count) * sizeof(*w));
	if (!w || npu_weights_decode(npu, op, streams, w, count))
		wrong = "cannot be decoded";
	else
		wrong = encode(run, npu, op, w, count, &ours);
	if (!wrong && ours > velas)
		wrong = "is larger than Vela's";
	free(w);
	model->operations++;
	model->fewer += ours < velas;
	model->weights += count;
	model->ours += ours;
	model->velas += velas;
	if (!wrong)
		return;
	printf("FAIL %s: operation at %u, %zu weights, %llu bytes (Vela %llu), %s\n", path,
	       op->offset, count, (unsigned long long)ours, (unsigned long long)velas, wrong);
	run->failed++;
}

static void check_file(struct run *run, const char *path)
{
	static const struct npu_state power_on;
	const char *name = strrchr(path, '/') + strlen("/vela-");
	const struct npu_config *npu;
	struct npu_program program;
	struct totals model = { 0 };
	struct vela_file file;
	char config[32], why[256];

	snprintf(config, sizeof(config), "%.*s", (int)strcspn(name, "."), name);
	npu = npu_config_find(config);
	if (!npu || vela_file_read(path, &file, why, sizeof(why))) {
		run->skipped++;
		return;
	}
	if (!npu_decode(npu, &power_on, file.words, file.count, &program)) {
		for (size_t i = 0; i < program.count; i++)
			if ((program.ops[i].kind == NPU_KIND_CONV ||
			     program.ops[i].kind == NPU_KIND_DEPTHWISE))
				operation(run, path, npu, &program, i, &file, &model);
		npu_program_free(&program);
	}
	vela_file_free(&file);
	run->files++;
	run->all.operations += model.operations;
	run->all.fewer += model.fewer;
	run->all.weights += model.weights;
	run->all.ours += model.ours;
	run->all.velas += model.velas;
	if (model.weights > 20000)
		printf("%s: %u operations, %llu weights, %llu bytes, %.4f of Vela's\n", path,
		       model.operations, (unsigned long long)model.weights,
		       (unsigned long long)model.ours, (double)model.ours / (double)model.velas);
}

static void search(struct run *run, const char *folder, const char *pattern, const char *only)
{
	char path[4096];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", folder, pattern);
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!only || strstr(found.gl_pathv[i], only))
			check_file(run, found.gl_pathv[i]);
	globfree(&found);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	const char *only = NULL;
	int arg = 1;

	for (; arg + 2 < argc; arg += 2) {
		if (!strcmp(argv[arg], "-m"))
			only = argv[arg + 1];
		else if (!strcmp(argv[arg], "-d"))
			run.dump = fopen(argv[arg + 1], "wb");
	}
	if (arg + 1 != argc) {
		fprintf(stderr, "usage: %s [-d dump] [-m part-of-path] folder\n", argv[0]);
		return 2;
	}
	search(&run, argv[arg], "*/vela-*.tflite", only);
	search(&run, argv[arg], "ops/*/vela-*.tflite", only);
	if (run.dump)
		fclose(run.dump);
	if (!run.all.operations) {
		printf("SKIP: no models in %s\n", argv[arg]);
		return EXIT_SKIP;
	}
	printf("%u files (%u not wholly on the NPU), %u operations, %llu weights: %llu bytes, %.4f of Vela's, "
	       "smaller in %u; best formats %llu bytes; estimates %.4f of standard streams; encoding %.2f s, "
	       "best formats %.2f s, estimates %.2f s\n",
	       run.files, run.skipped, run.all.operations, (unsigned long long)run.all.weights,
	       (unsigned long long)run.all.ours, (double)run.all.ours / (double)run.all.velas,
	       run.all.fewer, (unsigned long long)run.best_bytes, (double)run.estimate / (double)run.estimated, run.seconds,
	       run.auto_seconds, run.estimate_seconds);
	return run.failed ? 1 : 0;
}
