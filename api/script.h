// SPDX-License-Identifier: Apache-2.0
// The bootstrap script, which is part of the program.
#pragma once

// deploy/bootstrap/bootstrap.sh with `url` in its place, and with `entry`, the short id of the host
// whose link it is ("": of none), on the heap. NULL when url is NULL or is not a plain http or https
// URL of letters, digits and .:[]/-_ : whatever else cannot get between the script's quotes. `entry`
// is small letters and digits, which is asserted.
char *script_make(const char *url, const char *entry);
