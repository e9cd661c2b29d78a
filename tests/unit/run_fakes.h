// SPDX-License-Identifier: Apache-2.0
// The neighbours of a run, as its unit tests need them.
#pragma once

#include "tests/unit/trace.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "agent/container/gate.h"
#include "agent/evidence.h"
#include "agent/host/run.h"
#include "agent/net/netns.h"
#include "agent/net/probe.h"
#include "agent/store/home.h"
#include "agent/store/store.h"
#include "lib/err.h"

// What the neighbours answer: 0, WAIT_CANCELED, another outcome, or -1; for checks also what they
// add to the evidence.
static struct {
	int prove, link, wall, verify, probe, read, open, find, netns, init, copy, home, program,
		connect, say;
	enum outcome proves, links, walls, verifies, probes;
	enum outcome undisturbed; // what is verified while the wall holds traffic back
	enum outcome proves_still; // the tunnel, after what is verified
	int prove_still;
	const char *code; // of what is verified; NULL: leak
	bool is_busy; // the resolver, for want of which nothing else is in doubt
	int sent; // by the user, from one time the wall is asked to the next
	int close;
	bool is_open;
	bool is_silent; // to its pulse
	bool glances; // what is verified first has little time
	enum gate_state gate;
	int mtu, link_mtu; // of the device, where the exit names none
} answers;

static const struct store the_store;

static int answer(const char *what, int r, struct err *e)
{
	did("%s", what);
	return r < 0 ? err_say(e, EIO, "%s failed", what) : r;
}

static int check(const char *what, int r, enum outcome o, struct evidence *ev, struct err *e)
{
	if (r == 0)
		evidence_add(ev, what, o, o == OUTCOME_PASSED ? NULL : "leak", 0, "%s", what);
	return answer(what, r, e);
}

static const struct tunnel_env tunnels;

static int fake_prove(
	const struct tunnel_place *place, struct tunnel *t, struct evidence *ev, struct err *e)
{
	assert_ptr_equal(place->env, &tunnels);
	(void)t;
	if (strstr(trace, "full; ") || strstr(trace, "light; "))
		return check("tunnel still", answers.prove_still, answers.proves_still, ev, e);
	return check("tunnel", answers.prove, answers.proves, ev, e);
}

static int fake_find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	assert_ptr_equal(place->env, &tunnels);
	(void)ret;
	did("find %s", name);
	return result(answers.find, "find failed", e);
}

int tunnel_find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	return place->spec->kind->find(place, name, ret, e);
}

static const struct tunnel_kind kind = {.prove = fake_prove, .find = fake_find};

int link_check(int ns_fd, const struct link_spec *spec, struct evidence *ev, struct err *e)
{
	(void)ns_fd;
	(void)spec;
	return check("link", answers.link, answers.links, ev, e);
}

static struct wall_counts counted(int sent)
{
	struct wall_counts counts = {0};
	counts.packets[WALL_PASS][WALL_USER] = 5 + (uint64_t)sent;
	return counts;
}

int wall_check(struct wall *w, struct wall_state *ret, struct evidence *ev, struct err *e)
{
	(void)w;
	*ret = (struct wall_state){.counts = counted(0)};
	return check("wall", answers.wall, answers.walls, ev, e);
}

int verify_run(int ns_fd, const struct verify_spec *spec, const struct wait *w, struct evidence *ev,
	struct err *e)
{
	enum outcome o = strstr(trace, "close; ") ? answers.undisturbed : answers.verifies;
	(void)ns_fd;
	bool glance = answers.glances && !strstr(trace, "close; ");
	assert_in_range(wait_left_ms(w), glance ? 1000 : 9000, glance ? 1300 : 10000);
	if (answers.is_busy) {
		evidence_add(ev, "exit_ip", OUTCOME_PASSED, NULL, 0, "seen");
		evidence_add(ev, "dns", OUTCOME_INCONCLUSIVE, "inconclusive", 0, "busy");
		o = OUTCOME_PASSED;
	}
	int r = check(spec->kind == VERIFY_FULL ? "full" : "light", answers.verify, o, ev, e);
	if (answers.code && o != OUTCOME_PASSED)
		snprintf(ev->code, sizeof(ev->code), "%s", answers.code);
	return r;
}

