// SPDX-License-Identifier: Apache-2.0
// The life of a host's key files.
// uses: agent/store/keys.c

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "agent/store/keys.h"
#include "lib/err.h"

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

static void making_keys_again_changes_nothing(void **state)
{
	struct keys_public first, second;
	uint8_t private_key[KEY32_SIZE];
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
	char text[SSHKEY_PEM_MAX] = "", line[SSHKEY_LINE_SIZE];
	struct keys_public public;
	struct err e;

	(void)state;
	assert_int_equal(keys_make(dir_fd, dir_fd, &public, &e), 0);
	assert_int_equal(keys_client_memfd(dir_fd, &fd, &e), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_int_equal(sshkey_public(text, line, &e), 0);
	assert_string_equal(line, public.ssh_client);
	assert_int_equal(write(fd, "x", 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			making_keys_again_changes_nothing, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(
			the_public_key_is_what_wg_prints, directory_make, directory_remove),
		cmocka_unit_test_setup_teardown(
			the_client_key_comes_sealed, directory_make, directory_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
