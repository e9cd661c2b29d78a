// SPDX-License-Identifier: Apache-2.0
// A table of nftables: built here, put into the kernel, printed, and printed again as the kernel has
// it, so that the two can be compared.
#include "agent/net/nft_table.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"

static void *must(void *allocated)
{
	if (!allocated)
		abort(); // out of memory
	return allocated;
}

// What is built.

static void comment_set(struct nftnl_table *table, const char *comment)
{
	struct nftnl_udata_buf *data = must(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
	bool fits = strlen(comment) < NFT_COMMENT_MAX &&
		    nftnl_udata_put_strz(data, NFTNL_UDATA_TABLE_COMMENT, comment);
	assert(fits);
	nftnl_table_set_data(
		table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data), nftnl_udata_buf_len(data));
	nftnl_udata_buf_free(data);
}

void nft_table_init(struct nft_table *t, const char *name, const char *comment)
{
	*t = (struct nft_table){.table = must(nftnl_table_alloc())};
	bool fits = text_copy(t->name, sizeof(t->name), name);
	assert(fits);
	nftnl_table_set_u32(t->table, NFTNL_TABLE_FAMILY, NFPROTO_INET);
	nftnl_table_set_str(t->table, NFTNL_TABLE_NAME, t->name);
	if (comment)
		comment_set(t->table, comment);
}

void nft_table_done(struct nft_table *t)
{
	while (t->rule_count > 0)
		nftnl_rule_free(t->rules[--t->rule_count]);
	while (t->chain_count > 0)
		nftnl_chain_free(t->chains[--t->chain_count]);
	while (t->counter_count > 0)
		nftnl_obj_free(t->counters[--t->counter_count]);
	while (t->set_count > 0)
		nftnl_set_free(t->sets[--t->set_count]);
	nftnl_table_free(t->table);
	t->table = NULL;
}

void nft_table_add_set(struct nft_table *t, const struct nft_set *set)
{
	assert(t->set_count < NFT_SETS_MAX);
	struct nftnl_set *s = must(nftnl_set_alloc());
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, t->name);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, set->flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, set->type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, set->size);
	t->sets[t->set_count++] = s;
	// Of use within the batch only.
	nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)t->set_count);
}

void nft_table_add_counter(struct nft_table *t, const char *name)
{
	assert(t->counter_count < NFT_COUNTERS_MAX);
	struct nftnl_obj *o = must(nftnl_obj_alloc());
	nftnl_obj_set_u32(o, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, t->name);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	t->counters[t->counter_count++] = o;
}

static struct nftnl_chain *chain_add(struct nft_table *t, const char *name)
{
	assert(t->chain_count < NFT_CHAINS_MAX);
	struct nftnl_chain *c = must(nftnl_chain_alloc());
	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, t->name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	t->chains[t->chain_count++] = c;
	return c;
}

void nft_table_add_chain(struct nft_table *t, const char *name)
{
	chain_add(t, name);
}

void nft_table_add_hook(struct nft_table *t, const struct nft_hook *hook)
{
	struct nftnl_chain *c = chain_add(t, hook->name);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook->hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hook->priority);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, (uint32_t)hook->policy);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
}

struct nftnl_rule *nft_table_add_rule(struct nft_table *t, const char *chain)
{
	assert(t->rule_count < NFT_RULES_MAX);
	struct nftnl_rule *rule = must(nftnl_rule_alloc());
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, t->name);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	t->rules[t->rule_count++] = rule;
	return rule;
}

// What is sent.

static struct nlmsghdr *put(
	struct nl *n, struct nl_batch *b, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *m = nl_put(n, b, type, flags);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return m;
}

struct nlmsghdr *nft_put_header(struct nl *n, struct nl_batch *b, int type, uint16_t flags)
{
	return put(n, b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET);
}

