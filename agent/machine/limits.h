// SPDX-License-Identifier: Apache-2.0
// The kernel's limits that hosts share with each other and the machine.
#pragma once

// As a JSON object: name (of a file below /proc/sys, with dots) to number. One that this kernel
// does not have is left out. Besides "overlay.redirect_dir": 1 if directories of an image can be
// renamed in a container (kernel: Documentation/filesystems/overlayfs.rst). The caller frees it. Which of them matter, and what a host takes, is
// ccp.machine_limits.
char *machine_limits(void);
