/* SPDX-License-Identifier: MIT */
/* Samples from sound files: windows of one channel at the model's rate. */
#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/late.h"
#include "runtime/samples/array.h"
#include "runtime/samples/folder.h"

#define FRAMES_MAX	(1u << 26)	/* of a file, also when resampled */
#define CHANNELS_MAX	64
#define RATE_MAX	1000000
#define CHUNK		4096		/* frames that are read at a time */
#define ZERO_CROSSINGS	16		/* of the resampling filter, on each side */

/**
 * struct sounds - windows of all files
 * @first: of each file the number of its first window; one more for the end
 * @window, @hop: samples
 * @open, @frames, @count: the file that was read last, and what is in it
 */
struct sounds {
	struct folder folder;
	size_t *first;
	size_t window, hop;
	size_t open;
	float *frames;
	size_t count;
};

static uint64_t resampled(uint64_t frames, int from, uint32_t to)
{
	return to ? (frames * to + (uint64_t)from - 1) / (uint64_t)from : frames;
}

/* What is used of libsndfile, which brings half a dozen of codecs and is loaded late for that. */
struct sndfile_calls {
	__typeof__(&sf_open) open;
	__typeof__(&sf_strerror) strerror;
	__typeof__(&sf_readf_float) readf_float;
	__typeof__(&sf_close) close;
};

static const struct late_call sndfile_calls[] = {
	{ "sf_open", offsetof(struct sndfile_calls, open) },
	{ "sf_strerror", offsetof(struct sndfile_calls, strerror) },
	{ "sf_readf_float", offsetof(struct sndfile_calls, readf_float) },
	{ "sf_close", offsetof(struct sndfile_calls, close) },
};

static int sound_open(const char *path, struct sndfile_calls *calls, SNDFILE **out, SF_INFO *info,
		      struct error *err)
{
	int rc = late_load(SNDFILE_SONAME, sndfile_calls,
			   sizeof(sndfile_calls) / sizeof(sndfile_calls[0]), calls, err);

	if (rc)
		return error_prefix(err, rc, path);
	*info = (SF_INFO){ 0 };
	*out = calls->open(path, SFM_READ, info);
	if (!*out)
		return error_set(err, -EINVAL, "%s: %s", path, calls->strerror(NULL));
	if (info->frames < 1 || info->channels < 1 || info->channels > CHANNELS_MAX ||
	    info->samplerate < 1 || info->samplerate > RATE_MAX || info->frames > FRAMES_MAX) {
		calls->close(*out);
		return error_set(err, -EINVAL,
				 "%s: %lld frames of %d channels at %d Hz; 1 to %u frames are possible",
				 path, (long long)info->frames, info->channels, info->samplerate,
				 FRAMES_MAX);
	}
	return 0;
}

/* All of it as one channel, at the file's rate. */
static int read_frames(const struct sndfile_calls *calls, SNDFILE *file, const SF_INFO *info,
		       const char *path, float *out, struct error *err)
{
	size_t channels = (size_t)info->channels, at = 0, total = (size_t)info->frames;
	float *chunk = malloc(CHUNK * channels * sizeof(*chunk));

	if (!chunk)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	while (at < total) {
		sf_count_t want = total - at < CHUNK ? (sf_count_t)(total - at) : CHUNK;
		sf_count_t got = calls->readf_float(file, chunk, want);

		if (got < 1)
			break;
		for (sf_count_t i = 0; i < got; i++) {
			float sum = 0;

			for (size_t c = 0; c < channels; c++)
				sum += chunk[(size_t)i * channels + c];
			out[at++] = sum / (float)channels;
		}
	}
	free(chunk);
	if (at < total)
		return error_set(err, -EINVAL, "%s: cut short: %zu of %zu frames", path, at, total);
	return 0;
}

/* A Hann-windowed sinc that stops what the lower of the two rates cannot hold. */
static void resample(const float *in, size_t in_count, float *out, size_t out_count, double ratio)
{
	double cut = ratio > 1 ? 1 / ratio : 1, reach = ZERO_CROSSINGS / cut;

	for (size_t n = 0; n < out_count; n++) {
		double centre = (double)n * ratio, sum = 0;
		double low = fmax(ceil(centre - reach), 0);
		double high = fmin(floor(centre + reach), (double)in_count - 1);

		for (double k = low; k <= high; k++) {
			double x = (k - centre) * cut, hann = 0.5 + 0.5 * cos(M_PI * x / ZERO_CROSSINGS);

			sum += in[(size_t)k] * hann * (x == 0 ? 1 : sin(M_PI * x) / (M_PI * x));
		}
		out[n] = (float)(sum * cut);
	}
}

