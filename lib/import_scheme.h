// SPDX-License-Identifier: Apache-2.0
// The readers of the forms, one function each.
#pragma once

#include "lib/attr.h"
#include "lib/import.h"

// Each reads what follows "SCHEME://", NUL-terminated, UTF-8, without blanks around it; `scheme` is
// in lower case. It fills proxy_config, secret, label and warnings, or refuses.
typedef enum import_code import_reader(struct import *i, const char *scheme, const char *rest);

import_reader import_ss; // SIP002, SIP022 and the form before them
import_reader import_socks; // socks socks5 socks5h
import_reader import_http; // http https
import_reader import_vmess; // JSON in base64
import_reader import_vless;
import_reader import_trojan;
import_reader import_anytls;
import_reader import_hysteria2; // hysteria2 hy2
import_reader import_tuic;

// A whole wg-quick file (man wg-quick, man wg: CONFIGURATION FILE FORMAT).
_must_check_ enum import_code import_wg_quick(struct import *i, const char *text);
