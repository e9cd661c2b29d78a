// SPDX-License-Identifier: Apache-2.0
// Reads a host's spec from JSON and hands out its parts.
#include "agent/host/host_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { IDS_LEAST = 65536, IDS_COUNT = 65536 };

static int get_copy(const cJSON *json, const char *name, char *ret, size_t size, struct err *e)
{
	const char *text;

	if (json_get_text(json, name, &text, e) < 0)
		return -1;
	if (!text_copy(ret, size, text))
		return err_say(e, EINVAL, "%s is longer than %zu bytes", name, size - 1);
	return 0;
}

static int get_int(const cJSON *json, const char *name, int64_t *ret, struct err *e)
{
	return json_get_int(json, name, 0, INT32_MAX, ret, e); // PostgreSQL's integer
}

static int read_tunnel(struct host_spec *s, struct err *e)
{
	const cJSON *tunnel;
	int64_t uid;

	if (json_get_object(s->json, "tunnel", &tunnel, e) < 0)
		return -1;
	if (exit_budget_read(tunnel, &s->tunnel_budget, e) < 0 ||
		json_get_int(tunnel, "uid", IDS_LEAST, INT32_MAX, &uid, e) < 0)
		return err_wrap(e, "tunnel");
	s->tunnel_uid = (uint32_t)uid;
	return 0;
}

static int read_verify(struct host_spec *s, struct err *e)
{
	const cJSON *verify;

	if (json_get_object(s->json, "verify", &verify, e) < 0)
		return -1;
	if (get_int(verify, "light_s", &s->light_s, e) < 0 ||
		get_int(verify, "full_s", &s->full_s, e) < 0 ||
		get_int(verify, "proof_life_s", &s->proof_life_s, e) < 0 ||
		exit_verify_read(verify, &s->verify, e) < 0)
		return err_wrap(e, "verify");
	return 0;
}

// A range that met the machine's own ids would not be one.
static int read_ids(struct host_spec *s, struct err *e)
{
	const cJSON *ids = NULL;

	if (json_opt_object(s->json, "ids", &ids, e) < 0 ||
		json_opt_text(s->json, "refusal", &s->refusal, e) < 0)
		return -1;
	if (!ids)
		return 0;
	if (json_get_int(ids, "base", IDS_LEAST, INT32_MAX - IDS_COUNT, &s->ids.base, e) < 0 ||
		json_get_int(ids, "owner", IDS_LEAST, INT32_MAX, &s->ids.owner, e) < 0)
		return err_wrap(e, "ids");
	return 0;
}

static int read_container(struct host_spec *s, struct err *e)
{
	const char *image_id = NULL;
	double cpu;

	if (get_copy(s->json, "image", s->image, sizeof(s->image), e) < 0 ||
		get_copy(s->json, "timezone", s->timezone, sizeof(s->timezone), e) < 0 ||
		get_int(s->json, "memory_limit_mb", &s->memory_limit_mb, e) < 0 ||
		get_int(s->json, "pids_limit", &s->pids_limit, e) < 0 ||
		json_opt_int(s->json, "disk_limit_gb", 0, INT32_MAX, &s->disk_limit_gb, e) < 0 ||
		json_opt_int(s->json, "host_disk_gb", 0, INT32_MAX, &s->host_disk_gb, e) < 0 ||
		json_get_bool(s->json, "sudo", &s->sudo, e) < 0 ||
		json_opt_text(s->json, "image_id", &image_id, e) < 0 ||
		json_get_number(s->json, "cpu_limit", &cpu, e) < 0)
		return -1;
	s->cpu_limit_milli = (int64_t)(cpu * 1000 + 0.5);
	if (image_id && !text_copy(s->image_id, sizeof(s->image_id), image_id))
		return err_say(e, EINVAL, "image_id is too long");
	return 0;
}

static int read_switch(struct host_spec *s, struct err *e)
{
	const cJSON *to = NULL;
	const char *fallback = NULL;
	if (json_opt_object(s->json, "switch_to", &to, e) < 0 ||
		json_opt_text(s->json, "switch_fallback", &fallback, e) < 0)
		return -1;
	s->switch_back = fallback && strcmp(fallback, "back") == 0;
	s->has_switch = to;
	return to && exit_spec_read(to, &s->switch_to, e) < 0 ? err_wrap(e, "switch_to") : 0;
}

static int read_spec(struct host_spec *s, struct err *e)
{
	const cJSON *outward = NULL;

	if (get_copy(s->json, "host_id", s->host_id, sizeof(s->host_id), e) < 0 ||
		get_copy(s->json, "short_id", s->short_id, sizeof(s->short_id), e) < 0 ||
		get_copy(s->json, "status", s->status, sizeof(s->status), e) < 0 ||
		get_copy(s->json, "wanted", s->wanted, sizeof(s->wanted), e) < 0)
		return -1;
	if (!str_is_uuid(s->host_id)) // it becomes part of paths
		return err_say(e, EINVAL, "host_id is not a UUID");
	if (read_ids(s, e) < 0 || read_container(s, e) < 0 || read_tunnel(s, e) < 0 ||
		read_verify(s, e) < 0 || json_opt_object(s->json, "exit", &outward, e) < 0)
		return -1;
	s->has_exit = outward;
	if (s->has_exit && exit_spec_read(outward, &s->exit, e) < 0)
		return err_wrap(e, "exit");
	return read_switch(s, e);
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
	cJSON_Delete(s->json);
	free(s);
}

void host_spec_freep(struct host_spec **s)
{
	host_spec_free(*s);
}

int host_spec_can_start(const struct host_spec *s, const char **ret_code, struct err *e)
{
	if (s->refusal) {
		*ret_code = "machine_unfit";
		return err_say(e, EPERM, "%s", s->refusal);
	}
	if (!s->has_exit) {
		*ret_code = "egress_binding_missing";
		return err_say(
			e, ENOENT, "the host has no exit: bind one to it, then start it again");
	}
	*ret_code = "settings_incomplete";
	return exit_verify_is_whole(&s->verify, e);
}

void host_spec_verify(const struct host_spec *s, const struct exit_spec *exit,
	enum verify_kind kind, struct verify_spec *ret)
{
	*ret = s->verify;
	exit_verify_fill(exit, kind, ret);
}
