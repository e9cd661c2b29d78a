// SPDX-License-Identifier: Apache-2.0
// Whether the Docker engine can give each container a user namespace of its own.
#pragma once

#include <stddef.h>

struct docker_engine;

// Why not, as the end of "it gives no container a user namespace of its own: ..."; NULL: it can.
// `release` is the kernel's (uname(2)). The text is constant or in `ret`, which has `size` bytes.
const char *engine_refusal(
	const struct docker_engine *engine, const char *release, char *ret, size_t size);
