// SPDX-License-Identifier: Apache-2.0
// The configuration of sing-box for an exit through a proxy: one device in, one way out.
#include "agent/tunnel/proxy_config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "agent/tunnel/proxy_outbound.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

#define RESOLVER_TAG "resolver"

static void log_put(cJSON *to)
{
	cJSON *log = json_set_object(to, "log");
	json_set_text(log, "level", "error");
	json_set_bool(log, "timestamp", false);
}

// A server without `detour` would be asked directly. Without UDP the engine takes the user's
// questions to it and asks them over TCP.
static void dns_put(cJSON *to, const char *resolver, bool udp)
{
	cJSON *dns = json_set_object(to, "dns");
	cJSON *server = json_add(json_set_array(dns, "servers"), json_new_object());
	json_set_text(server, "type", udp ? "udp" : "tcp");
	json_set_text(server, "tag", RESOLVER_TAG);
	json_set_text(server, "server", resolver);
	json_set_text(server, "detour", PROXY_OUTBOUND);
	json_set_text(dns, "final", RESOLVER_TAG);
	json_set_text(dns, "strategy", "ipv4_only");
	json_set_bool(dns, "disable_cache", true);
}

// A flow is all that comes from one port, whatever its destinations: so the other side of a NAT can be
// found out. But sing-box does not see that a SOCKS5 server has ended an association, as one of its
// own kind does at a destination that it refuses, and goes on sending into it. There each destination
// is a flow of its own: the refused one is lost alone. So it is where a flow has one destination, that
// of its first datagram: sing-box would send all others there, too.
static void device_put(cJSON *to, const char *name, const struct proxy_doors *doors)
{
	cJSON *device = json_add(json_set_array(to, "inbounds"), json_new_object());
	json_set_text(device, "type", "tun");
	json_set_text(device, "tag", "tun");
	json_set_text(device, "interface_name", name);
	json_add_text(json_set_array(device, "address"), PROXY_ADDRESS);
	json_set_int(device, "mtu", PROXY_MTU);
	json_set_bool(device, "auto_route", false);
	json_set_text(device, "stack", "gvisor");
	json_set_text(device, "dns_mode", "disabled");
	json_set_int(device, "udp_nat_max", PROXY_UDP_FLOWS);
	if (doors->udp_associated || doors->udp_single)
		json_set_text(device, "udp_mapping", "address_and_port_dependent");
}

static void route_put(cJSON *to, const char *resolver, bool udp)
{
	cJSON *route = json_set_object(to, "route");
	json_set_text(route, "final", PROXY_OUTBOUND);
	json_set_bool(route, "auto_detect_interface", false);
	cJSON *rules = json_set_array(route, "rules");
	if (udp)
		return;
	cJSON *hijack = json_add(rules, json_new_object());
	json_set_text(hijack, "network", "udp");
	json_add_text(json_set_array(hijack, "ip_cidr"), resolver);
	json_set_int(hijack, "port", 53);
	json_set_text(hijack, "action", "hijack-dns");
	cJSON *reject = json_add(rules, json_new_object());
	json_set_text(reject, "network", "udp");
	json_set_text(reject, "action", "reject");
	json_set_bool(reject, "no_drop", true); // else only 50 in 30 s are refused, others are lost
}

// cJSON's own printer grows its buffer and leaves what it wrote so far in freed memory.
static int text_print(cJSON *json, char **ret, struct err *e)
{
	char *text = xcalloc(1, PROXY_CONFIG_MAX);
	if (!cJSON_PrintPreallocated(json, text, PROXY_CONFIG_MAX, false)) {
		mem_wipe(text, PROXY_CONFIG_MAX);
		free(text);
		return err_say(e, E2BIG, "the proxy's configuration is longer than %d bytes",
			PROXY_CONFIG_MAX);
	}
	*ret = text;
	return 0;
}

int proxy_config_text(const cJSON *config, const cJSON *secret, const struct proxy_place *place,
	char **ret, struct err *e)
{
	_cleanup_(json_freep) cJSON *all = json_new_object();
	struct proxy_doors doors;
	struct addr resolver = place->resolver;
	char text[ADDR_TEXT_MAX], only[ADDR_TEXT_MAX];
	if (resolver.family != AF_INET)
		return err_say(e, EINVAL, "a proxy exit's resolver must be an IPv4 address");
	if (proxy_doors_parse(config, &doors, e) < 0)
		return -1;
	resolver.prefix = 32;
	log_put(all);
	dns_put(all, addr_text(&resolver, text), doors.udp);
	device_put(all, place->name, &doors);
	route_put(all, addr_cidr(&resolver, only), doors.udp);
	if (proxy_outbound_put(json_set_array(all, "outbounds"), config, secret, e) < 0)
		return -1;
	return text_print(all, ret, e);
}
