// SPDX-License-Identifier: Apache-2.0
// The cage: one nftables table in the uplink's namespace that lets each proxy engine send to its own
// proxy and nowhere else.
#include "agent/net/cage.h"

#include <errno.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence.h"
#include "agent/net/cage_rules.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { DUMP_TRIES = 5, CLAIM_TRIES = 64, GROUPS = CAGE_GROUP_LAST - CAGE_GROUP_FIRST + 1 };

static void unlockp(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}
// Until the end of the scope.
#define LOCK(c) \
	_cleanup_(unlockp) pthread_mutex_t *locked = &(c)->lock; \
	pthread_mutex_lock(locked)

int cage_init(struct cage *c, int uplink_fd, const char *owner, struct err *e)
{
	*c = (struct cage){.nl = NL_INIT};
	pthread_mutex_init(&c->lock, NULL);
	if (owner[0] == '\0' || !text_copy(c->owner, sizeof(c->owner), owner))
		return err_say(e, EINVAL, "the owner of a cage needs a name of at most %d bytes",
			NFT_COMMENT_MAX - 1);
	if (nl_open(&c->nl, uplink_fd, NETLINK_NETFILTER, e) < 0)
		return -1;
	return nl_port(&c->nl, &c->port, e);
}

void cage_done(struct cage *c)
{
	nl_close(&c->nl);
	cage_elements_done(&c->doors);
	pthread_mutex_destroy(&c->lock);
}

uint32_t cage_group(struct cage *c)
{
	LOCK(c);
	return c->group;
}

static int is_loaded(const struct cage *c, struct err *e)
{
	return c->group ? 0 : err_say(e, ENOENT, "the cage has not been loaded");
}

// What the kernel has.

struct reading {
	struct cage_elements doors;
	enum cage_set set; // whose elements are being read
	bool is_foreign; // one of the elements is none that we make
	struct cage_counts counts;
	char hash[HASH_SHA256_HEX_SIZE];
};

static void reading_done(struct reading *r)
{
	cage_elements_done(&r->doors);
}

static int read_element(struct nftnl_set_elem *from, void *arg)
{
	struct reading *r = arg;
	struct cage_element x;
	if (cage_element_read(from, r->set, &x) < 0)
		r->is_foreign = true;
	else
		cage_elements_add(&r->doors, &x);
	return 0;
}

static void read_counter(const char *counter, uint64_t packets, void *arg)
{
	struct cage_counts *counts = arg;
	if (strcmp(counter, CAGE_PASSED) == 0)
		counts->passed = packets;
	else if (strcmp(counter, CAGE_DENIED) == 0)
		counts->denied = packets;
	else if (strcmp(counter, CAGE_DENIED_LOOPBACK) == 0)
		counts->denied_loopback = packets;
}

// ENOENT: no such set, so none of its elements; the hash tells.
static int read_doors(struct cage *c, const char *table, struct reading *r, struct err *e)
{
	for (r->set = 0; r->set < CAGE_SETS; r->set++) {
		struct nft_elements of = {.table = table,
			.set = cage_set(r->set)->name,
			.each = read_element,
			.arg = r};
		struct err why;
		if (nft_elements_read(&c->nl, &of, &why) < 0 && why.code != ENOENT) {
			*e = why;
			return -1;
		}
	}
	return 0;
}

static int read_once(struct cage *c, struct reading *r, struct err *e)
{
	char table[NFT_NAME_MAX];
	_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
	const struct nft_reader reader = {
		.table = cage_table_name(c->group, table), .each = read_counter, .arg = &r->counts};
	if (nft_table_read(&c->nl, &reader, &text, e) < 0 || read_doors(c, table, r, e) < 0)
		return -1;
	if (text.overflow)
		str_reset(&text); // longer than ours can be
	hash_sha256_hex(str_text(&text), text.len, r->hash);
	return 0;
}

// A namespace that others use, too, may change while it is read.
static int read_all(struct cage *c, struct reading *ret, struct err *e)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct reading r = {0};
		if (read_once(c, &r, e) == 0) {
			*ret = r;
			return 0;
		}
		reading_done(&r);
		if (e->code != EAGAIN)
			return -1;
	}
	return err_wrap(e, "%d times in a row", DUMP_TRIES);
}

