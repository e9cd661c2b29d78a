// SPDX-License-Identifier: Apache-2.0
// Verification from inside the namespace, the agent's side: one child, its deadline, its report.
#include "agent/verify/verify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/evidence.h"
#include "agent/verify/verify_server.h"
#include "agent/verify/verify_wire.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"

// The child ends by itself this much before it would be killed.
enum { GRACE_MS = 500 };

// A child that did not come to an end says nothing about the exit, so it is inconclusive.
static void add_silent(
	const struct verify_spec *spec, struct evidence *ev, int64_t took_us, bool died)
{
	evidence_add(ev, "exit_ip", OUTCOME_INCONCLUSIVE, "inconclusive", took_us,
		"the %s verification %s", spec->kind == VERIFY_FULL ? "full" : "light",
		died ? "died before it said what it found" : "did not end in time");
}

// The child says what it is to verify, and hears what was found until it ends.
static int child_ask(struct verify_child *child, const char *input, const struct wait *w,
	struct str *report, struct err *e)
{
	int r = sock_write_all(child->socket_fd, input, strlen(input), w, e);
	if (r != 0)
		return r;
	if (shutdown(child->socket_fd, SHUT_WR) < 0)
		return err_set(e, errno, "end the specification");
	r = proc_read_output(child->socket_fd, report, w, e);
	return r < 0 && e->code == ECONNRESET ? SOCK_CLOSED : r;
}

static int verify_ask(
	int ns_fd, const char *input, const struct wait *w, struct str *report, struct err *e)
{
	_cleanup_(verify_child_end) struct verify_child child = VERIFY_CHILD_INIT;
	int r = verify_child_begin(ns_fd, w, &child, e);
	if (r == 0)
		r = child_ask(&child, input, w, report, e);
	return r == 0 && report->len == 0 ? SOCK_CLOSED : r;
}

int verify_run(int ns_fd, const struct verify_spec *spec, const struct wait *w, struct evidence *ev,
	struct err *e)
{
	int64_t start = wait_now_us();
	struct wait limit = wait_at_most(w, VERIFY_TOTAL_MS + GRACE_MS);
	int total_ms = wait_left_ms(&limit) - GRACE_MS;
	_cleanup_(freep) char *input = verify_spec_print(spec, total_ms > 0 ? total_ms : 1);
	_cleanup_(str_done) struct str report = STR_INIT(VERIFY_REPORT_MAX);
	int r = verify_ask(ns_fd, input, &limit, &report, e);
	if (r == WAIT_TIMEOUT || r == SOCK_CLOSED) {
		add_silent(spec, ev, wait_now_us() - start, r == SOCK_CLOSED);
		return 0;
	}
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0)
		return err_wrap(e, "verify");
	return verify_report_read(str_text(&report), report.len, spec->kind, ev, e);
}
