"""What a user's files take of the machine's disk: it is counted whatever they look like, and on a full disk it ends."""

import os
import subprocess

import pytest
from support.wait import wait_until

MB = 1 << 20
GB = 1 << 30
LONG_S = 300  # a round begins within a minute, and counts a host when nobody has it

# Each makes something that a count of file sizes, a recursive walk or a list of names would get wrong.
DEEP = """
import os
for i in range(2000):
    os.mkdir("d")
    os.chdir("d")
open("f", "w").write("x")
"""
HELD = """
import os, time
f = open("/var/lib/held", "wb")
os.unlink("/var/lib/held")
for i in range(200):
    f.write(os.urandom(1 << 20))
f.flush()
print("held", flush=True)
time.sleep(600)
"""
CALLS = """
import ctypes, fcntl, os, struct
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/var/lib/room", os.O_RDWR | os.O_CREAT)
def call(*arguments):
    ctypes.set_errno(0)
    return os.strerror(ctypes.get_errno()) if libc.syscall(*[ctypes.c_long(a) for a in arguments]) else "done"
size = 64 << 20
for mode in (0, 1, 0x10, 0x40, 1 << 32, 0x11):
    print(call(285, fd, mode, 0, size))
room = ctypes.create_string_buffer(struct.pack("hhqqiI4i", 0, 0, 0, size, 0, 0, 0, 0, 0, 0))
for request in (0x40305828, 0x4030582A, 0x40305839, 0x40305828 | 1 << 32):
    print(call(16, fd, request, ctypes.addressof(room)))
print(os.fstat(fd).st_blocks)
os.write(fd, bytes(1 << 20))
print(call(285, fd, 3, 0, 1 << 20))
os.posix_fallocate(fd, 0, 1 << 20)
print(os.fstat(fd).st_blocks)
"""


def seen(host, column="disk_bytes"):
    return host.owner.value(f"select {column} from ccp.observations where host_id = %s", [host.id]) or 0


def measured(host, condition, description):
    """Waits for a round that shows it."""
    wait_until(lambda: condition(seen(host)), description, LONG_S)


@pytest.fixture
def inside(host):
    """Runs a line in the container, as root there unless told otherwise."""

    def line(text, user="root"):
        status, output = host.run("sh", "-c", text, user=user)
        assert status == 0, output
        return output

    yield line
    host.run("sh", "-c", "rm -rf /var/lib/big /var/lib/hole /var/lib/link /var/lib/many /var/lib/closed /var/lib/room")


def test_no_call_takes_room_that_is_not_written(host, inside):
    """So a disk is filled no faster than it can be written, and a full one is noticed before."""
    said = inside(f"python3 -c '{CALLS}'").splitlines()
    assert said[:10] == ["Operation not supported"] * 10
    assert said[10:] == ["0", "done", "2048"]  # what libraries do instead works, and so does giving room back


def test_what_is_written_is_counted_wherever_it_is(host, inside):
    measured(host, lambda count: count > 0, "the host is measured")
    before = seen(host)
    inside("head -c 30M /dev/zero >/home/dev/big", user="dev")
    inside("head -c 30M /dev/zero >/tmp/big; head -c 30M /dev/zero >/etc/hosts; head -c 30M /dev/zero >/var/lib/big")
    # What takes nothing: holes, and a second name.
    inside("truncate -s 100G /var/lib/hole; ln /var/lib/big /var/lib/link")
    # Closed to everybody, and given to a user that nobody is.
    inside("mkdir /var/lib/closed; head -c 30M /dev/zero >/var/lib/closed/big; chown -R 4321 /var/lib/closed")
    inside("chmod 0 /var/lib/closed/big /var/lib/closed")
    measured(host, lambda count: count - before >= 150 * MB, "150 MB more are counted")
    assert seen(host) - before < 160 * MB
    inside("rm -f /home/dev/big /tmp/big /var/lib/big /var/lib/link; rm -rf /var/lib/closed; : >/etc/hosts")
    measured(host, lambda count: count - before < 10 * MB, "what is gone does not count")


def test_a_file_without_a_name_is_counted(host, inside):
    before = seen(host)
    inside(f"python3 -c '{HELD}' >/tmp/said 2>&1 & until grep -q held /tmp/said; do sleep 0.1; done")
    measured(host, lambda count: count - before >= 200 * MB, "200 MB that nobody sees are counted")
    inside("pkill -f [h]eld")
    measured(host, lambda count: count - before < 100 * MB, "and no longer")


def test_many_files_and_deep_directories_end_no_measurement(host, inside):
    inside("mkdir /var/lib/many && cd /var/lib/many && seq 1 70000 | xargs touch")
    inside(f"cd /var/lib/many && python3 -c '{DEEP}'")
    # A count that was under way meanwhile may have seen one and not the other.
    wait_until(
        lambda: seen(host, "disk_depth") == 256 and 70000 < seen(host, "disk_files") < 200000,
        "what is too deep is said, and how many there are",
        LONG_S,
    )
    with host.stack.settings(host_disk_gb=1):
        wait_until(
            lambda: "as many as the 1 GB of host_disk_gb are good for" in why(host)
            or "take more than the 1 GB" in why(host),
            "so many are too many",
            LONG_S,
        )
    inside("rm -rf /var/lib/many")
    wait_until(lambda: not seen(host, "disk_excess"), "it is as before", LONG_S)


def ticking(host, condition, description):
    """Waits for what a rule of the tick brings, which is the worker's: none runs here."""
    return wait_until(lambda: host.owner.value("select clock.tick('worker')") and condition(), description, LONG_S)


def wait_event(host, kind, after):
    """The message of the first event of a type about the host since then."""
    sql = "select min(message) from ccp.events where id > %s and type = %s and host_id = %s"
    return ticking(host, lambda: host.owner.value(sql, [after, kind, host.id]), f"event {kind}")


def why(host):
    return host.owner.value("select why from ccp.host_status where id = %s", [host.id])


def test_a_host_with_too_much_goes_on_until_the_disk_is_short_and_comes_back_by_itself(agent, host, inside):
    """The reserve is raised above what is free: nothing needs to be filled for that."""
    home = agent.directory / "agent" / "homes" / host.id
    with agent.stack.settings(host_disk_gb=1):
        last = host.last_event()
        subprocess.run(["fallocate", "-l", str(GB + MB), home / "large"], check=True)
        assert "its files take more than the 1 GB of host_disk_gb" in wait_event(host, "host.disk.over", last)
        assert host.status == "running"
        with agent.stack.settings(disk_reserve_percent=90):
            wait_event(host, "host.disk.stopped", last)
            host.wait_status("stopped")
            assert "it is kept stopped until there is room" in why(host)
            (home / "large").unlink()
            wait_event(host, "host.disk.within", last)
        ticking(host, lambda: host.status == "running", "it is back when its agent has told of the room")
    assert agent.stuck() == []
    assert os.listdir(home)  # what was the user's is there
