/* SPDX-License-Identifier: MIT */
/* `accel devices`: what there is to run on. */
#include <stdio.h>

#include "runtime/cmd.h"

static const char doc[] =
	"List the NPUs of this machine and those that can be simulated.\v"
	"Examples:\n"
	"  accel devices\n"
	"  accel devices --json\n";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

static json_t *to_json(const struct accel_device_info *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "spec", d->spec, "transport",
			 d->transport, "name", d->name, "description", d->description, "arch",
			 (int)d->arch, "macs", (int)d->macs);
}

/* A real device has to be opened to tell what it is; if it cannot be, the reason is what there is to say. */
static void look_closer(struct accel_device_info *info)
{
	struct accel_device *device;
	struct accel_error why;

	if (accel_device_open(info->spec, &device, &why)) {
		snprintf(info->description, sizeof(info->description), "%.*s",
			 (int)sizeof(info->description) - 1, why.msg);
		return;
	}
	accel_device_get_info(device, info);
	accel_device_unref(device);
}

int cmd_devices(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { .parser = parse, .doc = doc, .children = children };
	struct accel_device_info info = { .size = sizeof(info) };
	struct cmd_common common = { 0 };
	struct accel_device_list *list;
	struct accel_error why;
	struct error err;
	json_t *array;
	int rc = CMD_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &common);
	if (accel_device_list_create(&list, &why)) {
		error_set(&err, why.code, "%s", why.msg);
		return cmd_fail(&err);
	}
	array = json_array();
	for (size_t i = 0; i < accel_device_list_count(list); i++) {
		accel_device_list_get(list, i, &info);
		if (!info.name[0])
			look_closer(&info);
		if (common.json)
			json_array_append_new(array, to_json(&info));
		else
			printf("%-24s %4u MACs/cycle  %s\n", info.spec, info.macs,
			       info.description);
	}
	if (common.json)
		rc = cmd_print_json(array);
	else
		json_decref(array);
	accel_device_list_free(list);
	return rc;
}
