// SPDX-License-Identifier: Apache-2.0
// GET /docs.
#include "api/docs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/app.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/steps.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { SCRIPT_MAX_BYTES = 4 * 1024 * 1024 };

// The script looks for the element <redoc>. It puts its styles into the page, and searches in a
// worker that it makes of a part of itself; else it needs nothing but the document.
static const char page[] =
	"<!doctype html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>cloud-cli-proxy: HTTP API</title>\n"
	"<link rel=\"icon\" href=\"data:,\">\n"
	"</head>\n"
	"<body>\n"
	"<redoc spec-url=\"/v1/openapi.json\"></redoc>\n"
	"<noscript>This page needs JavaScript; <a href=\"/v1/openapi.json\">the document</a> does not.</noscript>\n"
	"<script src=\"/docs/redoc.js\"></script>\n"
	"</body>\n"
	"</html>\n";
static const char policy[] =
	"default-src 'none'; script-src 'self'; connect-src 'self'; worker-src blob:; "
	"style-src 'unsafe-inline'; img-src data:; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

int docs_load(struct app *app, const char *state_dir, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/libexec/redoc.js", state_dir);
	FILE *file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? 0 : err_set(e, errno, "open %s", path);
	char *script = xcalloc(1, SCRIPT_MAX_BYTES + 1);
	size_t len = fread(script, 1, SCRIPT_MAX_BYTES, file);
	bool is_whole = feof(file) || (!ferror(file) && fgetc(file) == EOF);
	fclose(file);
	if (!is_whole) {
		free(script);
		return err_say(e, EFBIG, "%s cannot be read, or is too long", path);
	}
	app->docs_script = xreallocarray(script, len + 1, 1);
	return 0;
}

static void answer(struct request *r, const char *content_type, const char *text)
{
	if (!r->app->docs_script) {
		reply_incomplete(r,
			"The page's script is not installed: run tools/install-deps run where npm's registry is "
			"reachable, then make up. GET /v1/openapi.json has the document.");
		return;
	}
	reply_file(r, 200, content_type, text);
	r->reply.policy = policy;
}

void handle_docs(struct request *r)
{
	answer(r, "text/html; charset=utf-8", page);
}

void handle_docs_script(struct request *r)
{
	answer(r, "text/javascript; charset=utf-8", r->app->docs_script);
}

const struct work work_docs = {.content_type = "text/html"};
const struct work work_docs_script = {.content_type = "text/javascript"};
