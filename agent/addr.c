// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 addresses, with prefix or port, as values that can be compared.
#include "agent/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"

// A decimal number without sign or blanks, at most `max`. false: something else.
static bool number_parse(const char *text, unsigned max, unsigned *ret)
{
	unsigned value = 0;
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return false;
	}
	*ret = value;
	return true;
}

static bool host_parse(const char *text, struct addr *ret)
{
	*ret = (struct addr){.family = AF_INET, .prefix = 32};
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		return true;
	*ret = (struct addr){.family = AF_INET6, .prefix = 128};
	return inet_pton(AF_INET6, text, ret->bytes) == 1;
}

int addr_parse(const char *text, struct addr *ret, struct err *e)
{
	char host[ADDR_TEXT_MAX];
	if (!text_copy(host, sizeof(host), text))
		return err_say(e, EINVAL, "an IP address is expected, not a longer text");
	char *slash = strchr(host, '/');
	if (slash)
		*slash = '\0';
	struct addr a;
	if (!host_parse(host, &a))
		return err_say(e, EINVAL, "\"%s\" is not an IP address", text);
	unsigned prefix = a.prefix;
	if (slash && !number_parse(slash + 1, a.prefix, &prefix))
		return err_say(e, EINVAL, "\"%s\" has no valid prefix length", text);
	a.prefix = (uint8_t)prefix;
	*ret = a;
	return 0;
}

int addr_parse_port(const char *text, struct addr *ret, uint16_t *ret_port, struct err *e)
{
	char host[ADDR_TEXT_MAX + 8];
	if (!text_copy(host, sizeof(host), text))
		return err_say(e, EINVAL, "address:port is expected, not a longer text");
	char *start = host;
	char *colon = strrchr(host, ':');
	if (!colon)
		return err_say(e, EINVAL, "\"%s\" has no port", text);
	*colon = '\0';
	bool bracketed = host[0] == '[';
	if (bracketed) {
		if (colon[-1] != ']')
			return err_say(e, EINVAL, "\"%s\" is not [address]:port", text);
		colon[-1] = '\0';
		start++;
	}
	struct addr a;
	unsigned port;
	if (!host_parse(start, &a) || bracketed != (a.family == AF_INET6))
		return err_say(e, EINVAL,
			"\"%s\" is not address:port (names are not resolved here)", text);
	if (!number_parse(colon + 1, UINT16_MAX, &port) || port == 0)
		return err_say(e, EINVAL, "\"%s\" has no valid port", text);
	*ret = a;
	*ret_port = (uint16_t)port;
	return 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

size_t addr_size(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

const char *addr_text(const struct addr *a, char buffer[static ADDR_TEXT_MAX])
{
	if (!inet_ntop(a->family, a->bytes, buffer, ADDR_TEXT_MAX))
		buffer[0] = '\0';
	return buffer;
}

const char *addr_cidr(const struct addr *a, char buffer[static ADDR_TEXT_MAX])
{
	addr_text(a, buffer);
	size_t len = strlen(buffer);
	snprintf(buffer + len, ADDR_TEXT_MAX - len, "/%u", a->prefix);
	return buffer;
}

socklen_t addr_socket(const struct addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){0};
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->bytes, 16);
	return sizeof(*in6);
}
