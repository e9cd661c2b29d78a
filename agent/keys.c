// SPDX-License-Identifier: Apache-2.0
// Makes, stores and reads a host's keys; writes the OpenSSH private key format.
#include "agent/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "agent/file.h"
#include "lib/err.h"
#include "lib/mem.h"

#define PEM_HEAD "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define PEM_TAIL "-----END OPENSSH PRIVATE KEY-----\n"
#define KEY_MAGIC "openssh-key-v1" // with its NUL

enum {
	PEM_COLUMNS = 70,
	BLOB_MAX = 512,
	BLOCK = 8, // the private part is padded to the block size of cipher "none"
	// magic, then cipher "none", kdf "none", empty kdf options, one key, length of the public
	// blob
	PUBLIC_AT = sizeof(KEY_MAGIC) + (4 + 4) + (4 + 4) + 4 + 4 + 4,
	PUBLIC_SIZE = 4 + 11 + 4 + 32,
};

// A buffer in SSH's wire format (RFC 4251 section 5). Sizes are known beforehand, so it never
// grows.
struct blob {
	uint8_t bytes[BLOB_MAX];
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
	char text[BLOB_MAX * 2];
	struct str s = STR_INIT(KEYS_PEM_MAX);
	size_t len;

	sodium_bin2base64(text, sizeof(text), b->bytes, b->len, sodium_base64_VARIANT_ORIGINAL);
	len = strlen(text);
	str_add(&s, PEM_HEAD);
	for (size_t at = 0; at < len; at += PEM_COLUMNS) {
		str_add_bytes(&s, text + at, len - at < PEM_COLUMNS ? len - at : PEM_COLUMNS);
		str_add(&s, "\n");
	}
	str_add(&s, PEM_TAIL);
	mem_wipe(text, sizeof(text));
	return str_take(&s);
}

char *ssh_key_write(const uint8_t seed[static 32], uint32_t check, const char *comment)
{
	uint8_t public_key[32], secret_key[64];
	struct blob public = {.len = 0}, private = {.len = 0}, whole = {.len = 0};
	char *pem;

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
	pem = pem_write(&whole);
	mem_wipe(secret_key, sizeof(secret_key));
	mem_wipe(&private, sizeof(private));
	mem_wipe(&whole, sizeof(whole));
	return pem;
}

int ssh_key_public(const char *pem, char ret[static KEYS_SSH_LINE_SIZE], struct err *e)
{
	static const char kind[] = "ssh-ed25519 ";
	uint8_t blob[BLOB_MAX];
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
	memcpy(ret, kind, sizeof(kind));
	sodium_bin2base64(ret + sizeof(kind) - 1, KEYS_SSH_LINE_SIZE - sizeof(kind) + 1,
		blob + PUBLIC_AT, PUBLIC_SIZE, sodium_base64_VARIANT_ORIGINAL);
	mem_wipe(blob, sizeof(blob));
	return 0;
}

static int ssh_key_make(int dir_fd, const char *name, const char *comment, struct err *e)
{
	uint8_t seed[32];
	_cleanup_(wipe_freep) char *pem = NULL;

	randombytes_buf(seed, sizeof(seed));
	pem = ssh_key_write(seed, randombytes_random(), comment);
	mem_wipe(seed, sizeof(seed));
	return file_write(dir_fd, name, pem, strlen(pem), 0600, e);
}

// A Curve25519 scalar with its fixed bits set (RFC 7748 section 5), as wg genkey does.
static int wireguard_key_make(int dir_fd, struct err *e)
{
	uint8_t key[KEYS_WIREGUARD_SIZE];
	char text[KEYS_WIREGUARD_TEXT_SIZE + 1];
	int r;

	randombytes_buf(key, sizeof(key));
	key[0] &= 248;
	key[31] = (uint8_t)((key[31] & 127) | 64);
	sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	strcat(text, "\n");
	r = file_write(dir_fd, KEYS_WIREGUARD, text, strlen(text), 0600, e);
	mem_wipe(key, sizeof(key));
	mem_wipe(text, sizeof(text));
	return r;
}

int keys_wireguard(int dir_fd, uint8_t ret[static KEYS_WIREGUARD_SIZE], struct err *e)
{
	_cleanup_(wipe_freep) char *text = NULL;
	size_t size;

	if (file_read(dir_fd, KEYS_WIREGUARD, KEYS_PEM_MAX, &text, e) < 0)
		return -1;
	if (sodium_base642bin(ret, KEYS_WIREGUARD_SIZE, text, strlen(text), "\n", &size, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0 ||
		size != KEYS_WIREGUARD_SIZE)
		return err_say(e, EINVAL, "the stored WireGuard key is damaged");
	return 0;
}

static int ssh_line_read(
	int dir_fd, const char *name, char ret[static KEYS_SSH_LINE_SIZE], struct err *e)
{
	_cleanup_(wipe_freep) char *pem = NULL;

	if (file_read(dir_fd, name, KEYS_PEM_MAX, &pem, e) < 0)
		return -1;
	return ssh_key_public(pem, ret, e);
}

int keys_read(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e)
{
	uint8_t private_key[KEYS_WIREGUARD_SIZE], public_key[KEYS_WIREGUARD_SIZE];

	if (keys_wireguard(dir_fd, private_key, e) < 0)
		return -1;
	crypto_scalarmult_base(public_key, private_key);
	mem_wipe(private_key, sizeof(private_key));
	sodium_bin2base64(ret->wireguard, sizeof(ret->wireguard), public_key, sizeof(public_key),
		sodium_base64_VARIANT_ORIGINAL);
	if (ssh_line_read(dir_fd, KEYS_CLIENT, ret->ssh_client, e) < 0)
		return -1;
	return ssh_line_read(etc_fd, KEYS_HOST, ret->ssh_host, e);
}

static bool is_missing(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

int keys_make(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e)
{
	if (is_missing(dir_fd, KEYS_WIREGUARD) && wireguard_key_make(dir_fd, e) < 0)
		return -1;
	if (is_missing(dir_fd, KEYS_CLIENT) &&
		ssh_key_make(dir_fd, KEYS_CLIENT, "cloud-cli-proxy", e) < 0)
		return -1;
	if (is_missing(etc_fd, KEYS_HOST) && ssh_key_make(etc_fd, KEYS_HOST, "container", e) < 0)
		return -1;
	return keys_read(dir_fd, etc_fd, ret, e);
}

int keys_client_memfd(int dir_fd, int *ret_fd, struct err *e)
{
	_cleanup_(wipe_freep) char *pem = NULL;
	_cleanup_(closep) int fd = -1;
	size_t size;

	if (file_read(dir_fd, KEYS_CLIENT, KEYS_PEM_MAX, &pem, e) < 0)
		return -1;
	size = strlen(pem);
	fd = memfd_create("client-key", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, pem, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) <
			0)
		return err_set(e, errno, "make a memory file for the client key");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int keys_remove(int dir_fd, int etc_fd, struct err *e)
{
	if (file_remove(dir_fd, KEYS_WIREGUARD, e) < 0 || file_remove(dir_fd, KEYS_CLIENT, e) < 0)
		return -1;
	return file_remove(etc_fd, KEYS_HOST, e);
}
