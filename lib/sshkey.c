// SPDX-License-Identifier: Apache-2.0
// SSH's wire strings (RFC 4251 section 5), OpenSSH's private key format, kinds of public keys.
#include "lib/sshkey.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lib/err.h"
#include "lib/mem.h"

#define PEM_HEAD "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define PEM_TAIL "-----END OPENSSH PRIVATE KEY-----\n"
#define KEY_MAGIC "openssh-key-v1" // with its NUL

enum {
	PEM_COLUMNS = 70,
	PRIVATE_MAX = 512, // what we write
	PUBLIC_MAX = 4096, // what users give: RSA with 16384 bits has 2 kB
	BLOCK = 8, // the private part is padded to the block size of cipher "none"
	// Behind the magic, cipher "none", kdf "none", no kdf options, one key, length of the
	// public blob.
	PUBLIC_AT = sizeof(KEY_MAGIC) + (4 + 4) + (4 + 4) + 4 + 4 + 4,
	PUBLIC_SIZE = 4 + 11 + 4 + 32,
	RSA_BYTES_MIN = 256, // 2048 bits
	RSA_BYTES_MAX = 2048,
};

// What is written. Sizes are known beforehand, so it never grows.
struct blob {
	uint8_t bytes[PRIVATE_MAX];
	size_t len;
};

static void blob_raw(struct blob *b, const void *data, size_t size)
{
	memcpy(b->bytes + b->len, data, size);
	b->len += size;
}

static void blob_u32(struct blob *b, uint32_t n)
{
	uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	blob_raw(b, bytes, sizeof(bytes));
}

static void blob_string(struct blob *b, const void *data, size_t size)
{
	blob_u32(b, (uint32_t)size);
	blob_raw(b, data, size);
}

static void blob_text(struct blob *b, const char *text)
{
	blob_string(b, text, strlen(text));
}

// ssh-ed25519 public key (RFC 8709 section 4).
static void public_blob(struct blob *b, const uint8_t public_key[static 32])
{
	blob_text(b, "ssh-ed25519");
	blob_string(b, public_key, 32);
}

static void private_blob(struct blob *b, const uint8_t public_key[static 32],
	const uint8_t secret_key[static 64], uint32_t check, const char *comment)
{
	blob_u32(b, check);
	blob_u32(b, check);
	public_blob(b, public_key);
	blob_string(b, secret_key, 64);
	blob_text(b, comment);
	for (uint8_t pad = 1; b->len % BLOCK != 0; pad++)
		blob_raw(b, &pad, 1);
}

static char *pem_write(const struct blob *b)
{
	char text[PRIVATE_MAX * 2];
	struct str s = STR_INIT(SSHKEY_PEM_MAX);
	sodium_bin2base64(text, sizeof(text), b->bytes, b->len, sodium_base64_VARIANT_ORIGINAL);
	size_t len = strlen(text);
	str_add(&s, PEM_HEAD);
	for (size_t at = 0; at < len; at += PEM_COLUMNS) {
		str_add_bytes(&s, text + at, len - at < PEM_COLUMNS ? len - at : PEM_COLUMNS);
		str_add(&s, "\n");
	}
	str_add(&s, PEM_TAIL);
	mem_wipe(text, sizeof(text));
	return str_take(&s);
}

char *sshkey_write(const uint8_t seed[static SSHKEY_SEED_SIZE], uint32_t check, const char *comment)
{
	uint8_t public_key[32], secret_key[64];
	struct blob public = {.len = 0}, private = {.len = 0}, whole = {.len = 0};
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	public_blob(&public, public_key);
	private_blob(&private, public_key, secret_key, check, comment);
	blob_raw(&whole, KEY_MAGIC, sizeof(KEY_MAGIC));
	blob_text(&whole, "none");
	blob_text(&whole, "none");
	blob_text(&whole, "");
	blob_u32(&whole, 1);
	blob_string(&whole, public.bytes, public.len);
	blob_string(&whole, private.bytes, private.len);
	char *pem = pem_write(&whole);
	mem_wipe(secret_key, sizeof(secret_key));
	mem_wipe(&private, sizeof(private));
	mem_wipe(&whole, sizeof(whole));
	return pem;
}