// Whose tables there are.
struct survey {
	const struct cage *cage;
	uint32_t mine; // the group of the table that has our owner's name; 0: none
	bool is_lost; // another owner has the group of this cage
};

static void survey_table(const char *name, const char *comment, void *arg)
{
	struct survey *s = arg;
	uint32_t group = cage_table_group(name);
	if (group && strcmp(comment, s->cage->owner) == 0)
		s->mine = group;
	else if (group && group == s->cage->group)
		s->is_lost = true;
}

static int survey_make(struct cage *c, struct survey *ret, struct err *e)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct survey s = {.cage = c};
		if (nft_tables_list(&c->nl, survey_table, &s, e) == 0) {
			*ret = s;
			return 0;
		}
		if (e->code != EAGAIN)
			return -1;
	}
	return err_wrap(e, "%d times in a row", DUMP_TRIES);
}

// What is sent.

static int table_send(struct cage *c, uint32_t group, bool replace, struct err *e)
{
	struct nft_table t;
	struct nl_batch b;
	nl_batch_init(&b);
	cage_rules_init(&t, group, c->owner);
	nft_put_begin(&c->nl, &b);
	if (replace)
		nft_table_put_delete(&t, &c->nl, &b);
	nft_table_put(&t, &c->nl, &b);
	nft_put_end(&c->nl, &b);
	nft_table_done(&t);
	return nl_send(&c->nl, &b, "load the cage", e);
}

static int doors_send(struct cage *c, struct err *e)
{
	char table[NFT_NAME_MAX];
	struct cage_chunk chunk = {
		.table = cage_table_name(c->group, table), .type = NFT_MSG_NEWSETELEM};
	for (size_t i = 0; i < c->doors.count; i += CAGE_CHUNK) {
		struct nl_batch b;
		nl_batch_init(&b);
		chunk.of = &c->doors.of[i];
		chunk.count = c->doors.count - i < CAGE_CHUNK ? c->doors.count - i : CAGE_CHUNK;
		nft_put_begin(&c->nl, &b);
		cage_chunk_put(&chunk, &c->nl, &b);
		nft_put_end(&c->nl, &b);
		if (nl_send(&c->nl, &b, "put the doors into the cage", e) < 0)
			return -1;
	}
	return 0;
}

static int restore(struct cage *c, struct err *e)
{
	struct survey s;
	if (is_loaded(c, e) < 0 || survey_make(c, &s, e) < 0)
		return -1;
	if (s.is_lost)
		return err_say(e, EEXIST,
			"another installation has taken the cage's group %u; restart the agent and "
			"then the hosts whose exits are proxies",
			c->group);
	if (table_send(c, c->group, true, e) < 0)
		return -1;
	return doors_send(c, e);
}

int cage_restore(struct cage *c, struct err *e)
{
	LOCK(c);
	return restore(c, e);
}

// Loading.

// Keeps what an agent of this owner has left: its engines live.
static int adopt(struct cage *c, uint32_t group, struct err *e)
{
	_cleanup_(reading_done) struct reading r = {0};
	char expected[HASH_SHA256_HEX_SIZE];
	c->group = group;
	if (read_all(c, &r, e) < 0)
		return -1;
	cage_elements_done(&c->doors);
	c->doors = r.doors;
	r.doors = (struct cage_elements){0};
	cage_rules_hash(group, expected);
	return strcmp(r.hash, expected) == 0 && !r.is_foreign ? 0 : restore(c, e);
}

static int claim(struct cage *c, struct err *e)
{
	char hex[HASH_SHA256_HEX_SIZE];
	hash_sha256_hex(c->owner, strlen(c->owner), hex);
	hex[8] = '\0';
	uint32_t first = (uint32_t)strtoul(hex, NULL, 16);
	for (uint32_t i = 0; i < CLAIM_TRIES; i++) {
		uint32_t group = CAGE_GROUP_FIRST + (first % GROUPS + i) % GROUPS;
		if (table_send(c, group, false, e) == 0) {
			c->group = group;
			return doors_send(c, e);
		}
		if (e->code != EEXIST)
			return -1;
	}
	return err_wrap(e, "%d groups are taken", CLAIM_TRIES);
}

