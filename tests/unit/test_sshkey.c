// SPDX-License-Identifier: Apache-2.0
// SSH keys against ssh-keygen: it reads what we write, and we read what it writes.
#include "lib/sshkey.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"

static char directory[64];

static int directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_sshkey.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int directory_remove(void **state)
{
	_cleanup_(freep) char *command = xasprintf("rm -rf %s", directory);

	(void)state;
	return system(command);
}

// The first line of a command's output, without its newline. The caller frees it.
_printf_(1, 2) static char *output(const char *format, ...)
{
	char command[512], line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(pclose(pipe), 0);
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

static void file_write(const char *path, const char *text)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void ssh_keygen_reads_what_we_write(void **state)
{
	_cleanup_(freep) char *path = xasprintf("%s/key", directory);
	struct err e;

	(void)state;
	for (uint8_t first = 0; first < 8; first++) {
		uint8_t seed[SSHKEY_SEED_SIZE] = {first, 1, 2, 3};
		_cleanup_(freep) char *pem = sshkey_write(seed, 0x01020304u * first, "a comment");
		char ours[SSHKEY_LINE_SIZE];

		file_write(path, pem);
		assert_int_equal(sshkey_public(pem, ours, &e), 0);
		_cleanup_(freep) char *expected = xasprintf("%s a comment", ours);
		_cleanup_(freep) char *line = output("ssh-keygen -y -f %s", path);
		assert_string_equal(line, expected);
		_cleanup_(freep) char *read = sshkey_line_read(line);
		assert_string_equal(read, ours);
	}
}

static void a_damaged_key_is_refused(void **state)
{
	uint8_t seed[SSHKEY_SEED_SIZE] = {7};
	_cleanup_(freep) char *pem = sshkey_write(seed, 1, "");
	char line[SSHKEY_LINE_SIZE];
	struct err e;

	(void)state;
	pem[40] ^= 1; // inside the base64 of the magic
	assert_int_equal(sshkey_public(pem, line, &e), -1);
	assert_int_equal(sshkey_public("", line, &e), -1);
	assert_int_equal(sshkey_public("-----BEGIN OPENSSH PRIVATE KEY-----\n"
				       "-----END OPENSSH PRIVATE KEY-----\n",
				 line, &e),
		-1);
}

// The public line that ssh-keygen makes for a key of its own.
static char *keygen(const char *type, int bits)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s-%d", directory, type, bits);
	_cleanup_(freep) char *made = output(
		"ssh-keygen -q -t %s -b %d -N '' -C 'my laptop' -f %s </dev/null && cat %s.pub",
		type, bits, path, path);
	return TAKE_PTR(made);
}

// Decoding ends where the blob ends: no shorter line of whole base64 quads is a key.
static void assert_no_prefix_is_a_key(const char *key)
{
	size_t base64_at = strcspn(key, " ") + 1;

	for (size_t len = base64_at; len < strlen(key); len += 4) {
		_cleanup_(freep) char *part = xstrndup(key, len);
		assert_null(sshkey_line_read(part));
	}
}

static void the_keys_that_ssh_keygen_makes_are_read(void **state)
{
	static const struct {
		const char *type;
		int bits;
		bool taken;
	} cases[] = {
		{"ed25519", 256, true},
		{"ecdsa", 256, true},
		{"ecdsa", 384, true},
		{"ecdsa", 521, true},
		{"rsa", 2048, true},
		{"rsa", 1024, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *line = keygen(cases[i].type, cases[i].bits);
		_cleanup_(freep) char *key = sshkey_line_read(line);
		if (!cases[i].taken) {
			assert_null(key);
			continue;
		}
		assert_non_null(key);
		assert_string_equal(line + strlen(key), " my laptop");
		assert_memory_equal(line, key, strlen(key));
		assert_no_prefix_is_a_key(key);
	}
}

static void other_lines_are_refused(void **state)
{
	static const char *const bad[] = {"", " ", "ssh-ed25519", "ssh-ed25519 ",
		"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t",
		"ssh-dss AAAAB3NzaC1kc3M=", "ssh-ed25519 ////", "ssh-ed25519  AAAA"};
	uint8_t seed[SSHKEY_SEED_SIZE] = {1};
	_cleanup_(freep) char *pem = sshkey_write(seed, 1, "");
	char line[SSHKEY_LINE_SIZE];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(sshkey_line_read(bad[i]));
	assert_int_equal(sshkey_public(pem, line, &e), 0);
	memcpy(line, "ssh-dsa2519", 11); // another type than the blob's
	assert_null(sshkey_line_read(line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_keygen_reads_what_we_write),
		cmocka_unit_test(a_damaged_key_is_refused),
		cmocka_unit_test(the_keys_that_ssh_keygen_makes_are_read),
		cmocka_unit_test(other_lines_are_refused),
	};
	return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
