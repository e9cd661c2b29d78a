// SPDX-License-Identifier: Apache-2.0
// The second wall: one nftables rule set per container namespace, loaded once, opened by one set
// element with a timeout.
#include "agent/net/wall.h"

#include <errno.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence.h"
#include "agent/net/elements.h"
#include "agent/net/nft_table.h"
#include "agent/net/ruleset.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { DUMP_TRIES = 3 };

int wall_init(struct wall *w, int ns_fd, const struct wall_spec *spec, struct err *e)
{
	*w = WALL_INIT;
	w->spec = *spec;
	return nl_open(&w->nl, ns_fd, NETLINK_NETFILTER, e);
}

void wall_done(struct wall *w)
{
	nl_close(&w->nl);
}

// In one transaction: `proven` becomes empty, or holds the tunnel for life_ms. Emptying before
// adding renews a living element, which an add alone would not, and works in every state.
static void put_proof(struct wall *w, struct nl_batch *b, int64_t life_ms)
{
	struct element proof = element_of_proof(&w->spec);
	element_put_flush(&w->nl, b, RULESET_PROVEN);
	if (life_ms > 0)
		element_put(&w->nl, b, &proof, life_ms);
}

static void put_exit(struct wall *w, struct nl_batch *b, const struct wall_spec *spec)
{
	struct elements exit;
	elements_of_exit(spec, &exit);
	for (enum ruleset_set set = RULESET_PROVEN + 1; set < RULESET_SETS; set++)
		element_put_flush(&w->nl, b, set);
	for (size_t i = 0; i < exit.count; i++)
		element_put(&w->nl, b, &exit.of[i], 0);
}

int wall_set_exit(struct wall *w, const struct wall_spec *spec, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	nft_put_begin(&w->nl, &b);
	put_proof(w, &b, 0);
	put_exit(w, &b, spec);
	nft_put_end(&w->nl, &b);
	if (nl_send(&w->nl, &b, "name the wall's exit", e) < 0)
		return -1;
	w->spec = *spec;
	return 0;
}

int wall_load(struct wall *w, struct err *e)
{
	struct nft_table rules;
	struct nl_batch b;
	nl_batch_init(&b);
	ruleset_init(&rules);
	nft_put_begin(&w->nl, &b);
	nft_table_put(&rules, &w->nl, &b);
	nft_put_end(&w->nl, &b);
	nft_table_done(&rules);
	if (nl_send(&w->nl, &b, "load the wall", e) < 0)
		return -1;
	return wall_set_exit(w, &w->spec, e);
}

static int proof_set(struct wall *w, int64_t life_ms, const char *what, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	nft_put_begin(&w->nl, &b);
	put_proof(w, &b, life_ms);
	nft_put_end(&w->nl, &b);
	return nl_send(&w->nl, &b, what, e);
}

int wall_open(struct wall *w, int64_t life_ms, struct err *e)
{
	if (life_ms <= 0)
		return err_say(
			e, EINVAL, "a proof needs a life; the setting proof_life_s is wrong");
	return proof_set(w, life_ms, "open the wall", e);
}

int wall_close(struct wall *w, struct err *e)
{
	return proof_set(w, 0, "close the wall", e);
}

// Reading back.

// What every wall has, and the hash that it is known by.
static struct {
	char counters[WALL_CHAINS * WALL_SENDERS][RULESET_NAME_MAX];
	char hash[65];
} ours;
static pthread_once_t ours_once = PTHREAD_ONCE_INIT;

static void ours_make(void)
{
	_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
	struct nft_table rules;
	for (int i = 0; i < WALL_CHAINS * WALL_SENDERS; i++)
		ruleset_counter_name(i / WALL_SENDERS, i % WALL_SENDERS, ours.counters[i]);
	ruleset_init(&rules);
	nft_table_print(&rules, &text);
	nft_table_done(&rules);
	hash_sha256_hex(str_text(&text), text.len, ours.hash);
}

struct reading {
	struct wall_state *state;
	// Of the set whose elements are being read:
	enum ruleset_set set;
	struct elements missing; // the exit's that have not come yet, in all sets
	struct element proof; // what `proven` may hold
};

static void count_take(const char *counter, uint64_t packets, void *arg)
{
	struct wall_counts *counts = arg;
	pthread_once(&ours_once, ours_make);
	for (int i = 0; i < WALL_CHAINS * WALL_SENDERS; i++)
		if (strcmp(ours.counters[i], counter) == 0)
			counts->packets[i / WALL_SENDERS][i % WALL_SENDERS] = packets;
}

static void say_foreign(struct reading *r, const char *what)
{
	snprintf(r->state->difference, sizeof(r->state->difference),
		"the set %s holds %s, which is not ours", ruleset_set_name(r->set), what);
}

// The proof is the tunnel's name, for a time.
static bool proof_take(struct reading *r, struct nftnl_set_elem *from, const struct element *x)
{
	if (!nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_EXPIRATION))
		return false;
	r->state->proof.remaining_ms =
		(int64_t)nftnl_set_elem_get_u64(from, NFTNL_SET_ELEM_EXPIRATION);
	return element_equal(x, &r->proof);
}

static bool exit_take(struct elements *missing, const struct element *x)
{
	for (size_t i = 0; i < missing->count; i++)
		if (element_equal(&missing->of[i], x)) {
			missing->of[i] = missing->of[--missing->count];
			return true;
		}
	return false;
}

