// SPDX-License-Identifier: Apache-2.0
// Reads what stands around the protocol of a link.
#include "lib/import_stream.h"

#include "lib/import_make.h"
#include "lib/import_tls.h"
#include "lib/import_transport.h"

void stream_plain_warn(struct import *i, const char *what)
{
	if (!cJSON_HasObjectItem(i->proxy_config, "tls"))
		import_warn(i, "no_tls",
			"%s encrypts nothing and there is no TLS around it: the UUID and the "
			"traffic can be read on the way, and who has the UUID can use the server; "
			"ask the provider for a server with TLS (security=tls)",
			what);
}

enum import_code stream_set(struct import *i, struct uri *u)
{
	bool tls;
	enum import_code r = tls_security(i, u, TLS_OPTIONAL, &tls);
	if (r == IMPORT_READ)
		r = transport_set(i, u, tls);
	return r == IMPORT_READ && tls ? tls_set(i, u) : r;
}

enum import_code stream_inside_tls(struct import *i, struct uri *u)
{
	bool tls;
	enum import_code r = tls_security(i, u, TLS_NEEDED, &tls);
	if (r == IMPORT_READ)
		r = transport_set(i, u, tls);
	return r == IMPORT_READ ? tls_set(i, u) : r;
}

enum import_code stream_tls_alone(struct import *i, struct uri *u)
{
	bool tls;
	enum import_code r = tls_security(i, u, TLS_NEEDED, &tls);
	if (r == IMPORT_READ)
		r = transport_none(i, u);
	return r == IMPORT_READ ? tls_set(i, u) : r;
}
