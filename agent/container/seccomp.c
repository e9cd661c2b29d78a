// SPDX-License-Identifier: Apache-2.0
// The seccomp profile of every container, as data.
#include "agent/container/seccomp.h"

#include <errno.h>
#include <stddef.h>

#include "lib/json.h"
#include "lib/mem.h"

// Refused whatever the arguments.
static const char *const refused[] = {
	// namespaces and mounts
	"unshare", "setns", "mount", "mount_setattr", "fsopen", "fsconfig", "fsmount", "fspick",
	"open_tree", "move_mount", "pivot_root",
	// kernel surfaces that a development machine can do without
	"io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open",
	"userfaultfd",
	// the keyring is not namespaced
	"keyctl", "add_key", "request_key",
	// ways around file and descriptor permissions
	"open_by_handle_at", "pidfd_getfd",
	// the machine itself
	"init_module", "finit_module", "delete_module", "create_module", "kexec_load",
	"kexec_file_load", "quotactl", "quotactl_fd", "sethostname", "settimeofday", "iopl"};

// socket(2): a rule can only name what is refused, so every family but these four is listed one by
// one. socketpair(2) is of use for one family only.
enum { FAMILY_UNIX = 1, FAMILY_LAST = 63 };

static bool family_is_allowed(int family)
{
	return family == FAMILY_UNIX || family == 2 /* INET */ || family == 10 /* INET6 */ ||
	       family == 16 /* NETLINK */;
}

// clone(2): CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; together 0x7E020000.
static const int64_t namespace_flags[] = {
	0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000};

static cJSON *rule_add(cJSON *rules, const char *name, int error)
{
	cJSON *rule = json_add(rules, json_new_object());

	json_add_text(json_set_array(rule, "names"), name);
	json_set_text(rule, "action", "SCMP_ACT_ERRNO");
	json_set_int(rule, "errnoRet", error);
	return rule;
}

// Docker's names: for SCMP_CMP_MASKED_EQ `value` is the mask and `valueTwo` what is compared.
static void rule_argument(cJSON *rule, int index, const char *op, int64_t value, int64_t value_two)
{
	cJSON *arg = json_add(json_set_array(rule, "args"), json_new_object());

	json_set_int(arg, "index", index);
	json_set_int(arg, "value", value);
	json_set_int(arg, "valueTwo", value_two);
	json_set_text(arg, "op", op);
}

static void rule_first_argument(cJSON *rule, const char *op, int64_t value, int64_t value_two)
{
	rule_argument(rule, 0, op, value, value_two);
}

// What takes room on the disk in one call, of any size and without a byte written, would fill it
// before anybody can count: then files grow by being written, as on file systems that do not know
// such calls (posix_fallocate(3) does that by itself). To give room back (FALLOC_FL_PUNCH_HOLE, 2)
// is allowed. The kernel looks at the lower half of both arguments.
static void preallocation_refuse(cJSON *rules)
{
	static const int64_t requests[] = {// linux/falloc.h
		0x40305828 /* FS_IOC_RESVSP */, 0x4030582a /* FS_IOC_RESVSP64 */,
		0x40305839 /* FS_IOC_ZERO_RANGE */};

	rule_argument(rule_add(rules, "fallocate", EOPNOTSUPP), 1, "SCMP_CMP_MASKED_EQ", 2, 0);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		rule_argument(rule_add(rules, "ioctl", EOPNOTSUPP), 1, "SCMP_CMP_MASKED_EQ",
			UINT32_MAX, requests[i]);
}

char *seccomp_profile(void)
{
	cJSON *profile _cleanup_(json_freep) = json_new_object();

	json_set_text(profile, "defaultAction", "SCMP_ACT_ALLOW");
	json_add_text(json_set_array(profile, "architectures"), "SCMP_ARCH_X86_64");
	cJSON *rules = json_set_array(profile, "syscalls");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		rule_add(rules, refused[i], EPERM);
	// Its requests are counted for the machine as a whole (fs.aio-max-nr); databases do without.
	rule_add(rules, "io_setup", ENOSYS);
	// C libraries fall back to clone when clone3 does not exist; its flags lie in memory that
	// no filter can read.
	rule_add(rules, "clone3", ENOSYS);
	for (size_t i = 0; i < ARRAY_SIZE(namespace_flags); i++)
		rule_first_argument(rule_add(rules, "clone", EPERM), "SCMP_CMP_MASKED_EQ",
			namespace_flags[i], namespace_flags[i]);
	for (int family = 0; family <= FAMILY_LAST; family++) {
		if (!family_is_allowed(family))
			rule_first_argument(
				rule_add(rules, "socket", EPERM), "SCMP_CMP_EQ", family, 0);
	}
	rule_first_argument(rule_add(rules, "socket", EPERM), "SCMP_CMP_GT", FAMILY_LAST, 0);
	rule_first_argument(rule_add(rules, "socketpair", EPERM), "SCMP_CMP_NE", FAMILY_UNIX, 0);
	preallocation_refuse(rules);
	return json_print(profile);
}
