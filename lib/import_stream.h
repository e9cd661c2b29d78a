// SPDX-License-Identifier: Apache-2.0
// What stands around the protocol of a link: transport and tls of proxy_config.
#pragma once

#include "lib/import_link.h"

link_step stream_set; // the link says whether there is TLS
link_step stream_inside_tls; // there must be TLS
link_step stream_tls_alone; // there must be TLS, and no transport

// Warns, once the steps above are taken, that `what` is sent in the clear when there is no TLS.
void stream_plain_warn(struct import *i, const char *what);