static int read_element(struct nftnl_set_elem *from, void *arg)
{
	struct reading *r = arg;
	struct element x;
	char text[ELEMENT_TEXT_MAX];
	if (r->set == RULESET_PROVEN)
		r->state->proof.open = true; // for whatever it names
	if (element_read(from, r->set, &x) < 0)
		say_foreign(r, "an element of another kind");
	else if (!(r->set == RULESET_PROVEN ? proof_take(r, from, &x) : exit_take(&r->missing, &x)))
		say_foreign(r, element_text(&x, text));
	return 0;
}

// ENOENT: no wall, so no exit and no proof; the hash tells.
static int read_set(struct wall *w, enum ruleset_set set, struct reading *r, struct err *e)
{
	struct nft_elements of = {.table = RULESET_TABLE,
		.set = ruleset_set_name(set),
		.each = read_element,
		.arg = r};
	struct err why;
	r->set = set;
	if (nft_elements_read(&w->nl, &of, &why) == 0 || why.code == ENOENT)
		return 0;
	*e = why;
	return -1;
}

static int read_sets(struct wall *w, struct reading *r, struct err *e)
{
	elements_of_exit(&w->spec, &r->missing);
	r->proof = element_of_proof(&w->spec);
	for (enum ruleset_set set = 0; set < RULESET_SETS; set++)
		if (read_set(w, set, r, e) < 0)
			return -1;
	if (r->missing.count > 0 && r->state->difference[0] == '\0') {
		char text[ELEMENT_TEXT_MAX];
		snprintf(r->state->difference, sizeof(r->state->difference),
			"the set %s does not hold %s", ruleset_set_name(r->missing.of[0].set),
			element_text(&r->missing.of[0], text));
	}
	return 0;
}

static int read_all(struct wall *w, struct reading *r, struct str *text, struct err *e)
{
	struct nft_reader reader = {.each = count_take, .arg = &r->state->counts};
	if (nft_table_read(&w->nl, &reader, text, e) < 0)
		return -1;
	return read_sets(w, r, e);
}

int wall_read(struct wall *w, struct wall_state *ret, struct err *e)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct wall_state state = {0};
		_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
		struct reading r = {.state = &state};
		int done = read_all(w, &r, &text, e);
		if (done < 0 && e->code == EAGAIN)
			continue; // a renewal came in between
		if (done < 0)
			return -1;
		if (text.overflow)
			str_reset(&text); // longer than ours can be
		hash_sha256_hex(str_text(&text), text.len, state.hash);
		*ret = state;
		return 0;
	}
	return err_wrap(e, "%d times in a row", DUMP_TRIES);
}

int wall_read_proof(struct wall *w, struct wall_proof *ret, struct err *e)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct wall_state state = {0};
		struct reading r = {.state = &state, .proof = element_of_proof(&w->spec)};
		if (read_set(w, RULESET_PROVEN, &r, e) == 0) {
			*ret = state.proof;
			return 0;
		}
		if (e->code != EAGAIN)
			return -1;
	}
	return err_wrap(e, "%d times in a row", DUMP_TRIES);
}

int wall_read_counts(struct wall *w, struct wall_counts *ret, struct err *e)
{
	struct wall_counts counts = {0};
	struct nft_reader reader = {.each = count_take, .arg = &counts};
	if (nft_counters_read(&w->nl, &reader, e) < 0)
		return -1;
	*ret = counts;
	return 0;
}

void wall_expected_hash(char ret[static 65])
{
	pthread_once(&ours_once, ours_make);
	memcpy(ret, ours.hash, sizeof(ours.hash));
}

int wall_check(struct wall *w, struct wall_state *ret, struct evidence *ev, struct err *e)
{
	int64_t start = wait_now_us();
	struct wall_state state;
	if (wall_read(w, &state, e) < 0)
		return -1;
	char expected[65];
	wall_expected_hash(expected);
	int64_t took = wait_now_us() - start;
	if (strcmp(expected, state.hash) != 0)
		evidence_add(ev, "rules", OUTCOME_FAILED, "inventory", took,
			"the rule set in the namespace is not ours: %.12s, expected %.12s",
			state.hash, expected);
	else if (state.difference[0] != '\0')
		evidence_add(ev, "rules", OUTCOME_FAILED, "inventory", took,
			"the exit in the rule set is not this one: %s", state.difference);
	else
		evidence_add(ev, "rules", OUTCOME_PASSED, NULL, took, "%s", state.hash);
	if (ret)
		*ret = state;
	return 0;
}

int wall_watch(int ns_fd, struct err *e)
{
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_NETFILTER, e) < 0)
		return -1;
	if (nl_subscribe(&n, NFNLGRP_NFTABLES, e) < 0) {
		nl_close(&n);
		return -1;
	}
	return n.fd;
}

// An element that came or went: of the proof, which opens, renews and closes.
static bool is_of_proof(const struct nlmsghdr *m)
{
	const struct nlattr *table[NFTA_SET_ELEM_LIST_SET + 1] = {0};
	nl_attributes(m, sizeof(struct nfgenmsg), table, NFTA_SET_ELEM_LIST_SET);
	const struct nlattr *set = table[NFTA_SET_ELEM_LIST_SET];
	return set && mnl_attr_validate(set, MNL_TYPE_NUL_STRING) >= 0 &&
	       strcmp(mnl_attr_get_str(set), ruleset_set_name(RULESET_PROVEN)) == 0;
}

static bool is_change(const struct nlmsghdr *m, const void *arg)
{
	(void)arg;
	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return false;
	switch (m->nlmsg_type & 0xff) {
	case NFT_MSG_NEWGEN:
		return false;
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_DELSETELEM:
		return !is_of_proof(m);
	default:
		return true;
	}
}

bool wall_changed(int watch_fd)
{
	return nl_drain(watch_fd, is_change, NULL);
}
