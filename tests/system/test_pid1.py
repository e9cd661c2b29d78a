"""Root inside a container does not decide what its PID 1 is, and nobody is taken at their word at the gate."""

import os
import shutil

import pytest
from support.wait import wait_until

EVIL = "#!/bin/sh\ntouch /home/dev/evil-ran\nexec sleep 1000\n"


def restart(host):
    """(status, error_code, message) of a start after a stop."""
    host.task("host.stop")
    return host.wait_task(host.insert("host.start"))[:3]


def ccp_of(host):
    """What the agent mounts at /.ccp."""
    return host.agent.directory / "agent" / "hosts" / host.id / "ccp"


# --- what is kept over stop and start


RENAME = """
import errno, os, sys
for path in sys.argv[1:]:
    try:
        os.rename(path, path + ".moved")
        print(path, "moved")
    except OSError as error:
        print(path, errno.errorcode[error.errno])
"""


def test_no_mount_target_and_no_directory_above_one_can_be_moved(host):
    files = ["/etc/sudoers.d/cloud-cli-proxy", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"]
    paths = ["/.ccp", "/home", "/home/dev", "/etc", "/etc/sudoers.d", *files]
    status, said = host.run("python3", "-c", RENAME, *paths)
    answers = dict(line.rsplit(" ", 1) for line in said.splitlines())
    assert status == 0 and set(answers) == set(paths), said
    assert set(answers.values()) <= {"EBUSY", "EXDEV"}, said


@pytest.mark.parametrize(
    "attack",
    [
        "mv /.ccp /x; ln -s /home/dev/c /.ccp",
        "mv /.ccp/etc /x; ln -s /home/dev/c/etc /.ccp/etc",
        "ln -f /home/dev/c/init /.ccp/init; cp -f /home/dev/c/init /.ccp/init; mount --bind /home/dev/c /.ccp",
        "umount /.ccp; umount -l /.ccp; rm -rf /.ccp; cp -r /home/dev/c /.ccp",
        "mv /home /home2; ln -s /.ccp /home; rm -rf /home/dev; ln -s /.ccp /home/dev",
        "mv /etc /etc2; ln -s /.ccp /etc; rm -rf /etc/sudoers.d; ln -s /.ccp /etc/sudoers.d",
    ],
)
def test_a_users_program_never_is_pid_1(host, attack):
    """Three times, because Docker makes mounts of equal depth in random order."""
    make = f"mkdir -p /home/dev/c/etc; printf '{EVIL}' >/home/dev/c/init; chmod 755 /home/dev/c/init; {attack}"
    host.run("sh", "-c", make.replace("\n", "\\n"))
    try:
        for _ in range(3):
            status, code, message = restart(host)
            assert status == "succeeded" or code == "rebuild_needed", message
            assert not (host.agent.directory / "agent" / "homes" / host.id / "evil-ran").exists()
            assert status == "failed" or host.run("cat", "/proc/1/comm") == (0, "init\n")
    finally:
        host.task("host.rebuild", '{"mode": "wipe"}')


# --- a PID 1 that is not ours: a container that somebody with rights on the machine has put in the place of ours

FORGED = """
import socket, struct
ssh = socket.create_server(("127.0.0.1", 22))
gate = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
gate.bind("\\0ccp-gate")
gate.listen()
while True:
    peer = gate.accept()[0]
    while message := peer.recv(8):
        magic, word = struct.unpack("II", message)
        peer.send(struct.pack("II", magic, 1 if word == 1 else 3))
        if word == 2:
            ssh.accept()[0].send(b"SSH-2.0-forged\\r\\n")
            break
"""
TRACED = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
if os.fork() == 0:
    assert libc.ptrace(16, 1, None, None) == 0
    while True:
        os.waitpid(1, 0x40000000)
        libc.ptrace(7, 1, None, None)
while "TracerPid:\\t0" in open("/proc/self/status").read():
    time.sleep(0.01)
os.execv("/.ccp/init", ["/.ccp/init"])
"""


def put_in_its_place(host, directory, *command):
    """A container with our name and labels, and a command of its own; `directory` is at /own."""
    docker = host.stack.docker
    form = (
        "{{.Name}} --runtime={{.HostConfig.Runtime}} {{range .Config.Env}}--env={{.}} {{end}}"
        "{{range $k, $v := .Config.Labels}}--label={{$k}}={{$v}} {{end}}"
    )
    name, *labels = docker("inspect", "--format", form, host.container).split()
    docker("rm", host.container)
    sysctls = [f"--sysctl=net.ipv6.conf.{device}.disable_ipv6=1" for device in ("all", "default", "lo")]
    sysctls.append("--sysctl=net.ipv4.ping_group_range=0 65535")
    volumes = [f"--volume={ccp_of(host)}:/.ccp:ro", f"--volume={directory}:/own:ro"]
    what = ["--network=none", "--dns=198.18.0.53", "--user=0:0", "--entrypoint", command[0]]
    image = "cloud-cli-proxy/managed-user:latest"
    docker("create", f"--name={name[1:]}", *labels, *sysctls, *volumes, *what, image, *command[1:])


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["python3", "-c", FORGED], "not ccp-init"),
        (["/own/init"], "not ccp-init"),  # the same bytes in another file
        (["/own/link"], "not ccp-init"),
        (["sh", "-c", "sleep 1000 & exec /.ccp/init"], "2 processes run in the container"),
        (["python3", "-c", TRACED], "traced"),
    ],
    ids=["forged", "copied", "linked", "preceded", "traced"],
)
def test_a_pid_1_that_is_not_ours_and_alone_does_not_pass_the_gate(host, tmp_path, command, why):
    host.task("host.stop")
    shutil.copy(ccp_of(host) / "init", tmp_path / "init")
    (tmp_path / "link").symlink_to("init")
    put_in_its_place(host, tmp_path, *command)
    status, code, message, _ = host.wait_task(host.insert("host.start"))
    assert (status, code) == ("failed", "gate_failed"), message
    assert why in message
    assert host.pid is None
    host.task("host.rebuild", '{"mode": "keep"}')


# --- adoption and upgrades


def replace(path):
    """Another file with the same bytes, as an upgrade puts it there."""
    shutil.copy(path, path.with_suffix(".new"))
    os.rename(path.with_suffix(".new"), path)


def test_a_pid_1_that_is_not_ours_is_not_adopted(agent, host):
    agent.kill()
    replace(ccp_of(host) / "init")
    agent.start()
    host.wait_status("unavailable")
    assert "not ccp-init" in agent.owner.value("select error_message from ccp.hosts where id = %s", [host.id])
    wait_until(lambda: host.pid is None, "the container is stopped")
    host.task("host.start")


def test_an_upgrade_of_ccp_init_holds_from_the_next_start(agent, host):
    installed, mounted = agent.directory / "libexec" / "ccp-init", ccp_of(host) / "init"
    container, before = host.container, mounted.stat().st_ino
    agent.kill()
    replace(installed)
    agent.start()
    wait_until(lambda: f'event="host adopted" host={host.id}' in agent.log(), "the host is adopted")
    assert (host.container, mounted.stat().st_ino) == (container, before)
    assert restart(host)[0] == "succeeded"
    assert host.container == container
    assert mounted.stat().st_ino == installed.stat().st_ino != before
