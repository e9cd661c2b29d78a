"""A home and a file system that are made to harm who removes them. (What a user does who wants out: test_leak*.py.)"""

import os
import resource

import pytest
from support.wait import wait_until

# As root inside. `outside` is a path of the machine that the remover must neither follow nor touch.
HOME = """
import contextlib, os, socket, stat, sys
outside, home = sys.argv[1], os.open("/home/dev", os.O_DIRECTORY)
os.fchdir(home)
def deep(name, levels):
    os.fchdir(home)
    for _ in range(levels):
        os.mkdir(name)
        os.chdir(name)
    os.symlink(outside, "end")
    os.fchdir(home)
deep("d" * 255, 400)
deep("e", 3000)
for n, name in enumerate([b"-rf", b"\\n", b"\\xff\\xfe", b" ", b"*", b"$(id)", b".trash-0-1", b"...", b"x" * 255]):
    os.mkdir(name)
    os.symlink(outside.encode(), os.path.join(name, b"link"))
    os.symlink(b"/", os.path.join(name, b"root"))
    os.symlink(b"..", os.path.join(name, b"up"))
    os.symlink(b"loop", os.path.join(name, b"loop"))
    os.symlink(os.path.dirname(outside.encode()), os.path.join(name, b".trash-link"))
    os.chown(name, 1000 + n, 4242)
    os.chmod(name, [0, 0o111, 0o7777][n % 3])
for n in range(3000):
    open(f"many{n}", "w").close()
for n in range(500):
    os.link("many0", f"hard{n}")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
with open("sparse", "w") as f:
    f.truncate(1 << 40)
with open("setuid", "w") as f:
    os.fchmod(f.fileno(), 0o6755)
for what in (lambda: os.mknod("device", stat.S_IFBLK | 0o666, os.makedev(8, 0)),
             lambda: os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))):
    with contextlib.suppress(OSError):
        what()
        print("a device was made")
import array, fcntl
for flag in (0x10, 0x20):  # immutable, append only (FS_IOC_SETFLAGS)
    with contextlib.suppress(OSError), open("many1") as f:
        fcntl.ioctl(f, 0x40086602, array.array("l", [flag]))
        print("a file was made immutable")
with contextlib.suppress(OSError):
    os.setxattr("many2", "trusted.x", b"y")
    print("an attribute of root's was set")
"""


def seen(path):
    found = os.lstat(path)
    return found.st_mode, found.st_uid, found.st_gid, found.st_nlink, found.st_mtime_ns


@pytest.mark.parametrize("how", ["rebuild", "delete"])
def test_a_home_that_is_made_to_harm_its_remover_goes_and_nothing_else(agent, host, how, tmp_path_factory):
    machine = tmp_path_factory.mktemp("machine")
    outside = machine / "outside"
    outside.mkdir(mode=0o700)
    (outside / "kept").write_text("kept\n")
    before = [seen(path) for path in (machine, outside, outside / "kept")]
    homes = agent.directory / "agent" / "homes"
    one = host if how == "rebuild" else agent.host()
    if how == "delete":
        one.task("host.create")
        one.running()
    assert one.run("python3", "-c", HOME, str(outside)) == (0, "")
    if how == "rebuild":
        one.task("host.rebuild", '{"mode": "wipe"}')
        assert one.run("test", "-e", "/home/dev/many1")[0] == 1
        assert one.run("test", "-e", "/home/dev/.bashrc")[0] == 0
    else:
        one.task("host.delete", '{"wipe": true}')
        assert not (homes / str(one.id)).exists()
    wait_until(lambda: not list(homes.glob(".trash-*")), "the trash is emptied")
    assert [seen(path) for path in (machine, outside, outside / "kept")] == before
    assert (outside / "kept").read_text() == "kept\n"


DEEP = """
import os
import resource
os.chdir("/var")
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
"""


def test_a_file_system_deeper_than_docker_has_descriptors_is_removed(agent, host):
    """Docker goes down recursively and keeps one open for each level: it would fail, and each start meanwhile."""
    docker = agent.stack.pid("dockerd")
    before = resource.prlimit(docker, resource.RLIMIT_NOFILE)
    assert host.run("python3", "-c", DEEP) == (0, "")
    resource.prlimit(docker, resource.RLIMIT_NOFILE, (2000, before[1]))
    try:
        host.task("host.rebuild", '{"mode": "keep"}')
    finally:
        resource.prlimit(docker, resource.RLIMIT_NOFILE, before)
    assert host.run("test", "-e", "/var/d")[0] == 1
