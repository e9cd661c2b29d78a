// SPDX-License-Identifier: Apache-2.0
// Numeric addresses: text to value and back.
#include "lib/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"

// A decimal number without sign, blanks or zeros in front, at most `max`. false: something else.
static bool number_parse(const char *text, unsigned max, unsigned *ret)
{
	unsigned value = 0;
	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
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

// "address" or "[address]". IPv6 needs the brackets, IPv4 has none.
static bool bracketed_parse(char *text, struct addr *ret)
{
	size_t len = strlen(text);
	if (text[0] != '[')
		return host_parse(text, ret) && ret->family == AF_INET;
	if (text[len - 1] != ']')
		return false;
	text[len - 1] = '\0';
	return host_parse(text + 1, ret) && ret->family == AF_INET6;
}

int addr_parse_port(const char *text, struct addr_port *ret, struct err *e)
{
	char host[ADDR_TEXT_MAX + sizeof("[]:65535")];
	char *colon = text_copy(host, sizeof(host), text) ? strrchr(host, ':') : NULL;
	struct addr a;
	unsigned port;
	if (!colon)
		return err_say(e, EINVAL, "\"%.80s\" is not ADDRESS:PORT", text);
	*colon = '\0';
	if (!bracketed_parse(host, &a))
		return err_say(e, EINVAL,
			"\"%.80s\" has no numeric address: use one like 127.0.0.1:8080 or [::1]:8080",
			text);
	if (!number_parse(colon + 1, UINT16_MAX, &port))
		return err_say(e, EINVAL, "\"%.80s\" has no port from 0 to 65535", text);
	*ret = (struct addr_port){.addr = a, .port = (uint16_t)port};
	return 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool addr_has_host_bits(const struct addr *a)
{
	for (unsigned bit = a->prefix; bit < 8 * addr_size(a); bit++)
		if (a->bytes[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
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

socklen_t addr_to_socket(const struct addr *a, uint16_t port, struct sockaddr_storage *ret)
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

struct addr_port addr_from_socket(const struct sockaddr *from)
{
	struct addr_port a = {.addr.family = 0};
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;
		a = (struct addr_port){
			.addr = {.family = AF_INET, .prefix = 32}, .port = ntohs(in->sin_port)};
		memcpy(a.addr.bytes, &in->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;
		a = (struct addr_port){
			.addr = {.family = AF_INET6, .prefix = 128}, .port = ntohs(in6->sin6_port)};
		memcpy(a.addr.bytes, &in6->sin6_addr, 16);
	}
	return a;
}
