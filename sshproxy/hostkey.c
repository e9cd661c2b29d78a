// SPDX-License-Identifier: Apache-2.0
// Before the fork: loads or makes the proxy's host key.
#include "sshproxy/hostkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "sshproxy/key.h"

// Written beside its place and moved there: a half written key is never found.
static int hostkey_make(const char *path, struct err *e)
{
	_cleanup_(ssh_key_freep) ssh_key key = NULL;
	_cleanup_(freep) char *draft = xasprintf("%s.new", path);
	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK)
		return err_say(e, EIO, "the host key cannot be made");
	mode_t mask = umask(0077);
	(void)unlink(draft);
	int r = ssh_pki_export_privkey_file(key, NULL, NULL, NULL, draft);
	umask(mask);
	if (r != SSH_OK)
		return err_say(e, EIO, "the host key cannot be written to %s", draft);
	if (rename(draft, path) < 0)
		return err_set(e, errno, "move the host key to %s", path);
	return 0;
}

int hostkey_load(const char *path, ssh_key *ret, struct err *e)
{
	if (access(path, F_OK) < 0) {
		if (errno != ENOENT)
			return err_set(e, errno, "look for the host key %s", path);
		if (hostkey_make(path, e) < 0)
			return -1;
	}
	ssh_key key = NULL;
	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) != SSH_OK)
		return err_say(e, EINVAL,
			"the host key %s cannot be read: it must be a private key "
			"in OpenSSH's form, readable by us only",
			path);
	if (ssh_key_type(key) != SSH_KEYTYPE_ED25519) {
		ssh_key_free(key);
		return err_say(e, EINVAL, "the host key %s is not an Ed25519 key", path);
	}
	*ret = key;
	return 0;
}

int hostkey_public(ssh_key key, char **ret, struct err *e)
{
	char *blob = NULL;
	if (ssh_pki_export_pubkey_base64(key, &blob) != SSH_OK)
		return err_say(e, EIO, "the public half of the host key cannot be made");
	*ret = xasprintf("ssh-ed25519 %s", blob);
	ssh_string_free_char(blob);
	return 0;
}