int cage_load(struct cage *c, struct err *e)
{
	LOCK(c);
	struct survey s;
	if (survey_make(c, &s, e) < 0)
		return -1;
	return s.mine ? adopt(c, s.mine, e) : claim(c, e);
}

int cage_remove(struct cage *c, struct err *e)
{
	LOCK(c);
	struct survey s;
	struct nft_table t;
	struct nl_batch b;
	if (survey_make(c, &s, e) < 0)
		return -1;
	if (!s.mine)
		return 0;
	nl_batch_init(&b);
	cage_rules_init(&t, s.mine, c->owner);
	nft_put_begin(&c->nl, &b);
	nft_table_put_delete(&t, &c->nl, &b);
	nft_put_end(&c->nl, &b);
	nft_table_done(&t);
	c->group = 0;
	cage_elements_done(&c->doors);
	c->doors = (struct cage_elements){0};
	return nl_send(&c->nl, &b, "remove the cage", e);
}

// Doors.

static int doors_are_valid(uint32_t uid, const struct cage_door *doors, size_t count, struct err *e)
{
	if (uid < CAGE_UID_FIRST || uid > CAGE_UID_LAST)
		return err_say(e, EINVAL, "%u is no user id of an engine", uid);
	if (count > CAGE_DOORS_MAX)
		return err_say(e, E2BIG, "an engine has at most %d doors", CAGE_DOORS_MAX);
	for (size_t i = 0; i < count; i++) {
		bool is_udp = doors[i].protocol == IPPROTO_UDP;
		if (doors[i].addr.family == 0 || (!is_udp && doors[i].protocol != IPPROTO_TCP) ||
			(!is_udp && doors[i].port == 0))
			return err_say(e, EINVAL,
				"a door is an address, TCP or UDP, and a port, which only UDP may "
				"leave out");
	}
	return 0;
}

// The doors of one user id, of all that there are.
static struct cage_elements doors_of(const struct cage_elements *all, uint32_t uid)
{
	struct cage_elements ret = {0};
	for (size_t i = 0; i < all->count; i++)
		if (cage_element_uid(&all->of[i]) == uid)
			cage_elements_add(&ret, &all->of[i]);
	return ret;
}

static int exchange_send(struct cage *c, const struct cage_elements *old,
	const struct cage_elements *new, struct err *e)
{
	char table[NFT_NAME_MAX];
	const char *name = cage_table_name(c->group, table);
	struct nl_batch b;
	nl_batch_init(&b);
	if (old->count > CAGE_CHUNK) // by another hand
		return restore(c, e);
	const struct cage_chunk gone = {name, NFT_MSG_DELSETELEM, old->of, old->count, new};
	const struct cage_chunk come = {name, NFT_MSG_NEWSETELEM, new->of, new->count, old};
	nft_put_begin(&c->nl, &b);
	cage_chunk_put(&gone, &c->nl, &b);
	cage_chunk_put(&come, &c->nl, &b);
	nft_put_end(&c->nl, &b);
	return nl_send(&c->nl, &b, "change the doors of the cage", e);
}

// What the table should hold is changed first, and is put back when the kernel refuses it. ENOENT:
// the table, or a door, is gone, so all of it is made again.
static int doors_exchange(
	struct cage *c, uint32_t uid, const struct cage_elements *new, struct err *e)
{
	_cleanup_(cage_elements_done) struct cage_elements old = doors_of(&c->doors, uid);
	cage_elements_remove_uid(&c->doors, uid);
	for (size_t i = 0; i < new->count; i++)
		cage_elements_add(&c->doors, &new->of[i]);
	if (exchange_send(c, &old, new, e) == 0 || (e->code == ENOENT && restore(c, e) == 0))
		return 0;
	cage_elements_remove_uid(&c->doors, uid);
	for (size_t i = 0; i < old.count; i++)
		cage_elements_add(&c->doors, &old.of[i]);
	return -1;
}

