// SPDX-License-Identifier: Apache-2.0
// Where the wrapper puts what runc mounts: paths that every container's root user can walk to.
#pragma once

// A permanent empty directory of the machine, the same for all engines. In the mount namespace that
// the wrapper makes for one `runc create`, a tmpfs covers it; nothing of that is seen outside, and
// it ends with runc.
#define PLACE "/run/ccp-runtime"

#define PLACE_ROOT \
	PLACE "/root" // the container's root; also on the machine, where `runc exec` changes to it
#define PLACE_LAYERS \
	PLACE "/layers" // copies of what an overlay names, by the same names as in .../overlay2
#define PLACE_USERNS PLACE "/userns" // a bind of the user namespace's file
