/* SPDX-License-Identifier: MIT */
/* `accel-sim`: a simulated NPU that QEMU shows to a guest as a PCI device. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/server/conn.h"

#define SRAM_MIN	4096u
#define SRAM_MAX	(64u << 20)
#define THREADS_MAX	256

enum {
	OPT_CL = 0x100,
	OPT_VENDOR,
	OPT_DEVICE,
	OPT_SRAM,
	OPT_ONCE,
	OPT_THREADS,
};

struct args {
	struct device_options device;
	const char *socket;
	const char *log;
	bool once;
};

static const struct argp_option options[] = {
	{ "config", 'c', "NAME", 0, "which NPU: ethos-u65-256, ethos-u85-512, ... (required)", 0 },
	{ "socket", 's', "PATH", 0, "where QEMU's vfio-user-pci finds it (required)", 0 },
	{ "fault", 'f', "KIND[:N][:every=K]", 0,
	  "what goes wrong, with the N-th job (default 1) and each K-th from there: hang, "
	  "lost-irq, spurious-irq, bus-error[:access=M], parse-error, reset-stuck (N counts "
	  "resets), slow[:ms=T], vanish. May be given once for each kind", 0 },
	{ "log", 'l', "FILE", 0, "write down every access to registers and memory", 0 },
	{ "engine", 'e', "NAME", 0, "what computes: opencl (default) or reference", 0 },
	{ "cl", OPT_CL, "PATH", 0, "OpenCL kernels: auto (default), portable, ...", 0 },
	{ "threads", OPT_THREADS, "N", 0, "for one job; default 1", 0 },
	{ "sram", OPT_SRAM, "SIZE", 0,
	  "on-chip memory in BAR 2: a power of two from 4K to 64M; default none", 0 },
	{ "vendor", OPT_VENDOR, "ID", 0, "PCI vendor; default 0x1234", 0 },
	{ "device", OPT_DEVICE, "ID", 0, "PCI device; default 0xe705", 0 },
	{ "once", OPT_ONCE, NULL, 0, "end when the first client leaves", 0 },
	{ 0 },
};

static void fail(struct argp_state *state, const char *option, const char *value,
		 const char *expected)
{
	argp_failure(state, 2, 0, "--%s %.60s: expected %s", option, value, expected);
}

static unsigned long number(const char *text, unsigned long max, char *suffix)
{
	unsigned long value;
	char *end;

	*suffix = 0;
	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || value > max || (*end && end[1]))
		return 0;
	*suffix = *end;
	return value;
}

static uint16_t pci_id(struct argp_state *state, const char *option, const char *text)
{
	char suffix;
	unsigned long id = number(text, 0xfffe, &suffix);

	if (!id || suffix)
		fail(state, option, text, "a number from 1 to 0xfffe");
	return (uint16_t)id;
}

static uint32_t sram_size(struct argp_state *state, const char *text)
{
	char suffix;
	unsigned long size = number(text, SRAM_MAX, &suffix);

	if (suffix == 'K')
		size <<= 10;
	else if (suffix == 'M')
		size <<= 20;
	else if (suffix)
		size = 0;
	if (size < SRAM_MIN || size > SRAM_MAX || size & (size - 1))
		fail(state, "sram", text, "a power of two from 4K to 64M");
	return (uint32_t)size;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;
	struct device_options *dev = &args->device;
	char err[256], suffix;

	switch (key) {
	case 'c':
		dev->config = npu_config_find(arg);
		if (!dev->config)
			fail(state, "config", arg, "an NPU; `accel devices' lists them");
		return 0;
	case 's':
		args->socket = arg;
		return 0;
	case 'f':
		if (fault_parse(&dev->faults, arg, err, sizeof(err)))
			argp_failure(state, 2, 0, "%s", err);
		return 0;
	case 'l':
		args->log = arg;
		return 0;
	case 'e':
		dev->npu.engine = arg;
		return 0;
	case OPT_CL:
		dev->npu.cl_path = arg;
		return 0;
	case OPT_THREADS:
		dev->npu.threads = (unsigned int)number(arg, THREADS_MAX, &suffix);
		if (!dev->npu.threads || suffix)
			fail(state, "threads", arg, "a number from 1 to 256");
		return 0;
	case OPT_SRAM:
		dev->sram_size = sram_size(state, arg);
		return 0;
	case OPT_VENDOR:
		dev->vendor = pci_id(state, "vendor", arg);
		return 0;
	case OPT_DEVICE:
		dev->device = pci_id(state, "device", arg);
		return 0;
	case OPT_ONCE:
		args->once = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_failure(state, 2, 0, "'%s': only options are expected", arg);
		return 0;
	case ARGP_KEY_END:
		if (!dev->config || !args->socket)
			argp_failure(state, 2, 0, "--config and --socket are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Shows a simulated NPU to QEMU as a PCI device.\v"
	       "Each client of the socket gets the device as the one before left it, but stopped. "
	       "SIGTERM or SIGINT end the program.",
};

/* Becomes readable on the signals that end the program. */
static int stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int serve(const struct args *args, struct device *dev, int listener, int stop)
{
	struct pollfd p[2] = {
		{ .fd = listener, .events = POLLIN }, { .fd = stop, .events = POLLIN },
	};
	int fd, ret;

	do {
		if (poll(p, 2, -1) < 0)
			return -errno;
		if (p[1].revents)
			return 0;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return -errno;
		ret = conn_serve(dev, fd, stop);
		close(fd);
		if (ret == -ECANCELED)
			return 0;
		if (ret)
			fprintf(stderr, "accel-sim: a client was left: %s\n",
				strerrordesc_np(-ret));
	} while (!args->once);
	return ret;
}

