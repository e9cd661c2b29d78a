// SPDX-License-Identifier: Apache-2.0
// V2Ray's transports in links.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/import.h"
#include "lib/import_uri.h"

// proxy_config.transport; none for plain TCP. Refused: what sing-box does not have (kcp, quic,
// xhttp), and disguises that the server waits for.
_must_check_ enum import_code transport_set(struct import *i, struct uri *u, bool tls);

// For what has no transports: refuses a link that names one.
_must_check_ enum import_code transport_none(struct import *i, struct uri *u);
