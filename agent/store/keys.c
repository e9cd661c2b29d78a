// SPDX-License-Identifier: Apache-2.0
// Makes, stores and reads a host's keys.
#include "agent/store/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "lib/file.h"
#include "lib/err.h"
#include "lib/mem.h"

static int ssh_key_make(int dir_fd, const char *name, const char *comment, struct err *e)
{
	uint8_t seed[32];
	_cleanup_(wipe_freep) char *pem = NULL;

	randombytes_buf(seed, sizeof(seed));
	pem = sshkey_write(seed, randombytes_random(), comment);
	mem_wipe(seed, sizeof(seed));
	return file_write(dir_fd, name, pem, strlen(pem), 0600, e);
}

// A Curve25519 scalar with its fixed bits set (RFC 7748 section 5), as wg genkey does.
static int wireguard_key_make(int dir_fd, struct err *e)
{
	uint8_t key[KEY32_SIZE];
	char text[KEY32_TEXT_SIZE + 1];

	randombytes_buf(key, sizeof(key));
	key[0] &= 248;
	key[31] = (uint8_t)((key[31] & 127) | 64);
	key32_text(key, text);
	strcat(text, "\n");
	int r = file_write(dir_fd, KEYS_WIREGUARD, text, strlen(text), 0600, e);
	mem_wipe(key, sizeof(key));
	mem_wipe(text, sizeof(text));
	return r;
}

int keys_wireguard(int dir_fd, uint8_t ret[static KEY32_SIZE], struct err *e)
{
	_cleanup_(wipe_freep) char *text = NULL;

	if (file_read(dir_fd, KEYS_WIREGUARD, KEY32_TEXT_SIZE + 1, &text, e) < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return key32_parse(text, "the stored WireGuard key", ret, e);
}

static int ssh_line_read(
	int dir_fd, const char *name, char ret[static SSHKEY_LINE_SIZE], struct err *e)
{
	_cleanup_(wipe_freep) char *pem = NULL;

	if (file_read(dir_fd, name, SSHKEY_PEM_MAX, &pem, e) < 0)
		return -1;
	return sshkey_public(pem, ret, e);
}

int keys_read(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e)
{
	uint8_t private_key[KEY32_SIZE], public_key[KEY32_SIZE];

	if (keys_wireguard(dir_fd, private_key, e) < 0)
		return -1;
	crypto_scalarmult_base(public_key, private_key);
	mem_wipe(private_key, sizeof(private_key));
	key32_text(public_key, ret->wireguard);
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

	if (file_read(dir_fd, KEYS_CLIENT, SSHKEY_PEM_MAX, &pem, e) < 0)
		return -1;
	size_t size = strlen(pem);
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
