// SPDX-License-Identifier: Apache-2.0
// The doors of a cage: where the engine of one user id may send, as elements of the cage's sets.
#include "agent/net/cage_door.h"

#include <arpa/inet.h>
#include <assert.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/nft_table.h"
#include "lib/mem.h"

enum {
	FIELD = 4, // a field of a key takes a multiple of it (linux/netfilter/nf_tables.h, NFT_REG32_SIZE)
	TYPES_UDP4 = NFT_TYPE_NEXT(NFT_TYPE_UID, NFT_TYPE_IPADDR),
	TYPES_UDP6 = NFT_TYPE_NEXT(NFT_TYPE_UID, NFT_TYPE_IP6ADDR),
};
#define TYPES_DOORS(types) NFT_TYPE_NEXT(NFT_TYPE_NEXT(types, NFT_TYPE_PROTOCOL), NFT_TYPE_SERVICE)

static const struct nft_set sets[CAGE_SETS] = {
	[CAGE_DOORS4] = {"doors4", 0, TYPES_DOORS(TYPES_UDP4), 4 * FIELD},
	[CAGE_DOORS6] = {"doors6", 0, TYPES_DOORS(TYPES_UDP6), 7 * FIELD},
	[CAGE_UDP4] = {"udp4", 0, TYPES_UDP4, 2 * FIELD},
	[CAGE_UDP6] = {"udp6", 0, TYPES_UDP6, 5 * FIELD},
};

const struct nft_set *cage_set(enum cage_set set)
{
	return &sets[set];
}

static bool has_port(uint8_t set)
{
	return set == CAGE_DOORS4 || set == CAGE_DOORS6;
}

static size_t address_size(uint8_t set)
{
	return set == CAGE_DOORS4 || set == CAGE_UDP4 ? sizeof(struct in_addr)
						      : sizeof(struct in6_addr);
}

struct cage_element cage_element_of(uint32_t uid, const struct cage_door *door)
{
	bool is_v4 = door->addr.family == AF_INET;
	struct cage_element x = {.set = door->port ? (is_v4 ? CAGE_DOORS4 : CAGE_DOORS6)
						   : (is_v4 ? CAGE_UDP4 : CAGE_UDP6)};
	uint8_t *field = x.key;
	memcpy(field, &uid, sizeof(uid));
	field += FIELD;
	memcpy(field, door->addr.bytes, address_size(x.set));
	field += address_size(x.set);
	if (has_port(x.set)) {
		uint16_t wire = htons(door->port);
		*field = door->protocol;
		memcpy(field + FIELD, &wire, sizeof(wire));
	}
	return x;
}

uint32_t cage_element_uid(const struct cage_element *x)
{
	uint32_t uid;
	memcpy(&uid, x->key, sizeof(uid));
	return uid;
}

int cage_element_read(struct nftnl_set_elem *from, enum cage_set set, struct cage_element *ret)
{
	uint32_t size = 0;
	if (!nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_KEY) ||
		nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_EXPR) ||
		nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_EXPRESSIONS))
		return -1;
	const void *key = nftnl_set_elem_get(from, NFTNL_SET_ELEM_KEY, &size);
	if (size != sets[set].size)
		return -1;
	*ret = (struct cage_element){.set = (uint8_t)set};
	memcpy(ret->key, key, size);
	return 0;
}

const char *cage_element_text(
	const struct cage_element *x, char buffer[static CAGE_ELEMENT_TEXT_MAX])
{
	char address[INET6_ADDRSTRLEN], port[32] = "udp, every port";
	const uint8_t *field = x->key + FIELD;
	size_t size = address_size(x->set);
	inet_ntop(size == sizeof(struct in_addr) ? AF_INET : AF_INET6, field, address,
		sizeof(address));
	if (has_port(x->set)) {
		uint16_t wire;
		uint8_t protocol = field[size];
		memcpy(&wire, field + size + FIELD, sizeof(wire));
		snprintf(port, sizeof(port), "%s port %u",
			protocol == IPPROTO_TCP   ? "tcp"
			: protocol == IPPROTO_UDP ? "udp"
						  : "another protocol,",
			ntohs(wire));
	}
	snprintf(buffer, CAGE_ELEMENT_TEXT_MAX, "uid %u to %s %s", cage_element_uid(x), address,
		port);
	return buffer;
}

// Lists.

void cage_elements_done(struct cage_elements *list)
{
	freep(&list->of);
	list->count = 0;
}

// The index of the first that is not below x.
static size_t place_of(const struct cage_elements *list, const struct cage_element *x)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(&list->of[middle], x, sizeof(*x)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool cage_elements_has(const struct cage_elements *list, const struct cage_element *x)
{
	size_t i = place_of(list, x);
	return i < list->count && memcmp(&list->of[i], x, sizeof(*x)) == 0;
}

void cage_elements_add(struct cage_elements *list, const struct cage_element *x)
{
	if (cage_elements_has(list, x))
		return;
	size_t i = place_of(list, x);
	list->of = xreallocarray(list->of, list->count + 1, sizeof(*x));
	memmove(&list->of[i + 1], &list->of[i], (list->count - i) * sizeof(*x));
	list->of[i] = *x;
	list->count++;
}

void cage_elements_remove_uid(struct cage_elements *list, uint32_t uid)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (cage_element_uid(&list->of[i]) != uid)
			list->of[kept++] = list->of[i];
	list->count = kept;
}

const struct cage_element *cage_elements_missing(
	const struct cage_elements *list, const struct cage_elements *other)
{
	for (size_t i = 0; i < list->count; i++)
		if (!cage_elements_has(other, &list->of[i]))
			return &list->of[i];
	return NULL;
}

// Messages.

static void element_add(struct nftnl_set *s, const struct cage_element *x)
{
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	if (!element)
		abort(); // out of memory
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, x->key, sets[x->set].size);
	nftnl_set_elem_add(s, element);
}

static void set_put(
	const struct cage_chunk *chunk, enum cage_set set, struct nl *n, struct nl_batch *b)
{
	size_t count = 0;
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s)
		abort(); // out of memory
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, chunk->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, sets[set].name);
	for (size_t i = 0; i < chunk->count; i++) {
		const struct cage_element *x = &chunk->of[i];
		if (x->set != set || (chunk->except && cage_elements_has(chunk->except, x)))
			continue;
		element_add(s, x);
		count++;
	}
	// A deletion that names no element would empty the set.
	if (count > 0)
		nftnl_set_elems_nlmsg_build_payload(
			nft_put_header(n, b, chunk->type,
				(chunk->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0) | NLM_F_ACK),
			s);
	nftnl_set_free(s);
}

void cage_chunk_put(const struct cage_chunk *chunk, struct nl *n, struct nl_batch *b)
{
	assert(chunk->count <= CAGE_CHUNK);
	for (enum cage_set set = 0; set < CAGE_SETS; set++)
		set_put(chunk, set, n, b);
}