static int read_sound(const char *path, uint32_t rate, float **out, size_t *count,
		      struct error *err)
{
	struct sndfile_calls calls;
	SNDFILE *file;
	SF_INFO info;
	float *frames, *changed;
	int rc = sound_open(path, &calls, &file, &info, err);

	if (rc)
		return rc;
	frames = malloc((size_t)info.frames * sizeof(*frames));
	rc = frames ? read_frames(&calls, file, &info, path, frames, err) :
		      error_set(err, -ENOMEM, "%s: out of memory", path);
	calls.close(file);
	*count = (size_t)info.frames;
	if (rc || !rate || rate == (uint32_t)info.samplerate) {
		*out = frames;
		if (rc)
			free(frames);
		return rc;
	}
	*count = resampled((uint64_t)info.frames, info.samplerate, rate);
	changed = malloc(*count * sizeof(*changed));
	if (changed)
		resample(frames, (size_t)info.frames, changed, *count, (double)info.samplerate / rate);
	free(frames);
	*out = changed;
	return changed ? 0 : error_set(err, -ENOMEM, "%s: out of memory", path);
}

static size_t file_of(const struct sounds *a, size_t index)
{
	size_t low = 0, high = a->folder.count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (a->first[middle] <= index)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int get(struct samples *s, size_t index, float *const *inputs, int *label,
	       struct error *err)
{
	struct sounds *a = s->source;
	size_t file = file_of(a, index), at = (index - a->first[file]) * a->hop, n;

	if (a->open != file) {
		free(a->frames);
		a->frames = NULL;
		a->open = SIZE_MAX;
		if (read_sound(a->folder.files[file].path, s->prep.rate, &a->frames, &a->count, err)) {
			a->frames = NULL;
			return -EINVAL;
		}
		a->open = file;
	}
	n = at < a->count ? a->count - at : 0;
	n = n < a->window ? n : a->window;
	memcpy(inputs[0], a->frames + at, n * sizeof(float));
	memset(inputs[0] + n, 0, (a->window - n) * sizeof(float));
	if (samples_normalises(s))
		samples_normalise(s, 0, inputs[0]);
	*label = a->folder.files[file].label;
	return 0;
}

static void name(const struct samples *s, size_t index, char *text, size_t len)
{
	const struct sounds *a = s->source;
	size_t file = file_of(a, index);

	snprintf(text, len, "%s, sample %zu", a->folder.files[file].path,
		 (index - a->first[file]) * a->hop);
}

static void finish(struct samples *s)
{
	struct sounds *a = s->source;

	if (!a)
		return;
	folder_close(&a->folder);
	free(a->first);
	free(a->frames);
	free(a);
}

static const struct source_ops sound_ops = { get, name, finish };

/* A file has as many windows as fit, and at least one. */
static int count_windows(struct samples *s, struct error *err)
{
	struct sounds *a = s->source;

	for (size_t i = 0; i < a->folder.count; i++) {
		const char *path = a->folder.files[i].path;
		struct sndfile_calls calls;
		SNDFILE *file;
		SF_INFO info;
		uint64_t frames;
		int rc = sound_open(path, &calls, &file, &info, err);

		if (rc)
			return rc;
		calls.close(file);
		frames = resampled((uint64_t)info.frames, info.samplerate, s->prep.rate);
		if (frames > FRAMES_MAX)
			return error_set(err, -EFBIG, "%s: too long at %u Hz", path, s->prep.rate);
		a->first[i + 1] = a->first[i] +
				  (frames < a->window ? 1 : (frames - a->window) / a->hop + 1);
	}
	s->available = a->first[a->folder.count];
	return 0;
}

int source_sounds(struct samples *s, struct folder *f, struct error *err)
{
	struct sounds *a = calloc(1, sizeof(*a));
	int rc;

	if (!a) {
		folder_close(f);
		return error_set(err, -ENOMEM, "out of memory");
	}
	a->folder = *f;
	a->open = SIZE_MAX;
	s->source = a;
	s->ops = &sound_ops;
	s->spread = true;
	rc = samples_one_input(s, err);
	if (rc)
		return rc;
	a->window = s->prep.window ? s->prep.window : s->elements[0];
	a->hop = s->prep.hop ? s->prep.hop : a->window;
	if (a->window != s->elements[0])
		return error_set(err, -EINVAL, "%s: \"window\" is %zu, input %s takes %zu", s->spec,
				 a->window, s->inputs[0].name, s->elements[0]);
	rc = samples_check_counts(s, 0, err);
	if (rc)
		return rc;
	a->first = calloc(a->folder.count + 1, sizeof(*a->first));
	if (!a->first)
		return error_set(err, -ENOMEM, "out of memory");
	return count_windows(s, err);
}
