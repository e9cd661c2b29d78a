// SPDX-License-Identifier: Apache-2.0
// The second wall: one nftables rule set per container namespace, loaded once, opened by one set
// element with a timeout.
#include "agent/wall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence.h"
#include "agent/ruleset.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	DUMP_TRIES = 3,
	PLACEHOLDER_MS = 60000, // never seen: the same transaction deletes it
};

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

static struct nlmsghdr *put(
	struct wall *w, struct nl_batch *b, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *m = nl_put(&w->nl, b, type, flags);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return m;
}

// A transaction's frame (nfnetlink): all between the two happens or nothing does.
static void put_frame(struct wall *w, struct nl_batch *b, uint16_t type)
{
	struct nlmsghdr *m = put(w, b, type, 0, AF_UNSPEC);
	struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

int wall_load(struct wall *w, struct err *e)
{
	struct ruleset rules;
	struct nl_batch b;
	nl_batch_init(&b);
	ruleset_init(&rules, &w->spec);
	put_frame(w, &b, NFNL_MSG_BATCH_BEGIN);
	ruleset_put(&rules, &w->nl, &b);
	put_frame(w, &b, NFNL_MSG_BATCH_END);
	ruleset_done(&rules);
	return nl_send(&w->nl, &b, "load the wall", e);
}

// One message about the proof: the tunnel's name in the set. timeout_ms 0: without a timeout.
static void put_proof(struct wall *w, struct nl_batch *b, int type, int64_t timeout_ms)
{
	char key[IFNAMSIZ] = {0};
	snprintf(key, sizeof(key), "%s", w->spec.tunnel);
	uint16_t flags = NLM_F_ACK | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	struct nlmsghdr *m =
		put(w, b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET);

	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	if (!set || !element)
		abort(); // out of memory
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, RULESET_PROVEN);
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, sizeof(key));
	if (timeout_ms > 0)
		nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, (uint64_t)timeout_ms);
	nftnl_set_elem_add(set, element);
	nftnl_set_elems_nlmsg_build_payload(m, set);
	nftnl_set_free(set);
}

// An add does not renew a living element and a delete of a missing one fails; add, delete and add
// in one transaction work in every state, also when it has just expired.
static int proof_set(struct wall *w, int64_t life_ms, const char *what, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	put_frame(w, &b, NFNL_MSG_BATCH_BEGIN);
	put_proof(w, &b, NFT_MSG_NEWSETELEM, PLACEHOLDER_MS);
	put_proof(w, &b, NFT_MSG_DELSETELEM, 0);
	if (life_ms > 0)
		put_proof(w, &b, NFT_MSG_NEWSETELEM, life_ms);
	put_frame(w, &b, NFNL_MSG_BATCH_END);
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

struct reading {
	struct str *text;
	struct wall_state *state;
};

static int read_table(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_table *t = nftnl_table_alloc();
	if (!t || nftnl_table_nlmsg_parse(m, t) < 0) {
		nftnl_table_free(t);
		return err_set(e, EBADMSG, "read a table");
	}
	ruleset_print_table(r->text, t);
	nftnl_table_free(t);
	return 0;
}

static int read_set(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s || nftnl_set_nlmsg_parse(m, s) < 0) {
		nftnl_set_free(s);
		return err_set(e, EBADMSG, "read a set");
	}
	ruleset_print_set(r->text, s);
	nftnl_set_free(s);
	return 0;
}

static void count_take(struct wall_counts *counts, struct nftnl_obj *o)
{
	const char *name = nftnl_obj_get_str(o, NFTNL_OBJ_NAME);
	for (int i = 0; i < WALL_CHAINS * WALL_SENDERS; i++) {
		char mine[RULESET_NAME_MAX];
		ruleset_counter_name(i / WALL_SENDERS, i % WALL_SENDERS, mine);
		if (strcmp(mine, name) == 0)
			counts->packets[i / WALL_SENDERS][i % WALL_SENDERS] =
				nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS);
	}
}

static int read_object(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_obj *o = nftnl_obj_alloc();
	if (!o || nftnl_obj_nlmsg_parse(m, o) < 0 || !nftnl_obj_get_str(o, NFTNL_OBJ_NAME)) {
		nftnl_obj_free(o);
		return err_set(e, EBADMSG, "read a counter");
	}
	ruleset_print_object(r->text, o);
	if (nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		count_take(&r->state->counts, o);
	nftnl_obj_free(o);
	return 0;
}

static int read_chain(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_chain *c = nftnl_chain_alloc();
	if (!c || nftnl_chain_nlmsg_parse(m, c) < 0) {
		nftnl_chain_free(c);
		return err_set(e, EBADMSG, "read a chain");
	}
	ruleset_print_chain(r->text, c);
	nftnl_chain_free(c);
	return 0;
}

static int read_rule(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	if (!rule || nftnl_rule_nlmsg_parse(m, rule) < 0) {
		nftnl_rule_free(rule);
		return err_set(e, EBADMSG, "read a rule");
	}
	ruleset_print_rule(r->text, rule);
	nftnl_rule_free(rule);
	return 0;
}

static int read_element(struct nftnl_set_elem *element, void *arg)
{
	struct wall_state *state = arg;
	// An element of `proven` always has a timeout of ours; one without would never expire and
	// counts as a day.
	state->open = true;
	state->remaining_ms = 86400000;
	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_EXPIRATION))
		state->remaining_ms =
			(int64_t)nftnl_set_elem_get_u64(element, NFTNL_SET_ELEM_EXPIRATION);
	return 0;
}

