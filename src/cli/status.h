/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server's status for people. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <stdio.h>

struct json_object;

/*
 * `s` is the reply of org.ugvt.Status. Faults, hung engines with their reasons, violations and registers
 * without a row come first; parts of the device that were never touched are left out.
 */
void status_print(FILE *f, struct json_object *s);

#endif
