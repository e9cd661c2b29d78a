// SPDX-License-Identifier: Apache-2.0
// What is said to a target so that it answers: the first message of a TLS handshake, or an HTTP request.
#pragma once

#include <stdint.h>
#include <stddef.h>

#include "agent/verify/verify_query.h"

// A wide request is so long that the kernel fills packets of every tunnel's full size with it.
enum { REQUEST_WIDE = 3000, REQUEST_MAX = REQUEST_WIDE + 1024 };

// TLS at port 443: a ClientHello that ends after the server's answer, of which nothing is kept or
// computed (RFC 8446, 4.1.2); padded by the extension that is there for it (RFC 7685). Else a GET,
// padded by a header. Returns its length.
size_t request_make(const struct query *q, uint8_t ret[static REQUEST_MAX]);