static int read_elements(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s || nftnl_set_elems_nlmsg_parse(m, s) < 0) {
		nftnl_set_free(s);
		return err_set(e, EBADMSG, "read the proof");
	}
	nftnl_set_elem_foreach(s, read_element, r->state);
	nftnl_set_free(s);
	return 0;
}

static int dump(struct wall *w, int type, nl_each *each, struct reading *r, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	put(w, &b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, NFPROTO_UNSPEC);
	return nl_dump(&w->nl, &b, each, r, "read the wall", e);
}

static int dump_elements(struct wall *w, struct reading *r, struct err *e)
{
	struct nl_batch b;
	nl_batch_init(&b);
	struct nlmsghdr *m = put(
		w, &b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, NLM_F_DUMP, NFPROTO_INET);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, RULESET_PROVEN);
	return nl_dump(&w->nl, &b, read_elements, r, "read the proof", e);
}

static int read_all(struct wall *w, struct reading *r, struct err *e)
{
	if (dump(w, NFT_MSG_GETTABLE, read_table, r, e) < 0 ||
		dump(w, NFT_MSG_GETSET, read_set, r, e) < 0 ||
		dump(w, NFT_MSG_GETOBJ, read_object, r, e) < 0 ||
		dump(w, NFT_MSG_GETCHAIN, read_chain, r, e) < 0 ||
		dump(w, NFT_MSG_GETRULE, read_rule, r, e) < 0)
		return -1;
	struct err absent;
	if (dump_elements(w, r, &absent) < 0 && absent.code != ENOENT) {
		*e = absent; // ENOENT: no wall, so no proof; the hash tells
		return -1;
	}
	return 0;
}

int wall_read(struct wall *w, struct wall_state *ret, struct err *e)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct wall_state state = {0};
		_cleanup_(str_done) struct str text = STR_INIT(RULESET_TEXT_MAX);
		struct reading r = {.text = &text, .state = &state};
		int done = read_all(w, &r, e);
		if (done < 0 && e->code == EAGAIN)
			continue; // a renewal came in between
		if (done < 0)
			return -1;
		if (text.overflow)
			str_reset(&text); // somebody else's huge rule set: surely not ours
		hash_sha256_hex(str_text(&text), text.len, state.hash);
		*ret = state;
		return 0;
	}
	return err_wrap(e, "%d times in a row", DUMP_TRIES);
}

int wall_read_counts(struct wall *w, struct wall_counts *ret, struct err *e)
{
	struct wall_state state = {0};
	_cleanup_(str_done) struct str text = STR_INIT(RULESET_TEXT_MAX);
	struct reading r = {.text = &text, .state = &state};
	if (dump(w, NFT_MSG_GETOBJ, read_object, &r, e) < 0)
		return -1;
	*ret = state.counts;
	return 0;
}

void wall_expected_hash(const struct wall_spec *spec, char ret[static 65])
{
	_cleanup_(str_done) struct str text = STR_INIT(RULESET_TEXT_MAX);
	struct ruleset rules;
	ruleset_init(&rules, spec);
	ruleset_print(&rules, &text);
	ruleset_done(&rules);
	hash_sha256_hex(str_text(&text), text.len, ret);
}

int wall_check(struct wall *w, struct wall_state *ret, struct evidence *ev, struct err *e)
{
	int64_t start = wait_now_us();
	struct wall_state state;
	if (wall_read(w, &state, e) < 0)
		return -1;
	char expected[65];
	wall_expected_hash(&w->spec, expected);
	bool same = strcmp(expected, state.hash) == 0;
	if (same)
		evidence_add(
			ev, "rules", OUTCOME_PASSED, NULL, wait_now_us() - start, "%s", state.hash);
	else
		evidence_add(ev, "rules", OUTCOME_FAILED, "inventory", wait_now_us() - start,
			"the rule set in the namespace is not ours: %.12s, expected %.12s",
			state.hash, expected);
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

static bool is_rule_change(const struct nlmsghdr *m)
{
	static const uint16_t harmless[] = {NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, NFT_MSG_NEWGEN};
	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if ((m->nlmsg_type & 0xff) == harmless[i])
			return false;
	return true;
}

bool wall_changed(int watch_fd)
{
	return nl_drain(watch_fd, is_rule_change);
}
