/* SPDX-License-Identifier: MIT */
/*
 * Two models in a row, while the CPU works on the pictures before and behind: a pipeline in plain OpenCL.
 *
 *	CPU	shrink 3	shrink 4	best 2 ...
 *	NPU	model 2, second 1	model 3, second 2 ...
 *
 * The second model takes what the first one makes, out of the same buffer. Within a platform events order the
 * commands; from one platform to the other an event's callback sets a user event. The application waits for a
 * picture only when it needs that picture's buffers again.
 *
 *	cc opencl_overlap.c -lOpenCL -o opencl_overlap
 *	ACCEL_OPENCL_DEVICES=sim:ethos-u65-256 ./opencl_overlap model.tflite second.tflite pictures.idx3 [N]
 *
 * Prints the class of each of the first N pictures, and to stderr how many were under way at a time.
 */
#include "opencl_places.h"

#define SLOTS	3	/* pictures under way */

/* Buffers of a picture that is under way, and when it is done. */
struct slot {
	struct shared in, between, out;
	cl_mem pixels, answer;
	unsigned char *camera;
	cl_uint result;
	cl_event done;
};

/* Pictures that were begun, that are finished, most at a time; by callbacks of several threads. */
static struct {
	int begun, finished, most;
} count;

static void CL_CALLBACK begun(cl_event e, cl_int status, void *data)
{
	int now = __atomic_add_fetch(&count.begun, 1, __ATOMIC_SEQ_CST) -
		  __atomic_load_n(&count.finished, __ATOMIC_SEQ_CST);
	int most = __atomic_load_n(&count.most, __ATOMIC_SEQ_CST);

	(void)e;
	while (now > most && !__atomic_compare_exchange_n(&count.most, &most, now, 0, __ATOMIC_SEQ_CST,
							  __ATOMIC_SEQ_CST))
		;
	clSetUserEventStatus(data, status);
	clReleaseEvent(data);
}

static void CL_CALLBACK pass_on(cl_event e, cl_int status, void *data)
{
	(void)e;
	clSetUserEventStatus(data, status);
	clReleaseEvent(data);
}

static void CL_CALLBACK finished(cl_event e, cl_int status, void *data)
{
	(void)e;
	(void)status;
	(void)data;
	__atomic_fetch_add(&count.finished, 1, __ATOMIC_SEQ_CST);
}

/* An event of @to's platform that happens when @event of the other one does. */
static cl_event cross(const struct place *to, cl_event event, void(CL_CALLBACK *how)(cl_event, cl_int, void *))
{
	cl_int err;
	cl_event e = clCreateUserEvent(to->context, &err);

	check(err, "user event");
	/* One for the callback, one for the command that waits. */
	clRetainEvent(e);
	check(clSetEventCallback(event, CL_COMPLETE, how, e), "callback");
	return e;
}

struct pipeline {
	struct place npu, cpu;
	cl_command_queue second_queue, best_queue;
	cl_kernel shrink, model, second, best;
	struct slot slots[SLOTS];
	size_t side;
};

static void make_slot(struct pipeline *p, struct slot *s)
{
	size_t pixels = ZOOM * ZOOM * p->side * p->side;
	cl_int err;

	share(&p->npu, &p->cpu, arg_size(p->model, 0), &s->in);
	share(&p->npu, &p->cpu, arg_size(p->model, 1), &s->between);
	share(&p->npu, &p->cpu, arg_size(p->second, 1), &s->out);
	s->camera = malloc(pixels);
	s->pixels = clCreateBuffer(p->cpu.context, CL_MEM_READ_ONLY, pixels, NULL, &err);
	check(err, "camera");
	s->answer = clCreateBuffer(p->cpu.context, CL_MEM_WRITE_ONLY, sizeof(s->result), NULL, &err);
	check(err, "answer");
	s->done = NULL;
}

static void make_pipeline(struct pipeline *p, char **argv)
{
	cl_program q;
	cl_int err;

	open_place(&p->npu, 1);
	open_place(&p->cpu, 0);
	p->second_queue = clCreateCommandQueue(p->npu.context, p->npu.device, 0, &err);
	check(err, "queue");
	p->best_queue = clCreateCommandQueue(p->cpu.context, p->cpu.device, 0, &err);
	check(err, "queue");
	p->model = load_model(&p->npu, argv[1]);
	p->second = load_model(&p->npu, argv[2]);
	if (arg_size(p->second, 0) != arg_size(p->model, 1)) {
		fprintf(stderr, "opencl_overlap: %s does not take what %s makes\n", argv[2], argv[1]);
		exit(1);
	}
	p->side = square_side(arg_size(p->model, 0));
	q = build_source(&p->cpu);
	p->shrink = clCreateKernel(q, "shrink", &err);
	check(err, "shrink");
	p->best = clCreateKernel(q, "best", &err);
	check(err, "best");
	for (int i = 0; i < SLOTS; i++)
		make_slot(p, &p->slots[i]);
}

