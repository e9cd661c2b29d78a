"""What one container's users do to the machine and to other containers: nothing, whatever they hold or are called."""

import fcntl
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from psycopg2.extras import Json
from support.wait import WAIT_S, wait_until

NS_GET_OWNER_UID = 0xB704

# argv: counter, "hold" or "one", uids. `one` takes one and says whether it could; `hold` takes all that there is, as
# each of these users, says so, and gives it back when its input ends.
COUNTERS = r"""
import array, ctypes, fcntl, os, signal, socket, sys

libc = ctypes.CDLL(None, use_errno=True)
kept = []

def inotify():
    number = libc.inotify_init1(0)
    if number < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    kept.append(number)

def signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    if libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), ctypes.c_void_p(0)) < 0:
        raise OSError(ctypes.get_errno(), "sigqueue")

def messages():
    name = f"/ccp-{os.getpid()}-{len(kept)}".encode()
    number = libc.mq_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600, None)
    if number < 0:
        raise OSError(ctypes.get_errno(), "mq_open")
    libc.mq_unlink(name) # the queue is there as long as its descriptor
    kept.append(number)

def flying():
    if not kept or kept[-1][2] == 100:
        kept.append([*socket.socketpair(), 0])
    one = kept[-1]
    number = array.array("i", [0] * 100)
    one[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, number)])
    one[2] += 1

def pipes():
    ends = os.pipe()
    kept.append(ends)
    if fcntl.fcntl(ends[0], fcntl.F_GETPIPE_SZ) < 65536:
        raise OSError("the pipe is small")
    if sys.argv[2] == "hold":
        try:
            fcntl.fcntl(ends[0], fcntl.F_SETPIPE_SZ, 1 << 20)
        except PermissionError:
            pass # small ones are still to be had

def terminals():
    kept.append(os.openpty())

def hold(uid):
    if os.getuid() == 0:
        os.setgroups([])
        os.setresuid(uid, uid, uid)
    count = 0
    try:
        while count < 1000000:
            take()
            count += 1
    except OSError as error:
        return count
    return -1

take = globals()[sys.argv[1]]
if sys.argv[2] == "one":
    try:
        take()
        print("taken")
    except OSError as error:
        print("refused:", error)
    sys.exit()
children = []
for uid in map(int, sys.argv[3:]):
    told, tell = os.pipe()
    wait, go = os.pipe()
    if os.fork() == 0:
        os.close(go)
        os.write(tell, b"%d" % hold(uid))
        os.close(tell)
        os.read(wait, 1)
        os._exit(0)
    os.close(tell)
    os.close(wait)
    children.append(go)
    print(uid, os.read(told, 20).decode(), flush=True)
print("held", flush=True)
sys.stdin.read()
"""


class Tenant:
    """A host that runs, and commands in it as its users."""

    def __init__(self, agent):
        self.host = agent.host()
        self.stack = agent.stack
        self.host.task("host.create")
        self.host.running()

    @property
    def ids(self):
        """What SQL says it has."""
        return self.host.owner.value("select host.ids(slot) from ccp.hosts where id = %s", [self.host.id])

    def words(self, user):
        return ["docker", "-H", f"unix://{self.stack.docker_socket}", "exec", "-i", "--user", user, self.host.container]

    def can_take(self, counter, user):
        return taken([*self.words(user), "python3", "-c", COUNTERS, counter, "one"])

    def end(self):
        self.host.task("host.delete", '{"wipe": true}')


