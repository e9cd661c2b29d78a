// SPDX-License-Identifier: Apache-2.0
// Reads a host's spec from JSON and hands out its parts.
#include "agent/host/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/container/docker.h"
#include "agent/net/link.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/key32.h"
#include "lib/mem.h"
#include "lib/seal.h"

static int get_copy(const cJSON *json, const char *name, char *ret, size_t size, struct err *e)
{
	const char *text;

	if (json_get_text(json, name, &text, e) < 0)
		return -1;
	if (!text_copy(ret, size, text))
		return err_say(e, EINVAL, "%s is longer than %zu bytes", name, size - 1);
	return 0;
}

static int get_addr(const cJSON *json, const char *name, struct addr *ret, struct err *e)
{
	const char *text;

	if (json_get_text(json, name, &text, e) < 0)
		return -1;
	if (addr_parse(text, ret, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}

// Whole or broken processors: 0.1 to 1024.
static int get_cpu(const cJSON *json, int64_t *ret_milli, struct err *e)
{
	double cpu;

	if (json_get_number(json, "cpu_limit", &cpu, e) < 0)
		return -1;
	if (!(cpu >= 0.1 && cpu <= 1024))
		return err_say(e, EINVAL, "cpu_limit is not within 0.1 and 1024");
	*ret_milli = (int64_t)(cpu * 1000 + 0.5);
	return 0;
}

// "Area/City" goes into an environment variable and names a file below /usr/share/zoneinfo.
static bool timezone_is_valid(const char *zone)
{
	size_t len = strlen(zone);

	return len > 0 && zone[0] != '/' && !strstr(zone, "..") &&
	       strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") ==
		       len;
}

static bool short_id_is_valid(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
	       id[0] != '-';
}

static int read_exit(const cJSON *json, struct spec_exit *x, struct err *e)
{
	const char *endpoint, *type, *text = NULL;
	int64_t mtu;

	if (json_get_text(json, "tunnel_type", &type, e) < 0)
		return -1;
	if (strcmp(type, "wireguard") != 0)
		return err_say(
			e, EINVAL, "tunnel_type \"%.20s\" is not one this agent can start", type);
	if (get_copy(json, "label", x->label, sizeof(x->label), e) < 0 ||
		get_copy(json, "public_key", x->public_key, sizeof(x->public_key), e) < 0 ||
		get_addr(json, "ip_address", &x->expected, e) < 0 ||
		get_addr(json, "dns_server", &x->resolver, e) < 0 ||
		get_addr(json, "peer_address", &x->address, e) < 0 ||
		json_get_int(json, "mtu", LINK_MTU_MIN, LINK_MTU_MAX, &mtu, e) < 0 ||
		json_get_text(json, "endpoint", &endpoint, e) < 0)
		return -1;
	if (addr_parse_port(endpoint, &x->endpoint, e) < 0)
		return err_wrap(e, "endpoint");
	if (x->endpoint.port == 0)
		return err_say(e, EINVAL, "endpoint \"%.80s\" has no port", endpoint);
	x->mtu = (int)mtu;
	x->ipv6 = x->address.family == AF_INET6;
	if (json_get_array(json, "allowed_ips", &x->allowed, e) < 0 ||
		json_opt_text(json, "preshared_key_sealed", &text, e) < 0)
		return -1;
	x->preshared_sealed = text ? xstrdup(text) : NULL;
	return 0;
}

static int read_verify(struct host_spec *s, struct err *e)
{
	const cJSON *verify;

	if (json_get_object(s->json, "verify", &verify, e) < 0)
		return -1;
	if (json_get_int(verify, "light_s", 1, 86400, &s->light_s, e) < 0 ||
		json_get_int(verify, "full_s", 1, 86400, &s->full_s, e) < 0 ||
		json_get_int(verify, "proof_life_s", 3, 86400, &s->proof_life_s, e) < 0 ||
		json_get_array(verify, "echo_urls", &s->echo_urls, e) < 0 ||
		json_get_array(verify, "connect_targets", &s->connect_targets, e) < 0 ||
		json_opt_text(verify, "dns_check_zone", &s->dns_check_zone, e) < 0)
		return err_wrap(e, "verify");
	if (!s->dns_check_zone)
		s->dns_check_zone = "";
	return 0;
}

static int read_container(struct host_spec *s, struct err *e)
{
	const char *image_id = NULL;

	if (get_copy(s->json, "image", s->image, sizeof(s->image), e) < 0 ||
		get_copy(s->json, "timezone", s->timezone, sizeof(s->timezone), e) < 0 ||
		json_get_int(s->json, "memory_limit_mb", 64, 1 << 24, &s->memory_limit_mb, e) < 0 ||
		json_get_int(s->json, "pids_limit", 16, 1 << 22, &s->pids_limit, e) < 0 ||
		json_opt_int(s->json, "disk_limit_gb", 1, 1 << 16, &s->disk_limit_gb, e) < 0 ||
		json_get_bool(s->json, "sudo", &s->sudo, e) < 0 ||
		json_opt_text(s->json, "image_id", &image_id, e) < 0 ||
		get_cpu(s->json, &s->cpu_limit_milli, e) < 0)
		return -1;
	if (image_id && !text_copy(s->image_id, sizeof(s->image_id), image_id))
		return err_say(e, EINVAL, "image_id is too long");
	if (!docker_reference_is_valid(s->image))
		return err_say(e, EINVAL, "image is no image name; write it as name:tag");
	if (s->image_id[0] != '\0' && !docker_reference_is_valid(s->image_id))
		return err_say(e, EINVAL, "image_id is no image's id");
	if (!timezone_is_valid(s->timezone))
		return err_say(e, EINVAL, "timezone is no name like Europe/Berlin");
	return 0;
}

static int read_spec(struct host_spec *s, struct err *e)
{
	const cJSON *outward = NULL;

	if (get_copy(s->json, "host_id", s->host_id, sizeof(s->host_id), e) < 0 ||
		get_copy(s->json, "short_id", s->short_id, sizeof(s->short_id), e) < 0 ||
		get_copy(s->json, "status", s->status, sizeof(s->status), e) < 0 ||
		get_copy(s->json, "wanted", s->wanted, sizeof(s->wanted), e) < 0)
		return -1;
	if (!str_is_uuid(s->host_id) || !short_id_is_valid(s->short_id))
		return err_say(e, EINVAL, "host_id or short_id is no id");
	if (read_container(s, e) < 0 || read_verify(s, e) < 0 ||
		json_opt_object(s->json, "exit", &outward, e) < 0)
		return -1;
	s->has_exit = outward;
	if (s->has_exit && read_exit(outward, &s->exit, e) < 0)
		return err_wrap(e, "exit");
	return 0;
}

int host_spec_read(const char *json, struct host_spec **ret, struct err *e)
{
	_cleanup_(host_spec_freep) struct host_spec *s = xnew(struct host_spec);

	if (json_parse(json, strlen(json), &json_from_peer, &s->json, e) < 0 || read_spec(s, e) < 0)
		return err_wrap(e, "read the host's settings");
	*ret = TAKE_PTR(s);
	return 0;
}

void host_spec_free(struct host_spec *s)
{
	if (!s)
		return;
	free(s->exit.preshared_sealed);
	cJSON_Delete(s->json);
	free(s);
}

void host_spec_freep(struct host_spec **s)
{
	host_spec_free(*s);
}

int host_spec_can_start(const struct host_spec *s, const char **ret_code, struct err *e)
{
	if (!s->has_exit) {
		*ret_code = "egress_binding_missing";
		return err_say(
			e, ENOENT, "the host has no exit: bind one to it, then start it again");
	}
	*ret_code = "settings_incomplete";
	if (cJSON_GetArraySize(s->echo_urls) < SPEC_ECHO_NEEDED)
		return err_say(e, EINVAL,
			"the setting echo_urls has %d sources and needs at least %d to prove an exit",
			cJSON_GetArraySize(s->echo_urls), SPEC_ECHO_NEEDED);
	if (s->dns_check_zone[0] == '\0')
		return err_say(e, EINVAL,
			"the setting dns_check_zone is empty: name a zone that the exit's resolver answers for");
	if (cJSON_GetArraySize(s->connect_targets) == 0)
		return err_say(
			e, EINVAL, "the setting connect_targets is empty: name two host:port");
	return 0;
}

static int read_allowed(const cJSON *allowed, struct wireguard_config *config, struct err *e)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, allowed) {
		if (!cJSON_IsString(item))
			return err_say(e, EINVAL, "allowed_ips holds something that is no text");
		if (wireguard_allowed_parse(item->valuestring, config, e) < 0)
			return err_wrap(e, "allowed_ips");
	}
	return 0;
}

