// SPDX-License-Identifier: Apache-2.0
// Builds the create body. Nothing of the image's own start-up is left: it would run before the
// gate.
#include "agent/container/container.h"

#include <stdio.h>
#include <string.h>

#include "agent/container/seccomp.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

enum {
	STOP_TIMEOUT_S = 3, // ccp-init ends its children within 2 s
	// Of the memory limit when the container is made, as a machine gives them of its memory.
	RUN_PERCENT = 20,
	SHM_PERCENT = 50,
};

// What ssh, sudo, su, useradd, apt, cron, nginx and strace need: mask 0x200404fb. Nothing here can
// change the network, mount, trace other users' processes or make device nodes.
static const char *const capabilities[] = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL",
	"SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT", "AUDIT_WRITE"};

void container_name(const struct container_owner *owner, const char *host_id,
	char ret[static CONTAINER_NAME_SIZE])
{
	_cleanup_(freep) char *stack = xasprintf("%s %s", owner->node, owner->cluster);
	char hex[HASH_SHA256_HEX_SIZE];

	hash_sha256_hex(stack, strlen(stack), hex);
	snprintf(ret, CONTAINER_NAME_SIZE, "ccp-%.8s-%s", hex, host_id);
}

static void add_labels(cJSON *body, const struct container_config *c)
{
	cJSON *labels = json_set_object(body, "Labels");

	json_set_text(labels, CONTAINER_LABEL_NODE, c->owner.node);
	json_set_text(labels, CONTAINER_LABEL_CLUSTER, c->owner.cluster);
	json_set_text(labels, CONTAINER_LABEL_HOST, c->host_id);
}

static void add_env(cJSON *array, const char *name, const char *value)
{
	_cleanup_(freep) char *text = xasprintf("%s=%s", name, value);

	json_add_text(array, text);
}

static void add_ids(cJSON *env, const struct container_config *c)
{
	_cleanup_(freep) char *ids =
		xasprintf("%lld:%lld", (long long)c->ids.base, (long long)c->ids.owner);

	if (c->ids.base != 0)
		add_env(env, CONTAINER_IDS, ids);
}

// Replaces what the image says about starting: command, user, directory, signal, health check.
static void add_process(cJSON *body, const struct container_config *c)
{
	json_set_text(body, "Hostname", c->hostname);
	json_set_text(body, "User", "0:0");
	json_set_text(body, "WorkingDir", "/");
	json_set_text(body, "StopSignal", "SIGTERM");
	json_set_int(body, "StopTimeout", STOP_TIMEOUT_S);
	json_add_text(json_set_array(body, "Entrypoint"), "/.ccp/init");
	json_set_array(body, "Cmd");
	cJSON *env = json_set_array(body, "Env");
	add_env(env, "TZ", c->timezone);
	add_ids(env, c);
	json_add_text(json_set_array(json_set_object(body, "Healthcheck"), "Test"), "NONE");
	json_set_bool(body, "Tty", false);
	json_set_bool(body, "OpenStdin", false);
}

static void add_mount(cJSON *mounts, const char *source, const char *target, bool read_only)
{
	cJSON *mount = json_add(mounts, json_new_object());

	json_set_text(mount, "Type", "bind");
	json_set_text(mount, "Source", source);
	json_set_text(mount, "Target", target);
	json_set_bool(mount, "ReadOnly", read_only);
	json_set_text(json_set_object(mount, "BindOptions"), "Propagation", "rprivate");
}

// A share of the memory limit, in bytes. The pages count towards the limit.
static int64_t memory_share(const struct container_config *c, int percent)
{
	return c->memory_limit_mb * 1024 * 1024 / 100 * percent;
}

// Empty at each start: what a process has left there (nologin, a lock, a pid) ends with it.
static void add_run(cJSON *mounts, int64_t size_bytes)
{
	cJSON *mount = json_add(mounts, json_new_object());

	json_set_text(mount, "Type", "tmpfs");
	json_set_text(mount, "Target", "/run");
	cJSON *options = json_set_object(mount, "TmpfsOptions");
	json_set_int(options, "SizeBytes", size_bytes);
	json_set_int(options, "Mode", 0755);
}

// A directory of the container's file system can be renamed by its root, a mount point cannot: so
// what is ours is one mount at the top, with nothing mounted below it.
static void add_mounts(cJSON *host, const struct container_config *c)
{
	cJSON *mounts = json_set_array(host, "Mounts");
	_cleanup_(freep) char *resolver = xasprintf("%s/etc/resolv.conf", c->ccp_dir);
	_cleanup_(freep) char *sudoers = xasprintf("%s/etc/sudoers", c->ccp_dir);

	add_mount(mounts, c->ccp_dir, "/.ccp", true);
	add_mount(mounts, resolver, "/etc/resolv.conf", true);
	add_mount(mounts, sudoers, "/etc/sudoers.d/cloud-cli-proxy", true);
	add_mount(mounts, c->hosts_file, "/etc/hosts", false);
	add_mount(mounts, c->home_dir, "/home/dev", false);
	add_mount(mounts, c->tmp_dir, "/tmp", false);
	add_run(mounts, memory_share(c, RUN_PERCENT));
}