class Held:
    """One of the counters in the hands of a tenant's user, for seconds."""

    def __init__(self, tenant, counter, user):
        uids = ["1000"] if user == "dev" else ["0", "1000", "40000"]
        words = ["timeout", "60", "python3", "-c", COUNTERS, counter, "hold", *uids]
        self.process = subprocess.Popen(
            [*tenant.words(user), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        self.said = []
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line == "held\n":
                return self
        raise AssertionError(f"nothing was held: {self.said}")

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(WAIT_S)


def taken(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_S, check=False, stdin=subprocess.DEVNULL)
    assert done.stdout, done.stderr
    return done.stdout == "taken\n" or done.stdout


def machine_can_take(counter, uid):
    rights = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    return taken([*rights, sys.executable, "-c", COUNTERS, counter, "one"])


@pytest.fixture(scope="module")
def tenants(agent):
    """Two that run, and one for starts."""
    three = [Tenant(agent) for _ in range(3)]
    three[2].host.stopped()
    yield three
    for one in three:
        one.end()


def processes(host):
    """All of a container, as the machine numbers them."""
    container = host.container
    return [int(line) for line in host.stack.docker("top", container, "-o", "pid").split()[1:]]


def uids(pid):
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("Uid:")]
    return {int(word) for word in line.split()[1:]}


def test_each_container_has_ids_and_an_owner_that_nobody_else_has(tenants):
    """Also the machine: no process runs as the owner of a namespace, which could do everything in it."""
    pairs = []
    for tenant in tenants[:2]:
        base, owner = tenant.ids["base"], tenant.ids["owner"]
        pid = tenant.host.pid
        assert Path(f"/proc/{pid}/uid_map").read_text().split() == ["0", str(base), "65536"]
        assert Path(f"/proc/{pid}/gid_map").read_text().split() == ["0", str(base), "65536"]
        answer = bytearray(4)
        with open(f"/proc/{pid}/ns/user") as namespace:
            fcntl.ioctl(namespace, NS_GET_OWNER_UID, answer)
        assert struct.unpack("I", answer)[0] == owner
        assert all(base <= uid < base + 65536 for one in processes(tenant.host) for uid in uids(one))
        pairs.append((base, owner))
    assert abs(pairs[0][0] - pairs[1][0]) >= 65536
    assert pairs[0][1] != pairs[1][1]
    owners = {owner for _, owner in pairs}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                assert not owners & uids(int(entry.name)), entry
            except FileNotFoundError:
                continue


# argv: pids. What an account may do to them.
OUTSIDE = r"""
import os, sys
for pid in sys.argv[1:]:
    for what, attempt in {
        "root": lambda: os.listdir(f"/proc/{pid}/root/home"),
        "cwd": lambda: os.listdir(f"/proc/{pid}/cwd"),
        "environ": lambda: open(f"/proc/{pid}/environ").read(),
        "memory": lambda: open(f"/proc/{pid}/mem", "rb"),
        "descriptors": lambda: os.listdir(f"/proc/{pid}/fd"),
        "kill": lambda: os.kill(int(pid), 0),
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, int(pid), 19),
    }.items():
        try:
            attempt()
            print(what)
        except PermissionError:
            pass
"""


def outside_can(uid, *pids):
    """What an account of the machine is allowed with processes."""
    words = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", sys.executable, "-c", OUTSIDE]
    done = subprocess.run([*words, *map(str, pids)], capture_output=True, text=True, check=True, timeout=WAIT_S)
    return set(done.stdout.split())


def dev_process(tenant):
    """A process of `dev`, as the machine numbers it."""
    tenant.stack.docker("exec", "--detach", "--user", "dev", tenant.host.container, "sleep", "600")

    def found():
        for pid in processes(tenant.host):
            if Path(f"/proc/{pid}/cmdline").read_text().startswith("sleep\x00600"):
                return pid
        return None

    return wait_until(found, "a process of dev runs")


def test_an_account_of_the_machine_with_devs_number_gets_nothing_of_a_host(tenants):
    pid = dev_process(tenants[0])
    assert outside_can(1000, tenants[0].host.pid, pid) == set()
    assert outside_can(tenants[1].ids["base"] + 1000, pid) == set(), "nor another tenant's dev"
    own = subprocess.Popen(["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "sleep", "600"])
    try:
        wait_until(lambda: uids(own.pid) == {1000}, "the account's own process runs")
        assert {"root", "environ", "kill"} <= outside_can(1000, own.pid), "with its own it may"
    finally:
        own.kill()
        own.wait()


@pytest.mark.parametrize("user", ["dev", "root"])
@pytest.mark.parametrize("counter", ["inotify", "signals", "messages", "flying", "pipes", "terminals"])
def test_what_one_tenant_holds_is_missing_to_nobody_else(tenants, counter, user):
    holder, neighbour, starting = tenants
    began = time.monotonic()
    with Held(holder, counter, user) as held:
        assert holder.can_take(counter, user) is not True, f"nothing was held: {held.said}"
        assert neighbour.can_take(counter, "dev") is True
        assert neighbour.can_take(counter, "root") is True
        assert machine_can_take(counter, 0) is True
        assert machine_can_take(counter, 990) is True
        starting.host.running()
    assert holder.can_take(counter, user) is True, "it was given back"
    assert time.monotonic() - began < 60
    starting.host.stopped()


@pytest.fixture
def namespaces_off(agent):
    """The setting for those whose engine cannot."""

    def put(value):
        agent.owner.rows("update ccp.settings set value = %s where name = 'user_namespaces'", [Json(value)])

    put("off")
    yield put
    put("required")


def test_without_user_namespaces_a_host_runs_and_its_ids_are_the_machines(agent, namespaces_off):
    """That is the cost; it is also what shows that the questions above are good ones."""
    tenant = Tenant(agent)
    pid = dev_process(tenant)
    assert uids(pid) == {1000}
    assert {"root", "environ", "kill"} <= outside_can(1000, pid)
    (why,) = agent.owner.rows("select why from ccp.doctor where name = 'user_namespaces' and not ok")[0]
    assert "user_namespaces is off" in why

    # Back: the container must not run as it is, and the person who may change that is told how.
    namespaces_off("required")
    tenant.host.run("sh", "-c", "echo kept >/home/dev/kept && chown 1000:1000 /home/dev/kept")
    tenant.host.stopped()
    status, code, message, _ = tenant.host.wait_task(tenant.host.insert("host.start"))
    assert (status, code) == ("failed", "rebuild_needed")
    assert "rebuild the host, which keeps its home" in message
    tenant.host.task("host.rebuild")
    tenant.host.running()
    assert uids(tenant.host.pid) == {tenant.ids["base"]}
    assert tenant.host.run("stat", "-c", "%u %g", "/home/dev/kept") == (0, "1000 1000\n")
    tenant.end()


def test_a_node_on_which_somebody_has_a_hosts_ids_does_not_start_it(agent, tenants):
    """The agent finds it out; nothing of the machine is changed for this test but what it reads."""
    tenant = tenants[2]
    node = "(select node_id from ccp.hosts where id = %s)"
    agent.stop()
    agent.owner.rows(
        f"update ccp.nodes set taken_ids = int8multirange(int8range(%s, %s)) where id = {node}",
        [tenant.ids["owner"], tenant.ids["owner"] + 1, tenant.host.id],
    )
    assert "belong to an account there" in agent.owner.value("select host.spec(%s) ->> 'refusal'", [tenant.host.id])
    agent.start()
    wait_until(
        lambda: agent.owner.value(f"select taken_ids = '{{}}' from ccp.nodes where id = {node}", [tenant.host.id]),
        "the agent says what there is",
    )
    tenant.host.running()
    tenant.host.stopped()


def test_an_id_beyond_the_range_is_refused_inside(tenants):
    """65,536 ids are what a container has; the documentation says so."""
    run = tenants[0].host.run
    assert run("sh", "-c", "touch /tmp/own && chown 65535:65535 /tmp/own") == (0, "")
    status, said = run("chown", "65536", "/tmp/own")
    assert status != 0
    assert "Invalid argument" in said
