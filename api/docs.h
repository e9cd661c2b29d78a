// SPDX-License-Identifier: Apache-2.0
// The page that shows the document to people: Redoc, served from here.
#pragma once

#include "lib/attr.h"

struct app;
struct err;

// Reads STATE_DIR/libexec/redoc.js into the app. It may be absent: then the page says so.
_must_check_ int docs_load(struct app *app, const char *state_dir, struct err *e);