static void put_frame(struct nl *n, struct nl_batch *b, uint16_t type)
{
	struct nlmsghdr *m = put(n, b, type, 0, AF_UNSPEC);
	struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

void nft_put_begin(struct nl *n, struct nl_batch *b)
{
	put_frame(n, b, NFNL_MSG_BATCH_BEGIN);
}

void nft_put_end(struct nl *n, struct nl_batch *b)
{
	put_frame(n, b, NFNL_MSG_BATCH_END);
}

static struct nlmsghdr *put_new(struct nl *n, struct nl_batch *b, int type)
{
	return nft_put_header(n, b, type, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
}

void nft_table_put(const struct nft_table *t, struct nl *n, struct nl_batch *b)
{
	nftnl_table_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWTABLE), t->table);
	for (size_t i = 0; i < t->set_count; i++)
		nftnl_set_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWSET), t->sets[i]);
	for (size_t i = 0; i < t->counter_count; i++)
		nftnl_obj_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWOBJ), t->counters[i]);
	for (size_t i = 0; i < t->chain_count; i++)
		nftnl_chain_nlmsg_build_payload(put_new(n, b, NFT_MSG_NEWCHAIN), t->chains[i]);
	for (size_t i = 0; i < t->rule_count; i++)
		nftnl_rule_nlmsg_build_payload(nft_put_header(n, b, NFT_MSG_NEWRULE,
						       NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK),
			t->rules[i]);
}

// Only what exists can be deleted, so it is made first where it is not.
void nft_table_put_delete(const struct nft_table *t, struct nl *n, struct nl_batch *b)
{
	struct nlmsghdr *m = nft_put_header(n, b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
	mnl_attr_put_strz(m, NFTA_TABLE_NAME, t->name);
	m = nft_put_header(n, b, NFT_MSG_DELTABLE, NLM_F_ACK);
	mnl_attr_put_strz(m, NFTA_TABLE_NAME, t->name);
}

// What is printed.

static void print_table(struct str *s, const struct nftnl_table *table)
{
	str_addf(s, "table %u %s flags %u\n", nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY),
		nftnl_table_get_str(table, NFTNL_TABLE_NAME),
		nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS));
}

static void print_set(struct str *s, const struct nftnl_set *set)
{
	str_addf(s, "set %u %s %s flags %u key %u/%u\n", nftnl_set_get_u32(set, NFTNL_SET_FAMILY),
		nftnl_set_get_str(set, NFTNL_SET_TABLE), nftnl_set_get_str(set, NFTNL_SET_NAME),
		nftnl_set_get_u32(set, NFTNL_SET_FLAGS), nftnl_set_get_u32(set, NFTNL_SET_KEY_TYPE),
		nftnl_set_get_u32(set, NFTNL_SET_KEY_LEN));
}

static void print_object(struct str *s, struct nftnl_obj *o)
{
	str_addf(s, "object %u %s %s type %u\n", nftnl_obj_get_u32(o, NFTNL_OBJ_FAMILY),
		nftnl_obj_get_str(o, NFTNL_OBJ_TABLE), nftnl_obj_get_str(o, NFTNL_OBJ_NAME),
		nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE));
}

static void print_chain(struct str *s, const struct nftnl_chain *chain)
{
	str_addf(s, "chain %u %s %s", nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY),
		nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE),
		nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	if (nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		str_addf(s, " %s hook %u priority %d policy %u",
			nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE),
			nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
			nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
			nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY));
	str_add(s, "\n");
}

static void print_rule(struct str *s, struct nftnl_rule *rule)
{
	char text[4096];
	nftnl_rule_unset(rule, NFTNL_RULE_HANDLE);
	nftnl_rule_unset(rule, NFTNL_RULE_POSITION);
	int len = nftnl_rule_snprintf(text, sizeof(text), rule, NFTNL_OUTPUT_DEFAULT, 0);
	if (len < 0 || (size_t)len >= sizeof(text))
		len = snprintf(text, sizeof(text), "a rule too long to print");
	str_add(s, "rule ");
	str_add_bytes(s, text, (size_t)len);
	str_add(s, "\n");
}