// The limits that may change during a container's life.
static void add_resources(cJSON *host, const struct container_config *c)
{
	json_set_int(host, "PidsLimit", c->pids_limit);
	json_set_int(host, "Memory", c->memory_limit_mb * 1024 * 1024);
	json_set_int(host, "MemorySwap", c->memory_limit_mb * 1024 * 1024); // no swap beyond it
	json_set_int(host, "NanoCpus", c->cpu_limit_milli * 1000000);
}

// At a core limit of 1 the kernel neither writes a core nor starts the machine's handler for one; at
// 0 it starts the handler (core(5)).
enum { CORE_NONE = 1 };

static void add_ulimits(cJSON *host, const struct container_config *c)
{
	cJSON *ulimits = json_set_array(host, "Ulimits");
	cJSON *files = json_add(ulimits, json_new_object());
	cJSON *core = json_add(ulimits, json_new_object());

	json_set_text(files, "Name", "nofile");
	json_set_int(files, "Soft", c->open_files);
	json_set_int(files, "Hard", c->open_files);
	json_set_text(core, "Name", "core");
	json_set_int(core, "Soft", CORE_NONE);
	json_set_int(core, "Hard", CORE_NONE);
}

// Forwarding is off by hand because dockerd turns it on for the machine and new namespaces inherit
// that.
static void add_sysctls(cJSON *host, const struct container_config *c)
{
	cJSON *sysctls = json_set_object(host, "Sysctls");
	const char *ipv6_off = c->ipv6 ? "0" : "1";

	json_set_text(sysctls, "net.ipv4.ip_forward", "0");
	json_set_text(sysctls, "net.ipv4.ip_unprivileged_port_start", "1024"); // port 22 is sshd's
	json_set_text(sysctls, "net.ipv4.ping_group_range", "0 65535"); // ping without NET_RAW
	json_set_text(sysctls, "net.ipv6.conf.all.disable_ipv6", ipv6_off);
	json_set_text(sysctls, "net.ipv6.conf.default.disable_ipv6", ipv6_off);
	json_set_text(sysctls, "net.ipv6.conf.lo.disable_ipv6", ipv6_off);
	// The tunnel's device has the exit's address alone, asks for no router and believes none.
	json_set_text(sysctls, "net.ipv6.conf.default.addr_gen_mode", "1"); // none
	json_set_text(sysctls, "net.ipv6.conf.default.accept_ra", "0");
	json_set_text(sysctls, "net.ipv6.conf.default.autoconf", "0");
	json_set_text(sysctls, "net.ipv6.conf.default.accept_redirects", "0");
}

static void add_security(cJSON *host)
{
	_cleanup_(freep) char *profile = seccomp_profile();
	_cleanup_(freep) char *option = xasprintf("seccomp=%s", profile);

	json_add_text(json_set_array(host, "CapDrop"), "ALL");
	cJSON *add = json_set_array(host, "CapAdd");
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		json_add_text(add, capabilities[i]);
	json_add_text(json_set_array(host, "SecurityOpt"), option);
	json_set_bool(host, "Privileged", false);
	json_set_text(host, "IpcMode", "private");
	json_set_text(host, "PidMode", "");
	json_set_text(host, "UTSMode", "");
	json_set_bool(host, "Init", false); // the daemon may have one on by default
}

// What PID 1 and its sshd say is kept by PID 1 itself, within the container's limits (gate_wire.h).
static void add_log(cJSON *host)
{
	json_set_text(json_set_object(host, "LogConfig"), "Type", "none");
}

char *container_body(const struct container_config *c)
{
	cJSON *body _cleanup_(json_freep) = json_new_object();

	json_set_text(body, "Image", c->image_id);
	add_labels(body, c);
	add_process(body, c);
	cJSON *host = json_set_object(body, "HostConfig");
	if (c->ids.base != 0)
		json_set_text(host, "Runtime", CONTAINER_RUNTIME);
	json_set_text(host, "NetworkMode", "none");
	json_set_text(json_set_object(host, "RestartPolicy"), "Name", "no");
	json_set_bool(host, "AutoRemove", false);
	json_set_int(host, "ShmSize", memory_share(c, SHM_PERCENT));
	add_mounts(host, c);
	add_ulimits(host, c);
	add_resources(host, c);
	add_sysctls(host, c);
	add_security(host);
	add_log(host);
	return json_print(body);
}

char *container_limits(const struct container_config *c)
{
	cJSON *body _cleanup_(json_freep) = json_new_object();

	add_resources(body, c);
	return json_print(body);
}

char *container_probe_body(const struct container_config *c)
{
	cJSON *body _cleanup_(json_freep) = json_new_object();

	json_set_text(body, "Image", c->image_id);
	add_labels(body, c);
	json_add_text(json_set_array(body, "Entrypoint"), "/.ccp/init");
	json_set_text(json_set_object(body, "HostConfig"), "NetworkMode", "none");
	return json_print(body);
}
