// SPDX-License-Identifier: Apache-2.0
// Judges a verification by the state of its queries: which checks have ended, and how.
#include "agent/verify/verify_judge.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/net/link.h"

static struct tally tally_of(
	const struct verify_spec *spec, const struct queries *all, enum query_kind kind)
{
	struct tally t = {0};
	for (size_t i = 0; i < all->count; i++) {
		const struct query *q = &all->of[i];
		if (q->kind != kind)
			continue;
		if (q->state == QUERY_FAILED && !t.first_failed)
			t.first_failed = q;
		t.failed += q->state == QUERY_FAILED;
		t.wrong += q->state == QUERY_FAILED && !q->unheard && !q->by_tcp;
		t.by_tcp += q->state != QUERY_DONE && q->by_tcp;
		t.done += q->state == QUERY_DONE;
		t.heard += q->traffic.heard > 0;
		t.open += q->state == QUERY_RESOLVING || q->state == QUERY_RUNNING;
		if (kind != QUERY_ECHO || q->state != QUERY_DONE)
			continue;
		if (addr_equal(&q->answer, &spec->expected))
			t.equal++;
		else
			t.different = q;
	}
	return t;
}

// That only a small request is answered is the way's fault unless the wide one arrived: then its
// target does not like it. Where a connection ends in a proxy's engine, "arrived" says nothing.
static bool answers_better(const struct query *q, const struct query *than)
{
	bool packets = than->traffic.there <= QUERY_WIDE;
	if (q->kind == QUERY_THIN && packets && than->traffic.arrived)
		return false;
	uint64_t answered = query_answered_bytes(q), less = query_answered_bytes(than);
	return answered > 0 && (less == 0 || (answered >= QUERY_WIDE && less < QUERY_WIDE));
}

// Which way: a small request that is answered shows that the way back is good.
static void stuck_note(struct sizes *s, const struct query *q)
{
	if (s->stuck && s->stuck != q->of)
		return; // the first one is enough
	if (!s->stuck) {
		s->stuck = q->of;
		s->there = !q->of->traffic.arrived;
		s->back = true;
	}
	if (q->kind == QUERY_THIN) {
		s->there = true;
		s->back = false;
	}
	if (q->size > s->fits)
		s->fits = q->size;
}

static struct sizes sizes_of(const struct queries *all)
{
	struct sizes s = {0};
	for (size_t i = 0; i < all->count; i++) {
		const struct query *q = &all->of[i];
		if (q->of && q->of->late && answers_better(q, q->of))
			stuck_note(&s, q);
		if (q->kind != QUERY_TARGET)
			continue;
		if (query_answered_bytes(q) > 0 && !s.filled) {
			s.passed = q;
			s.filled = q->traffic.heard >= QUERY_WIDE;
		}
		s.open = s.open || (q->state == QUERY_RUNNING && q->traffic.connected && !q->late);
	}
	return s;
}

struct tallies tallies_of(const struct verify_spec *spec, const struct queries *q)
{
	return (struct tallies){
		.echo = tally_of(spec, q, QUERY_ECHO),
		.targets = tally_of(spec, q, QUERY_TARGET),
		.names = tally_of(spec, q, QUERY_NAME),
		.sizes = sizes_of(q),
	};
}

static int echo_needed(const struct verify_spec *spec)
{
	return spec->kind == VERIFY_FULL ? VERIFY_ECHO_NEEDED : 1;
}

bool judge_has_enough(const struct verify_spec *spec, const struct tallies *t)
{
	return t->echo.equal >= echo_needed(spec);
}

bool judge_has_ended(const struct tallies *t, enum verify_check check, bool lingered)
{
	switch (check) {
	case CHECK_EXIT_IP:
		return t->echo.different || t->echo.open == 0 || lingered;
	case CHECK_DNS:
		return t->names.open == 0;
	case CHECK_CONNECTIVITY:
		return t->targets.heard > 0 || t->targets.open == 0 || t->sizes.stuck;
	case CHECK_FULL_SIZE:
		return t->sizes.filled || t->targets.open == 0 || t->sizes.stuck ||
		       (t->sizes.passed && lingered && !t->sizes.open);
	case VERIFY_CHECKS:
		break;
	}
	assert(false);
	return false;
}

bool judge_is_over(const struct tallies *t, bool lingered)
{
	bool all = true;
	for (enum verify_check check = 0; check < VERIFY_CHECKS; check++)
		all = all && judge_has_ended(t, check, lingered);
	return all || t->echo.different;
}

_printf_(5, 6) static void set(struct verify_result *r, enum verify_check check,
	enum outcome outcome, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->checks[check].detail, sizeof(r->checks[check].detail), format, args);
	va_end(args);
	r->checks[check].outcome = outcome;
	r->checks[check].code = code;
}

static int asked(const struct tally *t)
{
	return t->done + t->failed + t->open;
}

static const char *why(const struct tally *t)
{
	return t->first_failed ? t->first_failed->why : "no answer in time";
}

