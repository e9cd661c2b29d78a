// SPDX-License-Identifier: Apache-2.0
// Which of the ids that hosts may get are taken on this machine.
#pragma once

#include <stdint.h>

#include "lib/attr.h"

struct err;

// Ids below and from these on are never a host's (host.ids in SQL), and not looked for.
enum { TAKEN_IDS_FIRST = 0x10000000, TAKEN_IDS_LAST = 0x7fffffff };

// The ids of accounts, groups and subordinate ids as PostgreSQL writes an int8multirange, such as
// "{[300000000,300065535]}": what `etc_fd` (/etc) has in passwd, group, subuid and subgid. Accounts
// that come from elsewhere (nsswitch.conf(5)) are not seen. A line that cannot be read counts for nothing.
// The caller frees *ret. A missing file is empty.
_must_check_ int taken_ids(int etc_fd, char **ret, struct err *e);