int cage_set_doors(
	struct cage *c, uint32_t uid, const struct cage_door *doors, size_t count, struct err *e)
{
	_cleanup_(cage_elements_done) struct cage_elements new = {0};
	LOCK(c);
	if (is_loaded(c, e) < 0 || doors_are_valid(uid, doors, count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct cage_element x = cage_element_of(uid, &doors[i]);
		cage_elements_add(&new, &x);
	}
	return doors_exchange(c, uid, &new, e);
}

int cage_keep(struct cage *c, bool (*keep)(uint32_t uid, void *arg), void *arg, struct err *e)
{
	const struct cage_elements none = {0};
	LOCK(c);
	for (size_t i = 0; i < c->doors.count;) {
		uint32_t uid = cage_element_uid(&c->doors.of[i]);
		if (keep(uid, arg))
			i++;
		else if (doors_exchange(c, uid, &none, e) < 0)
			return -1;
	}
	return 0;
}

// Checks.

int cage_read_counts(struct cage *c, struct cage_counts *ret, struct err *e)
{
	char table[NFT_NAME_MAX];
	struct cage_counts counts = {0};
	LOCK(c);
	const struct nft_reader reader = {
		.table = cage_table_name(c->group, table), .each = read_counter, .arg = &counts};
	if (is_loaded(c, e) < 0 || nft_counters_read(&c->nl, &reader, e) < 0)
		return -1;
	*ret = counts;
	return 0;
}

static void judge(
	const struct cage *c, const struct reading *r, int64_t took_us, struct evidence *ev)
{
	char expected[HASH_SHA256_HEX_SIZE], text[CAGE_ELEMENT_TEXT_MAX];
	const struct cage_element *more = cage_elements_missing(&r->doors, &c->doors);
	const struct cage_element *less = cage_elements_missing(&c->doors, &r->doors);
	cage_rules_hash(c->group, expected);
	if (strcmp(expected, r->hash) != 0)
		evidence_add(ev, "cage", OUTCOME_FAILED, "inventory", took_us,
			"the cage in the uplink's namespace is gone or not ours: %.12s, expected %.12s",
			r->hash, expected);
	else if (r->is_foreign)
		evidence_add(ev, "cage", OUTCOME_FAILED, "inventory", took_us,
			"the cage holds a door of another kind, which is not ours");
	else if (more)
		evidence_add(ev, "cage", OUTCOME_FAILED, "inventory", took_us,
			"the cage holds a door which is not ours: %s",
			cage_element_text(more, text));
	else if (less)
		evidence_add(ev, "cage", OUTCOME_FAILED, "inventory", took_us,
			"the cage does not hold a door: %s", cage_element_text(less, text));
	else
		evidence_add(ev, "cage", OUTCOME_PASSED, NULL, took_us, "%s", r->hash);
}

int cage_check(struct cage *c, struct cage_counts *ret, struct evidence *ev, struct err *e)
{
	int64_t start = wait_now_us();
	_cleanup_(reading_done) struct reading r = {0};
	LOCK(c);
	if (is_loaded(c, e) < 0 || read_all(c, &r, e) < 0)
		return -1;
	judge(c, &r, wait_now_us() - start, ev);
	if (ret)
		*ret = r.counts;
	return 0;
}

int cage_watch(int uplink_fd, struct err *e)
{
	struct nl n;
	if (nl_open(&n, uplink_fd, NETLINK_NETFILTER, e) < 0)
		return -1;
	if (nl_subscribe(&n, NFNLGRP_NFTABLES, e) < 0) {
		nl_close(&n);
		return -1;
	}
	return n.fd;
}

static bool is_of_others(const struct nlmsghdr *m, const void *arg)
{
	const struct cage *c = arg;
	const char *table = nft_message_table(m);
	return table && c->group && cage_table_group(table) == c->group && m->nlmsg_pid != c->port;
}

bool cage_changed(struct cage *c, int watch_fd)
{
	LOCK(c);
	return nl_drain(watch_fd, is_of_others, c);
}
