// SPDX-License-Identifier: Apache-2.0
// The elements of the wall's sets: which exit the namespace has, and its proof.
#include "agent/net/elements.h"

#include <arpa/inet.h>
#include <assert.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/nft_table.h"

static struct element element_of(enum ruleset_set set, const void *key, size_t size)
{
	struct element x = {.set = set};
	assert(size <= sizeof(x.key));
	memcpy(x.key, key, size);
	return x;
}

static struct element element_of_device(enum ruleset_set set, const struct wall_spec *spec)
{
	return element_of(set, spec->tunnel, strnlen(spec->tunnel, sizeof(spec->tunnel)));
}

static struct element element_of_family(uint8_t family)
{
	return element_of(RULESET_FAMILIES, &family, sizeof(family));
}

void elements_of_exit(const struct wall_spec *spec, struct elements *ret)
{
	const struct addr *resolver = &spec->resolver;
	ret->count = 0;
	ret->of[ret->count++] = element_of_device(RULESET_TUNNEL, spec);
	ret->of[ret->count++] = element_of_family(NFPROTO_IPV4);
	if (spec->ipv6)
		ret->of[ret->count++] = element_of_family(NFPROTO_IPV6);
	ret->of[ret->count++] =
		element_of(resolver->family == AF_INET ? RULESET_RESOLVER4 : RULESET_RESOLVER6,
			resolver->bytes, addr_size(resolver));
}

struct element element_of_proof(const struct wall_spec *spec)
{
	return element_of_device(RULESET_PROVEN, spec);
}

static struct nftnl_set *set_alloc(enum ruleset_set set)
{
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s)
		abort(); // out of memory
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, ruleset_set_name(set));
	return s;
}

// A deletion that names no element empties the set, which may be empty already.
void element_put_flush(struct nl *n, struct nl_batch *b, enum ruleset_set set)
{
	struct nftnl_set *s = set_alloc(set);
	nftnl_set_elems_nlmsg_build_payload(nft_put_header(n, b, NFT_MSG_DELSETELEM, NLM_F_ACK), s);
	nftnl_set_free(s);
}

void element_put(struct nl *n, struct nl_batch *b, const struct element *x, int64_t timeout_ms)
{
	struct nftnl_set *s = set_alloc(x->set);
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	if (!element)
		abort(); // out of memory
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, x->key, (uint32_t)ruleset_key_size(x->set));
	if (timeout_ms > 0)
		nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, (uint64_t)timeout_ms);
	nftnl_set_elem_add(s, element);
	nftnl_set_elems_nlmsg_build_payload(
		nft_put_header(n, b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK), s);
	nftnl_set_free(s);
}

int element_read(const struct nftnl_set_elem *from, enum ruleset_set set, struct element *ret)
{
	// libnftnl's getters of elements are not const.
	struct nftnl_set_elem *x = (struct nftnl_set_elem *)(uintptr_t)from;
	uint32_t size = 0;
	if (!nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_KEY) ||
		nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_EXPR) ||
		nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_EXPRESSIONS))
		return -1;
	const void *key = nftnl_set_elem_get(x, NFTNL_SET_ELEM_KEY, &size);
	if (size != ruleset_key_size(set))
		return -1;
	*ret = (struct element){.set = set};
	memcpy(ret->key, key, size);
	return 0;
}

bool element_equal(const struct element *a, const struct element *b)
{
	return a->set == b->set && memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

const char *element_text(const struct element *x, char buffer[static ELEMENT_TEXT_MAX])
{
	switch (x->set) {
	case RULESET_PROVEN:
	case RULESET_TUNNEL:
		snprintf(buffer, ELEMENT_TEXT_MAX, "%.*s", (int)sizeof(x->key),
			(const char *)x->key);
		break;
	case RULESET_FAMILIES:
		snprintf(buffer, ELEMENT_TEXT_MAX, "%s",
			x->key[0] == NFPROTO_IPV4   ? "ipv4"
			: x->key[0] == NFPROTO_IPV6 ? "ipv6"
						    : "an unknown family");
		break;
	case RULESET_RESOLVER4:
		inet_ntop(AF_INET, x->key, buffer, ELEMENT_TEXT_MAX);
		break;
	case RULESET_RESOLVER6:
		inet_ntop(AF_INET6, x->key, buffer, ELEMENT_TEXT_MAX);
		break;
	case RULESET_SETS:
		assert(false);
	}
	return buffer;
}