int sshkey_public(const char *pem, char ret[static SSHKEY_LINE_SIZE], struct err *e)
{
	static const char type[] = "ssh-ed25519 ";
	uint8_t blob[PRIVATE_MAX];
	size_t size = 0;
	const char *body = pem + sizeof(PEM_HEAD) - 1;
	const char *end = strstr(pem, PEM_TAIL);
	int r = -1;
	if (strncmp(pem, PEM_HEAD, sizeof(PEM_HEAD) - 1) == 0 && end)
		r = sodium_base642bin(blob, sizeof(blob), body, (size_t)(end - body), "\n", &size,
			NULL, sodium_base64_VARIANT_ORIGINAL);
	if (r != 0 || size < PUBLIC_AT + PUBLIC_SIZE ||
		memcmp(blob, KEY_MAGIC, sizeof(KEY_MAGIC)) != 0 ||
		memcmp(blob + PUBLIC_AT, "\0\0\0\vssh-ed25519\0\0\0 ", 19) != 0) {
		mem_wipe(blob, sizeof(blob));
		return err_say(e, EINVAL, "the stored SSH key is damaged");
	}
	memcpy(ret, type, sizeof(type));
	sodium_bin2base64(ret + sizeof(type) - 1, SSHKEY_LINE_SIZE - sizeof(type) + 1,
		blob + PUBLIC_AT, PUBLIC_SIZE, sodium_base64_VARIANT_ORIGINAL);
	mem_wipe(blob, sizeof(blob));
	return 0;
}

// What is read: a public key's blob (RFC 4253 section 6.6).
struct reader {
	const uint8_t *at;
	size_t left;
};

struct part {
	const uint8_t *bytes;
	size_t len;
};

static bool read_string(struct reader *r, struct part *ret)
{
	if (r->left < 4)
		return false;
	size_t len =
		(size_t)r->at[0] << 24 | (size_t)r->at[1] << 16 | (size_t)r->at[2] << 8 | r->at[3];
	if (len > r->left - 4)
		return false;
	*ret = (struct part){.bytes = r->at + 4, .len = len};
	r->at += 4 + len;
	r->left -= 4 + len;
	return true;
}

static bool read_text(struct reader *r, const char *expected)
{
	struct part part;
	return read_string(r, &part) && part.len == strlen(expected) &&
	       memcmp(part.bytes, expected, part.len) == 0;
}

static bool read_ed25519(struct reader *r, const char *type)
{
	(void)type;
	struct part key;
	return read_string(r, &key) && key.len == 32;
}

// RFC 5656 section 3.1: the curve's name, then an uncompressed point.
static bool read_ecdsa(struct reader *r, const char *type)
{
	const char *curve = type + strlen("ecdsa-sha2-");
	size_t coordinate = ((size_t)atoi(curve + strlen("nistp")) + 7) / 8;
	struct part point;
	return read_text(r, curve) && read_string(r, &point) && point.len == 1 + 2 * coordinate &&
	       point.bytes[0] == 4;
}

static bool read_rsa(struct reader *r, const char *type)
{
	(void)type;
	struct part exponent, modulus;
	if (!read_string(r, &exponent) || exponent.len == 0 || exponent.len > 8 ||
		!read_string(r, &modulus) || modulus.len == 0)
		return false;
	size_t bytes = modulus.len - (modulus.bytes[0] == 0);
	return bytes >= RSA_BYTES_MIN && bytes <= RSA_BYTES_MAX;
}

static const struct {
	const char *name;
	bool (*read)(struct reader *r, const char *type);
} types[] = {
	{"ssh-ed25519", read_ed25519},
	{"ecdsa-sha2-nistp256", read_ecdsa},
	{"ecdsa-sha2-nistp384", read_ecdsa},
	{"ecdsa-sha2-nistp521", read_ecdsa},
	{"ssh-rsa", read_rsa},
};

static bool key_is_valid(const char *name, const char *base64, size_t base64_len)
{
	uint8_t blob[PUBLIC_MAX];
	struct reader r = {.at = blob};
	if (sodium_base642bin(blob, sizeof(blob), base64, base64_len, NULL, &r.left, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		!read_text(&r, name))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].read(&r, name) && r.left == 0;
	return false;
}

char *sshkey_line_read(const char *line)
{
	_cleanup_(freep) char *name = xstrndup(line, strcspn(line, " "));
	const char *base64 = line + strlen(name);
	base64 += *base64 == ' ';
	size_t base64_len = strcspn(base64, " ");
	return key_is_valid(name, base64, base64_len)
		       ? xasprintf("%s %.*s", name, (int)base64_len, base64)
		       : NULL;
}