static void judge_exit(
	const struct verify_spec *spec, const struct tally *echo, struct verify_result *r)
{
	char seen[ADDR_TEXT_MAX], expected[ADDR_TEXT_MAX];
	addr_text(&spec->expected, expected);
	if (echo->different) {
		r->observed = echo->different->answer;
		set(r, CHECK_EXIT_IP, OUTCOME_FAILED, "exit_mismatch", "%.80s saw %s, expected %s",
			echo->different->host, addr_text(&r->observed, seen), expected);
		return;
	}
	if (echo->equal > 0)
		r->observed = spec->expected;
	if (echo->equal >= echo_needed(spec))
		set(r, CHECK_EXIT_IP, OUTCOME_PASSED, NULL, "%s seen by %d of %d sources", expected,
			echo->equal, asked(echo));
	else
		set(r, CHECK_EXIT_IP, OUTCOME_INCONCLUSIVE, "inconclusive",
			"%d of %d sources answered, %d needed; %s", echo->equal, asked(echo),
			echo_needed(spec), why(echo));
}

// One that answers rightly for some name, over UDP or TCP, is alive: what is lost beside that shows
// that it is busy, perhaps with others. One that is silent over both, for every name, while others
// answer is dead; if nothing else answers either, it may be the tunnel. One that refuses is wrong.
static void judge_dns(
	const struct verify_spec *spec, const struct tallies *t, struct verify_result *r)
{
	const struct tally *names = &t->names;
	char server[ADDR_TEXT_MAX];
	addr_text(&spec->resolver, server);
	bool others_answer = t->echo.done > 0 || t->targets.heard > 0;
	bool alive = names->by_tcp > 0 || (names->done > 0 && names->wrong == 0);
	if (names->open == 0 && names->failed == 0)
		set(r, CHECK_DNS, OUTCOME_PASSED, NULL, "%s answered for %d unique names", server,
			names->done);
	else if (t->echo.different)
		set(r, CHECK_DNS, OUTCOME_INCONCLUSIVE, "inconclusive", "not finished");
	else if (alive)
		set(r, CHECK_DNS, OUTCOME_INCONCLUSIVE, "inconclusive",
			"%s is alive but busy: it answered for %d of %d names over UDP, %d over TCP; %s",
			server, names->done, asked(names), names->by_tcp, why(names));
	else if (names->wrong == 0 && !others_answer)
		set(r, CHECK_DNS, OUTCOME_INCONCLUSIVE, "inconclusive",
			"neither %s nor any other address answered: %s", server, why(names));
	else
		set(r, CHECK_DNS, OUTCOME_FAILED, "dns_failed", "%s: %s", server, why(names));
}

static void judge_connectivity(const struct tallies *t, struct verify_result *r)
{
	const struct tally *targets = &t->targets;
	if (targets->heard > 0)
		set(r, CHECK_CONNECTIVITY, OUTCOME_PASSED, NULL, "%d of %d targets answered",
			targets->heard, asked(targets));
	else if (t->sizes.stuck)
		set(r, CHECK_CONNECTIVITY, OUTCOME_PASSED, NULL,
			"%.80s answered when it was asked in small packets", t->sizes.stuck->host);
	else
		set(r, CHECK_CONNECTIVITY, OUTCOME_INCONCLUSIVE, "inconclusive", "%s",
			t->echo.different ? "not finished" : why(targets));
}

static void judge_stuck(const struct sizes *s, struct verify_result *r)
{
	r->fits = s->fits;
	const char *where = s->there && s->back ? "both ways"
			    : s->there          ? "on the way to the exit"
						: "on the way back from the exit";
	if (s->fits >= LINK_MTU_LEAST)
		set(r, CHECK_FULL_SIZE, OUTCOME_FAILED, "mtu",
			"packets of %d bytes are lost %s, those of %d pass: lower the exit's wg_mtu to %d",
			s->stuck->traffic.there, where, s->fits, s->fits);
	else
		set(r, CHECK_FULL_SIZE, OUTCOME_FAILED, "mtu",
			"large packets are lost %s, those of %d bytes too: lower the MTU of the machine's uplink",
			where, LINK_MTU_LEAST);
}

static void judge_full_size(const struct tallies *t, struct verify_result *r)
{
	const struct sizes *s = &t->sizes;
	if (s->filled)
		set(r, CHECK_FULL_SIZE, OUTCOME_PASSED, NULL,
			"%.80s was asked in packets of %d bytes and answered in packets of %d",
			s->passed->host, s->passed->traffic.there, s->passed->traffic.back);
	else if (s->stuck)
		judge_stuck(s, r);
	else if (s->passed)
		set(r, CHECK_FULL_SIZE, OUTCOME_PASSED, NULL,
			"%.80s was asked in packets of %d bytes; no answer filled one, the largest had %d",
			s->passed->host, s->passed->traffic.there, s->passed->traffic.back);
	else
		set(r, CHECK_FULL_SIZE, OUTCOME_INCONCLUSIVE, "inconclusive",
			"no target has answered a request that fills a packet: %s",
			t->echo.different ? "not finished" : why(&t->targets));
}

void judge(const struct verify_spec *spec, const struct tallies *t, struct verify_result *ret)
{
	judge_exit(spec, &t->echo, ret);
	judge_dns(spec, t, ret);
	judge_connectivity(t, ret);
	judge_full_size(t, ret);
}
