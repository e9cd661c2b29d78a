// SPDX-License-Identifier: Apache-2.0
// Devices, addresses and routes over rtnetlink: move the tunnel in, set it up, prove that nothing
// else is there.
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "lib/addr.h"
#include "lib/attr.h"

struct err;
struct evidence;

// What a container's namespace holds besides `lo`: one tunnel with one address, or one of each family,
// and the default route of each.
struct link_spec {
	char tunnel[IFNAMSIZ]; // name inside the container, LINK_TUNNEL
	struct addr address; // ours inside the tunnel, host bits and prefix kept
	struct addr address6; // of IPv6 besides; family 0: none
	int mtu;
};

// The least MTU that a tunnel may have (ccp.mtu).
enum { LINK_MTU_LEAST = 1280 };

// The tunnel's name inside every container.
#define LINK_TUNNEL "tun0"

// Makes a device of that kind ("wireguard") in the namespace, down. EEXIST: the name is taken;
// EOPNOTSUPP: the kernel does not have the kind.
_must_check_ int link_create(int ns_fd, const char *name, const char *kind, struct err *e);

// Removes a device; 0 also when there is none of that name.
_must_check_ int link_delete(int ns_fd, const char *name, struct err *e);

// Brings device `name` up where it was born, with this MTU: the engine starts to work on that
// event.
_must_check_ int link_wake(int ns_fd, const char *name, int mtu, struct err *e);

// Is device `name` there and up?
_must_check_ int link_is_up(int ns_fd, const char *name, bool *ret, struct err *e);

// Moves device `name` out of the namespace `from_fd` into `to_fd` and renames it there, in one
// message. It arrives down and without addresses. Returns 0, or -1 (ENODEV: no such device; EEXIST:
// the new name is taken).
_must_check_ int link_move(
	int from_fd, const char *name, int to_fd, const char *new_name, struct err *e);

// In one batch inside the namespace: MTU, addresses, up, default routes. Works for a device that is
// already set up (a repeat changes nothing). IPv6 routes only with an IPv6 address, and the kernel adds
// no link-local one: the namespace's default is that it makes none.
_must_check_ int link_configure(int ns_fd, const struct link_spec *spec, struct err *e);

// The MTU of device `name`.
_must_check_ int link_mtu(int ns_fd, const char *name, int *ret, struct err *e);

// The inventory. Adds one check `inventory` to the evidence: passed only if the namespace holds
// exactly lo and a tunnel of kind tun or wireguard, up, with this MTU and exactly these addresses, lo
// has no address beyond its own, all routes outside the local table are the default and the
// connected ones through the tunnel, and no routing rule was added. Returns 0 when it could be
// read (see ev->outcome; error code `inventory`), -1 when not.
_must_check_ int link_check(
	int ns_fd, const struct link_spec *spec, struct evidence *ev, struct err *e);

// A descriptor that becomes readable when a device, address, route or routing rule of the namespace
// changes. It belongs into the loop; the caller closes it. It keeps the namespace alive.
_must_check_ int link_watch(int ns_fd, struct err *e);

// Reads all that is queued there. true: something changed (or was lost on overflow): verify fully
// now.
bool link_changed(int watch_fd);
