// SPDX-License-Identifier: Apache-2.0
// The key writer against ssh-keygen, and the life of a host's key files.
// uses: agent/keys.c agent/file.c

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/file.h"
#include "agent/keys.h"
#include "lib/err.h"
#include "lib/mem.h"

static char directory[64];
static int dir_fd = -1;

static int directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_keys.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int directory_remove(void **state)
{
	_cleanup_(freep) char *command = xasprintf("rm -rf %s", directory);

	(void)state;
	close(dir_fd);
	return system(command);
}

// The first line of a command's output, without its newline.
static void command_line(const char *command, char *ret, size_t size)
{
	FILE *pipe = popen(command, "re");

	assert_non_null(pipe);
	assert_non_null(fgets(ret, (int)size, pipe));
	assert_int_equal(pclose(pipe), 0);
	ret[strcspn(ret, "\n")] = '\0';
}

static void ssh_keygen_reads_what_we_write(void **state)
{
	_cleanup_(freep) char *path = xasprintf("%s/key", directory);
	_cleanup_(freep) char *command = xasprintf("ssh-keygen -y -f %s", path);
	struct err e;

	(void)state;
	for (uint8_t first = 0; first < 8; first++) {
		uint8_t seed[32] = {first, 1, 2, 3};
		_cleanup_(freep) char *pem = ssh_key_write(seed, 0x01020304u * first, "a comment");
		char ours[KEYS_SSH_LINE_SIZE], line[512], expected[256];

		assert_int_equal(file_write(dir_fd, "key", pem, strlen(pem), 0600, &e), 0);
		assert_int_equal(ssh_key_public(pem, ours, &e), 0);
		command_line(command, line, sizeof(line));
		snprintf(expected, sizeof(expected), "%s a comment", ours);
		assert_string_equal(line, expected);
	}
}

static void a_damaged_key_is_refused(void **state)
{
	uint8_t seed[32] = {7};
	_cleanup_(freep) char *pem = ssh_key_write(seed, 1, "");
	char line[KEYS_SSH_LINE_SIZE];
	struct err e;

	(void)state;
	pem[40] ^= 1; // inside the base64 of the magic
	assert_int_equal(ssh_key_public(pem, line, &e), -1);
	assert_int_equal(ssh_key_public("", line, &e), -1);
	assert_int_equal(ssh_key_public("-----BEGIN OPENSSH PRIVATE KEY-----\n"
					"-----END OPENSSH PRIVATE KEY-----\n",
				 line, &e),
		-1);
}

static void making_keys_again_changes_nothing(void **state)
{
	struct keys_public first, second;
	uint8_t private_key[KEYS_WIREGUARD_SIZE];
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(keys_read(dir_fd, dir_fd, &first, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(keys_make(dir_fd, dir_fd, &first, &e), 0);
	assert_int_equal(keys_make(dir_fd, dir_fd, &second, &e), 0);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_int_equal(keys_wireguard(dir_fd, private_key, &e), 0);
	assert_int_equal(private_key[0] & 7, 0);
	assert_int_equal(private_key[31] & 192, 64);
	assert_int_equal(fstatat(dir_fd, KEYS_WIREGUARD, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(keys_remove(dir_fd, dir_fd, &e), 0);
	assert_int_equal(keys_remove(dir_fd, dir_fd, &e), 0);
	assert_int_equal(keys_read(dir_fd, dir_fd, &first, &e), -1);
}

static void the_public_key_is_what_wg_prints(void **state)
{
	_cleanup_(freep) char *command = xasprintf("wg pubkey <%s/" KEYS_WIREGUARD, directory);
	struct keys_public public;
	char line[128];
	struct err e;

	(void)state;
	assert_int_equal(keys_make(dir_fd, dir_fd, &public, &e), 0);
	command_line(command, line, sizeof(line));
	assert_string_equal(line, public.wireguard);
}

static void the_client_key_comes_sealed(void **state)
{
	_cleanup_(closep) int fd = -1;
	char text[KEYS_PEM_MAX] = "", line[KEYS_SSH_LINE_SIZE];
	struct keys_public public;
	struct err e;

	(void)state;
	assert_int_equal(keys_make(dir_fd, dir_fd, &public, &e), 0);
	assert_int_equal(keys_client_memfd(dir_fd, &fd, &e), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_int_equal(ssh_key_public(text, line, &e), 0);
	assert_string_equal(line, public.ssh_client);
	assert_int_equal(write(fd, "x", 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			ssh_keygen_reads_what_we_write, directory_make, directory_remove),
		cmocka_unit_test(a_damaged_key_is_refused),
		cmocka_unit_test_setup_teardown(
			making_keys_again_changes_nothing, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(
			the_public_key_is_what_wg_prints, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(
			the_client_key_comes_sealed, directory_make, directory_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
