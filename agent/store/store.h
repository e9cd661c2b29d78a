// SPDX-License-Identifier: Apache-2.0
// Where on the disk the agent keeps what is its own.
#pragma once

// DATA_DIR: STATE_DIR/agent (root, 0700).
//
//     hosts/<id>/              keys (keys.h)
//     hosts/<id>/ccp/          0755, mounted read-only at /.ccp: init, a hard link of ccp-init,
//                              and etc/ with sshd_config, keys, resolv.conf, sudoers
//     hosts/<id>/hosts         mounted at /etc/hosts: the user's, written here only when it is made
//     homes/<id>.tmp/          /tmp, a new one at each start
//     homes/<id>/              /home/dev, owned by 1000:1000
//     homes/<id>.img           with disk_limit_gb: the volume that is mounted there (volume.h)
//     homes/.trash-<id>-<n>/   a home that is being removed (trash.h)
//
// The agent has no DAC_OVERRIDE: a directory that it has given to 1000 is closed to it, and
// renaming within homes/ still works.
struct store {
	int fd;
	char *path; // the same directory, for programs and calls that take no descriptor
};