int main(int argc, char **argv)
{
	struct args args = {
		.device = {
			.npu = { .size = sizeof(args.device.npu) },
			.vendor = PCI_VENDOR_DEFAULT,
			.device = PCI_DEVICE_DEFAULT,
		},
	};
	int ret, stop, listener = -1;
	struct device *dev = NULL;
	char err[256] = "";

	/* One thread, each kernel compiled once: see the accel command. */
	setenv("POCL_DEVICES", "basic", 0);
	setenv("POCL_WORK_GROUP_SPECIALIZATION", "0", 0);
	argp_parse(&argp, argc, argv, 0, NULL, &args);
	stop = stop_signals();
	if (args.log) {
		args.device.log = fopen(args.log, "we");
		if (!args.device.log) {
			fprintf(stderr, "accel-sim: %s: %s\n", args.log, strerrordesc_np(errno));
			return 1;
		}
	}
	ret = device_create(&dev, &args.device, err, sizeof(err));
	if (ret) {
		fprintf(stderr, "accel-sim: %s: %s\n", args.device.config->name, err);
		goto out;
	}
	ret = device_start(dev);
	if (ret) {
		fprintf(stderr, "accel-sim: no thread: %s\n", strerrordesc_np(-ret));
		goto out;
	}
	listener = conn_listen(args.socket);
	if (listener < 0) {
		ret = listener;
		fprintf(stderr, "accel-sim: %s: %s\n", args.socket, strerrordesc_np(-ret));
		goto out;
	}
	/* Whoever started us may start QEMU now. */
	printf("%s on %s\n", args.device.config->name, args.socket);
	fflush(stdout);
	ret = serve(&args, dev, listener, stop);
	if (ret)
		fprintf(stderr, "accel-sim: %s\n", strerrordesc_np(-ret));
	unlink(args.socket);
out:
	if (listener >= 0)
		close(listener);
	if (dev)
		device_destroy(dev);
	if (args.device.log && fclose(args.device.log)) {
		fprintf(stderr, "accel-sim: %s: %s\n", args.log, strerrordesc_np(errno));
		ret = -EIO;
	}
	close(stop);
	return ret ? 1 : 0;
}
