// SPDX-License-Identifier: Apache-2.0
// Reads an exit: what every kind has here, the rest by the tunnel's kind.
#include "agent/host/exit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/err.h"
#include "lib/json.h"

static int get_addr(const cJSON *json, const char *name, struct addr *ret, struct err *e)
{
	const char *text;
	if (json_get_text(json, name, &text, e) < 0)
		return -1;
	return addr_parse(text, ret, e) < 0 ? err_wrap(e, "%s", name) : 0;
}

static int opt_addr(const cJSON *json, const char *name, struct addr *ret, struct err *e)
{
	const char *text = NULL;
	if (json_opt_text(json, name, &text, e) < 0)
		return -1;
	return text ? get_addr(json, name, ret, e) : 0;
}

int exit_spec_read(const cJSON *json, struct exit_spec *ret, struct err *e)
{
	struct exit_spec x = {.json = json};
	if (json_get_text(json, "label", &x.label, e) < 0 ||
		get_addr(json, "ip_address", &x.expected, e) < 0 ||
		opt_addr(json, "ip_address6", &x.expected6, e) < 0 ||
		get_addr(json, "dns_server", &x.resolver, e) < 0 ||
		tunnel_spec_read(json, &x.tunnel, e) < 0)
		return -1;
	if (x.expected6.family != x.tunnel.link.address6.family)
		return err_say(e, EINVAL, "ip_address6 and peer_address6 go together");
	x.ipv6 = x.expected6.family == AF_INET6 || x.tunnel.link.address.family == AF_INET6;
	*ret = x;
	return 0;
}

const char *exit_own_key(const struct exit_spec *exit)
{
	const char *key = NULL;
	struct err e;
	return json_opt_text(exit->json, "own_public_key", &key, &e) == 0 ? key : NULL;
}

int exit_verify_read(const cJSON *settings, struct verify_spec *ret, struct err *e)
{
	struct verify_spec spec = {0};
	if (json_get_array(settings, "echo_urls", &spec.echo_urls, e) < 0 ||
		json_get_array(settings, "connect_targets", &spec.connect_targets, e) < 0 ||
		json_opt_text(settings, "dns_check_zone", &spec.dns_check_zone, e) < 0)
		return -1;
	if (!spec.dns_check_zone)
		spec.dns_check_zone = "";
	*ret = spec;
	return 0;
}

int exit_verify_is_whole(const struct verify_spec *spec, struct err *e)
{
	if (cJSON_GetArraySize(spec->echo_urls) < VERIFY_ECHO_NEEDED)
		return err_say(e, EINVAL,
			"the setting echo_urls has %d sources and needs at least %d to prove an exit",
			cJSON_GetArraySize(spec->echo_urls), VERIFY_ECHO_NEEDED);
	if (spec->dns_check_zone[0] == '\0')
		return err_say(e, EINVAL,
			"the setting dns_check_zone is empty: name a zone that the exit's resolver answers for");
	if (cJSON_GetArraySize(spec->connect_targets) == 0)
		return err_say(
			e, EINVAL, "the setting connect_targets is empty: name two host:port");
	return 0;
}

void exit_verify_fill(const struct exit_spec *exit, enum verify_kind kind, struct verify_spec *spec)
{
	spec->kind = kind;
	spec->expected = exit->expected;
	spec->expected6 = exit->expected6;
	spec->resolver = exit->resolver;
}

int exit_budget_read(const cJSON *tunnel, struct budget *ret, struct err *e)
{
	double cpu;
	if (json_get_number(tunnel, "cpu_limit", &cpu, e) < 0 ||
		json_get_int(tunnel, "memory_limit_mb", 0, INT32_MAX, &ret->memory_mb, e) < 0)
		return -1;
	ret->cpu_milli = (int64_t)(cpu * 1000 + 0.5);
	return 0;
}

int exit_copy_make(const struct exit_spec *exit, struct exit_copy *ret, struct err *e)
{
	struct exit_copy copy = {.json = cJSON_Duplicate(exit->json, true)};
	if (exit_spec_read(copy.json, &copy.spec, e) < 0) {
		exit_copy_done(&copy);
		return -1;
	}
	*ret = copy;
	return 0;
}

void exit_copy_done(struct exit_copy *copy)
{
	cJSON_Delete(copy->json);
	*copy = (struct exit_copy){0};
}

void exit_wall_spec(const struct exit_spec *exit, struct wall_spec *ret)
{
	*ret = (struct wall_spec){
		.resolver = exit->resolver, .own = exit->tunnel.link.address, .ipv6 = exit->ipv6};
	strcpy(ret->tunnel, LINK_TUNNEL);
}
