// SPDX-License-Identifier: Apache-2.0
// What the kernel's WireGuard is told and asked (linux/wireguard.h), as messages, without any I/O.
#include "agent/tunnel/wg_netlink.h"

#include <errno.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>

#include "agent/net/genl.h"
#include "lib/err.h"

_Static_assert(WG_KEY_LEN == KEY32_SIZE, "linux/wireguard.h");

// An allowed address takes 40 bytes at most, all else of a message less than 250.
enum { ALLOWED_PER_MESSAGE = 40 };
_Static_assert(250 + ALLOWED_PER_MESSAGE * 40 <= NL_MESSAGE_BYTES, "a message holds it");

static struct nlmsghdr *put(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	uint8_t command, uint16_t flags)
{
	const struct genl_command what = {to->family, command, WG_GENL_VERSION};
	struct nlmsghdr *m = genl_put(n, b, &what, flags);
	mnl_attr_put_strz(m, WGDEVICE_A_IFNAME, to->device);
	return m;
}

static void put_endpoint(struct nlmsghdr *m, const struct addr_port *endpoint)
{
	struct sockaddr_storage address = {0};
	socklen_t size = addr_to_socket(&endpoint->addr, endpoint->port, &address);
	mnl_attr_put(m, WGPEER_A_ENDPOINT, size, &address);
}

static void put_allowed(struct nlmsghdr *m, const struct addr *allowed)
{
	struct nlattr *nest = mnl_attr_nest_start(m, 0);
	mnl_attr_put_u16(m, WGALLOWEDIP_A_FAMILY, (uint16_t)allowed->family);
	mnl_attr_put(m, WGALLOWEDIP_A_IPADDR, addr_size(allowed), allowed->bytes);
	mnl_attr_put_u8(m, WGALLOWEDIP_A_CIDR_MASK, allowed->prefix);
	mnl_attr_nest_end(m, nest);
}

// The peer with its allowed addresses from `from` on, as many as fit. The first message also says
// what else it is; the next ones add to it. Returns where to go on.
static size_t put_peer(struct nlmsghdr *m, const struct wireguard_config *config, size_t from)
{
	size_t to = config->allowed_count - from > ALLOWED_PER_MESSAGE ? from + ALLOWED_PER_MESSAGE
								       : config->allowed_count;
	struct nlattr *peers = mnl_attr_nest_start(m, WGDEVICE_A_PEERS);
	struct nlattr *peer = mnl_attr_nest_start(m, 0);
	mnl_attr_put(m, WGPEER_A_PUBLIC_KEY, KEY32_SIZE, config->public_key);
	if (from == 0) {
		mnl_attr_put_u32(m, WGPEER_A_FLAGS, WGPEER_F_REPLACE_ALLOWEDIPS);
		if (!sodium_is_zero(config->preshared_key, KEY32_SIZE))
			mnl_attr_put(m, WGPEER_A_PRESHARED_KEY, KEY32_SIZE, config->preshared_key);
		put_endpoint(m, &config->endpoint);
		mnl_attr_put_u16(m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, WIREGUARD_KEEPALIVE_S);
	}
	struct nlattr *allowed = mnl_attr_nest_start(m, WGPEER_A_ALLOWEDIPS);
	for (size_t i = from; i < to; i++)
		put_allowed(m, &config->allowed[i]);
	mnl_attr_nest_end(m, allowed);
	mnl_attr_nest_end(m, peer);
	mnl_attr_nest_end(m, peers);
	return to;
}

static void put_config(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config, const uint8_t *private_key)
{
	size_t done = 0;
	do {
		struct nlmsghdr *m = put(n, b, to, WG_CMD_SET_DEVICE, NLM_F_ACK);
		if (done == 0) {
			mnl_attr_put_u32(m, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
			if (private_key)
				mnl_attr_put(m, WGDEVICE_A_PRIVATE_KEY, KEY32_SIZE, private_key);
		}
		done = put_peer(m, config, done);
	} while (done < config->allowed_count);
}

void wg_netlink_put_set(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config)
{
	put_config(n, b, to, config, config->private_key);
}

void wg_netlink_put_again(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config)
{
	put_config(n, b, to, config, NULL);
}

void wg_netlink_put_get(struct nl *n, struct nl_batch *b, const struct wg_netlink *to)
{
	put(n, b, to, WG_CMD_GET_DEVICE, NLM_F_DUMP);
}

// Reading. Sizes are checked for everything that is used.

static bool has_size(const struct nlattr *a, size_t size)
{
	return a && mnl_attr_get_payload_len(a) == size;
}

static bool number_take(const struct nlattr *a, uint64_t *ret)
{
	if (!a)
		return true;
	if (!has_size(a, sizeof(*ret)))
		return false;
	memcpy(ret, mnl_attr_get_payload(a), sizeof(*ret));
	return true;
}

static bool handshake_take(const struct nlattr *a, int64_t *ret_ns)
{
	static const int64_t seconds_max = 9000000000, nanoseconds = 1000000000;
	struct __kernel_timespec at;
	if (!a)
		return true;
	if (!has_size(a, sizeof(at)))
		return false;
	memcpy(&at, mnl_attr_get_payload(a), sizeof(at));
	if (at.tv_sec < 0 || at.tv_sec > seconds_max || at.tv_nsec < 0 || at.tv_nsec >= nanoseconds)
		return false;
	*ret_ns = at.tv_sec * nanoseconds + at.tv_nsec;
	return true;
}

// A peer that has the key of the one before goes on with its allowed addresses, and says nothing else.
static bool peer_take(const struct nlattr *peer, struct wg_netlink_reading *r)
{
	const struct nlattr *a[WGPEER_A_MAX + 1] = {0};
	nl_attributes_nested(peer, a, WGPEER_A_MAX);
	const struct nlattr *key = a[WGPEER_A_PUBLIC_KEY];
	if (!has_size(key, KEY32_SIZE))
		return false;
	if (r->peers > 0 &&
		memcmp(r->status.public_key, mnl_attr_get_payload(key), KEY32_SIZE) == 0)
		return true;
	r->peers++;
	memcpy(r->status.public_key, mnl_attr_get_payload(key), KEY32_SIZE);
	return handshake_take(a[WGPEER_A_LAST_HANDSHAKE_TIME], &r->status.handshake_ns) &&
	       number_take(a[WGPEER_A_RX_BYTES], &r->status.rx_bytes) &&
	       number_take(a[WGPEER_A_TX_BYTES], &r->status.tx_bytes);
}

static int peer_each(const struct nlattr *peer, void *arg)
{
	return peer_take(peer, arg) ? MNL_CB_OK : MNL_CB_ERROR;
}

int wg_netlink_take(const struct nlmsghdr *m, void *arg, struct err *e)
{
	const struct nlattr *device[WGDEVICE_A_MAX + 1] = {0};
	nl_attributes(m, genl_header_size(), device, WGDEVICE_A_MAX);
	if (device[WGDEVICE_A_PEERS] &&
		mnl_attr_parse_nested(device[WGDEVICE_A_PEERS], peer_each, arg) == MNL_CB_ERROR)
		return err_say(e, EBADMSG,
			"the kernel's WireGuard gave an answer that is not its protocol's");
	return 0;
}

int wg_netlink_finish(
	const struct wg_netlink_reading *reading, struct wireguard_status *ret, struct err *e)
{
	if (reading->peers > 1)
		return err_say(
			e, EBADMSG, "the tunnel's device has %u peers, not one", reading->peers);
	*ret = reading->status;
	return 0;
}
