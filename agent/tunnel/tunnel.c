// SPDX-License-Identifier: Apache-2.0
// The table of tunnel kinds, and what is asked of all of them.
#include "agent/tunnel/tunnel.h"

#include <errno.h>
#include <string.h>

#include "agent/tunnel/proxy.h"
#include "agent/tunnel/wg.h"
#include "agent/tunnel/wg_kernel.h"
#include "agent/tunnel/wg_user.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

#define HEX "0123456789abcdef"
enum { NAME_HEX = 12 };

static const struct tunnel_kind *const kinds[] = {&wg_kernel_kind, &wg_user_kind, &proxy_kind};

void tunnel_done(struct tunnel *t)
{
	closep(&t->pidfd);
	*t = TUNNEL_INIT;
}

void tunnel_pulse_close(struct tunnel_pulse *p)
{
	closep(&p->fd);
	tun_read_close(&p->read);
	exit_ask_close(&p->exit);
}

int tunnel_spec_read(const cJSON *exit, struct tunnel_spec *ret, struct err *e)
{
	const char *type;
	if (json_get_text(exit, "tunnel_type", &type, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i]->type, type) != 0 ||
			(kinds[i]->suits && !kinds[i]->suits(exit)))
			continue;
		ret->kind = kinds[i];
		return kinds[i]->parse(exit, ret, e);
	}
	return err_say(e, EINVAL, "tunnel_type \"%.20s\" is not one this agent can start", type);
}

int tunnel_mtu_choose(const struct tunnel_env *env, struct tunnel_spec *spec, struct err *e)
{
	return spec->mtu_open ? wg_mtu_most(env, &spec->wireguard, &spec->link.mtu, e) : 0;
}

bool tunnel_mtu_possible(int mtu)
{
	return mtu >= LINK_MTU_LEAST && mtu <= WG_MTU_USUAL;
}

int tunnel_find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	int r = TUNNEL_ABSENT;
	for (size_t i = 0; r == TUNNEL_ABSENT && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i]->type, place->spec->kind->type) == 0)
			r = kinds[i]->find(place, name, ret, e);
	return r;
}

bool tunnel_name(const char *id, char ret[static TUNNEL_NAME_SIZE])
{
	if (strspn(id, HEX) < NAME_HEX)
		return false;
	ret[0] = 'c';
	memcpy(ret + 1, id, NAME_HEX);
	ret[1 + NAME_HEX] = '\0';
	return true;
}

bool tunnel_test_name(const char *task_id, char ret[static TUNNEL_NAME_SIZE])
{
	char digits[NAME_HEX + 1] = "";
	for (size_t i = 0; *task_id && i < NAME_HEX; task_id++)
		if (*task_id != '-')
			digits[i++] = *task_id;
	if (!tunnel_name(digits, ret))
		return false;
	ret[0] = TUNNEL_TEST;
	return true;
}

int tunnel_end(const struct tunnel_env *env, const char *name, struct err *e)
{
	struct err ignored;
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i]->end(env, name, r == 0 ? e : &ignored) < 0)
			r = -1;
	}
	return r;
}

int tunnel_list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = kinds[i]->list(env, each, arg, e);
	return r;
}
