/* SPDX-License-Identifier: MIT */
/* Pages that `accel` writes. */
#ifndef ACCEL_RUNTIME_HTML_H
#define ACCEL_RUNTIME_HTML_H

#include <stdio.h>

/* html_text - @text of others, such as the name of a file, as text or the value of an attribute */
void html_text(FILE *f, const char *text);

#endif