void nft_table_print(const struct nft_table *t, struct str *s)
{
	print_table(s, t->table);
	for (size_t i = 0; i < t->set_count; i++)
		print_set(s, t->sets[i]);
	for (size_t i = 0; i < t->counter_count; i++)
		print_object(s, t->counters[i]);
	for (size_t i = 0; i < t->chain_count; i++)
		print_chain(s, t->chains[i]);
	for (size_t i = 0; i < t->rule_count; i++)
		print_rule(s, t->rules[i]);
}

// What the kernel has.

struct reading {
	const struct nft_reader *reader;
	struct str *text; // NULL: of no interest
};

// Some dumps of the kernel give all tables' whatever was asked for.
static bool is_asked(const struct nft_reader *reader, uint32_t family, const char *table)
{
	return !reader->table ||
	       (family == NFPROTO_INET && table && strcmp(table, reader->table) == 0);
}

static int read_table(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct reading *r = arg;
	struct nftnl_table *t = nftnl_table_alloc();
	if (!t || nftnl_table_nlmsg_parse(m, t) < 0) {
		nftnl_table_free(t);
		return err_set(e, EBADMSG, "read a table");
	}
	if (is_asked(r->reader, nftnl_table_get_u32(t, NFTNL_TABLE_FAMILY),
		    nftnl_table_get_str(t, NFTNL_TABLE_NAME)))
		print_table(r->text, t);
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
	if (is_asked(r->reader, nftnl_set_get_u32(s, NFTNL_SET_FAMILY),
		    nftnl_set_get_str(s, NFTNL_SET_TABLE)))
		print_set(r->text, s);
	nftnl_set_free(s);
	return 0;
}

static void object_take(struct reading *r, struct nftnl_obj *o)
{
	if (!is_asked(r->reader, nftnl_obj_get_u32(o, NFTNL_OBJ_FAMILY),
		    nftnl_obj_get_str(o, NFTNL_OBJ_TABLE)))
		return;
	if (r->text)
		print_object(r->text, o);
	if (r->reader->each && nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		r->reader->each(nftnl_obj_get_str(o, NFTNL_OBJ_NAME),
			nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS), r->reader->arg);
}

static int read_object(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct nftnl_obj *o = nftnl_obj_alloc();
	if (!o || nftnl_obj_nlmsg_parse(m, o) < 0 || !nftnl_obj_get_str(o, NFTNL_OBJ_NAME)) {
		nftnl_obj_free(o);
		return err_set(e, EBADMSG, "read a counter");
	}
	object_take(arg, o);
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
	if (is_asked(r->reader, nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY),
		    nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)))
		print_chain(r->text, c);
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
	if (is_asked(r->reader, nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
		    nftnl_rule_get_str(rule, NFTNL_RULE_TABLE)))
		print_rule(r->text, rule);
	nftnl_rule_free(rule);
	return 0;
}

// The kernel gives what is of the family, or of all, and of sets, objects and rules only those of a
// table that the request names.
static int dump(struct nl *n, int type, nl_each *each, struct reading *r, struct err *e)
{
	const char *table = r->reader->table;
	struct nl_batch b;
	nl_batch_init(&b);
	struct nlmsghdr *m = put(n, &b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP,
		table ? NFPROTO_INET : NFPROTO_UNSPEC);
	if (table && type == NFT_MSG_GETRULE)
		mnl_attr_put_strz(m, NFTA_RULE_TABLE, table);
	if (table && type == NFT_MSG_GETSET)
		mnl_attr_put_strz(m, NFTA_SET_TABLE, table);
	if (table && type == NFT_MSG_GETOBJ)
		mnl_attr_put_strz(m, NFTA_OBJ_TABLE, table);
	struct err why;
	if (nl_dump(n, &b, each, r, "read the rules of nftables", &why) == 0 ||
		(table && why.code == ENOENT))
		return 0; // a table that is not there has nothing
	*e = why;
	return -1;
}

