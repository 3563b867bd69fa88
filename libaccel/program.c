/* SPDX-License-Identifier: MIT */
/* Programs: a command stream and the constants it reads. */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* QSIZE, and so a stream, is limited to 16 MiB by the hardware. */
#define STREAM_MAX (16u << 20)

static int get_constants(struct accel_device *device, const struct accel_program_options *opt,
			 struct accel_buffer **out, struct accel_error *err)
{
	*out = NULL;
	if (opt->constants_region >= device->info.regions)
		return accel_fail(err, -EINVAL,
				  "program: constants in region %u, the device has %u",
				  opt->constants_region, device->info.regions);
	if (opt->constants && opt->constants_buffer)
		return accel_fail(err, -EINVAL,
				  "program: constants given both as bytes and as a buffer");
	if (!opt->constants && opt->constants_size)
		return accel_fail(err, -EINVAL, "program: constants_size without constants");
	if (opt->constants_buffer) {
		if (opt->constants_buffer->device != device)
			return accel_fail(err, -EXDEV,
					  "program: constants buffer belongs to another device");
		if (!device->ops->buffer_sealed(opt->constants_buffer))
			return accel_fail(
				err, -EINVAL,
				"program: constants buffer is not sealed, see accel_buffer_seal()");
		*out = accel_buffer_ref(opt->constants_buffer);
		return 0;
	}
	if (!opt->constants)
		return 0;
	if (!opt->constants_size)
		return accel_fail(err, -EINVAL, "program: constants without constants_size");
	return accel_buffer_copy(device, opt->constants, opt->constants_size, out, err);
}

static int copy_written(const struct accel_device *device, const struct accel_program_options *opt,
			struct accel_range **out, struct accel_error *err)
{
	uint32_t i;

	*out = NULL;
	if (opt->written_count && !opt->written)
		return accel_fail(err, -EINVAL, "program: written_count without written");
	for (i = 0; i < opt->written_count; i++)
		if (opt->written[i].region >= device->info.regions || opt->written[i].reserved ||
		    opt->written[i].length > UINT64_MAX - opt->written[i].offset)
			return accel_fail(err, -EINVAL,
					  "program: written[%u]: region %u, the device has %u, or a "
					  "range that wraps", i, opt->written[i].region,
					  device->info.regions);
	if (!opt->written)
		return 0;
	/* No range at all is not the same as everything. */
	*out = malloc((opt->written_count + 1ul) * sizeof(**out));
	if (!*out)
		return accel_fail(err, -ENOMEM, "program: out of memory");
	memcpy(*out, opt->written, opt->written_count * sizeof(**out));
	return 0;
}

int accel_program_create(struct accel_device *device, const uint32_t *stream, size_t stream_size,
			 const struct accel_program_options *opt, struct accel_program **out,
			 struct accel_error *err)
{
	struct accel_program_options o = { 0 };
	struct accel_buffer *constants;
	struct accel_program *program;
	struct accel_range *written;
	int ret;

	if (opt && !accel_struct_in(&o, sizeof(o), opt))
		return accel_fail(err, -EINVAL, "program: options of an unknown size or kind");
	if (!stream || !stream_size || stream_size % 4 || stream_size > STREAM_MAX)
		return accel_fail(
			err, -EINVAL,
			"program: a command stream of %zu bytes (must be whole words, 4 to %u)",
			stream ? stream_size : 0, STREAM_MAX);
	ret = copy_written(device, &o, &written, err);
	if (ret)
		return ret;
	ret = get_constants(device, &o, &constants, err);
	if (ret)
		goto fail_written;
	ret = device->ops->program_create(device, stream, stream_size, &program, err);
	if (ret)
		goto fail_constants;
	program->device = accel_device_ref(device);
	program->refs = 1;
	program->constants = constants;
	program->constants_region = o.constants_region;
	program->written = written;
	program->written_count = o.written_count;
	*out = program;
	return 0;
fail_constants:
	accel_buffer_unref(constants);
fail_written:
	free(written);
	return ret;
}

struct accel_program *accel_program_ref(struct accel_program *program)
{
	accel_get(&program->refs);
	return program;
}

void accel_program_unref(struct accel_program *program)
{
	struct accel_buffer *constants;
	struct accel_device *device;
	struct accel_range *written;

	if (!program || !accel_put(&program->refs))
		return;
	device = program->device;
	constants = program->constants;
	written = program->written;
	device->ops->program_destroy(program);
	accel_buffer_unref(constants);
	free(written);
	accel_device_unref(device);
}
