// SPDX-License-Identifier: Apache-2.0
// Generic netlink (linux/genetlink.h): families of commands that the kernel knows by name, and
// numbers as it starts.
#include "agent/net/genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stddef.h>

#include "lib/err.h"

struct nlmsghdr *genl_put(
	struct nl *n, struct nl_batch *b, const struct genl_command *command, uint16_t flags)
{
	struct nlmsghdr *m = nl_put(n, b, command->family, flags);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(m, sizeof(*header));
	header->cmd = command->command;
	header->version = command->version;
	return m;
}

size_t genl_header_size(void)
{
	return GENL_HDRLEN;
}

static int family_take(const struct nlmsghdr *m, void *arg, struct err *e)
{
	uint16_t *ret = arg;
	const struct nlattr *attributes[CTRL_ATTR_FAMILY_ID + 1] = {0};
	nl_attributes(m, GENL_HDRLEN, attributes, CTRL_ATTR_FAMILY_ID);
	const struct nlattr *id = attributes[CTRL_ATTR_FAMILY_ID];
	if (!id || mnl_attr_validate(id, MNL_TYPE_U16) < 0)
		return err_set(e, EBADMSG, "read the number of a netlink family");
	*ret = mnl_attr_get_u16(id);
	return 0;
}

int genl_family(struct nl *n, const char *name, uint16_t *ret, struct err *e)
{
	static const struct genl_command ask = {GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1};
	struct nl_batch b;
	uint16_t id = 0;
	nl_batch_init(&b);
	// Not a dump: one answer, then the acknowledgement that ends it.
	struct nlmsghdr *m = genl_put(n, &b, &ask, NLM_F_ACK);
	mnl_attr_put_strz(m, CTRL_ATTR_FAMILY_NAME, name);
	if (nl_dump(n, &b, family_take, &id, "find a netlink family", e) < 0)
		return e->code == ENOENT ? err_outcome(e, GENL_ABSENT, ENOENT,
						   "this kernel has no netlink family \"%s\"", name)
					 : -1;
	if (id < GENL_MIN_ID)
		return err_say(e, EBADMSG, "the netlink family \"%s\" has no number", name);
	*ret = id;
	return 0;
}
