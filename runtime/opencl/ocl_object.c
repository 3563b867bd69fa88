/* SPDX-License-Identifier: MIT */
/* Objects: birth, death, the lock, and answers to queries. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/opencl/ocl.h"

/* A dead object's memory is used again after so many others of its kind have died. */
#define OCL_GRAVES 256

/* Objects that are dead, oldest first. The platform is one for the process, and so are its graves. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct ocl_object *oldest[OCL_KINDS], *newest[OCL_KINDS];
	unsigned int dead[OCL_KINDS];
	pthread_once_t once;
	unsigned int process;
} objects = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
	    .once = PTHREAD_ONCE_INIT };

void ocl_lock(void)
{
	pthread_mutex_lock(&objects.lock);
}

void ocl_unlock(void)
{
	pthread_mutex_unlock(&objects.lock);
}

void ocl_signal(void)
{
	pthread_cond_broadcast(&objects.changed);
}

void ocl_wait_signal(void)
{
	pthread_cond_wait(&objects.changed, &objects.lock);
}

/*
 * The child of a fork has none of the threads that the parent's objects count on, and shares its devices.
 * It finds no object valid but platform and devices, with which it can begin afresh.
 */
static void forked(void)
{
	pthread_mutex_init(&objects.lock, NULL);
	pthread_cond_init(&objects.changed, NULL);
	memset(objects.oldest, 0, sizeof(objects.oldest));
	memset(objects.newest, 0, sizeof(objects.newest));
	memset(objects.dead, 0, sizeof(objects.dead));
	objects.process++;
}

static void watch_forks(void)
{
	pthread_atfork(ocl_lock, ocl_unlock, forked);
}

/* With the lock. */
static struct ocl_object *dig_up(enum ocl_kind kind)
{
	struct ocl_object *o = objects.oldest[kind];

	if (objects.dead[kind] <= OCL_GRAVES)
		return NULL;
	objects.oldest[kind] = o->next;
	objects.dead[kind]--;
	return o;
}

void *ocl_new(enum ocl_kind kind, size_t size)
{
	struct ocl_object *o;

	pthread_once(&objects.once, watch_forks);
	ocl_lock();
	o = dig_up(kind);
	if (o)
		memset(o, 0, size);
	else
		o = calloc(1, size);
	if (o) {
		o->dispatch = &ocl_dispatch;
		o->process = objects.process;
		o->references = o->owned = 1;
		__atomic_store_n(&o->kind, kind, __ATOMIC_RELEASE);
	}
	ocl_unlock();
	return o;
}

void ocl_dead(void *object)
{
	struct ocl_object *o = object;
	unsigned int kind = o->kind;

	o->kind = OCL_DEAD;
	o->next = NULL;
	if (objects.dead[kind]++)
		objects.newest[kind]->next = o;
	else
		objects.oldest[kind] = o;
	objects.newest[kind] = o;
}

bool ocl_is(const void *handle, enum ocl_kind kind)
{
	const struct ocl_object *o = handle;

	return o && o->dispatch == &ocl_dispatch &&
	       __atomic_load_n(&o->kind, __ATOMIC_ACQUIRE) == kind &&
	       (kind == OCL_PLATFORM || kind == OCL_DEVICE || o->process == objects.process);
}

void ocl_ref(void *object)
{
	((struct ocl_object *)object)->references++;
}

bool ocl_own(void *handle, enum ocl_kind kind)
{
	struct ocl_object *o = handle;
	bool ok;

	ocl_lock();
	ok = ocl_is(o, kind);
	if (ok) {
		o->references++;
		o->owned++;
	}
	ocl_unlock();
	return ok;
}

bool ocl_disown(void *handle, enum ocl_kind kind)
{
	struct ocl_object *o = handle;

	if (!ocl_is(o, kind) || !o->owned)
		return false;
	o->owned--;
	return true;
}

bool ocl_unref(void *object)
{
	return !--((struct ocl_object *)object)->references;
}

cl_int ocl_give(size_t room, void *value, size_t *size, const void *from, size_t n)
{
	if (value && room < n)
		return CL_INVALID_VALUE;
	if (value && n)
		memcpy(value, from, n);
	if (size)
		*size = n;
	return CL_SUCCESS;
}

cl_int ocl_give_text(size_t room, void *value, size_t *size, const char *text)
{
	return ocl_give(room, value, size, text, strlen(text) + 1);
}

cl_int ocl_add_callback(struct ocl_callback **list, void *function, void *data, cl_int when)
{
	struct ocl_callback *c = malloc(sizeof(*c));

	if (!c)
		return CL_OUT_OF_HOST_MEMORY;
	*c = (struct ocl_callback){ *list, function, data, when };
	*list = c;
	return CL_SUCCESS;
}
