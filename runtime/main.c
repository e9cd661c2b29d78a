// SPDX-License-Identifier: Apache-2.0
// ccp-runtime: an OCI runtime in front of runc that gives each container user ids of its own.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "runtime/call.h"
#include "runtime/create.h"
#include "runtime/exec.h"
#include "runtime/report.h"

// The runc that the engine would have found. Returns when there is none.
static void runc_exec(char **argv, struct err *e)
{
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0);
	argv[0] = (char[]){"runc"};
	execvp(argv[0], argv);
	err_note(e, errno, "start runc: %s", strerrordesc_np(errno));
}

// No skeleton of the long-running programs: this one has the arguments of runc, and becomes runc.
int main(int argc, char **argv)
{
	struct call call;
	struct err e;

	if (argc == 2 && strcmp(argv[1], "--steps") == 0)
		return create_steps_print();
	int r = call_read(argv, &call, &e);
	if (r == 0 && call.verb == CALL_CREATE)
		r = create_prepare(&call, &e);
	if (r == 0 && call.verb == CALL_EXEC)
		r = exec_prepare(&call, &e);
	if (r == 0)
		runc_exec(argv, &e);
	report_error(&call, &e);
	return EXIT_FAILURE;
}
