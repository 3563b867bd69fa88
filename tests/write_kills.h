/* SPDX-License-Identifier: MIT */
/* Memory that is not to be written. */
#ifndef TESTS_WRITE_KILLS_H
#define TESTS_WRITE_KILLS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether a write to @p is deadly, found out in a child. */
static inline bool write_kills(char *p)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)p = *p;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

#endif