int host_spec_wireguard(const struct host_spec *s, const uint8_t private_key[static KEY32_SIZE],
	const char *key_path, const struct seal_pair *sealing, struct wireguard_config *ret,
	struct err *e)
{
	struct wireguard_config config = {
		.endpoint = s->exit.endpoint,
		.key_path = key_path,
	};
	_cleanup_(wipe_freep) char *preshared = NULL;
	size_t size;

	if (key32_parse(s->exit.public_key, "the exit's public key", config.public_key, e) < 0 ||
		read_allowed(s->exit.allowed, &config, e) < 0)
		return -1;
	if (s->exit.preshared_sealed) {
		if (seal_open(sealing, s->exit.preshared_sealed, &preshared, &size, e) < 0)
			return err_wrap(e, "open the exit's preshared key");
		if (key32_parse(preshared, "the exit's preshared key", config.preshared_key, e) < 0)
			return -1;
	}
	memcpy(config.private_key, private_key, KEY32_SIZE);
	*ret = config;
	mem_wipe(&config, sizeof(config));
	return 0;
}

void host_spec_verify(const struct host_spec *s, enum verify_kind kind, struct verify_spec *ret)
{
	*ret = (struct verify_spec){
		.kind = kind,
		.expected = s->exit.expected,
		.resolver = s->exit.resolver,
		.echo_urls = s->echo_urls,
		.connect_targets = s->connect_targets,
		.dns_check_zone = s->dns_check_zone,
	};
}
