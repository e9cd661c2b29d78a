// SPDX-License-Identifier: Apache-2.0
// The user namespace of a container: a map of its own and an owner of its own.
#pragma once

#include "lib/attr.h"

struct err;
struct ids;
struct wait;

// Makes a user namespace that maps 0..65535 to ids->base and belongs to the uid ids->owner; *ret_fd
// keeps it alive, the caller closes it.
//
// The owner decides who pays: inotify instances, pending signals and message queues are counted for
// each uid in its namespace and again for the namespace's owner in the parent (kernel/ucount.c).
// With root as owner all containers and the machine's root would share one count. A process with
// the owner's uid outside has every capability inside: nothing may ever run as an owner, and the
// child that becomes it here to make the namespace ends before this returns.
_must_check_ int owner_namespace(
	const struct ids *ids, const struct wait *w, int *ret_fd, struct err *e);