/* Arguments are taken over when a command is enqueued: one kernel serves all slots. */
static void set_args(const struct pipeline *p, const struct slot *s)
{
	cl_uint side = (cl_uint)p->side, classes = (cl_uint)s->out.size;
	cl_float scale;
	cl_int zero;

	clGetKernelArgInfo(p->model, 0, CL_KERNEL_ARG_TENSOR_SCALE_ACCEL, sizeof(scale), &scale, NULL);
	clGetKernelArgInfo(p->model, 0, CL_KERNEL_ARG_TENSOR_ZERO_POINT_ACCEL, sizeof(zero), &zero, NULL);
	clSetKernelArg(p->shrink, 0, sizeof(s->pixels), &s->pixels);
	clSetKernelArg(p->shrink, 1, sizeof(side), &side);
	clSetKernelArg(p->shrink, 2, sizeof(scale), &scale);
	clSetKernelArg(p->shrink, 3, sizeof(zero), &zero);
	clSetKernelArg(p->shrink, 4, sizeof(s->in.cpu), &s->in.cpu);
	clSetKernelArg(p->model, 0, sizeof(s->in.npu), &s->in.npu);
	clSetKernelArg(p->model, 1, sizeof(s->between.npu), &s->between.npu);
	clSetKernelArg(p->second, 0, sizeof(s->between.npu), &s->between.npu);
	clSetKernelArg(p->second, 1, sizeof(s->out.npu), &s->out.npu);
	clSetKernelArg(p->best, 0, sizeof(s->out.cpu), &s->out.cpu);
	clSetKernelArg(p->best, 1, sizeof(classes), &classes);
	clSetKernelArg(p->best, 2, sizeof(s->answer), &s->answer);
}

/* All that is to be done with a picture, without waiting for any of it. */
static void start(struct pipeline *p, struct slot *s, const unsigned char *picture)
{
	size_t grid[2] = { p->side, p->side }, one = 1;
	cl_event shrunk, seen, made, ready;

	show(s->camera, picture, p->side);
	set_args(p, s);
	check(clEnqueueWriteBuffer(p->cpu.queue, s->pixels, CL_FALSE, 0, ZOOM * ZOOM * p->side * p->side, s->camera,
				   0, NULL, NULL), "camera");
	check(clEnqueueNDRangeKernel(p->cpu.queue, p->shrink, 2, NULL, grid, NULL, 0, NULL, &shrunk), "shrink");
	seen = cross(&p->npu, shrunk, begun);
	check(clEnqueueNDRangeKernel(p->npu.queue, p->model, 1, NULL, &one, NULL, 1, &seen, &made), "model");
	check(clEnqueueNDRangeKernel(p->second_queue, p->second, 1, NULL, &one, NULL, 1, &made, &ready), "second");
	clReleaseEvent(seen);
	seen = cross(&p->cpu, ready, pass_on);
	check(clEnqueueNDRangeKernel(p->best_queue, p->best, 1, NULL, &one, NULL, 1, &seen, NULL), "best");
	check(clEnqueueReadBuffer(p->best_queue, s->answer, CL_FALSE, 0, sizeof(s->result), &s->result, 0, NULL,
				  &s->done), "answer");
	check(clSetEventCallback(s->done, CL_COMPLETE, finished, NULL), "callback");
	clReleaseEvent(seen);
	clReleaseEvent(shrunk);
	clReleaseEvent(made);
	clReleaseEvent(ready);
	clFlush(p->cpu.queue);
	clFlush(p->npu.queue);
	clFlush(p->second_queue);
	clFlush(p->best_queue);
}

static void finish(struct slot *s)
{
	if (!s->done)
		return;
	check(clWaitForEvents(1, &s->done), "a picture");
	clReleaseEvent(s->done);
	s->done = NULL;
	printf("%u\n", s->result);
}

int main(int argc, char **argv)
{
	struct pipeline p;
	unsigned char *file;
	size_t size, bytes;
	long n, i;

	if (argc < 4) {
		fprintf(stderr, "usage: opencl_overlap MODEL SECOND PICTURES [N]\n");
		return 2;
	}
	n = argc > 4 ? atol(argv[4]) : 10;
	file = read_file(argv[3], &size);
	make_pipeline(&p, argv);
	bytes = p.side * p.side;
	for (i = 0; i < n && HEADER + (size_t)(i + 1) * bytes <= size; i++) {
		finish(&p.slots[i % SLOTS]);
		start(&p, &p.slots[i % SLOTS], file + HEADER + (size_t)i * bytes);
	}
	for (long k = i; k < i + SLOTS; k++)
		finish(&p.slots[k % SLOTS]);
	fprintf(stderr, "%d pictures under way at a time\n", count.most);
	for (int k = 0; k < SLOTS; k++)
		free(p.slots[k].camera);
	free(file);
	return 0;
}