int nft_table_read(struct nl *n, const struct nft_reader *reader, struct str *s, struct err *e)
{
	struct reading r = {.reader = reader, .text = s};
	if (dump(n, NFT_MSG_GETTABLE, read_table, &r, e) < 0 ||
		dump(n, NFT_MSG_GETSET, read_set, &r, e) < 0 ||
		dump(n, NFT_MSG_GETOBJ, read_object, &r, e) < 0 ||
		dump(n, NFT_MSG_GETCHAIN, read_chain, &r, e) < 0)
		return -1;
	return dump(n, NFT_MSG_GETRULE, read_rule, &r, e);
}

int nft_counters_read(struct nl *n, const struct nft_reader *reader, struct err *e)
{
	struct reading r = {.reader = reader};
	return dump(n, NFT_MSG_GETOBJ, read_object, &r, e);
}

struct listing {
	nft_each_table *each;
	void *arg;
};

static int comment_take(const struct nftnl_udata *data, void *arg)
{
	const char *text = nftnl_udata_get(data);
	uint8_t len = nftnl_udata_len(data);
	if (nftnl_udata_type(data) == NFTNL_UDATA_TABLE_COMMENT && len > 0 && text[len - 1] == '\0')
		(void)!text_copy(arg, NFT_COMMENT_MAX, text);
	return 0;
}

static int list_table(const struct nlmsghdr *m, void *arg, struct err *e)
{
	const struct listing *l = arg;
	struct nftnl_table *t = nftnl_table_alloc();
	if (!t || nftnl_table_nlmsg_parse(m, t) < 0) {
		nftnl_table_free(t);
		return err_set(e, EBADMSG, "read a table");
	}
	char comment[NFT_COMMENT_MAX] = "";
	uint32_t size = 0;
	const void *data = nftnl_table_get_data(t, NFTNL_TABLE_USERDATA, &size);
	if (data)
		nftnl_udata_parse(data, size, comment_take, comment);
	if (nftnl_table_get_str(t, NFTNL_TABLE_NAME))
		l->each(nftnl_table_get_str(t, NFTNL_TABLE_NAME), comment, l->arg);
	nftnl_table_free(t);
	return 0;
}

int nft_tables_list(struct nl *n, nft_each_table *each, void *arg, struct err *e)
{
	struct listing l = {.each = each, .arg = arg};
	struct nl_batch b;
	nl_batch_init(&b);
	nft_put_header(n, &b, NFT_MSG_GETTABLE, NLM_F_DUMP);
	return nl_dump(n, &b, list_table, &l, "list the tables of nftables", e);
}

static int read_elements(const struct nlmsghdr *m, void *arg, struct err *e)
{
	const struct nft_elements *of = arg;
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s || nftnl_set_elems_nlmsg_parse(m, s) < 0) {
		nftnl_set_free(s);
		return err_set(e, EBADMSG, "read the elements of a set");
	}
	nftnl_set_elem_foreach(s, of->each, of->arg);
	nftnl_set_free(s);
	return 0;
}

int nft_elements_read(struct nl *n, const struct nft_elements *of, struct err *e)
{
	struct nft_elements copy = *of;
	struct nl_batch b;
	nl_batch_init(&b);
	struct nlmsghdr *m = nft_put_header(n, &b, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, of->table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, of->set);
	return nl_dump(n, &b, read_elements, &copy, "read the elements of a set", e);
}

// The name of the table is attribute 1 of all kinds of message.
_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 &&
		       NFTA_OBJ_TABLE == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1,
	"linux/netfilter/nf_tables.h");

const char *nft_message_table(const struct nlmsghdr *message)
{
	const struct nlattr *table[NFTA_TABLE_NAME + 1] = {0};
	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		(message->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
		return NULL;
	nl_attributes(message, sizeof(struct nfgenmsg), table, NFTA_TABLE_NAME);
	const struct nlattr *name = table[NFTA_TABLE_NAME];
	if (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(name);
}