int wall_read_counts(struct wall *w, struct wall_counts *ret, struct err *e)
{
	(void)w;
	*ret = counted(answers.sent);
	return answers.sent < 0 ? err_say(e, EIO, "counts failed") : 0;
}

int wall_close(struct wall *w, struct err *e)
{
	(void)w;
	return answer("close", answers.close, e);
}

int probe_run(struct wall *w, int ns_fd, enum probe_wall state, struct evidence *ev, struct err *e)
{
	(void)w;
	(void)ns_fd;
	return check(state == PROBE_OPEN ? "probe open" : "probe closed", answers.probe,
		answers.probes, ev, e);
}

int wall_read_proof(struct wall *w, struct wall_proof *ret, struct err *e)
{
	(void)w;
	*ret = (struct wall_proof){
		.open = answers.is_open, .remaining_ms = answers.is_open ? 900000 : 0};
	return answer("read", answers.read, e);
}

int wall_open(struct wall *w, int64_t life_ms, struct err *e)
{
	(void)w;
	did("open for %lld s", (long long)(life_ms + 999) / 1000);
	return result(answers.open, "open failed", e);
}

int wall_init(struct wall *w, int ns_fd, const struct wall_spec *spec, struct err *e)
{
	(void)ns_fd;
	assert_string_equal(spec->tunnel, "tun0");
	*w = WALL_INIT;
	return answer("wall_init", answers.init, e);
}

void wall_done(struct wall *w)
{
	(void)w;
	did("wall_done");
}

void tunnel_done(struct tunnel *t)
{
	(void)t;
	did("tunnel_done");
}

bool tunnel_name(const char *id, char ret[static TUNNEL_NAME_SIZE])
{
	snprintf(ret, TUNNEL_NAME_SIZE, "c%.3s", id);
	return id[0] != 'x';
}

void host_spec_verify(const struct host_spec *spec, const struct exit_spec *exit,
	enum verify_kind verify, struct verify_spec *ret)
{
	(void)spec;
	(void)exit;
	*ret = (struct verify_spec){.kind = verify};
}

int link_mtu(int ns_fd, const char *name, int *ret, struct err *e)
{
	(void)ns_fd;
	(void)name;
	*ret = answers.mtu;
	return result(answers.link_mtu, "no device", e);
}

bool tunnel_mtu_possible(int mtu)
{
	return mtu == 1328;
}

int exit_copy_make(const struct exit_spec *exit, struct exit_copy *ret, struct err *e)
{
	ret->spec = *exit;
	return result(answers.copy, "no copy", e);
}

void exit_copy_done(struct exit_copy *copy)
{
	(void)copy;
	did("exit_done");
}

void exit_wall_spec(const struct exit_spec *spec, struct wall_spec *ret)
{
	(void)spec;
	*ret = (struct wall_spec){.tunnel = "tun0"};
}

int netns_open(const char *path, struct err *e)
{
	did("netns %s", path);
	return answers.netns < 0 ? err_say(e, ENOENT, "no namespace") : eventfd(0, EFD_CLOEXEC);
}

int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e)
{
	assert_ptr_equal(store, &the_store);
	assert_string_equal(host_id, "h");
	assert_false(make);
	*ret = HOME_INIT;
	return result(answers.home, "no directory", e);
}

void home_done(struct home *h)
{
	(void)h;
}

int home_init_open(const struct home *h, struct err *e)
{
	(void)h;
	return answers.program < 0 ? err_say(e, EIO, "no program") : eventfd(0, EFD_CLOEXEC);
}

int gate_connect(const struct pid1 *p, const struct wait *w, int *ret_fd, struct err *e)
{
	assert_true(!p->alone && p->program_fd >= 0);
	(void)w;
	did("gate of %d as %u", (int)p->pid, (unsigned)p->uid);
	if (answers.connect == 0)
		*ret_fd = eventfd(0, EFD_CLOEXEC);
	return result(answers.connect, "no gate", e);
}

int gate_say(
	int fd, enum gate_word word, const struct wait *w, struct gate_answer *ret, struct err *e)
{
	(void)fd;
	(void)w;
	assert_int_equal(word, GATE_ASK);
	*ret = (struct gate_answer){.state = answers.gate};
	return answer("ask", answers.say, e);
}
