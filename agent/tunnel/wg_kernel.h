// SPDX-License-Identifier: Apache-2.0
// WireGuard in the kernel: a device that the kernel carries by itself.
#pragma once

#include <stdbool.h>

#include "agent/tunnel/tunnel.h"
#include "lib/attr.h"

// The other kind "wireguard", for kernels that have it (asked once, by the name of its netlink
// family). The exit's `wireguard_engine` chooses: "kernel" this one, "user" the process, "auto", which
// is also what a missing one means, this one where the kernel has it.
//
// The device is made in the uplink's namespace and moved: its UDP socket stays behind
// (drivers/net/wireguard/device.c, creating_net), so it reaches the exit from there. There is no
// process: nothing to watch, and the host's own limits count nothing of it.
//
// The device ends with its namespace. So that it can also be ended before, and so that no second
// device gets its key, its record says where it is: NAME.log holds the namespace's inode and path and
// the key's path, a line each.
extern const struct tunnel_kind wg_kernel_kind;

// Does this kernel have WireGuard?
bool wg_kernel_is_there(void);
